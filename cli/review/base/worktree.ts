import { execFile } from "node:child_process";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Speaker } from "../../console";
import { UserError } from "../../console";

const run = promisify(execFile);

async function git(repository: string, ...args: string[]): Promise<string> {
  const { stdout } = await run("git", ["-C", repository, ...args], { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

export interface Revision {
  commit: string;
  /** As a reader knows it: `main (1a2b3c4)`. */
  label: string;
}

export async function findRevision(repository: string, ref: string): Promise<Revision> {
  try {
    // A ref that begins with a hyphen would be an option.
    const commit = await git(
      repository,
      "rev-parse",
      "--verify",
      "--quiet",
      "--end-of-options",
      `${ref}^{commit}`,
    );
    const short = commit.slice(0, 9);
    return { commit, label: commit.startsWith(ref) ? short : `${ref} (${short})` };
  } catch {
    throw new UserError(
      `--base ${ref}: there is no such revision here; a shallow clone has to fetch it first (git fetch origin ${ref})`,
    );
  }
}

/** Runs `work` in a clean checkout of a revision, with its own dependencies. The checkout is removed in any case. */
export async function withWorktree<T>(
  repository: string,
  { commit }: Revision,
  folder: string,
  speaker: Speaker,
  work: (worktree: string) => Promise<T>,
): Promise<T> {
  try {
    await git(repository, "worktree", "add", "--detach", "--force", folder, commit);
    await installDependencies(repository, folder, speaker);
    return await work(folder);
  } finally {
    await git(repository, "worktree", "remove", "--force", folder).catch(() =>
      git(repository, "worktree", "prune"),
    );
  }
}

/** The repository's own packages serve a revision that locks the same ones; any other gets its own. */
async function installDependencies(repository: string, worktree: string, speaker: Speaker): Promise<void> {
  if (!existsSync(join(worktree, "package.json"))) return;
  if (sameLock(repository, worktree)) {
    symlinkSync(join(repository, "node_modules"), join(worktree, "node_modules"));
    return;
  }
  speaker.say("The base revision locks other packages; installing them (npm ci).");
  try {
    // The program needs no install scripts, and a revision under review should not get to run any.
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], {
      cwd: worktree,
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    const { stderr = "" } = error as { stderr?: string };
    throw new UserError(`npm ci failed for the base revision:\n${stderr.trim() || String(error)}`);
  }
}

function sameLock(repository: string, worktree: string): boolean {
  const [ours, theirs] = [repository, worktree].map((folder) => {
    const file = join(folder, "package-lock.json");
    return existsSync(file) ? readFileSync(file) : undefined;
  });
  return (
    ours !== undefined &&
    theirs !== undefined &&
    ours.equals(theirs) &&
    existsSync(join(repository, "node_modules"))
  );
}
