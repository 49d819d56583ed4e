import { createHash } from "crypto";
import type { Seeds } from "./seeds";
import type { StoredResource } from "./storedResource";
import { equal, type Props } from "./values";

export type Change =
  | { kind: "created"; resource: StoredResource }
  | { kind: "updated"; resource: StoredResource; previous: StoredResource }
  | { kind: "deleted"; resource: StoredResource };

/** The part of an account's state that is not resources. */
interface AccountFacts {
  seed: string;
  counter: number;
}

/** One line of the journal. A resource of `null` is a deletion. */
export interface Commit {
  counter: number;
  resources: [key: string, resource: StoredResource | null][];
}

interface AccountOptions {
  seeds: Seeds;
  /** Makes ids; the same seed gives the same ids in the same order. */
  seed?: string;
  now?: () => Date;
}

/**
 * What exists in one AWS account. It knows nothing about resource types: those bring the rules
 * (see services/), this keeps the things, undoes failed operations and tells listeners.
 */
export class Account {
  readonly seeds: Seeds;
  readonly now: () => Date;
  private readonly seed: string;
  private counter = 0;
  private readonly byType = new Map<string, Map<string, StoredResource>>();
  private readonly listeners = new Set<(changes: Change[]) => void>();
  private readonly commits = new Set<(commit: Commit) => void>();
  private pending: Change[] | undefined;

  constructor(options: AccountOptions) {
    this.seeds = options.seeds;
    this.seed = options.seed ?? "simulated";
    this.now = options.now ?? (() => new Date());
  }

  /** Called after every operation that changed something, with all of its changes. */
  onChange(listener: (changes: Change[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Called before the operation is answered: whoever persists the account writes here. */
  onCommit(writer: (commit: Commit) => void): () => void {
    this.commits.add(writer);
    return () => this.commits.delete(writer);
  }

  get(type: string, region: string, id: string): StoredResource | undefined {
    return this.byType.get(type)?.get(keyOf(region, id));
  }

  list(type: string, region?: string): StoredResource[] {
    const all = [...(this.byType.get(type)?.values() ?? [])];
    return region === undefined ? all : all.filter((r) => r.region === region);
  }

  all(): StoredResource[] {
    return [...this.byType.values()].flatMap((m) => [...m.values()]);
  }

  /**
   * Runs an operation: either all of its changes happen, or none. Operations are synchronous, so two of them
   * never interleave; one inside another belongs to the outer one.
   */
  transaction<T>(operation: () => T): T {
    if (this.pending) {
      return operation();
    }
    const changes: Change[] = [];
    this.pending = changes;
    let result: T;
    try {
      result = operation();
    } catch (error) {
      this.pending = undefined;
      for (const change of changes.reverse()) {
        if (change.kind === "created") {
          this.forget(change.resource);
        } else {
          this.remember(change.kind === "deleted" ? change.resource : change.previous);
        }
      }
      throw error;
    }
    this.pending = undefined;
    this.publish(changes);
    return result;
  }

  create(resource: {
    type: string;
    id: string;
    region: string;
    attributes: Props;
    hidden?: Props;
    implicit?: boolean;
  }): StoredResource {
    const stored: StoredResource = {
      hidden: {},
      implicit: false,
      ...resource,
      createdAt: this.now().toISOString(),
    };
    return this.transaction(() => {
      this.remember(stored);
      this.pending!.push({ kind: "created", resource: stored });
      return stored;
    });
  }

  /** Merges into the attributes (and hidden facts); a property set to undefined goes away. */
  update(
    resource: StoredResource,
    attributes: Record<string, Props[string] | undefined>,
    hidden: Record<string, Props[string] | undefined> = {},
  ): StoredResource {
    return this.transaction(() => {
      const previous = this.get(resource.type, resource.region, resource.id);
      if (!previous) {
        throw new Error(`${resource.type} ${resource.id} does not exist any more`);
      }
      const next: StoredResource = {
        ...previous,
        attributes: merged(previous.attributes, attributes),
        hidden: merged(previous.hidden, hidden),
      };
      if (equal(next.attributes, previous.attributes) && equal(next.hidden, previous.hidden)) {
        return previous;
      }
      this.remember(next);
      this.pending!.push({ kind: "updated", resource: next, previous });
      return next;
    });
  }

  delete(resource: StoredResource): void {
    this.transaction(() => {
      const stored = this.get(resource.type, resource.region, resource.id);
      if (stored) {
        this.forget(stored);
        this.pending!.push({ kind: "deleted", resource: stored });
      }
    });
  }

  /** `length` hexadecimal digits that this account has not used before. */
  hex(length: number): string {
    let digits = "";
    while (digits.length < length) {
      digits += createHash("sha256").update(`${this.seed}/${this.counter++}`).digest("hex");
    }
    return digits.slice(0, length);
  }

  /** Decimal digits, not starting with zero. */
  digits(length: number): string {
    const number = BigInt(`0x${this.hex(32)}`) % 10n ** BigInt(length - 1);
    return (10n ** BigInt(length - 1) + number).toString();
  }

  facts(): AccountFacts {
    return { seed: this.seed, counter: this.counter };
  }

  /** Takes up what an earlier process wrote; nobody is told. */
  restore(commit: Commit): void {
    this.counter = Math.max(this.counter, commit.counter);
    for (const [key, resource] of commit.resources) {
      if (resource) {
        this.remember(resource);
      } else {
        const [type, region, ...id] = key.split("|");
        this.byType.get(type!)?.delete(keyOf(region!, id.join("|")));
      }
    }
  }

  private remember(resource: StoredResource): void {
    let ofType = this.byType.get(resource.type);
    if (!ofType) {
      this.byType.set(resource.type, (ofType = new Map<string, StoredResource>()));
    }
    ofType.set(keyOf(resource.region, resource.id), resource);
  }

  private forget(resource: StoredResource): void {
    this.byType.get(resource.type)?.delete(keyOf(resource.region, resource.id));
  }

  private publish(changes: Change[]): void {
    if (changes.length === 0) {
      return;
    }
    const latest = new Map<string, StoredResource | null>();
    for (const { kind, resource } of changes) {
      latest.set(journalKey(resource), kind === "deleted" ? null : resource);
    }
    const commit: Commit = { counter: this.counter, resources: [...latest] };
    this.commits.forEach((write) => write(commit));
    this.listeners.forEach((listener) => listener(changes));
  }
}

export function journalKey(resource: StoredResource): string {
  return `${resource.type}|${resource.region}|${resource.id}`;
}

function keyOf(region: string, id: string): string {
  return `${region}|${id}`;
}

function merged(props: Props, changes: Record<string, Props[string] | undefined>): Props {
  const result: Props = { ...props };
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) {
      delete result[key];
    } else {
      result[key] = value;
    }
  }
  return result;
}
