/**
 * A roll of three nodes that is interrupted at any moment: by any signal, to any of its programs. The next `up` ends the
 * work, and nothing is left over. MOMENTS says how many (default: 2), SEED which (default: another one each time).
 */
import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readLocks } from "@emqx-aws/cli/local/locks";
import { readState } from "@emqx-aws/cli/local/stacks";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { readRegionFile } from "@emqx-aws/simulator/client";
import { regionOf, settings, threeNodes } from "./deploymentSupport";
import { engineForAll } from "./harness";
import { eventually } from "../waiting";

jest.setTimeout(600_000);

const targets = ["command line", "language host", "engine", "region"] as const;
const signals = ["SIGINT", "SIGTERM", "SIGKILL"] as const;
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
/** How long a roll takes at most, from the lock on: what comes later interrupts nothing, and must do no harm. */
const longestSeconds = 20;

/** Numbers from 0 to 1, the same for the same seed. */
function numbers(state: number): () => number {
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

const next = numbers(seed);
const moments = Array.from({ length: Number(process.env.MOMENTS ?? 2) }, (_, moment) => ({
  moment,
  target: targets[Math.floor(next() * targets.length)]!,
  signal: signals[Math.floor(next() * signals.length)]!,
  seconds: Math.round(next() * longestSeconds * 10) / 10,
}));

const engine = engineForAll(() => stack.up());
const stack = engine.stack("local", threeNodes);

/** `npm run up` in a process of its own. */
function commandLine(): { child: ChildProcess; ended: Promise<string> } {
  const { project, regionMain } = engine.surroundings;
  const main = join(__dirname, "fixtures", "main.ts");
  const child = spawn(
    process.execPath,
    ["--require", "@emqx-aws/simulator/typescript.cjs", main, project, regionMain, "up"],
    {
      cwd: repositoryRoot,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += String(data)));
  return { child, ended: new Promise((resolve) => child.once("exit", () => resolve(output))) };
}

function processOf(target: (typeof targets)[number], child: ChildProcess): number | undefined {
  const [lock] = readLocks(engine.surroundings, "local");
  switch (target) {
    case "command line":
      return child.pid;
    case "engine":
      return lock?.pid;
    case "region":
      return readRegionFile(engine.surroundings.region)?.pid;
    case "language host": {
      const children = execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(lock?.pid ?? 1)], {
        encoding: "utf8",
      });
      return Number(/^\s*(\d+) .*pulumi-language-nodejs/m.exec(children)?.[1]) || undefined;
    }
  }
}

test.each(moments)(
  `seed ${seed}, $moment: $signal to the $target after $seconds s`,
  async ({ moment, target, signal, seconds }) => {
    stack.configure(settings({ extraConfig: `mqtt.max_packet_size = ${(moment % 8) + 2}MB` }));
    const { child, ended } = commandLine();
    await eventually("it has begun", () => readLocks(engine.surroundings, "local")[0], 60);
    await sleep(seconds * 1000);
    const pid = processOf(target, child);
    try {
      if (pid !== undefined) process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
    const interrupted = await ended;
    // A command line that was killed leaves its engine at work; the next command says so, and to wait.
    await eventually(
      "all has ended",
      () => readLocks(engine.surroundings, "local").every(({ isStale }) => isStale),
      120,
    );

    const up = await stack.run("up", "--yes", "--skip-preview");
    if (up.exitCode !== 0) throw new Error(`${interrupted}\n--- then ---\n${up.stdout}\n${up.stderr}`);
    const { resources, pendingOperations } = readState(engine.surroundings, "local");
    expect(pendingOperations).toEqual([]);
    const inState = resources.filter(({ type }) => type.startsWith("aws:")).map(({ id }) => id);
    const inRegion = (await regionOf(engine).resources()).filter(({ type }) => type.startsWith("aws:"));
    // Nothing is there that nobody knows of.
    expect(inRegion.filter(({ id }) => !inState.includes(id)).map(({ type, id }) => `${type} ${id}`)).toEqual(
      [],
    );
    expect(inRegion.filter(({ type }) => type === "aws:ec2/instance:Instance")).toHaveLength(3);
    expect((await stack.up()).changes).toEqual([]);
  },
);
