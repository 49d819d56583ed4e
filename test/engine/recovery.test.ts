/** What a Ctrl-C, a crash or a lock leaves behind, and what the next command makes of it. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { isAlive } from "@emqx-aws/cli/processes";
import { readLocks } from "@emqx-aws/cli/local/locks";
import { readState } from "@emqx-aws/cli/local/stacks";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import type { Thing } from "./fixtures";
import { fixtureEngine } from "./fixtures";
import type { Engine, Stack } from "./harness";
import { engineTimeout, obtainTimeout, prepareCli } from "./harness";
import { readIfThere } from "./waiting";
import { eventually } from "../waiting";

jest.setTimeout(engineTimeout);
let engine: Engine;
let stack: Stack;
beforeAll(prepareCli, obtainTimeout);
beforeEach(() => {
  engine = fixtureEngine();
  stack = engine.stack("local");
});
afterEach(() => engine.end());

const setThings = (things: Thing[]) => stack.setConfig({ "emqx-aws:things": things });

/** The names of what the region has. */
function things(): string[] {
  const file = join(engine.surroundings.region, "things.json");
  const all = JSON.parse(readIfThere(file) || "[]") as [string, Thing][];
  return all.map(([, { name }]) => name).sort();
}

interface CommandLine {
  child: ChildProcess;
  output: () => string;
  ended: Promise<number>;
}

/** `npm run …` in a process of its own, so that it can be stopped. */
function commandLine(...args: string[]): CommandLine {
  const { project, regionMain } = engine.surroundings;
  const main = join(__dirname, "fixtures", "main.ts");
  const child = spawn(
    process.execPath,
    ["--require", "@emqx-aws/simulator/typescript.cjs", main, project, regionMain, ...args],
    {
      cwd: repositoryRoot,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += String(data)));
  const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? -1)));
  return { child, output: () => output, ended };
}

const creating = (run: CommandLine, name: string) =>
  eventually(
    `${name} is being created`,
    () => run.output().includes(`aws:index:Thing ${name} creating`),
    120,
  );

test("Ctrl-C lets Pulumi finish what it has begun, and nothing needs repair", async () => {
  setThings([{ name: "slow", seconds: 3 }]);
  const run = commandLine("up");
  await creating(run, "slow");
  run.child.kill("SIGINT");
  run.child.kill("SIGINT"); // npm and the terminal both pass it on
  expect(await run.ended).not.toBe(0);
  expect(run.output()).toContain("update canceled");
  expect(things()).toEqual(["slow"]);
  expect(readLocks(engine.surroundings, "local")).toEqual([]);
  expect(readState(engine.surroundings, "local").pendingOperations).toEqual([]);
  expect((await stack.up()).changes).toEqual([]);
});

test("a second Ctrl-C ends it at once; the next command repairs", async () => {
  setThings([{ name: "slow", seconds: 15 }]);
  const run = commandLine("up");
  await creating(run, "slow");
  run.child.kill("SIGINT");
  await eventually("it hears Ctrl-C", () => run.output().includes("^C received"));
  await new Promise((resolve) => setTimeout(resolve, 400));
  run.child.kill("SIGINT");
  expect(await run.ended).not.toBe(0);
  setThings([{ name: "slow" }]);
  await stack.up();
  expect(readState(engine.surroundings, "local").pendingOperations).toEqual([]);
});

/** Kills the literal CLI in the middle of creating `slow`. */
async function crash(): Promise<number> {
  setThings([{ name: "first" }, { name: "slow", seconds: 5 }]);
  const run = commandLine("up");
  const lock = await eventually(
    "it is in the middle",
    () => {
      const isInTheMiddle = readIfThere(engine.surroundings.regionLog).includes("creating slow");
      const isFirstSaved = readState(engine.surroundings, "local").resources.some(({ urn }) =>
        /::first$/.test(urn),
      );
      return isInTheMiddle && isFirstSaved ? readLocks(engine.surroundings, "local")[0] : undefined;
    },
    120,
  );
  const { pid } = lock;
  process.kill(pid, "SIGKILL");
  expect(await run.ended).toBe(137);
  await eventually("the engine is gone", () => !isAlive(pid));
  return pid;
}

test("a killed CLI: the next `up` says so, removes the lock, and goes on", async () => {
  const pid = await crash();
  expect(readLocks(engine.surroundings, "local")).toMatchObject([{ pid, isStale: true }]);

  setThings([{ name: "first" }, { name: "slow" }]);
  await stack.up();
  expect(engine.said.join("\n")).toMatch(
    new RegExp(
      `Stack local was locked by process ${pid}, which ended without unlocking it .*Removed the lock\\.`,
    ),
  );
  expect(engine.said.join("\n")).toContain(
    "The last command on stack local was killed in the middle of:\n  creating aws:index:Thing slow",
  );
  expect(readLocks(engine.surroundings, "local")).toEqual([]);
  expect(readState(engine.surroundings, "local").pendingOperations).toEqual([]);
  expect((await stack.up()).changes).toEqual([]);
});

test("a killed CLI: what the region created nevertheless is not there twice", async () => {
  await crash();
  await eventually("slow is there", () => things().includes("slow"));
  const { changes } = await stack.up();
  expect(engine.said.join("\n")).toMatch(
    /creating aws:index:Thing slow \(it was created, as thing-.*-slow\)/,
  );
  expect(changes.map(({ op, name }) => `${op} ${name}`)).toEqual(["create slow"]);
  expect(things()).toEqual(["first", "slow"]);
});

test("a killed CLI: `destroy` goes on as well, and `status` tells", async () => {
  const pid = await crash();
  const status = commandLine("status");
  expect(await status.ended).toBe(0);
  expect(status.output()).toContain(`left by process ${pid}, which is gone`);
  expect(status.output()).toContain("1 interrupted operations");
  await eventually("slow is there", () => things().includes("slow"));
  await stack.destroy();
  expect(readState(engine.surroundings, "local").resources).toEqual([]);
  expect(things()).toEqual([]);
});

test.each([
  ["deleted first", true],
  ["deleted afterwards", false],
])(
  "a killed CLI in a replacement, the old one %s: one thing is left, the new one",
  async (_when, deleteFirst) => {
    setThings([{ name: "slow", kind: "old", deleteFirst }]);
    await stack.up();
    setThings([{ name: "slow", kind: "new", deleteFirst, seconds: 5 }]);
    const run = commandLine("up");
    const creations = () => readIfThere(engine.surroundings.regionLog).split("creating slow").length - 1;
    await eventually("both are begun", () => creations() === 2);
    const [lock] = readLocks(engine.surroundings, "local");
    process.kill(lock!.pid, "SIGKILL");
    expect(await run.ended).toBe(137);
    await eventually("the region has made it", () => things().length === (deleteFirst ? 1 : 2));
    const { resources } = readState(engine.surroundings, "local");
    expect(resources.filter(({ urn }) => /::slow$/.test(urn))).toHaveLength(1);

    await stack.up();
    expect(engine.said.join("\n")).toMatch(/creating aws:index:Thing slow \(it was created, as thing-/);
    expect(things()).toEqual(["slow"]);
    expect(readIfThere(join(engine.surroundings.region, "things.json"))).toContain('"kind":"new"');
    expect((await stack.up()).changes).toEqual([]);
  },
);

test("an instance whose boot has failed is made anew by the next `up`, which does not wait for it", async () => {
  engine.surroundings.machines = "running";
  setThings([{ name: "well" }, { name: "failed" }]);
  await stack.up();
  const { resources } = readState(engine.surroundings, "local");
  const machines = resources
    .filter(({ type }) => type === "aws:index:Thing")
    .map(({ id, urn }) => ({ instanceId: id, name: urn.split("::").at(-1), problem: "no disk" }))
    .map((machine) => ({ ...machine, phase: machine.name === "failed" ? "failed" : "booting" }));
  writeFileSync(join(engine.surroundings.region, "machines.json"), JSON.stringify(machines));
  const { changes } = await stack.up();
  expect([...new Set(changes.map(({ name }) => name))]).toEqual(["failed"]);
  expect(engine.said.join("\n")).toMatch(
    /The last boot of failed \(thing-.*-failed\) has failed: no disk\. It is made anew\./,
  );
  expect(things()).toEqual(["failed", "well"]);
  expect((await stack.up()).changes).toEqual([]);
});

test("a lock of a running command is respected, and explained", async () => {
  setThings([{ name: "slow", seconds: 6 }]);
  const run = commandLine("up");
  await creating(run, "slow");
  await expect(stack.up()).rejects.toThrow(
    /^stack local is being changed by `pulumi up .*` \(process \d+, since .*\)\.\nWait until it ends, or stop it/,
  );
  expect((await stack.preview()).exitCode).toBe(0);
  expect(await run.ended).toBe(0);
  expect(engine.said.join()).not.toContain("Removed the lock");
});

test.each([
  ["of another machine", { hostname: "another-machine", pid: 1 }, false],
  ["whose process id another program has", { hostname: hostname(), pid: process.pid }, true],
  ["whose process is gone", { hostname: hostname(), pid: 4194304 }, true],
])("a lock %s", (_which, holder, isStale) => {
  const folder = join(engine.surroundings.backend, ".pulumi", "locks", "organization", "emqx-aws", "local");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "a.json"), JSON.stringify({ ...holder, timestamp: new Date().toISOString() }));
  expect(readLocks(engine.surroundings, "local")).toMatchObject([{ pid: holder.pid, isStale }]);
});

test("a failure in the middle: the next `up` only does the rest", async () => {
  setThings([{ name: "first" }, { name: "second", fail: "there is no room" } as Thing]);
  const { exitCode, diagnostics } = await stack.run("up", "--yes", "--skip-preview");
  expect(exitCode).not.toBe(0);
  expect(diagnostics.map(({ message }) => message).join()).toContain("there is no room");
  setThings([{ name: "first" }, { name: "second" }]);
  const { changes } = await stack.up();
  expect(changes).toMatchObject([{ op: "create", name: "second", failed: false }]);
});

test("`down` destroys the stack, stops the region and leaves nothing", async () => {
  await stack.up();
  const pid = JSON.parse(readFileSync(join(engine.surroundings.region, "region.json"), "utf8")).pid as number;
  const run = commandLine("down");
  expect(await run.ended).toBe(0);
  expect(run.output()).toContain("nothing is left");
  expect(isAlive(pid)).toBe(false);
  expect(readIfThere(join(engine.surroundings.root, "region.log"))).toBe("");
});

test("`down` keeps the region for the stacks that are left", async () => {
  const other = engine.stack("other", { "emqx-aws:things": [{ name: "kept" }] });
  await other.up();
  await stack.up();
  const run = commandLine("down");
  expect(await run.ended).toBe(0);
  expect(run.output()).toContain("The simulated region keeps running for other.");
  expect(things()).toEqual(["kept"]);
});

test("`up` ends with the endpoints", async () => {
  const run = commandLine("up");
  expect(await run.ended).toBe(0);
  // Where CI is set, headings are bold.
  expect(stripVTControlCharacters(run.output())).toMatch(
    /Stack local is up:\n {2}MQTT {2}mqtt:\/\/example.invalid:1883\n/,
  );
});
