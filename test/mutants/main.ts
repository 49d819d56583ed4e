/**
 * Breaks lines of components/ one at a time, in a copy of what is committed, and says which of them nothing notices:
 *
 *     npm run test:mutants -- [--count 60] [--seed 1] [--file components/network/emqxVpc.ts] [--line 12]
 *
 * What costs least looks first: the compiler, the tests of the file, and then what else of `npm test` has to do with the file.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import ts from "typescript";
import type { Mutant } from "./mutate";
import { mutantsOf } from "./mutate";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    file: { type: "string", default: "components" },
    line: { type: "string" },
  },
});

/** Not lines that do something: a generated table, and names that are passed on. */
const left = /schema\/keys\.ts$|index\.ts$/;
/** Tests on whole machines, which take long, and what nodes run in bash that they are of. */
const machines: Record<string, RegExp> = {
  "test/components/emqx/backupOperations.test.ts": /operations\/(archive|backup|restore)\.ts$/,
  "test/components/emqx/bootScript.test.ts": /(bootstrap|operations\/(common|install|join))\.ts$/,
  "test/components/emqx/operations.test.ts": /operations\/(drain|services|sync|upkeep)\.ts$/,
  "test/components/emqx/faults.test.ts": /^$/,
};
/** Tests that take seconds and see much: what is deployed, inputs and their defaults. */
const broad = /test\/(stacks|components\/(badInput|defaults))/;

// Beside node_modules, so that both are on one file system, where a copy of links costs next to nothing.
const copy = join(".cache", "mutants");
rmSync(copy, { recursive: true, force: true });
const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: "utf8" });
run("git", "clone", "--quiet", "--shared", ".", copy);
run("cp", "-al", "node_modules", copy);

const tracked = (path: string) => run("git", "-C", copy, "ls-files", path).split("\n");
const sources = new Map(
  tracked(values.file)
    .filter((file) => file.startsWith("components/") && file.endsWith(".ts") && !left.test(file))
    .map((file) => [file, readFileSync(join(copy, file), "utf8")]),
);

/** Chosen by the seed, each line with the same chance: the same seed chooses the same mutants of the same sources. */
function choose(all: Mutant[], count: number, seed: number): Mutant[] {
  const rank = (text: string) => createHash("sha256").update(`${seed} ${text}`).digest("hex");
  const ranked = all
    .map((mutant) => ({ ...mutant, rank: rank(`${mutant.file} ${mutant.what} ${mutant.start}`) }))
    .sort((one, other) => (one.rank < other.rank ? -1 : 1));
  const lines = new Map(ranked.reverse().map((mutant) => [`${mutant.file}:${mutant.line}`, mutant]));
  return [...lines.values()].sort((one, other) => (one.rank < other.rank ? -1 : 1)).slice(0, count);
}

const isQuick = (test: string) => test.startsWith("test/components/") && !(test in machines);

/** Tests of a script. */
const machineTests = (file: string) => Object.keys(machines).filter((test) => machines[test]!.test(file));

/** Tests whose names begin like the file's; else those of its folder, or of the next one above that has any. */
function nearest(file: string): string[] {
  const name = basename(file, ".ts").toLowerCase();
  const own = tests.filter((test) => basename(test).toLowerCase().startsWith(name));
  const inFolder = (folder: string): string[] => {
    const found = tests.filter((test) => dirname(test) === folder && isQuick(test));
    return found.length > 0 ? found : inFolder(dirname(folder));
  };
  return own.length > 0 || machineTests(file).length > 0 ? own : inFolder(join("test", dirname(file)));
}

const jest = "node_modules/jest/bin/jest.js";

function inCopy(script: string, ...args: string[]) {
  return spawnSync(process.execPath, [script, ...args], { cwd: copy, encoding: "utf8", maxBuffer: 2 ** 28 });
}

/** Tests of `npm test`. */
function listed(...args: string[]): string[] {
  const { stdout } = inCopy(jest, "--selectProjects", "unit", "journey", "--listTests", ...args);
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((test) => relative(resolve(copy), test));
}
const tests = listed();

/** The first test that fails, or nothing. */
function failing(paths: string[]): string | undefined {
  if (paths.length === 0) return undefined;
  const { status, stderr } = inCopy(jest, "--bail", "--maxWorkers=2", "--runTestsByPath", ...paths);
  if (status === 0) return undefined;
  const file = /^FAIL \w+ (\S+)/m.exec(stderr)?.[1];
  return `${file}: ${/● (.*)/.exec(stderr)?.[1] ?? "does not load"}`;
}

/** What the compiler says of the file by itself: no whole program is checked. */
const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile("tsconfig.json", (path) => ts.sys.readFile(path)).config,
  ts.sys,
  copy,
);
const host = ts.createCompilerHost(options);
const read = new Map<string, ts.SourceFile | undefined>();
const { getSourceFile } = host;
host.getSourceFile = (path, ...rest) => {
  if (!read.has(path)) read.set(path, getSourceFile(path, ...rest));
  return read.get(path);
};
const compiler = "the compiler";
function compilerSays(file: string): string | undefined {
  const path = join(copy, file);
  read.delete(path);
  const program = ts.createProgram([path], options, host);
  const source = program.getSourceFile(path);
  const problems = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  read.delete(path);
  return problems.length > 0 ? compiler : undefined;
}

/** What imports the file; and the journey, whose program is another process's. */
const concerned = (file: string) => [...listed("--findRelatedTests", file), "test/endToEnd/journey.test.ts"];
const others = (file: string) =>
  concerned(file).filter((test) => ![...nearest(file), ...machineTests(file)].includes(test));

/** What may notice that a file is broken, the cheapest first. */
const stages: ((file: string) => string | undefined)[] = [
  compilerSays,
  (file) => failing(nearest(file)),
  (file) => failing(others(file).filter((test) => broad.test(test))),
  (file) => failing(machineTests(file)),
  (file) => failing(others(file).filter((test) => !broad.test(test) && isQuick(test))),
  (file) => failing(others(file).filter((test) => !broad.test(test) && !isQuick(test))),
];

const all = [...sources].flatMap(([file, text]) => mutantsOf(file, text));
const wanted = all.filter(({ line }) => values.line === undefined || line === Number(values.line));
const chosen = choose(wanted, Number(values.count), Number(values.seed));
const noticed = new Map<Mutant, string>();
/** Tests that pass where nothing is broken. */
const sound = new Set<string>();
const row = (mutant: Mutant, by: string) =>
  `| ${mutant.file}:${mutant.line} | ${inCode(mutant.what)} | ${by} |\n`;

function inCode(what: string): string {
  const words = what.replaceAll("`", "'").replaceAll("|", "\\|");
  return `\`${words.length > 70 ? `${words.slice(0, 70)}…` : words}\``;
}

for (const stage of stages) {
  for (const mutant of chosen.filter((each) => !noticed.has(each))) {
    const { file, start, end, replacement } = mutant;
    const text = sources.get(file)!;
    writeFileSync(join(copy, file), text.slice(0, start) + replacement + text.slice(end));
    const by = stage(file);
    process.stderr.write(row(mutant, by ?? "nothing yet"));
    // A test that was cut off may have left something, too.
    run("git", "-C", copy, "checkout", "--quiet", ".");
    if (by === undefined) continue;
    const test = by.split(":")[0]!;
    if (!sound.has(test) && test !== compiler && failing([test]) !== undefined)
      throw new Error(`${test} fails without a change`);
    sound.add(test);
    noticed.set(mutant, by);
  }
}
// For docs/testing.md
const table = chosen.map((mutant) => row(mutant, noticed.get(mutant)?.split(":")[0] ?? "**nothing**"));
process.stdout.write(`Seed ${values.seed}: ${noticed.size} of ${chosen.length} were noticed.\n\n`);
process.stdout.write(`| Line | Broken | Noticed by |\n| --- | --- | --- |\n${table.sort().join("")}`);
