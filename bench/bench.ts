/** An engine with one stack, and both programs for it. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Machines } from "@emqx-aws/cli/local/surroundings";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { operations, operationsParameterText } from "../components/emqx/operations";
import { Engine } from "../test/engine/harness";
import { certificateArn, settings } from "../test/engine/deploymentSupport";
import { readPreview, type Previewed } from "./previews";
import type { Measurement, Program } from "./report";
import { userDataTemplate } from "./userDataTemplate";

const byHand = join(repositoryRoot, "bench", "byHand");

/** How each is run: the tuned one as the components' own program, without checking types, without stack traces of promises. */
const environments: Record<Program, NodeJS.ProcessEnv> = {
  components: { PULUMI_NODEJS_TSCONFIG_PATH: undefined, BENCH_TUNED: undefined },
  "by hand": {
    PULUMI_NODEJS_TSCONFIG_PATH: join(byHand, "tsconfig.plain.json"),
    BENCH_TUNED: undefined,
  },
  "by hand, tuned": {
    PULUMI_NODEJS_TSCONFIG_PATH: join(repositoryRoot, "tsconfig.pulumi.json"),
    BENCH_TUNED: "true",
  },
};

export class Bench {
  readonly engine = new Engine();
  private readonly result = join(this.engine.surroundings.project, "bench-result.json");
  private readonly userData = join(this.engine.surroundings.project, "bench-user-data.yaml");
  private readonly operations = join(this.engine.surroundings.project, "bench-operations.json");

  constructor({ machines = "judged" }: { machines?: Machines } = {}) {
    this.engine.surroundings.machines = machines;
    Object.assign(this.engine.session.env, {
      NODE_OPTIONS: `--require ${join(repositoryRoot, "bench", "measure.cjs")}`,
      BENCH_RESULT: this.result,
      BENCH_CERTIFICATE: certificateArn,
      BENCH_USER_DATA: this.userData,
      BENCH_OPERATIONS: this.operations,
    });
    writeFileSync(this.operations, JSON.stringify({ list: operationsParameterText(), scripts: operations }));
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
    return readPreview(await this.run(program, "preview", "--json"));
  }

  useUserDataOf(previewed: Previewed): void {
    writeFileSync(this.userData, userDataTemplate(previewed));
  }

  async measure(program: Program): Promise<Measurement> {
    rmSync(this.result, { force: true });
    const started = performance.now();
    await this.run(program, "preview");
    const previewSeconds = (performance.now() - started) / 1000;
    const ofProgram = JSON.parse(readFileSync(this.result, "utf8")) as Measurement;
    return { ...ofProgram, previewSeconds };
  }

  async run(program: Program, command: string, ...args: string[]): Promise<string> {
    const where = program === "components" ? [] : ["-C", byHand];
    Object.assign(this.engine.session.env, environments[program]);
    const { exitCode, stdout, stderr } = await this.engine.pulumi(
      ...where,
      command,
      "--stack",
      "bench",
      ...args,
    );
    if (exitCode !== 0) throw new Error(`${command} of ${program} failed:\n${stdout}\n${stderr}`);
    return stdout;
  }
}
