/**
 * A Network Load Balancer: each listener sends to one target group, a client to one target and to no second one.
 *
 * - It keeps clients' addresses, so a target's security groups see those, together with the load balancer's own groups.
 * - A TCP connection that is idle for too long is forgotten: the next packet of either end gets a reset. A TLS listener's ends after
 *   350 seconds, which nobody changes ("Connection idle timeout", Network Load Balancers guide).
 * - Its interfaces have addresses that clients may know, one in each zone.
 */
import { Door } from "../elb/door";
import { ElbNode } from "../elb/environment";
import { proxyV2Header, type ProxiedConnection } from "../proxyProtocol";
import { NetworkInterface } from "../reachability";
import {
  InstanceHealth,
  ListenerFacts,
  NetworkListenerFacts,
  NetworkLoadBalancerFacts,
  TargetGroupFacts,
} from "../regionView";
import { TargetGroup } from "./targetGroup";

const tlsIdleSeconds = 350;

export class NetworkLoadBalancer extends Door<NetworkLoadBalancerFacts> {
  readonly attempts = 1;
  readonly hasZonalAddresses = true;
  readonly forgetsSilently = true;
  private readonly groups = new Map<string, TargetGroup>();

  async update(facts: NetworkLoadBalancerFacts): Promise<void> {
    this.facts = facts;
    await this.updateListeners();
  }

  /** Of all that there are, those that it sends to. */
  updateGroups(all: TargetGroupFacts[]): void {
    const used = new Set(this.facts.listeners.map(({ targetGroupArn }) => targetGroupArn));
    const present = new Map(all.filter(({ arn }) => used.has(arn)).map((group) => [group.arn, group]));
    for (const [arn, group] of this.groups) {
      if (!present.has(arn)) {
        this.groups.delete(arn);
        group.stop();
      }
    }
    for (const [arn, facts] of present) {
      const group = this.groups.get(arn) ?? new TargetGroup(this, facts);
      this.groups.set(arn, group);
      group.update(facts);
    }
  }

  /** An instance is in service where all target groups that it is registered with call it healthy. */
  health(): Record<string, InstanceHealth & { lastProblem?: string }> {
    const all: Record<string, InstanceHealth & { lastProblem?: string }> = {};
    for (const group of this.groups.values()) {
      for (const { instanceId, health, check } of group.all()) {
        const { state, description = "" } = health;
        if (state !== "healthy") {
          const { lastProblem } = check;
          const out = { state: "OutOfService", reasonCode: "Instance", description } as const;
          all[instanceId] = { ...out, ...(lastProblem === undefined ? {} : { lastProblem }) };
        } else {
          all[instanceId] ??= { state: "InService", reasonCode: "N/A", description: "N/A" };
        }
      }
    }
    return all;
  }

  idleSeconds(listener: ListenerFacts): number {
    return listener.protocol === "TLS"
      ? tlsIdleSeconds
      : (listener as NetworkListenerFacts).idleTimeoutSeconds;
  }

  header(listener: ListenerFacts, connection: ProxiedConnection): Buffer | undefined {
    return this.group(listener)?.facts.proxyProtocol === true ? proxyV2Header(connection) : undefined;
  }

  sourceOf(listener: ListenerFacts, node: ElbNode, clientAddress: string): NetworkInterface {
    return this.group(listener)?.facts.preservesClientAddress === true
      ? { ...node.interface, address: clientAddress }
      : node.interface;
  }

  nextInstance(listener: ListenerFacts, node: ElbNode, except: ReadonlySet<string>): string | undefined {
    return this.group(listener)?.next(node, this.crosses(listener), except);
  }

  override missed(listener: ListenerFacts, instanceId: string): void {
    this.group(listener)?.missed(instanceId);
  }

  cut({ port }: TargetGroupFacts, instanceId: string): void {
    this.flowsOf(instanceId)
      .filter((flow) => flow.port === port)
      .forEach((flow) => flow.forget());
  }

  override async stop(): Promise<void> {
    this.groups.forEach((group) => group.stop());
    this.groups.clear();
    await super.stop();
  }

  protected eligible(node: ElbNode, listener: ListenerFacts): string[] {
    return this.group(listener)?.eligible(node, this.crosses(listener)) ?? [];
  }

  private crosses(listener: ListenerFacts): boolean {
    return this.group(listener)?.facts.crossZone ?? this.facts.crossZone;
  }

  private group(listener: ListenerFacts): TargetGroup | undefined {
    return this.groups.get((listener as NetworkListenerFacts).targetGroupArn);
  }
}
