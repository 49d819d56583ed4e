/**
 * A target group of a Network Load Balancer: who is registered, who is healthy, and who gets new clients, which is not the same.
 *
 * - A target's first health check comes about 90 seconds after its registration ("it can take a few minutes", Network Load Balancers guide,
 *   "Health checks"; seen: awsdocs/elb-network-load-balancers-user-guide#11).
 * - Its interfaces follow late: 40 seconds after it is found unhealthy, and two minutes after it is deregistered, whatever the
 *   deregistration delay, a target still gets new clients (aws/containers-roadmap#470, aws-load-balancer-controller#2366).
 * - One that takes no connection gets no others until a check finds it well ("passive health checks", the guide).
 */
import type { TargetHealth } from "../../health";
import { Check } from "../elb/check";
import type { ElbEnvironment, ElbNode } from "../elb/environment";
import { parseHealthTarget, probeInstance } from "../elb/healthProbe";
import { TargetGroupFacts } from "../regionView";

const registrationSeconds = 90;
const unhealthyLagSeconds = 40;
const deregistrationLagSeconds = 120;

const initial: TargetHealth = {
  state: "initial",
  reason: "Elb.RegistrationInProgress",
  description: "Target registration is in progress",
};
const healthy: TargetHealth = { state: "healthy" };
const unhealthy: TargetHealth = {
  state: "unhealthy",
  reason: "Target.FailedHealthChecks",
  description: "Health checks failed",
};
const draining: TargetHealth = {
  state: "draining",
  reason: "Target.DeregistrationInProgress",
  description: "Target deregistration is in progress",
};
const notRunning: TargetHealth = {
  state: "unused",
  reason: "Target.InvalidState",
  description: "Target is in the stopped state",
};
const zoneNotEnabled: TargetHealth = {
  state: "unused",
  reason: "Target.NotInUse",
  description: "Target is in an Availability Zone that is not enabled for the load balancer",
};

interface Target {
  instanceId: string;
  health: TargetHealth;
  check: Check<TargetHealth>;
  /** Interfaces send it new clients. */
  isServed: boolean;
  /** It did not take a connection. */
  hasMissed: boolean;
}

/** The load balancer, as its target groups see it. */
interface Owner {
  facts: { name: string; dnsName: string };
  environment: ElbEnvironment;
  nodes(): ElbNode[];
  /** What is open to an instance at the group's port ends. */
  cut(group: TargetGroupFacts, instanceId: string): void;
}

export class TargetGroup {
  private readonly targets = new Map<string, Target>();
  /** Deregistered, and sent new clients until the interfaces know it. */
  private readonly leaving = new Set<string>();
  private readonly timers = new Set<NodeJS.Timeout>();
  /** Round robin over whom each interface may choose. */
  private readonly turns = new Map<string, number>();

  constructor(
    private readonly owner: Owner,
    public facts: TargetGroupFacts,
  ) {}

  update(facts: TargetGroupFacts): void {
    this.facts = facts;
    const registered = new Set(facts.instanceIds);
    for (const { instanceId, check } of this.targets.values()) {
      if (!registered.has(instanceId)) {
        check.stop();
        this.targets.delete(instanceId);
        this.leave(instanceId);
      }
    }
    for (const instanceId of registered) {
      if (!this.targets.has(instanceId)) this.register(instanceId);
    }
  }

  /** Who may get a client that entered there. With nobody healthy anywhere, all may: it fails open. */
  eligible(node: ElbNode, isCrossZone: boolean): string[] {
    const served = [...this.targets.values()].filter(({ isServed, hasMissed }) => isServed && !hasMissed);
    const all = served.length > 0 || this.leaving.size > 0 ? served : [...this.targets.values()];
    return [...all.map(({ instanceId }) => instanceId), ...this.leaving].filter(
      (id) => isCrossZone || this.owner.environment.instance(id)?.zone === node.zone,
    );
  }

  next(node: ElbNode, isCrossZone: boolean, except: ReadonlySet<string>): string | undefined {
    const pool = this.eligible(node, isCrossZone).filter((id) => !except.has(id));
    const place = isCrossZone ? "" : node.zone;
    const turn = this.turns.get(place) ?? 0;
    this.turns.set(place, turn + 1);
    return pool[turn % Math.max(1, pool.length)];
  }

  missed(instanceId: string): void {
    this.leaving.delete(instanceId);
    const target = this.targets.get(instanceId);
    if (target !== undefined) target.hasMissed = true;
  }

  all(): Pick<Target, "instanceId" | "health" | "check">[] {
    return [...this.targets.values()];
  }

  stop(): void {
    this.targets.forEach(({ check }) => check.stop());
    this.targets.clear();
    this.timers.forEach((timer) => clearTimeout(timer));
  }

  private register(instanceId: string): void {
    this.leaving.delete(instanceId);
    const { healthChecks } = this.owner.environment.clocks;
    const check = new Check<TargetHealth>(
      () => ({ ...this.facts.healthCheck, factor: healthChecks }),
      () => this.ask(instanceId),
      (health) => this.judge(target, health),
    );
    const target: Target = { instanceId, health: initial, check, isServed: false, hasMissed: false };
    this.targets.set(instanceId, target);
    this.owner.environment.setTargetHealth(this.facts, instanceId, initial);
    check.start(registrationSeconds * 1000 * healthChecks);
  }

  private async ask(instanceId: string): Promise<string | TargetHealth | undefined> {
    const { environment, facts } = this.owner;
    const instance = environment.instance(instanceId);
    if (instance === undefined) return notRunning;
    if (!environment.zonesOf(facts).includes(instance.zone)) return zoneNotEnabled;
    const { target, matcher, timeoutSeconds } = this.facts.healthCheck;
    const probed = { ...parseHealthTarget(target), ...(matcher === undefined ? {} : { matcher }) };
    return probeInstance(environment, this.owner.nodes(), instance, probed, timeoutSeconds);
  }

  private judge(target: Target, verdict: "passed" | "failed" | TargetHealth): void {
    const health = verdict === "passed" ? healthy : verdict === "failed" ? unhealthy : verdict;
    const { environment, facts: owner } = this.owner;
    if (verdict === "passed") {
      target.hasMissed = false;
      target.isServed = true;
    }
    if (target.health === health) return;
    target.health = health;
    const { lastProblem } = target.check;
    environment.log(
      `${owner.name}, ${this.facts.name}: ${target.instanceId} is ${health.state}: ${health.description ?? ""}` +
        (lastProblem === undefined
          ? ""
          : ` (last check of ${this.facts.healthCheck.target}: ${lastProblem})`),
    );
    environment.setTargetHealth(this.facts, target.instanceId, health);
    if (health === healthy) return;
    this.after(unhealthyLagSeconds * environment.clocks.healthChecks, () => {
      if (target.health !== healthy) target.isServed = false;
    });
    const { unhealthyTerminationSeconds: seconds } = this.facts;
    if (seconds !== undefined) {
      this.after(seconds * environment.clocks.draining, () => {
        if (target.health !== healthy && this.hasHealthy()) this.owner.cut(this.facts, target.instanceId);
      });
    }
  }

  private hasHealthy(): boolean {
    return [...this.targets.values()].some(({ health }) => health === healthy);
  }

  /** Deregistered: what is open stays, unless the group ends it with the deregistration delay. */
  private leave(instanceId: string): void {
    const { environment } = this.owner;
    const { facts } = this;
    this.leaving.add(instanceId);
    environment.setTargetHealth(facts, instanceId, draining);
    this.after(deregistrationLagSeconds * environment.clocks.healthChecks, () =>
      this.leaving.delete(instanceId),
    );
    this.after(facts.deregistrationDelaySeconds * environment.clocks.draining, () => {
      if (this.targets.has(instanceId)) return;
      environment.setTargetHealth(facts, instanceId, undefined);
      if (facts.terminatesDeregistered) this.owner.cut(facts, instanceId);
    });
  }

  private after(seconds: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      then();
    }, seconds * 1000);
    this.timers.add(timer);
  }
}
