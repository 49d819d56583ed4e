import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from "fs";
import { join } from "path";
import { journalKey, type Account, type Commit } from "./account";
import { type StoredResource } from "./storedResource";

const version = 1;

interface Snapshot {
  version: number;
  seed: string;
  counter: number;
  resources: StoredResource[];
  /** Seeded resources that were changed or deleted are in here, too. */
  deleted: string[];
}

/** State that cannot be read; the message says which file and what to do. */
export class StateError extends Error {
  constructor(file: string, detail: string, directory: string) {
    super(
      `The simulated region's state cannot be read: ${file} ${detail}. ` +
        `Restore the file, or delete ${directory} to begin with an empty account (stacks deployed there will ` +
        `have to be refreshed).`,
    );
    this.name = "StateError";
  }
}

/**
 * Keeps an account in a directory: a snapshot, and a journal of everything since. A journal line is written
 * before the operation is answered, so that a crash of the process loses nothing that was answered.
 */
export class Store {
  private readonly snapshotFile: string;
  private readonly journalFile: string;
  private readonly seeded: Map<string, StoredResource>;
  private journal: number | undefined;
  private lines = 0;

  constructor(
    private readonly account: Account,
    private readonly directory: string,
  ) {
    this.snapshotFile = join(directory, "account.json");
    this.journalFile = join(directory, "account.journal");
    this.seeded = new Map(account.all().map((r) => [journalKey(r), r]));
  }

  /** Reads what an earlier process left and writes everything from now on. */
  open(): void {
    mkdirSync(this.directory, { recursive: true });
    this.readSnapshot();
    this.readJournal();
    this.compact();
    this.account.onCommit((commit) => this.append(commit));
  }

  /** Writes the snapshot and empties the journal. */
  compact(): void {
    const present = new Set<string>();
    const resources = this.account.all().filter((resource) => {
      present.add(journalKey(resource));
      return this.seeded.get(journalKey(resource)) !== resource;
    });
    const snapshot: Snapshot = {
      version,
      ...this.account.facts(),
      resources,
      deleted: [...this.seeded.keys()].filter((key) => !present.has(key)),
    };
    const temporary = `${this.snapshotFile}.new`;
    const file = openSync(temporary, "w", 0o600);
    try {
      writeSync(file, JSON.stringify(snapshot));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, this.snapshotFile);
    this.closeJournal();
    rmSync(this.journalFile, { force: true });
    this.lines = 0;
  }

  close(): void {
    this.compact();
  }

  private append(commit: Commit): void {
    this.journal ??= openSync(this.journalFile, "a", 0o600);
    writeSync(this.journal, `${JSON.stringify(commit)}\n`);
    // Much longer than a deployment of a hundred nodes.
    if (++this.lines >= 20_000) {
      this.compact();
    }
  }

  private closeJournal(): void {
    if (this.journal !== undefined) {
      closeSync(this.journal);
      this.journal = undefined;
    }
  }

  private readSnapshot(): void {
    if (!existsSync(this.snapshotFile)) {
      if (existsSync(this.journalFile)) {
        throw new StateError(this.snapshotFile, "is missing, but its journal is there", this.directory);
      }
      return;
    }
    let snapshot: Partial<Snapshot> | null;
    try {
      snapshot = JSON.parse(readFileSync(this.snapshotFile, "utf8")) as Partial<Snapshot> | null;
    } catch (error) {
      throw new StateError(this.snapshotFile, `is damaged (${(error as Error).message})`, this.directory);
    }
    if (snapshot?.version !== version) {
      throw new StateError(
        this.snapshotFile,
        `has version ${String(snapshot?.version)}, this program reads version ${version}`,
        this.directory,
      );
    }
    const { resources, counter } = snapshot;
    if (!Array.isArray(resources) || !resources.every(isStored) || typeof counter !== "number") {
      throw new StateError(this.snapshotFile, "is damaged (no resources in it)", this.directory);
    }
    this.account.restore({
      counter,
      resources: [
        ...resources.map((r): [string, StoredResource] => [journalKey(r), r]),
        ...(snapshot.deleted ?? []).map((key): [string, null] => [key, null]),
      ],
    });
  }

  private readJournal(): void {
    if (!existsSync(this.journalFile)) {
      return;
    }
    const text = this.readJournalText();
    const complete = text.lastIndexOf("\n") + 1;
    if (complete < text.length) {
      // Cut off in the middle of a line: that operation was never answered.
      truncateSync(this.journalFile, Buffer.byteLength(text.slice(0, complete)));
    }
    const lines = text.slice(0, complete).split("\n").slice(0, -1);
    lines.forEach((line, i) => {
      try {
        const commit: unknown = JSON.parse(line);
        if (!isCommit(commit)) {
          throw new Error("no operation");
        }
        this.account.restore(commit);
      } catch (error) {
        throw new StateError(
          this.journalFile,
          `is damaged in line ${i + 1} (${(error as Error).message})`,
          this.directory,
        );
      }
    });
  }

  private readJournalText(): string {
    try {
      return readFileSync(this.journalFile, "utf8");
    } catch (error) {
      throw new StateError(this.journalFile, `is damaged (${(error as Error).message})`, this.directory);
    }
  }
}

function isStored(value: unknown): value is StoredResource {
  const { type, id } = (value ?? {}) as Partial<StoredResource>;
  return typeof type === "string" && typeof id === "string";
}

function isCommit(value: unknown): value is Commit {
  const { counter, resources } = (value ?? {}) as Partial<Commit>;
  return (
    typeof counter === "number" &&
    Array.isArray(resources) &&
    resources.every(
      (entry: unknown) =>
        Array.isArray(entry) && typeof entry[0] === "string" && (entry[1] === null || isStored(entry[1])),
    )
  );
}
