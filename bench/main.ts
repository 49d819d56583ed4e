/**
 * `npm run bench`: the repository's own program against the same resources written by hand (byHand/), previewed by the
 * same engine into the same simulated region, one after the other and several times.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { Engine, prepareCli } from "../test/engine/harness";
import { certificateArn, settings } from "../test/engine/deploymentSupport";
import { compareResources, readPreview, type Previewed } from "./previews";
import { median, printTables, type Measurement, type Program, type Size } from "./report";
import { userDataTemplate } from "./userDataTemplate";

const programs: Program[] = ["components", "by hand"];
const byHand = join(repositoryRoot, "bench", "byHand");

class Bench {
  readonly engine = new Engine();
  private readonly result = join(this.engine.surroundings.project, "bench-result.json");
  private readonly userData = join(this.engine.surroundings.project, "bench-user-data.yaml");

  constructor() {
    Object.assign(this.engine.session.env, {
      NODE_OPTIONS: `--require ${join(repositoryRoot, "bench", "measure.cjs")}`,
      BENCH_RESULT: this.result,
      BENCH_CERTIFICATE: certificateArn,
      BENCH_USER_DATA: this.userData,
    });
  }

  setNodes(nodeCount: number): void {
    Object.assign(this.engine.session.env, { BENCH_NODES: String(nodeCount) });
    this.engine.stack("bench", {
      "aws:region": "eu-west-1",
      ...settings({
        availabilityZones: ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
        certificate: { arn: certificateArn },
        nodeCount,
      }),
    });
  }

  /** What the program registers, in full. */
  async describe(program: Program): Promise<Previewed> {
    return readPreview(await this.pulumi(program, "--json"));
  }

  useUserDataOf(previewed: Previewed): void {
    writeFileSync(this.userData, userDataTemplate(previewed));
  }

  async measure(program: Program): Promise<Measurement> {
    rmSync(this.result, { force: true });
    const started = performance.now();
    await this.pulumi(program);
    const previewSeconds = (performance.now() - started) / 1000;
    const ofProgram = JSON.parse(readFileSync(this.result, "utf8")) as Measurement;
    return { ...ofProgram, previewSeconds };
  }

  private async pulumi(program: Program, ...args: string[]): Promise<string> {
    const where = program === "by hand" ? ["-C", byHand] : [];
    const { exitCode, stdout, stderr } = await this.engine.pulumi(
      ...where,
      "preview",
      "--stack",
      "bench",
      ...args,
    );
    if (exitCode !== 0) throw new Error(`the preview of ${program} failed:\n${stdout}\n${stderr}`);
    return stdout;
  }
}

async function measureSize(bench: Bench, nodeCount: number, repeat: number): Promise<Size> {
  bench.setNodes(nodeCount);
  const components = await bench.describe("components");
  bench.useUserDataOf(components);
  const hand = await bench.describe("by hand");
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
    rows: { components: summary("components", components), "by hand": summary("by hand", hand) },
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
