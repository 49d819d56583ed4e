/** What a load balancer needs from the machine room around it. */
import { InternetHost, Network, NetworkInterface } from "../reachability";
import type { TargetHealth } from "../../health";
import { CertificateFacts, InstanceHealth, LoadBalancerFacts, TargetGroupFacts } from "../regionView";

/** Factors on the times a region is configured with: 0.01 makes a ten second interval a tenth of a second. */
export interface Clocks {
  /** Interval and timeout of the load balancers' health checks, and what target groups take to follow. */
  healthChecks: number;
  /** Connection draining. */
  draining: number;
  /** The load balancers' idle timeout. Clients' keep-alives are not scaled, so leave it at 1 outside tests. */
  idle: number;
  /** Waits of a machine that boots. */
  boot: number;
  /** How often nodes try to join (5 s) and make sure of each other (15 s). */
  cluster: number;
}

/** A load balancer's interface in one of its subnets. */
export interface ElbNode {
  interface: NetworkInterface;
  zone: string;
  /** Its address on this machine, from which it dials the instances. */
  loopback: string;
}

export interface ElbInstance {
  interface: NetworkInterface;
  zone: string;
  loopback: string;
  /** Without power or network: packets to it vanish. */
  silent: boolean;
}

export interface ElbEnvironment {
  clocks: Clocks;
  network(): Network;
  nodesOf(loadBalancer: { dnsName: string }): ElbNode[];
  zonesOf(loadBalancer: { dnsName: string }): string[];
  /** A running instance; undefined when it does not run (any more). */
  instance(instanceId: string): ElbInstance | undefined;
  certificate(arn: string): CertificateFacts | undefined;
  /** Which host a connection from a loopback address stands for. */
  hostBehind(remoteAddress: string): InternetHost | NetworkInterface;
  /** All hosts that clients on this machine can stand for. */
  clientHosts(): InternetHost[];
  /** Ports given out before, by load balancer and port, so that an endpoint keeps its port. */
  rememberedPorts: Map<string, number>;
  setHealth(loadBalancer: LoadBalancerFacts, instanceId: string, health: InstanceHealth): void;
  /** Nothing: it is not registered any more, for whoever asks. */
  setTargetHealth(group: TargetGroupFacts, instanceId: string, health: TargetHealth | undefined): void;
  log(line: string): void;
}

/** What CloudWatch would count. */
export interface ElbCounters {
  connections: number;
  refusedByNetwork: number;
  tlsFailures: number;
  backendFailures: number;
  idleTimeouts: number;
}
