/**
 * A Classic ELB: listeners on 127.0.0.1, health checks, and flows between clients and instances in service.
 *
 * Changes act on what comes after them, as on AWS: an open connection survives a changed security group (tracked
 * flows), certificate, policy or a removed listener. The idle timeout alone is changed under open connections too.
 */
import { CertificateFacts, InstanceHealth, ListenerFacts, LoadBalancerFacts } from "../regionView";
import { Clocks, ElbCounters, ElbEnvironment, ElbNode } from "./environment";
import { Flow } from "./flow";
import { parseHealthTarget, probe } from "./healthProbe";
import { ElbListener, type Endpoint } from "./listener";

const inService: InstanceHealth = { state: "InService", reasonCode: "N/A", description: "N/A" };
const registering = outOfService("ELB", "Instance registration is still in progress.");
const failedChecks = outOfService(
  "Instance",
  "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.",
);
const notRunning = outOfService("Instance", "Instance is in stopped state.");
const zoneNotEnabled = outOfService(
  "ELB",
  "Instance is in an Availability Zone for which LoadBalancer is not configured to route traffic to.",
);

function outOfService(reasonCode: "ELB" | "Instance", description: string): InstanceHealth {
  return { state: "OutOfService", reasonCode, description };
}

/** A busy machine answers late; a scaled timeout must not make that look like a dead one. */
const shortestTimeoutMs = 250;

interface Target {
  instanceId: string;
  health: InstanceHealth;
  successes: number;
  failures: number;
  lastProblem?: string;
  timer?: NodeJS.Timeout;
}

export class LoadBalancer {
  readonly counters: ElbCounters = {
    connections: 0,
    refusedByNetwork: 0,
    tlsFailures: 0,
    backendFailures: 0,
    idleTimeouts: 0,
  };
  private readonly listeners = new Map<number, ElbListener>();
  private readonly targets = new Map<string, Target>();
  private readonly flows = new Map<string, Set<Flow>>();
  private readonly drains = new Set<NodeJS.Timeout>();
  private turn = 0;
  private nodeTurn = 0;
  private stopped = false;

  constructor(
    public facts: LoadBalancerFacts,
    readonly environment: ElbEnvironment,
  ) {}

  get clocks(): Clocks {
    return this.environment.clocks;
  }

  /** Takes over the load balancer's present description; called after every change in the region. */
  async update(facts: LoadBalancerFacts): Promise<void> {
    const before = this.facts;
    this.facts = facts;
    this.updateTargets();
    if (before.idleTimeoutSeconds !== facts.idleTimeoutSeconds) {
      for (const flow of this.allFlows()) {
        flow.setIdleTimeout(facts.idleTimeoutSeconds * 1000 * this.clocks.idle);
      }
    }
    await this.updateListeners();
  }

  endpoints(): Endpoint[] {
    return [...this.listeners.values()].map((listener) => listener.endpoint());
  }

  health(): Record<string, InstanceHealth & { lastProblem?: string }> {
    return Object.fromEntries(
      [...this.targets.values()].map((target) => [
        target.instanceId,
        {
          ...target.health,
          ...(target.lastProblem === undefined ? {} : { lastProblem: target.lastProblem }),
        },
      ]),
    );
  }

  openConnections(): number {
    return this.allFlows().length;
  }

  certificate(listener: ListenerFacts): CertificateFacts | undefined {
    return listener.certificateArn === undefined
      ? undefined
      : this.environment.certificate(listener.certificateArn);
  }

  /** This load balancer's interfaces, one in each zone that is not cut off. */
  nodes(): ElbNode[] {
    return this.environment.nodesOf(this.facts);
  }

  /** The interface the next client reaches: its name resolves to all of them in turn. */
  nextNode(): ElbNode | undefined {
    const nodes = this.nodes();
    const serving = nodes.filter((node) => this.eligible(node).length > 0);
    const pool = serving.length > 0 ? serving : nodes;
    return pool[this.nodeTurn++ % Math.max(1, pool.length)];
  }

  /** The instance for the next connection that entered at `node`, leaving out those that just failed. */
  nextInstance(node: ElbNode, except: ReadonlySet<string>): string | undefined {
    const pool = this.eligible(node).filter((id) => !except.has(id));
    return pool[this.turn++ % Math.max(1, pool.length)];
  }

  adopt(flow: Flow): void {
    const flows = this.flows.get(flow.instanceId) ?? new Set<Flow>();
    this.flows.set(flow.instanceId, flows.add(flow));
    flow.onClose(() => {
      flows.delete(flow);
      if (flows.size === 0 && this.flows.get(flow.instanceId) === flows) {
        this.flows.delete(flow.instanceId);
      }
    });
    flow.setIdleTimeout(this.facts.idleTimeoutSeconds * 1000 * this.clocks.idle);
  }

  /** The instance has lost its power or its zone: what is open stays open, and nothing moves on it any more. */
  silence(instanceId: string): void {
    this.flows.get(instanceId)?.forEach((flow) => flow.silence());
  }

  /** It is back, and knows nothing of the old connections: the next packet on them is answered with a reset. */
  unsilence(instanceId: string): void {
    this.flows.get(instanceId)?.forEach((flow) => flow.closeIfSilent());
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.targets.forEach((target) => clearTimeout(target.timer));
    this.targets.clear();
    this.drains.forEach((timer) => clearTimeout(timer));
    await Promise.all([...this.listeners.values()].map((listener) => listener.stop()));
    this.allFlows().forEach((flow) => flow.close());
  }

  private allFlows(): Flow[] {
    return [...this.flows.values()].flatMap((flows) => [...flows]);
  }

  private eligible(node: ElbNode): string[] {
    return [...this.targets.values()]
      .filter((target) => target.health.state === "InService")
      .map((target) => target.instanceId)
      .filter((id) => this.facts.crossZone || this.environment.instance(id)?.zone === node.zone);
  }

  private async updateListeners(): Promise<void> {
    const wanted = new Map(this.facts.listeners.map((listener) => [listener.loadBalancerPort, listener]));
    for (const [port, listener] of this.listeners) {
      if (!wanted.has(port)) {
        this.listeners.delete(port);
        await listener.stop();
      }
    }
    for (const [port, facts] of wanted) {
      let listener = this.listeners.get(port);
      if (listener === undefined) {
        listener = new ElbListener(this, facts);
        this.listeners.set(port, listener);
      }
      await listener.update(facts);
    }
  }

  private updateTargets(): void {
    const registered = new Set(this.facts.instanceIds);
    for (const [instanceId, target] of this.targets) {
      if (!registered.has(instanceId)) {
        clearTimeout(target.timer);
        this.targets.delete(instanceId);
        this.drain(instanceId);
      }
    }
    for (const instanceId of registered) {
      if (!this.targets.has(instanceId)) {
        const target: Target = { instanceId, health: registering, successes: 0, failures: 0 };
        this.targets.set(instanceId, target);
        this.report(target, registering);
        void this.check(target);
      }
    }
  }

  /** Deregistered: gets nothing new; what is open may go on until the draining timeout, or is cut without draining. */
  private drain(instanceId: string): void {
    const flows = this.flows.get(instanceId);
    if (flows === undefined) {
      return;
    }
    const seconds = this.facts.drainingTimeoutSeconds;
    this.environment.log(
      `${this.facts.name}: ${instanceId} is deregistered with ${flows.size} open connections, ` +
        (seconds === undefined ? "which are closed (no draining)" : `which have ${seconds} s to end`),
    );
    const close = () => flows.forEach((flow) => flow.close());
    if (seconds === undefined) {
      close();
      return;
    }
    const timer = setTimeout(
      () => {
        this.drains.delete(timer);
        if (!this.targets.has(instanceId)) {
          close();
        }
      },
      seconds * 1000 * this.clocks.draining,
    );
    this.drains.add(timer);
  }

  private async check(target: Target): Promise<void> {
    const { intervalSeconds } = this.facts.healthCheck;
    const started = Date.now();
    const verdict = await this.checkOnce(target.instanceId);
    if (this.stopped || this.targets.get(target.instanceId) !== target) {
      return;
    }
    this.count(target, verdict);
    const wait = intervalSeconds * 1000 * this.clocks.healthChecks - (Date.now() - started);
    target.timer = setTimeout(() => void this.check(target), Math.max(1, wait));
  }

  private count(target: Target, verdict: string | InstanceHealth | undefined): void {
    const { healthyThreshold, unhealthyThreshold } = this.facts.healthCheck;
    if (typeof verdict === "object") {
      target.successes = 0;
      target.failures = unhealthyThreshold;
      target.lastProblem = verdict.description;
      this.report(target, verdict);
      return;
    }
    if (verdict === undefined) {
      target.successes++;
      target.failures = 0;
      delete target.lastProblem;
      if (target.successes >= healthyThreshold) {
        this.report(target, inService);
      }
      return;
    }
    target.failures++;
    target.successes = 0;
    target.lastProblem = verdict;
    if (target.failures >= unhealthyThreshold) {
      this.report(target, failedChecks);
    }
  }

  private report(target: Target, health: InstanceHealth): void {
    if (target.health === health && health !== registering) {
      return;
    }
    target.health = health;
    const why =
      target.lastProblem === undefined
        ? ""
        : ` (last check of ${this.facts.healthCheck.target}: ${target.lastProblem})`;
    this.environment.log(
      `${this.facts.name}: ${target.instanceId} is ${health.state}: ${health.description}${why}`,
    );
    this.environment.setHealth(this.facts, target.instanceId, health);
  }

  private async checkOnce(instanceId: string): Promise<string | InstanceHealth | undefined> {
    const instance = this.environment.instance(instanceId);
    if (instance === undefined) {
      return notRunning;
    }
    const nodes = this.nodes();
    const zones = this.environment.zonesOf(this.facts);
    if (!zones.includes(instance.zone)) {
      return zoneNotEnabled;
    }
    const node = nodes.find((candidate) => candidate.zone === instance.zone) ?? nodes[0];
    const { target, timeoutSeconds } = this.facts.healthCheck;
    const timeoutMs = Math.max(shortestTimeoutMs, timeoutSeconds * 1000 * this.clocks.healthChecks);
    if (instance.silent || node === undefined) {
      await new Promise((resolve) => setTimeout(resolve, timeoutMs).unref());
      return "timed out";
    }
    const parsed = parseHealthTarget(target);
    const verdict = this.environment.network().judge(node.interface, instance.interface, parsed.port);
    if (!verdict.allowed) {
      return verdict.reason;
    }
    return probe(parsed, instance.loopback, node.loopback, timeoutMs);
  }
}
