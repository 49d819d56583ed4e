/**
 * Previews without the engine: the program runs in this process against the simulated region's own rules, and what the
 * engine would make of it is written down in the engine's format. A preview takes a second instead of ten, so that
 * hundreds can be looked at. That both say the same is shown on the changes that have golden reports.
 */
import * as pulumi from "@pulumi/pulumi";
import { EmqxDeployment } from "../../../components";
import type { DigestStep, EngineState } from "../../review/preview/engine";
import { readPreview } from "../../review/preview/read";
import type { Review } from "../../review/review";
import { reviewOf } from "../../review/review";
import type { StackSettings } from "../../review/base/stackSettings";
import { provideOutside } from "../../review/base/outside";
import { readSettings } from "../../../stacks/settings";
import { newAccount } from "@emqx-aws/simulator";
import { Cloud } from "@emqx-aws/simulator/cloud";
import { CheckError } from "@emqx-aws/simulator/errors";
import { QuickMachines } from "@emqx-aws/simulator/quickMachines";
import { decode, encode, unknownValue, type Props } from "@emqx-aws/simulator/values";

export type SettingsOfStack = Record<string, unknown>;

const region = "eu-west-1";
const stashType = "pulumi:index:Stash";

/** A resource in the state, with what the program said of it. */
type Deployed = Omit<EngineState, "inputs" | "outputs"> & { inputs: Props; outputs: Props };

/** What travels to the monitor (sdk/proto/go/resource.proto, RegisterResourceRequest), as far as it matters here. */
interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getDependenciesList(): string[];
  getPropertydependenciesMap(): Map<string, { getUrnsList(): string[] }>;
  getReplaceonchangesList(): string[];
  getIgnorechangesList(): string[];
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
  getProperties(): { toJavaScript(): Record<string, unknown> } | undefined;
  getId(): string;
}

type Answer = (error: unknown, response: unknown) => void;
interface Monitor {
  newUrn(parent: string, type: string, name: string): string;
  registerResource(request: Request, answer: Answer): Promise<void>;
  readResource(request: Request, answer: Answer): Promise<void>;
}

export class Deployment {
  private stack = "test";

  private constructor(
    private readonly cloud: Cloud,
    private state: Map<string, Deployed>,
    readonly program: (name: string) => unknown,
  ) {}

  /** Deploys a stack with these settings. */
  static async of(
    settings: SettingsOfStack,
    program: (name: string) => unknown = (name) => new EmqxDeployment(name, readSettings(name)),
  ): Promise<Deployment> {
    const cloud = new Cloud(newAccount(), { cheapKeys: true });
    cloud.machines.attach(new QuickMachines(cloud));
    const deployment = new Deployment(cloud, new Map(), program);
    const steps = await deployment.run(settings, false);
    for (const { newState } of steps) deployment.state.set(newState!.urn, newState as Deployed);
    return deployment;
  }

  /** What `pulumi stack rename` does: the same resources under other URNs. */
  rename(stack: string): void {
    const text = JSON.stringify([...this.state.values()]).replaceAll(
      `urn:pulumi:${this.stack}::`,
      `urn:pulumi:${stack}::`,
    );
    this.state = new Map((JSON.parse(text) as Deployed[]).map((resource) => [resource.urn, resource]));
    this.stack = stack;
  }

  async preview(settings: SettingsOfStack): Promise<DigestStep[]> {
    const steps = await this.run(settings, true);
    const seen = new Set(steps.map(({ urn }) => urn));
    const gone = [...this.state.values()].filter(({ urn, external }) => !seen.has(urn) && !external);
    return [...steps, ...gone.map((oldState) => ({ op: "delete", urn: oldState.urn, oldState }))];
  }

  /** The review of going over to other settings; undefined where the program refuses them. */
  async review(settings: SettingsOfStack): Promise<Review | undefined> {
    let steps: DigestStep[];
    try {
      steps = await this.preview(settings);
    } catch (error) {
      if (error instanceof pulumi.RunError || error instanceof CheckError) return undefined;
      throw error;
    }
    const text = JSON.stringify({ steps, changeSummary: { create: 1 } });
    return reviewOf(readPreview(text, "test"), { stack: "test", base: "main" });
  }

  private async run(settings: SettingsOfStack, isPreview: boolean): Promise<DigestStep[]> {
    provideOutside(this.cloud.account, { values: settings, region } as StackSettings);
    const steps: DigestStep[] = [];
    let current: { urn: string; request: Request } | undefined;
    const mocks: pulumi.runtime.Mocks = {
      newResource: async (args) => {
        const step = await this.step(current!, args, isPreview);
        steps.push(step);
        const { outputs = {}, id } = step.newState!;
        const known = Object.fromEntries(
          Object.entries(outputs as Props).filter(([, value]) => value !== unknownValue),
        );
        const secrets = decode(objectOf(current!.request)).secrets;
        return { id: id === "" ? undefined : id, state: encode(known, secrets) };
      },
      call: ({ token, inputs }) => this.cloud.invoke(token, { region }, inputs as Props),
    };
    await pulumi.runtime.setMocks(mocks, "emqx-aws", this.stack, isPreview);
    const monitor = (pulumi.runtime as unknown as { getMonitor(): Monitor }).getMonitor();
    for (const call of ["registerResource", "readResource"] as const) {
      const original = monitor[call].bind(monitor);
      monitor[call] = (request, answer) => {
        const urn = monitor.newUrn(request.getParent(), request.getType(), request.getName());
        // The mocks are asked before this call returns.
        current = { urn, request };
        return original(request, answer);
      };
    }
    pulumi.runtime.setAllConfig(configOf(settings));
    try {
      await this.program("emqx");
    } finally {
      await pulumi.runtime.disconnect();
    }
    return steps;
  }

  private async step(
    { urn, request }: { urn: string; request: Request },
    { type, name, id: readId }: pulumi.runtime.MockResourceArgs,
    isPreview: boolean,
  ): Promise<DigestStep> {
    const { props: news } = decode(objectOf(request));
    const isRead = "getProperties" in request && readId !== undefined && readId !== "";
    const custom = isRead || request.getCustom();
    const base = {
      ...{ urn, type, custom, parent: request.getParent() },
      protect: !isRead && request.getProtect(),
      retainOnDelete: !isRead && request.getRetainondelete(),
      dependencies: request.getDependenciesList(),
      propertyDependencies: isRead
        ? {}
        : Object.fromEntries(
            [...request.getPropertydependenciesMap().entries()].map(([key, value]) => [
              key,
              value.getUrnsList(),
            ]),
          ),
    };
    const old = this.state.get(urn);
    const scope = { region };
    if (isRead) {
      const found = this.cloud.read(type, scope, readId);
      if (!found) throw new Error(`resource '${readId}' does not exist`);
      const state = { ...base, external: true, id: readId, inputs: news, outputs: found.outputs };
      return { op: "read", urn, oldState: old, newState: state };
    }
    if (!custom) {
      const state = { ...base, inputs: news, outputs: news };
      return { op: old ? "same" : "create", urn, oldState: old, newState: state };
    }
    const made = (inputs: Props, outputs: Props, id: string): Deployed => ({ ...base, inputs, outputs, id });
    if (type === stashType) {
      const isReplaced =
        old !== undefined &&
        request.getReplaceonchangesList().includes("input") &&
        JSON.stringify(old.inputs["input"]) !== JSON.stringify(news["input"]);
      const output = old && !isReplaced ? old.outputs["output"]! : news["input"]!;
      const isUpdated =
        old !== undefined &&
        !request.getIgnorechangesList().includes("input") &&
        JSON.stringify(old.inputs["input"]) !== JSON.stringify(news["input"]);
      const op = !old ? "create" : isReplaced ? "replace" : isUpdated ? "update" : "same";
      return { op, urn, oldState: old, newState: made(news, { ...news, output }, name) };
    }
    const { inputs, problems } = this.cloud.check(type, {
      ...{ name, urn, news },
      ...(old && { olds: old.inputs }),
      randomSeed: Buffer.from(urn),
    });
    if (problems.length > 0) throw new CheckError(type, name, problems);
    if (!old) {
      if (isPreview) {
        const outputs = this.cloud.previewCreate(type, scope, inputs);
        return { op: "create", urn, newState: made(inputs, outputs, "") };
      }
      const { id, outputs } = await this.cloud.create(type, scope, inputs);
      return { op: "create", urn, newState: made(inputs, outputs, id) };
    }
    const ignored = request.getIgnorechangesList();
    const kept = Object.fromEntries(ignored.map((key) => [key, old.inputs[key]!]));
    const effective = { ...inputs, ...kept };
    const diff = this.cloud.diff(type, scope, old.outputs, effective, old.inputs, ignored);
    const forced = diff.changed.filter((key) => request.getReplaceonchangesList().includes(key));
    const replaceReasons = [...new Set([...diff.replaces, ...forced])];
    const isReplaced = replaceReasons.length > 0;
    const isChanged = diff.changed.length > 0;
    const detailedDiff = Object.fromEntries(
      [...diff.detailed].map(([path, { kind, replace, input }]) => [
        path,
        { kind: replace || forced.includes(path) ? `${kind}-replace` : kind, inputDiff: input },
      ]),
    );
    // What is made anew is named anew.
    const fresh = isReplaced
      ? this.cloud.check(type, { name, urn, news, randomSeed: Buffer.from(`${urn} anew`) }).inputs
      : inputs;
    const newState = isReplaced
      ? made(fresh, this.cloud.previewCreate(type, scope, fresh), "")
      : made(
          effective,
          isChanged ? this.cloud.previewUpdate(type, scope, old.outputs, effective, ignored) : old.outputs,
          old.id!,
        );
    return {
      op: isReplaced ? "replace" : isChanged ? "update" : "same",
      ...{ urn, oldState: old, newState, replaceReasons, diffReasons: diff.changed, detailedDiff },
    };
  }
}

function objectOf(request: Request): Record<string, unknown> {
  const struct = "getObject" in request ? request.getObject() : (request as Request).getProperties();
  return struct?.toJavaScript() ?? {};
}

function configOf(settings: SettingsOfStack): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [
        `emqx-aws:${key}`,
        typeof value === "object" ? JSON.stringify(value) : String(value),
      ])
      .concat([["aws:region", region]]),
  );
}
