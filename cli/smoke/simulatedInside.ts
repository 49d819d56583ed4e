import type { RegionClient, ShownResource } from "@emqx-aws/simulator/client";
import type { Inside, InstanceState, Place } from "./inside";
import type { Outputs } from "./outputs";

/** A deployment in the simulated region, asked through the region's control endpoint. */
export class SimulatedInside implements Inside {
  readonly kind = "simulated";

  constructor(
    private readonly region: RegionClient,
    private readonly outputs: Outputs,
    private readonly stack: string,
  ) {}

  async locate(hostname: string, port: number): Promise<Place> {
    const dnsName = this.outputs.loadBalancerDnsName;
    const how = hostname === dnsName ? "the region's endpoints" : await this.alias(hostname);
    const endpoint = (await this.endpoints()).find((candidate) => candidate.loadBalancerPort === port);
    if (endpoint === undefined) {
      throw new Error(`the load balancer ${dnsName} has no listener on port ${port}`);
    }
    const { host, port: dialled, problem } = endpoint;
    return { host, port: dialled, how, ...(problem === undefined ? {} : { problem }) };
  }

  /** The Route 53 record that leads from a deployment's own name to its load balancer. */
  private async alias(hostname: string): Promise<string> {
    const dnsName = this.outputs.loadBalancerDnsName?.toLowerCase();
    const records = await this.region.resources({ type: "Record" });
    const leads = (record: ShownResource) => {
      const aliases = (record.attributes["aliases"] ?? []) as { name?: string }[];
      const name = String(record.attributes["fqdn"] ?? record.attributes["name"]);
      return (
        name.replace(/\.$/, "") === hostname && aliases.some((alias) => alias.name?.toLowerCase() === dnsName)
      );
    };
    if (!records.some(leads)) throw new Error(`no record leads from ${hostname} to ${dnsName}`);
    return "an alias record in Route 53";
  }

  parameter(name: string): Promise<string> {
    return this.region.parameter(name);
  }

  async trustAnchor(port: number): Promise<string | undefined> {
    const arn = (await this.endpoints()).find((one) => one.loadBalancerPort === port)?.certificateArn;
    return arn ? this.region.certificate(arn) : undefined;
  }

  async instances(): Promise<InstanceState[]> {
    const balancer = (await this.region.loadBalancers()).find(
      ({ dnsName }) => dnsName === this.outputs.loadBalancerDnsName,
    );
    return Object.entries(balancer?.health ?? {}).map(([instanceId, health]) => ({
      instanceId,
      inService: health.state === "InService",
      description: [health.description, health.lastProblem && `last check: ${health.lastProblem}`]
        .filter(Boolean)
        .join(" "),
    }));
  }

  async idleTimeoutSeconds(): Promise<number> {
    return Math.min(...(await this.endpoints()).map((endpoint) => endpoint.idleTimeoutSeconds));
  }

  async nodesOfClients(): Promise<Map<string, string>> {
    return new Map((await this.region.clients()).map(({ clientId, nodeName }) => [clientId, nodeName]));
  }

  async complaints(): Promise<string[]> {
    const [machines, drilled] = await Promise.all([this.machines(), this.leftByDrills()]);
    const troubles = machines.flatMap(({ instanceId, phase, problem, emqx }) => [
      ...(problem === undefined ? [] : [`${instanceId} did not boot: ${problem}`]),
      ...(phase === "ready" && emqx === undefined ? [`${instanceId}: EMQX does not run`] : []),
      ...(emqx !== undefined && emqx.running.length < machines.length
        ? [`${emqx.nodeName} is in a cluster of ${emqx.running.length}, not ${machines.length}`]
        : []),
      ...Object.entries(emqx?.problems ?? {}).map(
        ([peer, why]) => `${emqx?.nodeName} does not join ${peer}: ${why}`,
      ),
    ]);
    return [...drilled, ...troubles];
  }

  private async leftByDrills(): Promise<string[]> {
    const own = new Set(this.outputs.instanceIds ?? []);
    const mine = (await this.region.standingFaults()).filter(({ on }) => !on.startsWith("i-") || own.has(on));
    return mine.map(
      ({ on, what }) =>
        `a drill has left this: ${on} ${what}. To put it right: npm run drill -- repair -s ${this.stack}`,
    );
  }

  async nodeAddresses(): Promise<string[]> {
    return (await this.machines()).map(({ loopback }) => loopback);
  }

  async operate(
    instanceId: string,
    operation: string,
    args: string[],
    say: (line: string) => void,
  ): Promise<number> {
    const { lines, exitCode } = await this.region.operate(instanceId, operation, args);
    lines.forEach(say);
    return exitCode;
  }

  private async machines() {
    const own = new Set(this.outputs.instanceIds ?? []);
    return (await this.region.machines()).filter(({ instanceId }) => own.has(instanceId));
  }

  private async endpoints() {
    const { loadBalancerDnsName } = this.outputs;
    return (await this.region.endpoints()).filter(({ dnsName }) => dnsName === loadBalancerDnsName);
  }
}
