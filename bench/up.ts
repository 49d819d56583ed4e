/**
 * How long a first `up` takes, of the repository's program and of the same resources written by hand, which waits for no
 * node: into a region whose nodes boot. Last, how long it is from `npm run up` to the first MQTT message.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { Command } from "commander";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { prepareCli } from "../test/engine/harness";
import { Bench } from "./bench";
import type { Program } from "./report";

async function upSeconds(program: Program, nodeCount: number): Promise<number> {
  const bench = new Bench({ machines: "running" });
  try {
    bench.setNodes(nodeCount);
    bench.useUserDataOf(await bench.describe("components"));
    const started = performance.now();
    await bench.run(program, "up", "--yes", "--skip-preview");
    return (performance.now() - started) / 1000;
  } finally {
    await bench.engine.end();
  }
}

/** In a clone of its own: the region of this one may be in use. */
function firstMessageSeconds(): number {
  const clone = mkdtempSync(join(tmpdir(), "emqx-aws-bench-"));
  const emqxAws = (command: string) => {
    const args = [join(clone, "cli/bin/emqx-aws.mjs"), command];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    return stdout + stderr;
  };
  try {
    execFileSync("git", ["clone", "--quiet", "--local", repositoryRoot, clone]);
    symlinkSync(join(repositoryRoot, "node_modules"), join(clone, "node_modules"));
    const started = performance.now();
    const said = emqxAws("up");
    const seconds = (performance.now() - started) / 1000;
    if (!said.includes("A message has travelled")) throw new Error(`no message has travelled:\n${said}`);
    return seconds;
  } finally {
    emqxAws("down");
    rmSync(clone, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const { sizes } = new Command()
    .name("bench/up.ts")
    .description("A first `up` of the components and of the same resources by hand, in the simulated region.")
    .option("--sizes <nodes>", "numbers of nodes, separated by commas", "3,10,30")
    .parse()
    .opts<{ sizes: string }>();
  await prepareCli();
  const table = new Table({
    head: ["nodes", "up, nodes in service, s", "by hand, no waiting, s"],
    colAligns: ["right", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const nodeCount of sizes.split(",").map(Number)) {
    const components = await upSeconds("components", nodeCount);
    const byHand = await upSeconds("by hand", nodeCount);
    table.push([String(nodeCount), components.toFixed(1), byHand.toFixed(1)]);
    process.stderr.write(`${nodeCount} nodes: done\n`);
  }
  console.log(table.toString());
  console.log(`From "npm run up" to the first MQTT message: ${firstMessageSeconds().toFixed(1)} s`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
