/**
 * What the data plane needs to know of a region, as plain data. The real region is turned into this by
 * `viewOfRegion`; the tests build it by hand. Nothing here knows how the region stores its resources.
 */

import type { TargetHealth } from "../health";
import type { StoredObject } from "../objects";

export interface VpcFacts {
  id: string;
  cidrBlock: string;
  /** The internet gateway attached to it, if any. */
  internetGatewayId?: string;
}

export interface RouteFacts {
  destinationCidrBlock: string;
  /** `local`, `igw-…`, `nat-…` or anything else AWS allows; what does not exist any more is a black hole. */
  target: string;
}

export interface SubnetFacts {
  id: string;
  vpcId: string;
  cidrBlock: string;
  availabilityZone: string;
  /** Routes of the table this subnet really uses (its own association, else the VPC's main table). */
  routes: RouteFacts[];
}

export interface NatGatewayFacts {
  id: string;
  subnetId: string;
}

export interface RuleFacts {
  /** `-1`, `tcp`, `udp`, `icmp` … */
  protocol: string;
  fromPort?: number;
  toPort?: number;
  cidrIpv4?: string;
  referencedGroupId?: string;
}

export interface SecurityGroupFacts {
  id: string;
  vpcId: string;
  ingress: RuleFacts[];
  egress: RuleFacts[];
}

export type InstanceState = "pending" | "running" | "stopping" | "stopped" | "shutting-down" | "terminated";

export interface InstanceFacts {
  id: string;
  /** The Name tag, or the id. */
  name: string;
  region: string;
  state: InstanceState;
  vpcId: string;
  subnetId: string;
  privateIp: string;
  securityGroupIds: string[];
  userData: string;
  /** Processor of its type: `arm64` or `x86_64`. */
  architecture: string;
  /** Attached volumes by device name. */
  volumes: { device: string; volumeId: string }[];
}

type ListenerProtocol = "TCP" | "SSL" | "TLS" | "HTTP" | "HTTPS";

export interface ListenerFacts {
  loadBalancerPort: number;
  protocol: ListenerProtocol;
  instancePort: number;
  instanceProtocol: ListenerProtocol;
  certificateArn?: string;
  /** Those that clients get who ask for one of their names. */
  furtherCertificateArns?: string[];
  /** The predefined security policy its negotiation policy refers to, when it has one. */
  tlsPolicy?: string;
}

export interface HealthCheckFacts {
  target: string;
  intervalSeconds: number;
  timeoutSeconds: number;
  healthyThreshold: number;
  unhealthyThreshold: number;
}

export interface LoadBalancerFacts {
  name: string;
  region: string;
  /** Its identity here: names are unique in one region only. */
  dnsName: string;
  internal: boolean;
  vpcId: string;
  /** Its own interfaces, one in each subnet. */
  interfaces: { subnetId: string; privateIp: string }[];
  securityGroupIds: string[];
  listeners: ListenerFacts[];
  healthCheck: HealthCheckFacts;
  crossZone: boolean;
  idleTimeoutSeconds: number;
  /** Undefined when connection draining is off. */
  drainingTimeoutSeconds?: number;
  /** Instance ports whose back ends are sent a PROXY v1 header. */
  proxyProtocolPorts: number[];
  instanceIds: string[];
}

/** A listener of a Network Load Balancer; the instance's port is the target group's. */
export interface NetworkListenerFacts extends ListenerFacts {
  targetGroupArn: string;
  idleTimeoutSeconds: number;
}

export interface NetworkLoadBalancerFacts {
  name: string;
  region: string;
  dnsName: string;
  internal: boolean;
  vpcId: string;
  interfaces: { subnetId: string; privateIp: string }[];
  securityGroupIds: string[];
  listeners: NetworkListenerFacts[];
  crossZone: boolean;
}

export interface TargetGroupFacts {
  arn: string;
  region: string;
  name: string;
  port: number;
  /** Undefined: as its load balancer has it. */
  crossZone?: boolean;
  preservesClientAddress: boolean;
  /** Whether targets are sent a PROXY header of version 2. */
  proxyProtocol: boolean;
  healthCheck: HealthCheckFacts & { matcher?: string };
  deregistrationDelaySeconds: number;
  /** Whether open connections end with that delay. */
  terminatesDeregistered: boolean;
  /** So many seconds after a target is found unhealthy its open connections are cut; undefined: never. */
  unhealthyTerminationSeconds?: number;
  instanceIds: string[];
}

export interface CertificateFacts {
  arn: string;
  certificatePem: string;
  chainPem?: string;
  privateKeyPem: string;
}

export interface RegionSnapshot {
  vpcs: VpcFacts[];
  subnets: SubnetFacts[];
  natGateways: NatGatewayFacts[];
  securityGroups: SecurityGroupFacts[];
  instances: InstanceFacts[];
  loadBalancers: LoadBalancerFacts[];
  networkLoadBalancers: NetworkLoadBalancerFacts[];
  targetGroups: TargetGroupFacts[];
  certificates: CertificateFacts[];
}

export interface InstanceHealth {
  state: "InService" | "OutOfService";
  reasonCode: "N/A" | "ELB" | "Instance";
  description: string;
}

/** AWS calls made from inside an instance with its role's credentials; a refusal throws with AWS's words. */
export interface RoleCalls {
  getParameter(name: string, withDecryption: boolean): Promise<string>;
  /** A secret of Secrets Manager, by its ARN. */
  getSecretValue(arn: string): Promise<string>;
  /** `GetParameters` without decryption: those that exist; all of them must be allowed. */
  getParameters(names: string[]): Promise<{ name: string; value: string; version: number }[]>;
  putParameter(name: string, value: string): Promise<void>;
  describeInstanceHealth(loadBalancerName: string, instanceId: string): Promise<InstanceHealth>;
  describeTargetHealth(targetGroupArn: string, instanceId: string): Promise<TargetHealth>;
  putObject(bucket: string, key: string, content: Buffer): Promise<void>;
  getObject(bucket: string, key: string): Promise<Buffer>;
  listObjects(bucket: string, prefix: string): Promise<StoredObject[]>;
  putMetricData(
    namespace: string,
    name: string,
    dimensions: Record<string, string>,
    value: number,
  ): Promise<void>;
}

export interface RegionView {
  snapshot(): RegionSnapshot;
  /** The region's time of day. */
  now(): Date;
  /** Calls back after every change; returns the way to stop. */
  onChange(listener: () => void): () => void;
  setInstanceHealth(loadBalancer: LoadBalancerFacts, instanceId: string, health: InstanceHealth): void;
  /** Nothing: it is not registered any more, for whoever asks. */
  setTargetHealth(group: TargetGroupFacts, instanceId: string, health: TargetHealth | undefined): void;
  asRole(instanceId: string): RoleCalls;
  /** Whether somebody told this node of a cluster never to come up. */
  failsBoot?(parameterPrefix: string, nodeNumber: number): boolean;
  /** Whether a volume carries a file system. */
  isFormatted(volumeId: string): boolean;
  /** Remembers that a volume carries one from now on. */
  formatVolume(volumeId: string): void;
  /** Called by a machine that writes to its console; the region may keep it. */
  consoleLine?(instanceId: string, line: string): void;
}
