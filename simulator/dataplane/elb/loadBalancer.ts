/**
 * A Classic ELB: listeners on 127.0.0.1, health checks, and flows between clients and instances in service.
 *
 * Changes act on what comes after them, as on AWS: an open connection survives a changed security group (tracked
 * flows), certificate, policy or a removed listener. The idle timeout alone is changed under open connections too.
 */
import { proxyV1Header, type ProxiedConnection } from "../proxyProtocol";
import { NetworkInterface } from "../reachability";
import { InstanceHealth, ListenerFacts, LoadBalancerFacts } from "../regionView";
import { Check } from "./check";
import { Door } from "./door";
import { ElbNode } from "./environment";
import { parseHealthTarget, probeInstance } from "./healthProbe";

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

/** An instance that does not answer is passed over once, as AWS does. */
const attempts = 2;

interface Target {
  instanceId: string;
  health: InstanceHealth;
  check: Check<InstanceHealth>;
}

export class LoadBalancer extends Door<LoadBalancerFacts> {
  readonly attempts = attempts;
  readonly hasZonalAddresses = false;
  readonly forgetsSilently = false;
  private readonly targets = new Map<string, Target>();
  private readonly drains = new Set<NodeJS.Timeout>();
  private turn = 0;

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

  health(): Record<string, InstanceHealth & { lastProblem?: string }> {
    return Object.fromEntries(
      [...this.targets.values()].map(({ instanceId, health, check: { lastProblem } }) => [
        instanceId,
        { ...health, ...(lastProblem === undefined ? {} : { lastProblem }) },
      ]),
    );
  }

  header({ instancePort }: ListenerFacts, connection: ProxiedConnection): string | undefined {
    return this.facts.proxyProtocolPorts.includes(instancePort) ? proxyV1Header(connection) : undefined;
  }

  /** What it dials instances as: itself. */
  sourceOf(_listener: ListenerFacts, node: ElbNode): NetworkInterface {
    return node.interface;
  }

  idleSeconds(): number {
    return this.facts.idleTimeoutSeconds;
  }

  nextInstance(_listener: ListenerFacts, node: ElbNode, except: ReadonlySet<string>): string | undefined {
    const pool = this.eligible(node).filter((id) => !except.has(id));
    return pool[this.turn++ % Math.max(1, pool.length)];
  }

  override async stop(): Promise<void> {
    this.targets.forEach(({ check }) => check.stop());
    this.targets.clear();
    this.drains.forEach((timer) => clearTimeout(timer));
    await super.stop();
  }

  protected eligible(node: ElbNode): string[] {
    return [...this.targets.values()]
      .filter((target) => target.health.state === "InService")
      .map((target) => target.instanceId)
      .filter((id) => this.facts.crossZone || this.environment.instance(id)?.zone === node.zone);
  }

  private updateTargets(): void {
    const registered = new Set(this.facts.instanceIds);
    for (const [instanceId, target] of this.targets) {
      if (!registered.has(instanceId)) {
        target.check.stop();
        this.targets.delete(instanceId);
        this.drain(instanceId);
      }
    }
    for (const instanceId of registered) {
      if (!this.targets.has(instanceId)) {
        const check = new Check<InstanceHealth>(
          () => ({ ...this.facts.healthCheck, factor: this.clocks.healthChecks }),
          () => this.checkOnce(instanceId),
          (health) =>
            this.report(
              target,
              health === "passed" ? inService : health === "failed" ? failedChecks : health,
            ),
        );
        const target: Target = { instanceId, health: registering, check };
        this.targets.set(instanceId, target);
        this.report(target, registering);
        check.start();
      }
    }
  }

  /** Deregistered: gets nothing new; what is open may go on until the draining timeout, or is cut without draining. */
  private drain(instanceId: string): void {
    const flows = this.flowsOf(instanceId);
    if (flows.length === 0) {
      return;
    }
    const seconds = this.facts.drainingTimeoutSeconds;
    this.environment.log(
      `${this.facts.name}: ${instanceId} is deregistered with ${flows.length} open connections, ` +
        (seconds === undefined ? "which are closed (no draining)" : `which have ${seconds} s to end`),
    );
    const close = () => this.flowsOf(instanceId).forEach((flow) => flow.close());
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

  private report(target: Target, health: InstanceHealth): void {
    if (target.health === health && health !== registering) {
      return;
    }
    target.health = health;
    const { lastProblem } = target.check;
    const why =
      lastProblem === undefined ? "" : ` (last check of ${this.facts.healthCheck.target}: ${lastProblem})`;
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
    if (!this.environment.zonesOf(this.facts).includes(instance.zone)) {
      return zoneNotEnabled;
    }
    const { target, timeoutSeconds } = this.facts.healthCheck;
    return probeInstance(this.environment, this.nodes(), instance, parseHealthTarget(target), timeoutSeconds);
  }
}
