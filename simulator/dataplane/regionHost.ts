/** The data plane of a real simulated region: its account read as facts, its instances run as machines. */
import { knownMaterial, listenerCertificates, provideListenerCertificates } from "../certificateMaterial";
import { Cloud } from "../cloud";
import { Context } from "../context";
import { hostTools } from "../machine/bash/hostTools";
import { MachineHost } from "../machines";
import { routesOf } from "../network";
import { asRole } from "../roles";
import { instanceTypeFacts } from "../services/instanceTypes";
import { userDataOf } from "../services/instances";
import * as names from "../services/names";
import { StoredResource } from "../storedResource";
import { DataPlane, DataPlaneOptions } from "./dataPlane";
import {
  CertificateFacts,
  HealthCheckFacts,
  InstanceFacts,
  InstanceState,
  ListenerFacts,
  LoadBalancerFacts,
  NetworkListenerFacts,
  NetworkLoadBalancerFacts,
  RegionSnapshot,
  RegionView,
  RoleCalls,
  RuleFacts,
  SubnetFacts,
  TargetGroupFacts,
} from "./regionView";

export interface RunningMachines {
  /** What the region gives its instances to. */
  host: MachineHost;
  plane: DataPlane;
  cloud: Cloud;
}

/** Between the provider's two calls, that delete a listener and make it anew; in AWS it is some seconds. */
const listenerGapMs = 1000;

/**
 * Machines that run, for `RegionServer.start({ machines })` or `cloud.machines.attach`. They are switched on and off by
 * the instances' states; the host only makes the region wait for the end of a shutdown.
 */
export function runMachines(cloud: Cloud, options: DataPlaneOptions = {}): RunningMachines {
  hostTools();
  const plane = new DataPlane(viewOf(cloud), options);
  const stopProviding = provideListenerCertificates(cloud.account);
  const follow = () => plane.follow();
  return {
    plane,
    cloud,
    host: {
      start: follow,
      lookAgain: follow,
      listenersClosed: () => new Promise((resolve) => setTimeout(resolve, listenerGapMs)),
      stop: (instance) => plane.shutDown(instance.id),
      terminate: (instance) => plane.shutDown(instance.id),
      dispose: () => {
        stopProviding();
        return plane.stop();
      },
    },
  };
}

/** Puts running machines behind a cloud's instances; resolves when they have caught up with what is there. */
export async function attachDataPlane(cloud: Cloud, options: DataPlaneOptions = {}): Promise<DataPlane> {
  const { host, plane } = runMachines(cloud, options);
  cloud.machines.attach(host);
  await plane.reconcile();
  return plane;
}

function viewOf(cloud: Cloud): RegionView {
  const { account } = cloud;
  const instanceBy = (id: string) => account.list(names.instance).find((instance) => instance.id === id);
  const volumeBy = (id: string) => account.list(names.volume).find((volume) => volume.id === id);
  return {
    snapshot: () => snapshotOf(cloud),
    now: () => account.now(),
    onChange: (listener) => account.onChange(listener),
    setInstanceHealth: ({ region, name }, instanceId, health) =>
      cloud.health.set(region, name, instanceId, health),
    setTargetHealth: ({ region, arn }, instanceId, health) =>
      health === undefined
        ? cloud.targetHealth.forget(region, arn, instanceId)
        : cloud.targetHealth.set(region, arn, instanceId, health),
    asRole: (instanceId) => roleCalls(cloud, () => instanceBy(instanceId)),
    failsBoot: (prefix, node) => cloud.faults.failsBoot(prefix, node),
    isFormatted: (volumeId) => volumeBy(volumeId)?.hidden["formatted"] === true,
    formatVolume(volumeId) {
      const volume = volumeBy(volumeId);
      if (volume !== undefined) {
        account.update(volume, {}, { formatted: true });
      }
    },
    consoleLine: (instanceId, line) => cloud.machines.consoles.append(instanceId, line),
  };
}

/** What an instance may call with its role, as its stand-in of the AWS CLI does. */
export function roleCalls(cloud: Cloud, instance: () => StoredResource | undefined): RoleCalls {
  const session = () => {
    const present = instance();
    if (present === undefined) {
      throw new Error("Unable to locate credentials: the instance is gone");
    }
    return asRole(cloud, present);
  };
  return {
    getParameter: async (name, withDecryption) => session().getParameter(name, { withDecryption }).value,
    getSecretValue: async (arn) => session().getSecretValue(arn),
    getParameters: async (wanted) => session().getParameters(wanted),
    putParameter: async (name, value) => void session().putParameter(name, value, { overwrite: true }),
    putObject: async (bucket, key, content) => session().putObject(bucket, key, content),
    getObject: async (bucket, key) => session().getObject(bucket, key),
    listObjects: async (bucket, prefix) => session().listObjects(bucket, prefix),
    putMetricData: async (namespace, name, dimensions, value) =>
      session().putMetricData(namespace, name, dimensions, value),
    describeTargetHealth: async (group, instanceId) => session().describeTargetHealth(group, instanceId),
    describeInstanceHealth: async (name, instanceId) => {
      const [health] = session().describeInstanceHealth(name, [instanceId]);
      return health?.state === "InService"
        ? { state: "InService", reasonCode: "N/A", description: "N/A" }
        : {
            state: "OutOfService",
            reasonCode: health?.reasonCode ?? "N/A",
            description: health?.description ?? "unknown",
          };
    },
  };
}

function snapshotOf(cloud: Cloud): RegionSnapshot {
  const { account } = cloud;
  const gateways = new Map(
    account.list(names.internetGateway).map((gateway) => [gateway.attributes["vpcId"], gateway.id]),
  );
  const vpcs = account.list(names.vpc).map((vpc) => {
    const internetGatewayId = gateways.get(vpc.id);
    return {
      id: vpc.id,
      cidrBlock: text(vpc, "cidrBlock"),
      ...(internetGatewayId === undefined ? {} : { internetGatewayId }),
    };
  });
  const blocks = new Map(vpcs.map(({ id, cidrBlock }) => [id, cidrBlock]));
  return {
    vpcs,
    subnets: account.list(names.subnet).map((subnet) => subnetFacts(cloud, subnet, blocks)),
    natGateways: account.list(names.natGateway).map((nat) => ({
      id: nat.id,
      subnetId: text(nat, "subnetId"),
    })),
    securityGroups: securityGroups(cloud),
    instances: instances(cloud),
    loadBalancers: loadBalancers(cloud),
    networkLoadBalancers: networkLoadBalancers(cloud),
    targetGroups: targetGroups(cloud),
    certificates: certificates(cloud),
  };
}

function subnetFacts(cloud: Cloud, subnet: StoredResource, blocks: Map<string, string>): SubnetFacts {
  const context = new Context(cloud.account, subnet.region, {}, cloud.surroundings);
  const vpcId = text(subnet, "vpcId");
  const routes = routesOf(context, subnet).map(({ attributes }) => ({
    destinationCidrBlock: String(attributes["destinationCidrBlock"]),
    target: String(attributes["gatewayId"] || attributes["natGatewayId"]),
  }));
  return {
    id: subnet.id,
    vpcId,
    cidrBlock: text(subnet, "cidrBlock"),
    availabilityZone: text(subnet, "availabilityZone"),
    routes: [{ destinationCidrBlock: blocks.get(vpcId) ?? "0.0.0.0/32", target: "local" }, ...routes],
  };
}

type Direction = "ingress" | "egress";

function securityGroups(cloud: Cloud): RegionSnapshot["securityGroups"] {
  const { account } = cloud;
  const separate = (type: string) => {
    const byGroup = new Map<string, RuleFacts[]>();
    for (const rule of account.list(type)) {
      const group = text(rule, "securityGroupId");
      byGroup.set(group, [...(byGroup.get(group) ?? []), ruleFacts(rule)]);
    }
    return byGroup;
  };
  const rules = { ingress: separate(names.ingressRule), egress: separate(names.egressRule) };
  const of = (group: StoredResource, direction: Direction) => [
    ...(rules[direction].get(group.id) ?? []),
    ...inlineRules(group, direction),
  ];
  return account.list(names.securityGroup).map((group) => ({
    id: group.id,
    vpcId: text(group, "vpcId"),
    ingress: of(group, "ingress"),
    egress: of(group, "egress"),
  }));
}

function ruleFacts({ attributes }: StoredResource): RuleFacts {
  const { ipProtocol, fromPort, toPort, cidrIpv4, referencedSecurityGroupId } = attributes;
  return {
    protocol: ipProtocol === "all" ? "-1" : String(ipProtocol),
    ...(typeof fromPort === "number" ? { fromPort } : {}),
    ...(typeof toPort === "number" ? { toPort } : {}),
    ...(typeof cidrIpv4 === "string" && cidrIpv4 !== "" ? { cidrIpv4 } : {}),
    // `123456789012/sg-…` where the other group belongs to another account.
    ...(typeof referencedSecurityGroupId === "string" && referencedSecurityGroupId !== ""
      ? { referencedGroupId: referencedSecurityGroupId.split("/").at(-1)! }
      : {}),
  };
}

/** Rules that a group carries itself: those of a VPC's default group. */
function inlineRules(group: StoredResource, direction: Direction): RuleFacts[] {
  const rules = (group.attributes[direction] ?? []) as unknown as {
    protocol: string;
    fromPort: number;
    toPort: number;
    cidrBlocks?: string[];
    securityGroups?: string[];
    self?: boolean;
  }[];
  return rules.flatMap(
    ({ protocol, fromPort, toPort, cidrBlocks = [], securityGroups: groups = [], self }) => {
      const ports = { protocol, fromPort, toPort };
      return [
        ...cidrBlocks.map((cidrIpv4) => ({ ...ports, cidrIpv4 })),
        ...[...groups, ...(self === true ? [group.id] : [])].map((referencedGroupId) => ({
          ...ports,
          referencedGroupId,
        })),
      ];
    },
  );
}

function instances(cloud: Cloud): InstanceFacts[] {
  const { account } = cloud;
  const interfaces = new Map<string, StoredResource>();
  for (const eni of account.list(names.networkInterface)) {
    const attachment = eni.hidden["attachment"] as { instanceId?: string } | undefined;
    if (attachment?.instanceId !== undefined) {
      interfaces.set(attachment.instanceId, eni);
    }
  }
  const volumes = new Map<string, InstanceFacts["volumes"]>();
  for (const attachment of account.list(names.volumeAttachment)) {
    const instanceId = text(attachment, "instanceId");
    const entry = { device: text(attachment, "deviceName"), volumeId: text(attachment, "volumeId") };
    volumes.set(instanceId, [...(volumes.get(instanceId) ?? []), entry]);
  }
  return account.list(names.instance).flatMap((instance) => {
    const eni = interfaces.get(instance.id);
    return eni === undefined ? [] : [instanceFacts(instance, eni, volumes.get(instance.id) ?? [])];
  });
}

function instanceFacts(
  instance: StoredResource,
  eni: StoredResource,
  volumes: InstanceFacts["volumes"],
): InstanceFacts {
  const tags = (instance.attributes["tagsAll"] ?? {}) as Record<string, string>;
  return {
    id: instance.id,
    name: tags["Name"] ?? instance.id,
    region: instance.region,
    // Set when the instance starts; nothing before that is a state of the machine.
    state: (instance.attributes["instanceState"] as InstanceState | undefined) ?? "pending",
    vpcId: String(eni.hidden["vpcId"]),
    subnetId: text(eni, "subnetId"),
    privateIp: text(eni, "privateIp"),
    securityGroupIds: eni.attributes["securityGroups"] as string[],
    userData: userDataOf(instance.attributes)?.toString("utf8") ?? "",
    architecture: instanceTypeFacts(text(instance, "instanceType"))?.architecture ?? "x86_64",
    volumes,
  };
}

interface StoredListener {
  lbPort: number;
  lbProtocol: string;
  instancePort: number;
  instanceProtocol: string;
  sslCertificateId?: string;
}

function loadBalancers(cloud: Cloud): LoadBalancerFacts[] {
  const { account } = cloud;
  return account.list(names.loadBalancer).map((balancer) => {
    const { attributes, hidden, region } = balancer;
    const check = attributes["healthCheck"] as StoredCheck;
    const registered = account
      .list(names.loadBalancerAttachment, region)
      .filter((attachment) => attachment.attributes["elb"] === balancer.id)
      .map((attachment) => text(attachment, "instance"));
    return {
      name: balancer.id,
      region,
      dnsName: text(balancer, "dnsName"),
      internal: attributes["internal"] === true,
      vpcId: String(hidden["vpcId"]),
      interfaces: interfacesOf(cloud, region, balancer.id),
      securityGroupIds: attributes["securityGroups"] as string[],
      listeners: (attributes["listeners"] as unknown as StoredListener[]).map((listener) =>
        listenerFacts(cloud, balancer, listener),
      ),
      healthCheck: checkFacts(check, String(check["target"])),
      crossZone: attributes["crossZoneLoadBalancing"] !== false,
      idleTimeoutSeconds: Number(attributes["idleTimeout"]),
      ...(attributes["connectionDraining"] === true
        ? { drainingTimeoutSeconds: Number(attributes["connectionDrainingTimeout"]) }
        : {}),
      proxyProtocolPorts: proxyPorts(cloud, balancer),
      instanceIds: [...new Set(registered)],
    };
  });
}

/** A load balancer's, by what they belong to (services/balancerInterfaces.ts). */
function interfacesOf({ account }: Cloud, region: string, balancer: string) {
  return account
    .list(names.networkInterface, region)
    .filter((eni) => eni.hidden["owner"] === `elb/${balancer}`)
    .map((eni) => ({ subnetId: text(eni, "subnetId"), privateIp: text(eni, "privateIp") }));
}

type StoredCheck = Record<string, string | number>;

function checkFacts(check: StoredCheck, target: string): HealthCheckFacts {
  return {
    target,
    intervalSeconds: Number(check["interval"]),
    timeoutSeconds: Number(check["timeout"]),
    healthyThreshold: Number(check["healthyThreshold"]),
    unhealthyThreshold: Number(check["unhealthyThreshold"]),
  };
}

/** The port of a target is its group's: instances are registered without one of their own. */
function networkLoadBalancers(cloud: Cloud): NetworkLoadBalancerFacts[] {
  const { account } = cloud;
  return account.list(names.networkLoadBalancer).map(({ id, region, attributes }) => ({
    name: String(attributes["name"]),
    region,
    dnsName: String(attributes["dnsName"]),
    internal: attributes["internal"] === true,
    vpcId: String(attributes["vpcId"]),
    interfaces: interfacesOf(cloud, region, String(attributes["arnSuffix"])),
    securityGroupIds: attributes["securityGroups"] as string[],
    listeners: account
      .list(names.networkListener, region)
      .filter((listener) => listener.attributes["loadBalancerArn"] === id)
      .map((listener) => networkListenerFacts(cloud, listener)),
    crossZone: attributes["enableCrossZoneLoadBalancing"] === true,
  }));
}

function networkListenerFacts(
  cloud: Cloud,
  { id, region, attributes }: StoredResource,
): NetworkListenerFacts {
  const [action] = attributes["defaultActions"] as unknown as { targetGroupArn: string }[];
  const targetGroupArn = action?.targetGroupArn ?? "";
  const group = cloud.account.get(names.targetGroup, region, targetGroupArn);
  const protocol = attributes["protocol"] as ListenerFacts["protocol"];
  const further = cloud.account
    .list(names.networkListenerCertificate, region)
    .filter((certificate) => certificate.attributes["listenerArn"] === id)
    .map((certificate) => text(certificate, "certificateArn"));
  return {
    loadBalancerPort: Number(attributes["port"]),
    protocol,
    instancePort: Number(group?.attributes["port"]),
    instanceProtocol: (group?.attributes["protocol"] ?? "TCP") as ListenerFacts["protocol"],
    targetGroupArn,
    idleTimeoutSeconds: Number(attributes["tcpIdleTimeoutSeconds"] ?? 350),
    ...(protocol === "TLS"
      ? {
          certificateArn: String(attributes["certificateArn"]),
          furtherCertificateArns: further,
          tlsPolicy: String(attributes["sslPolicy"]),
        }
      : {}),
  };
}

function targetGroups(cloud: Cloud): TargetGroupFacts[] {
  const { account } = cloud;
  return account.list(names.targetGroup).map(({ id: arn, region, attributes }) => {
    const check = attributes["healthCheck"] as StoredCheck;
    const port = Number(attributes["port"]);
    const checked = check["port"] === "traffic-port" ? port : check["port"];
    const [state] = attributes["targetHealthStates"] as unknown as {
      enableUnhealthyConnectionTermination: boolean;
      unhealthyDrainingInterval?: number;
    }[];
    const crossZone = attributes["loadBalancingCrossZoneEnabled"];
    return {
      arn,
      region,
      name: String(attributes["name"]),
      port,
      ...(crossZone === "true" || crossZone === "false" ? { crossZone: crossZone === "true" } : {}),
      preservesClientAddress: attributes["preserveClientIp"] !== "false",
      proxyProtocol: attributes["proxyProtocolV2"] === true,
      healthCheck: {
        ...checkFacts(check, `${check["protocol"]}:${checked}${check["path"] ?? ""}`),
        ...(check["matcher"] ? { matcher: String(check["matcher"]) } : {}),
      },
      deregistrationDelaySeconds: Number(attributes["deregistrationDelay"]),
      terminatesDeregistered: attributes["connectionTermination"] === true,
      ...(state?.enableUnhealthyConnectionTermination === false
        ? {}
        : { unhealthyTerminationSeconds: state?.unhealthyDrainingInterval ?? 0 }),
      instanceIds: [
        ...new Set(
          account
            .list(names.targetGroupAttachment, region)
            .filter((attachment) => attachment.attributes["targetGroupArn"] === arn)
            .map((attachment) => text(attachment, "targetId")),
        ),
      ],
    };
  });
}

function listenerFacts(cloud: Cloud, balancer: StoredResource, listener: StoredListener): ListenerFacts {
  const policies = (balancer.hidden["listenerPolicies"] ?? {}) as Record<string, string[]>;
  const tlsPolicy = tlsPolicyOf(cloud, balancer, policies[listener.lbPort]?.[0]);
  const certificateArn = listener.sslCertificateId;
  return {
    loadBalancerPort: listener.lbPort,
    protocol: listener.lbProtocol.toUpperCase() as ListenerFacts["protocol"],
    instancePort: listener.instancePort,
    instanceProtocol: listener.instanceProtocol.toUpperCase() as ListenerFacts["instanceProtocol"],
    ...(certificateArn ? { certificateArn } : {}),
    ...(tlsPolicy === undefined ? {} : { tlsPolicy }),
  };
}

function policyAttributes(
  cloud: Cloud,
  balancer: StoredResource,
  name: string,
): Record<string, string> | undefined {
  const policy = cloud.account.get(names.loadBalancerPolicy, balancer.region, `${balancer.id}:${name}`);
  const list = policy?.attributes["policyAttributes"] as unknown as
    { name: string; value: string }[] | undefined;
  return list && Object.fromEntries(list.map((attribute) => [attribute.name, attribute.value]));
}

/** The predefined policy behind a negotiation policy; one of its own making counts as the one with its lowest version. */
function tlsPolicyOf(cloud: Cloud, balancer: StoredResource, name: string | undefined): string | undefined {
  const attributes = name === undefined ? undefined : policyAttributes(cloud, balancer, name);
  if (attributes === undefined) {
    return name;
  }
  const allows = (version: string) => attributes[`Protocol-${version}`] === "true";
  return (
    attributes["Reference-Security-Policy"] ??
    (allows("TLSv1")
      ? "ELBSecurityPolicy-2016-08"
      : allows("TLSv1.1")
        ? "ELBSecurityPolicy-TLS-1-1-2017-01"
        : "ELBSecurityPolicy-TLS-1-2-2017-01")
  );
}

function proxyPorts(cloud: Cloud, balancer: StoredResource): number[] {
  const policies = (balancer.hidden["backendPolicies"] ?? {}) as Record<string, string[]>;
  return Object.entries(policies)
    .filter(([, applied]) =>
      applied.some((name) => policyAttributes(cloud, balancer, name)?.["ProxyProtocol"] === "true"),
    )
    .map(([port]) => Number(port));
}

function certificates(cloud: Cloud): CertificateFacts[] {
  const { account } = cloud;
  const facts = new Map<string, CertificateFacts>();
  for (const { region, arn } of listenerCertificates(account)) {
    const material = knownMaterial(account, region, arn);
    if (material !== undefined) {
      facts.set(arn, { arn, ...material });
    }
  }
  return [...facts.values()];
}

function text(resource: StoredResource, key: string): string {
  const value = resource.attributes[key];
  return typeof value === "string" ? value : "";
}
