/**
 * Breaks lines of components/ one at a time, where they are, and says which of them no test notices:
 *
 *     npm run test:mutants -- [--count 60] [--seed 1] [--file components/network/emqxVpc.ts]
 *
 * The tests closest to a file run first, then all of the project `unit`; what these let pass is shown to the compiler.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import type { Mutant } from "./mutate";
import { mutantsOf } from "./mutate";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    file: { type: "string", default: "components" },
  },
});

/** Not lines that do something: a generated table, and names that are passed on. */
const left = /schema\/keys\.ts$|index\.ts$/;
const git = (...args: string[]) =>
  execFileSync("git", args, { encoding: "utf8" }).split("\n").filter(Boolean);
if (git("status", "--porcelain", "components").length > 0) {
  throw new Error("components/ has changes that are not committed: its files are restored after each mutant");
}
const files = git("ls-files", values.file).filter((file) => file.endsWith(".ts") && !left.test(file));
const tests = git("ls-files", "test").filter((file) => file.endsWith(".test.ts"));

/** Chosen by the seed, each line with the same chance: the same seed chooses the same mutants of the same sources. */
function choose(all: Mutant[], count: number, seed: number): Mutant[] {
  const rank = (text: string) => createHash("sha256").update(`${seed} ${text}`).digest("hex");
  const ranked = all
    .map((mutant) => ({ ...mutant, rank: rank(`${mutant.file} ${mutant.what} ${mutant.start}`) }))
    .sort((one, other) => (one.rank < other.rank ? -1 : 1));
  const lines = new Map(ranked.reverse().map((mutant) => [`${mutant.file}:${mutant.line}`, mutant]));
  return [...lines.values()].sort((one, other) => (one.rank < other.rank ? -1 : 1)).slice(0, count);
}

/** Tests whose names begin like the file's; else those of its folder. */
function nearest(file: string): string[] {
  const name = basename(file, ".ts").toLowerCase();
  const folder = file.replace(/^components/, "test/components").replace(/[^/]+$/, "");
  const own = tests.filter((test) => basename(test).toLowerCase().startsWith(name));
  return own.length > 0 ? own : tests.filter((test) => test.startsWith(folder));
}

/** The first test that fails, or nothing. */
function failing(paths: string[]): string | undefined {
  const args = ["node_modules/jest/bin/jest.js", "--selectProjects", "unit", "--bail", ...paths];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 2 ** 28 });
  return status === 0 ? undefined : (/● (.*)/.exec(stderr)?.[1] ?? "a test file that does not load");
}

function compiles(): boolean {
  return spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit"]).status === 0;
}

const sources = new Map(files.map((file) => [file, readFileSync(file, "utf8")]));
const all = [...sources].flatMap(([file, text]) => mutantsOf(file, text));
const chosen = choose(all, Number(values.count), Number(values.seed));
let caught = 0;
for (const { file, line, what, start, end, replacement } of chosen) {
  const text = sources.get(file)!;
  let by: string | undefined;
  try {
    writeFileSync(file, text.slice(0, start) + replacement + text.slice(end));
    by = failing(nearest(file)) ?? failing([]) ?? (compiles() ? undefined : "the compiler");
  } finally {
    writeFileSync(file, text);
  }
  if (by !== undefined) caught++;
  process.stdout.write(`| ${file}:${line} | ${what.replaceAll("|", "\\|")} | ${by ?? "**nothing**"} |\n`);
}
process.stdout.write(`\n${caught} of ${chosen.length} caught, of ${all.length} that there are\n`);
