/** What monitoring could have seen: the load balancer's view, the cluster's own, and when it changed. */
import type { RegionClient } from "@emqx-aws/simulator/client";
import type { LoadBalancerStatus } from "@emqx-aws/simulator/dataplane";

interface Observation {
  at: number;
  text: string;
}

/** A fact that an alarm can be set on. */
export interface AlarmFact {
  /** What to watch, in CloudWatch's or EMQX's own words. */
  metric: string;
  value: string;
  /** When it was first seen, in milliseconds of performance.now(); not for sums. */
  since?: number;
}

const pollMs = 200;

type Counters = LoadBalancerStatus["counters"];

export class Watch {
  readonly observations: Observation[] = [];
  private readonly states = new Map<string, string>();
  private readonly seen = new Map<string, AlarmFact>();
  private first: Counters | undefined;
  private last: Counters | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isOver = false;
  /** Its metrics' namespace. */
  private namespace = "AWS/ELB";

  constructor(
    private readonly region: RegionClient,
    private readonly dnsName: string,
    private readonly nodeNames: ReadonlyMap<string, string>,
  ) {}

  async start(): Promise<void> {
    await this.look();
    this.observations.length = 0;
    this.schedule();
  }

  stop(): void {
    this.isOver = true;
    clearTimeout(this.timer);
  }

  /** Everything is as it should be. */
  async isWell(): Promise<boolean> {
    await this.look();
    return [...this.states.values()].every((state) => /^(in service|member of \d+, all)$/.test(state));
  }

  facts(): AlarmFact[] {
    const { first, last } = this;
    const sums: [keyof Counters, string][] =
      this.namespace === "AWS/ELB"
        ? [
            ["backendFailures", "AWS/ELB BackendConnectionErrors"],
            [
              "tlsFailures",
              "AWS/ELB access log: failed TLS handshakes (no metric; a synthetic client sees them)",
            ],
          ]
        : [
            ["backendFailures", "AWS/NetworkELB TCP_Target_Reset_Count"],
            ["tlsFailures", "AWS/NetworkELB ClientTLSNegotiationErrorCount"],
          ];
    const counted = sums.flatMap(([key, metric]) => {
      const count = (last?.[key] ?? 0) - (first?.[key] ?? 0);
      return count > 0 ? [{ metric, value: `${count} in all` }] : [];
    });
    return [...this.seen.values(), ...counted];
  }

  private schedule(): void {
    this.timer = setTimeout(() => {
      void this.look()
        // A region that is busy answers the next time.
        .catch(() => undefined)
        .then(() => this.isOver || this.schedule());
    }, pollMs);
  }

  private async look(): Promise<void> {
    const [balancers, machines] = await Promise.all([this.region.loadBalancers(), this.region.machines()]);
    const balancer = balancers.find(({ dnsName }) => dnsName === this.dnsName);
    if (balancer?.kind === "network") this.namespace = "AWS/NetworkELB";
    this.last = balancer && { ...balancer.counters };
    this.first ??= this.last;
    const health = Object.entries(balancer?.health ?? {});
    for (const [id, { state, description, lastProblem }] of health) {
      const why = lastProblem === undefined ? description : `${description} (last check: ${lastProblem})`;
      this.note(
        `health of ${this.nameOf(id)}`,
        state === "InService" ? "in service" : `out of service: ${why}`,
      );
    }
    const out = health.filter(([, { state }]) => state !== "InService").length;
    if (out > 0) this.fact(`${this.namespace} UnHealthyHostCount`, `${out} of ${health.length}`);
    for (const { instanceId, emqx, silent } of machines.filter((one) => this.nodeNames.has(one.instanceId))) {
      if (silent) {
        this.note(`cluster at ${this.nameOf(instanceId)}`, "unknown: the machine does not answer");
        this.fact("AWS/EC2 StatusCheckFailed", this.nameOf(instanceId));
        continue;
      }
      const members = emqx?.running.length ?? 0;
      const all = members === this.nodeNames.size ? ", all" : ` of ${this.nodeNames.size} nodes`;
      this.note(
        `cluster at ${this.nameOf(instanceId)}`,
        emqx === undefined ? "EMQX does not run" : `member of ${members}${all}`,
      );
      if (emqx !== undefined && members < this.nodeNames.size) {
        this.fact("emqx_cluster_nodes_running (Prometheus)", `${members} of ${this.nodeNames.size}`);
        Object.entries(emqx.problems).forEach(([peer, why]) =>
          this.fact(`EMQX log of ${this.nameOf(instanceId)}`, `${peer}: ${why}`),
        );
      }
    }
  }

  private note(what: string, state: string): void {
    if (this.states.get(what) === state) return;
    this.states.set(what, state);
    this.observations.push({ at: performance.now(), text: `${what}: ${state}` });
  }

  private fact(metric: string, value: string): void {
    const key = `${metric} ${value}`;
    if (!this.seen.has(key)) this.seen.set(key, { metric, value, since: performance.now() });
  }

  private nameOf(instanceId: string): string {
    return this.nodeNames.get(instanceId) ?? instanceId;
  }
}
