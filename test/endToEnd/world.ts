/** A deployment by `npm run up`'s own path, in surroundings of its own, with machines that run. */
import { join } from "node:path";
import type { IClientOptions } from "mqtt";
import { up } from "@emqx-aws/cli/local/commands";
import type { Session } from "@emqx-aws/cli/local/session";
import { runPulumi } from "@emqx-aws/cli/local/session";
import { Connection } from "@emqx-aws/cli/smoke/connection";
import type { SimulatedDeployment } from "@emqx-aws/cli/smoke/deployment";
import { simulatedDeployment } from "@emqx-aws/cli/smoke/deployment";
import { addressesOf } from "@emqx-aws/cli/smoke/outputs";
import type { CheckResult, SmokeResult } from "@emqx-aws/cli/smoke/result";
import type { SmokeOptions } from "@emqx-aws/cli/smoke/smoke";
import { credentialsOf, doorOf, smoke } from "@emqx-aws/cli/smoke/smoke";
import type { RegionClient, ShownResource } from "@emqx-aws/simulator/client";
import { nodesDuring, type NodesLife } from "../engine/deploymentSupport";
import { Engine } from "../engine/harness";

export class World {
  readonly engine = new Engine();
  readonly session: Session;
  deployment!: SimulatedDeployment;
  /** How to take back what was changed behind Pulumi's back. */
  readonly undos: (() => Promise<unknown>)[] = [];

  constructor(settings: Record<string, unknown>) {
    this.session = {
      ...this.engine.session,
      surroundings: {
        ...this.engine.surroundings,
        machines: "running",
        regionMain: join(__dirname, "fastRegion.ts"),
      },
    };
    this.configure(settings);
  }

  get region(): RegionClient {
    return this.deployment.region;
  }

  /** What the command line has said so far. */
  get said(): string {
    return this.engine.said.join("\n");
  }

  configure(settings: Record<string, unknown>): void {
    const own = Object.entries(settings).map(([name, value]) => [`emqx-aws:${name}`, value]);
    this.engine.stack("local").configure({ "aws:region": "eu-west-1", ...Object.fromEntries(own) });
  }

  /** `npm run up`; its exit code. */
  async up(): Promise<number> {
    const exitCode = await up(this.session, [], { capture: "all" });
    this.deployment = await simulatedDeployment(this.session, "local");
    return exitCode;
  }

  /** Settings changed, and `pulumi up` without its preview; what happened to the nodes meanwhile. */
  async change(settings: Record<string, unknown>): Promise<NodesLife> {
    this.configure(settings);
    const [life] = await nodesDuring(this.engine, () => this.pulumi("up"));
    this.deployment = await simulatedDeployment(this.session, "local");
    return life;
  }

  /** `pulumi up` or `pulumi destroy`, at once; throws when it fails. */
  async pulumi(command: "up" | "destroy", ...flags: string[]): Promise<void> {
    const args = [command, "--yes", "--skip-preview", "--stack", "local", ...flags];
    const { exitCode, stdout, stderr } = await runPulumi(this.session, args, { capture: "all" });
    if (exitCode !== 0) throw new Error(`pulumi ${command} failed:\n${stdout}\n${stderr}`);
  }

  smoke(options: SmokeOptions = {}): Promise<SmokeResult> {
    return smoke(this.deployment, options);
  }

  /** A further client, at the first of the addresses. */
  async connect(options: IClientOptions = {}): Promise<Connection> {
    const [address] = addressesOf(this.deployment.outputs);
    const place = await this.deployment.inside.locate(address!.hostname, address!.port);
    return Connection.open(
      await doorOf(this, address!, place),
      await credentialsOf(this.deployment),
      options,
    );
  }

  /** The load balancer as the account has it. */
  loadBalancer(): Promise<ShownResource> {
    return this.region.resource({ id: this.loadBalancerName, type: "LoadBalancer" });
  }

  /** Changes the load balancer behind Pulumi's back; until `undoAll`. */
  changeLoadBalancer(changes: Parameters<RegionClient["modify"]>[1]): Promise<void> {
    return this.modify({ id: this.loadBalancerName, type: "LoadBalancer" }, changes);
  }

  /** Changes one listener of it. */
  async changeListener(port: number, changes: Record<string, unknown>): Promise<void> {
    const listeners = (await this.loadBalancer()).attributes["listeners"] as { lbPort: number }[];
    await this.changeLoadBalancer({
      listeners: listeners.map((one) => (one.lbPort === port ? { ...one, ...changes } : one)),
    });
  }

  async modify(
    query: { id: string; type?: string },
    changes: Parameters<RegionClient["modify"]>[1],
  ): Promise<void> {
    const { attributes } = await this.region.resource(query);
    const before = Object.fromEntries(Object.keys(changes).map((key) => [key, attributes[key] ?? null]));
    await this.region.modify(query, changes);
    this.undos.push(() => this.region.modify(query, before));
  }

  async undoAll(): Promise<void> {
    for (const undo of this.undos.splice(0).reverse()) await undo();
  }

  /** The rule whose name ends like this, e.g. `sg-nodes-from-nodes-6369`. */
  async rule(name: string): Promise<{ id: string }> {
    const resources = await this.region.resources();
    const found = resources.find(
      ({ type, attributes }) =>
        /Security\w+Rule$/.test(type) &&
        (attributes["tags"] as Record<string, string> | undefined)?.["Name"]?.endsWith(name),
    );
    if (found === undefined) throw new Error(`no rule ${name}`);
    return { id: found.id };
  }

  instance(node: number): string {
    return this.deployment.outputs.instanceIds![node]!;
  }

  /** Every node is in service and in one cluster. */
  async isWell(): Promise<boolean> {
    const [[balancer], machines] = await Promise.all([this.region.loadBalancers(), this.region.machines()]);
    return (
      Object.values(balancer?.health ?? {}).every(({ state }) => state === "InService") &&
      machines.length === this.deployment.outputs.instanceIds!.length &&
      machines.every(({ emqx, phase }) => phase === "ready" && emqx?.running.length === machines.length)
    );
  }

  async end(): Promise<void> {
    await this.engine.end();
  }

  private get loadBalancerName(): string {
    return this.deployment.outputs.loadBalancerName!;
  }
}

export function failures({ checks }: SmokeResult): CheckResult[] {
  return checks.filter(({ status }) => status === "failed");
}

/** All that a failed check tells the person who reads it. */
export function wordsOf({ detail, explanation }: CheckResult): string {
  if (explanation === undefined) return detail;
  return [detail, explanation.meaning, ...explanation.evidence, ...explanation.look].join("\n");
}
