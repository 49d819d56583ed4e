/**
 * `npm run bench`: the repository's own program against the same resources written by hand (byHand/), previewed by the
 * same engine into the same simulated region, one after the other and several times.
 */
import { cpus, release, totalmem } from "node:os";
import { Command } from "commander";
import { prepareCli } from "../test/engine/harness";
import { Bench } from "./bench";
import { compareResources, type Previewed } from "./previews";
import { median, printTables, programs, type Measurement, type Program, type Size } from "./report";

async function measureSize(bench: Bench, nodeCount: number, repeat: number): Promise<Size> {
  bench.setNodes(nodeCount);
  const components = await bench.describe("components");
  bench.useUserDataOf(components);
  const hand = await bench.describe("by hand, tuned");
  compareResources(components, hand);

  const measured = new Map<Program, Measurement[]>(programs.map((program) => [program, []]));
  for (let round = 0; round < repeat; round++) {
    // Whoever comes second finds the machine as the other left it, so they take turns.
    for (const program of round % 2 === 0 ? programs : [...programs].reverse()) {
      measured.get(program)!.push(await bench.measure(program));
    }
    process.stderr.write(`${nodeCount} nodes: round ${round + 1} of ${repeat}\n`);
  }
  const summary = (program: Program, previewed: Previewed) => {
    const rounds = measured.get(program)!;
    const best = (value: (measurement: Measurement) => number) => Math.min(...rounds.map(value));
    return {
      // Whatever else the machine does only ever adds time; the quickest round has the least of it.
      previewSeconds: best((m) => m.previewSeconds),
      loadMilliseconds: best((m) => m.loadMilliseconds),
      cpuSeconds: best((m) => m.cpuSeconds),
      peakMegabytes: median(rounds.map((m) => m.peakMegabytes)),
      resources: previewed.resources.size,
      inAws: previewed.inAws.length,
      longestChain: previewed.longestChain,
      userDataBytes: previewed.userDataBytes,
    };
  };
  return {
    nodeCount,
    rows: {
      components: summary("components", components),
      "by hand": summary("by hand", hand),
      "by hand, tuned": summary("by hand, tuned", hand),
    },
  };
}

async function main(): Promise<void> {
  const { sizes, repeat } = new Command()
    .name("npm run bench --")
    .description(
      "The components against the same resources written by hand, by preview in the simulated region.",
    )
    .option("--sizes <nodes>", "numbers of nodes, separated by commas", "3,10,50,100")
    .option("--repeat <rounds>", "previews of each program at each size", "5")
    .parse()
    .opts<{ sizes: string; repeat: string }>();
  await prepareCli();
  const bench = new Bench();
  try {
    const results: Size[] = [];
    for (const nodeCount of sizes.split(",").map(Number)) {
      results.push(await measureSize(bench, nodeCount, Number(repeat)));
    }
    console.log(
      `Node ${process.version}, Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? "CPU"}, ` +
        `${Math.round(totalmem() / 2 ** 30)} GiB; best of ${repeat} rounds, memory the median\n`,
    );
    printTables(results);
  } finally {
    await bench.engine.end();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
