import { type StoredResource } from "../storedResource";
import { parseBlock } from "../cidr";
import { type Context } from "../context";
import { dnsSuffixOf } from "../partition";
import { fail } from "../errors";
import { bool, int, map, object, out, set, text, type ResourceType } from "../schema";
import { seedTypes } from "../seeds";
import type { Props } from "../values";
import { balancerGroups, createInterface, interfacesOf } from "./balancerInterfaces";
import { findBucket } from "./bucketNames";
import { takesLoadBalancerLogs } from "./buckets";
import { findCertificate } from "./certificates";
import * as names from "./names";
import { requireGroup } from "./securityGroups";
import { arn, between, oneOf } from "./validators";
import { freeAddresses } from "./vpc";

interface Listener {
  lbPort: number;
  lbProtocol: string;
  instancePort: number;
  instanceProtocol: string;
  sslCertificateId?: string;
}

/** Names of policies by port, as AWS keeps them beside a load balancer. */
type PortPolicies = Record<string, string[]>;

const lower = (v: unknown) => String(v).toLowerCase();
const protocol = () =>
  text({
    required: true,
    normalise: lower,
    check: (v: string) => oneOf("http", "https", "ssl", "tcp")(lower(v)),
  });
const port = () => int({ required: true, check: between(1, 65535) });

const nameProblem = (name: string): string | undefined => {
  if (name.length < 1 || name.length > 32) {
    return `ValidationError: LoadBalancer name must be 1 to 32 characters long, got ${name.length}: "${name}"`;
  }
  return /^[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?$/.test(name)
    ? undefined
    : `ValidationError: LoadBalancer name must contain only alphanumeric characters or hyphens, and must not start or end with a hyphen: "${name}"`;
};

export const loadBalancerType: ResourceType = {
  token: names.loadBalancer,
  title: "ELB Classic Load Balancer",
  tagged: true,
  autoName: { maxLength: 32, transform: (name) => name.replaceAll("_", "-") },
  properties: {
    accessLogs: object({
      bucket: text({ required: true }),
      bucketPrefix: text(),
      enabled: bool({ default: true }),
      interval: int({ default: 60, check: oneOf(5, 60) }),
    }),
    connectionDraining: bool({ default: false }),
    connectionDrainingTimeout: int({ default: 300 }),
    crossZoneLoadBalancing: bool({ default: true }),
    healthCheck: object(
      {
        healthyThreshold: int({ required: true, check: between(2, 10) }),
        interval: int({ required: true, check: between(5, 300) }),
        target: text({ required: true, check: healthTargetProblem }),
        timeout: int({ required: true, check: between(2, 60) }),
        unhealthyThreshold: int({ required: true, check: between(2, 10) }),
      },
      { computed: true },
    ),
    idleTimeout: int({ default: 60, check: between(1, 4000) }),
    internal: bool({ computed: true, forceNew: true }),
    listeners: set(
      object({
        instancePort: port(),
        instanceProtocol: protocol(),
        lbPort: port(),
        lbProtocol: protocol(),
        sslCertificateId: text({ check: arn }),
      }),
      { required: true },
    ),
    name: text({ computed: true, forceNew: true, check: nameProblem }),
    securityGroups: set(text(), { computed: true }),
    subnets: set(text(), {
      computed: true,
      forceNew: (news, olds) => {
        // Replaced only when none of the present subnets stays.
        const before = (olds["subnets"] as string[] | undefined) ?? [];
        const after = (news["subnets"] as unknown[] | undefined) ?? [];
        return !before.some((s) => after.includes(s));
      },
    }),
    arn: out(),
    instances: out("set"),
    availabilityZones: out("set"),
    dnsName: out(),
    sourceSecurityGroupId: out(),
    zoneId: out(),
  },
  validate(inputs, problems) {
    if (Array.isArray(inputs["listeners"]) && inputs["listeners"].length === 0) {
      problems.add("listeners", "ValidationError: at least one listener is needed");
    }
  },
  create(context, inputs) {
    const name = inputs["name"] as string;
    const balancers = context.list(names.loadBalancer);
    if (balancers.some((b) => b.id.toLowerCase() === name.toLowerCase())) {
      fail("DuplicateLoadBalancerName", `Load Balancer named '${name}' already exists`);
    }
    if (balancers.length >= context.account.seeds.quotas.loadBalancersPerRegion) {
      fail("TooManyLoadBalancers", "Exceeded quota of account");
    }
    const listeners = inputs["listeners"] as unknown as Listener[];
    checkListeners(context, name, listeners);
    checkSettings(context, inputs);
    const internal = inputs["internal"] === true;
    const subnetIds = (inputs["subnets"] as string[] | undefined) ?? [];
    const subnets = checkSubnets(context, subnetIds, internal);
    const vpcId = subnets[0]!.attributes["vpcId"] as string;
    const groups = balancerGroups(context, subnets[0]!, inputs["securityGroups"] as string[] | undefined);
    subnets.forEach((subnet) => createInterface(context, name, subnet, groups, { internal }));
    const first = requireGroup(context, groups[0]!);
    return {
      id: name,
      attributes: {
        name,
        internal,
        subnets: subnetIds,
        availabilityZones: subnets.map((s) => s.attributes["availabilityZone"]!),
        securityGroups: groups,
        sourceSecurityGroupId: first.id,
        healthCheck: inputs["healthCheck"] ?? {
          target: `TCP:${listeners[0]!.instancePort}`,
          interval: 30,
          timeout: 5,
          unhealthyThreshold: 2,
          healthyThreshold: 10,
        },
        arn: context.arn("elasticloadbalancing", `loadbalancer/${name}`),
        dnsName: `${internal ? "internal-" : ""}${name}-${context.account.digits(10)}.${context.region}.elb.${dnsSuffixOf(context.region)}`,
        zoneId: context.regionSeed.loadBalancerZone,
      },
      hidden: { vpcId, listenerPolicies: {}, backendPolicies: {} },
    };
  },
  async beforeUpdate(context, balancer, inputs, changed) {
    // The provider's order: delete what is to change, then create it. In between nobody listens there.
    if (
      changed.has("listeners") &&
      deleteListeners(context, balancer, inputs["listeners"] as unknown as Listener[])
    ) {
      await context.surroundings.machines.listenersClosed();
    }
  },
  update(context, balancer, inputs, changed) {
    const computed: Props = {};
    if (changed.has("listeners")) {
      changeListeners(context, balancer, inputs["listeners"] as unknown as Listener[]);
    }
    if (
      ["accessLogs", "healthCheck", "idleTimeout", "connectionDrainingTimeout"].some((p) => changed.has(p))
    ) {
      checkSettings(context, inputs);
    }
    if (changed.has("subnets")) {
      const internal = balancer.attributes["internal"] === true;
      const wanted = inputs["subnets"] as string[];
      const before = balancer.attributes["subnets"] as string[];
      const subnets = checkSubnets(context, wanted, internal, before);
      for (const eni of interfacesOf(context, balancer.id)) {
        if (!wanted.includes(eni.attributes["subnetId"] as string)) {
          context.account.delete(eni);
        }
      }
      for (const subnet of subnets.filter((s) => !before.includes(s.id))) {
        createInterface(context, balancer.id, subnet, balancer.attributes["securityGroups"] as string[], {
          internal,
        });
      }
      computed["availabilityZones"] = subnets.map((s) => s.attributes["availabilityZone"]!);
    }
    if (changed.has("securityGroups")) {
      const subnet = context.find(names.subnet, (balancer.attributes["subnets"] as string[])[0]!)!;
      const groups = balancerGroups(context, subnet, inputs["securityGroups"] as string[]);
      interfacesOf(context, balancer.id).forEach((eni) =>
        context.account.update(eni, { securityGroups: groups }),
      );
      const first = requireGroup(context, groups[0]!);
      computed["sourceSecurityGroupId"] = first.id;
    }
    return computed;
  },
  view: (context, balancer) => ({
    instances: [
      ...new Set(registrations(context, balancer.id).map((r) => r.attributes["instance"] as string)),
    ],
  }),
  delete(context, balancer) {
    interfacesOf(context, balancer.id).forEach((eni) => context.account.delete(eni));
    registrations(context, balancer.id).forEach((r) => context.account.delete(r));
    // Its policies go with it; what the program calls a listener policy is a fact of the load balancer.
    for (const type of [names.loadBalancerPolicy, names.listenerPolicy, names.backendServerPolicy]) {
      for (const policy of context.list(type)) {
        if (policy.attributes["loadBalancerName"] === balancer.id) {
          context.account.delete(policy);
        }
      }
    }
  },
};

function healthTargetProblem(target: string): string | undefined {
  const bad = (detail: string) => `ValidationError: HealthCheck target "${target}": ${detail}`;
  const match = /^(\w+):(\d+)(\/.*)?$/.exec(target);
  if (!match || !["tcp", "ssl", "http", "https"].includes(match[1]!.toLowerCase())) {
    return bad("must be PROTOCOL:PORT[/PATH] with protocol HTTP, HTTPS, TCP or SSL");
  }
  const [, name, number, path] = match;
  if (Number(number) < 1 || Number(number) > 65535) {
    return bad("port must be in the range of 1 to 65535");
  }
  const web = name!.toLowerCase().startsWith("http");
  if (web && path === undefined) {
    return bad(
      "HTTP and HTTPS targets must specify a ping path that is non-empty and is at most 1024 characters",
    );
  }
  if (!web && path !== undefined) {
    return bad("TCP and SSL targets have no path");
  }
  return (path?.length ?? 0) > 1024 ? bad("the path must be at most 1024 characters") : undefined;
}

function checkListeners(context: Context, name: string, listeners: Listener[]): void {
  const quota = context.account.seeds.quotas.listenersPerLoadBalancer;
  if (listeners.length > quota) {
    fail("TooManyLoadBalancers", `Exceeded quota of ${quota} listeners`);
  }
  const ports = new Set<number>();
  for (const listener of listeners) {
    if (ports.has(listener.lbPort)) {
      fail(
        "DuplicateListener",
        `A listener already exists for ${name} with LoadBalancerPort ${listener.lbPort}, but with a different InstancePort, Protocol, or SSLCertificateId`,
      );
    }
    ports.add(listener.lbPort);
    checkListener(context, listener);
  }
}

function checkListener(context: Context, listener: Listener): void {
  const front = lower(listener.lbProtocol);
  const back = lower(listener.instanceProtocol);
  const secure = (p: string) => p === "ssl" || p === "https";
  const web = (p: string) => p.startsWith("http");
  if (web(front) !== web(back)) {
    fail(
      "ValidationError",
      `Listener on port ${listener.lbPort}: LoadBalancerProtocol ${front.toUpperCase()} and InstanceProtocol ${back.toUpperCase()} must be of the same Internet protocol layer`,
    );
  }
  const certificate = listener.sslCertificateId;
  if (secure(front) && !certificate) {
    fail("ValidationError", `Secure Listeners need to specify a SSLCertificateId (port ${listener.lbPort})`);
  }
  if (!certificate) {
    return;
  }
  if (!secure(front)) {
    fail(
      "ValidationError",
      `ELB Listener on port ${listener.lbPort}: sslCertificateId may be set only when protocol is 'https' or 'ssl'`,
    );
  }
  checkCertificate(context, certificate);
}

/** A certificate that a Classic ELB can use. */
function checkCertificate(context: Context, certificate: string): void {
  const found =
    findCertificate(context, certificate) ??
    fail("CertificateNotFound", `Server Certificate not found for the key: ${certificate}`);
  const algorithm = found.attributes["keyAlgorithm"] as string;
  if (found.type === seedTypes.certificate && !["RSA_1024", "RSA_2048"].includes(algorithm)) {
    fail(
      "InvalidConfigurationRequest",
      `A Classic Load Balancer cannot use the ACM certificate ${certificate}: its key is ${algorithm}, at most RSA_2048 is supported`,
    );
  }
}

function checkSettings(context: Context, inputs: Props): void {
  const idle = inputs["idleTimeout"] as number;
  const draining = inputs["connectionDrainingTimeout"] as number;
  for (const [what, value] of [
    ["connectionSettings.idleTimeout", idle],
    ["connectionDraining.timeout", draining],
  ] as const) {
    if (value < 1 || value > 3600) {
      fail(
        "ValidationError",
        `Value '${value}' at 'loadBalancerAttributes.${what}' failed to satisfy constraint: Member must have value from 1 to 3600`,
      );
    }
  }
  const check = inputs["healthCheck"] as { interval: number; timeout: number } | undefined;
  if (check && check.timeout >= check.interval) {
    fail(
      "ValidationError",
      `HealthCheck interval must be greater than HealthCheck timeout (interval ${check.interval}, timeout ${check.timeout})`,
    );
  }
  const logs = inputs["accessLogs"] as { bucket: string; enabled?: boolean } | undefined;
  if (logs && logs.enabled !== false) {
    const bucket = findBucket(context.account, logs.bucket);
    if (!bucket) {
      fail("InvalidConfigurationRequest", `The S3 bucket ${logs.bucket} does not exist`);
    }
    if (bucket.region !== context.region) {
      fail(
        "InvalidConfigurationRequest",
        `The bucket ${logs.bucket} is in ${bucket.region}; it must be in the load balancer's region ${context.region}`,
      );
    }
    if (!takesLoadBalancerLogs(context, bucket)) {
      fail(
        "InvalidConfigurationRequest",
        `Access Denied for bucket: ${logs.bucket}. Please check S3bucket permission (the ELB account ${context.regionSeed.logAccount} must be allowed to put objects)`,
      );
    }
  }
}

/** Subnets a load balancer may use; `before` are those it already has (their free addresses do not count). */
function checkSubnets(
  context: Context,
  ids: string[],
  internal: boolean,
  before: string[] = [],
): StoredResource[] {
  if (ids.length === 0) {
    fail("ValidationError", "Either AvailabilityZones or SubnetIds must be specified");
  }
  const subnets = ids.map(
    (id) => context.find(names.subnet, id) ?? fail("SubnetNotFound", `The subnet ID '${id}' does not exist`),
  );
  const vpcId = subnets[0]!.attributes["vpcId"];
  if (subnets.some((s) => s.attributes["vpcId"] !== vpcId)) {
    fail("InvalidConfigurationRequest", "All subnets of a load balancer must belong to the same VPC.");
  }
  const zones = subnets.map((s) => s.attributes["availabilityZone"]);
  if (new Set(zones).size !== zones.length) {
    fail("InvalidConfigurationRequest", "ELB cannot be attached to multiple subnets in the same AZ.");
  }
  for (const subnet of subnets.filter((s) => !before.includes(s.id))) {
    const { prefix } = parseBlock(subnet.attributes["cidrBlock"] as string)!;
    if (prefix > 27 || freeAddresses(context, subnet) < 8) {
      fail(
        "InvalidSubnet",
        `Not enough IP space available in ${subnet.id}. ELB requires at least 8 free IP addresses in each subnet (and a /27 or larger).`,
      );
    }
  }
  const gateway = context.list(names.internetGateway).some((g) => g.attributes["vpcId"] === vpcId);
  if (!internal && !gateway) {
    fail("InvalidSubnet", `VPC ${vpcId} has no internet gateway`);
  }
  return subnets;
}

/** Listeners that stay as they are; the provider deletes all others and creates those that are wanted anew. */
function keptListeners(balancer: StoredResource, wanted: Listener[]): Listener[] {
  const before = balancer.attributes["listeners"] as unknown as Listener[];
  const key = (l: Listener) =>
    [l.lbPort, lower(l.lbProtocol), l.instancePort, lower(l.instanceProtocol), l.sslCertificateId ?? ""].join(
      "|",
    );
  return before.filter((l) => wanted.some((w) => key(w) === key(l)));
}

/** Whether a port is closed by it that will be opened again. */
function deleteListeners(context: Context, balancer: StoredResource, wanted: Listener[]): boolean {
  const kept = keptListeners(balancer, wanted);
  const gone = (balancer.attributes["listeners"] as unknown as Listener[]).filter((l) => !kept.includes(l));
  if (gone.length > 0) {
    context.account.transaction(() => {
      context.account.update(balancer, { listeners: kept as unknown as Props[] });
      keepPolicies(context, balancer, kept, wanted);
    });
  }
  return gone.some((l) => wanted.some((w) => w.lbPort === l.lbPort));
}

function changeListeners(context: Context, balancer: StoredResource, wanted: Listener[]): void {
  checkListeners(context, balancer.id, wanted);
  keepPolicies(context, balancer, keptListeners(balancer, wanted), wanted);
}

/** A listener's policies end with it; an instance port's when no listener leads to it any more. */
function keepPolicies(
  context: Context,
  balancer: StoredResource,
  kept: Listener[],
  wanted: Listener[],
): void {
  const listenerPolicies: PortPolicies = {};
  for (const { lbPort } of kept) {
    const policies = (balancer.hidden["listenerPolicies"] as PortPolicies)[lbPort];
    if (policies) {
      listenerPolicies[lbPort] = policies;
    }
  }
  const backendPolicies: PortPolicies = {};
  for (const [instancePort, policies] of Object.entries(balancer.hidden["backendPolicies"] as PortPolicies)) {
    if (wanted.some((l) => String(l.instancePort) === instancePort)) {
      backendPolicies[instancePort] = policies;
    }
  }
  context.account.update(balancer, {}, { listenerPolicies, backendPolicies });
}

/** SetLoadBalancerListenerSSLCertificate: another certificate on the listener as it runs; its policies stay. */
export function setListenerCertificate(
  context: Context,
  name: string,
  lbPort: number,
  certificateArn: string,
): StoredResource {
  const balancer = requireBalancer(context, name);
  const listeners = balancer.attributes["listeners"] as unknown as Listener[];
  const listener =
    listeners.find((l) => l.lbPort === lbPort) ??
    fail("ListenerNotFound", `There is no listener of ${name} with loadBalancerPort ${lbPort}`);
  if (!["ssl", "https"].includes(lower(listener.lbProtocol))) {
    fail(
      "InvalidConfigurationRequest",
      `The listener of ${name} on port ${lbPort} is ${listener.lbProtocol}: a certificate needs SSL or HTTPS`,
    );
  }
  checkCertificate(context, certificateArn);
  const changed = listeners.map((l) => (l === listener ? { ...l, sslCertificateId: certificateArn } : l));
  return context.account.update(balancer, { listeners: changed as unknown as Props[] });
}

function registrations(context: Context, balancer: string): StoredResource[] {
  return context.list(names.loadBalancerAttachment).filter((a) => a.attributes["elb"] === balancer);
}

function requireInstance(context: Context, vpcId: string, id: string): void {
  const instance = context.find(names.instance, id);
  if (!instance) {
    fail("InvalidInstance", `Could not find EC2 instance ${id}.`);
  }
  const subnet = context.find(names.subnet, instance.attributes["subnetId"] as string);
  if (subnet?.attributes["vpcId"] !== vpcId) {
    fail("InvalidInstance", `EC2 instance ${id} is not in the same VPC as ELB.`);
  }
}

function requireBalancer(context: Context, name: string): StoredResource {
  return (
    context.find(names.loadBalancer, name) ??
    fail("LoadBalancerNotFound", `There is no ACTIVE Load Balancer named '${name}'`)
  );
}

export const attachmentType: ResourceType = {
  token: names.loadBalancerAttachment,
  title: "ELB Classic Attachment",
  properties: {
    elb: text({ required: true, forceNew: true }),
    instance: text({ required: true, forceNew: true }),
  },
  create(context, inputs) {
    const balancer = requireBalancer(context, inputs["elb"] as string);
    requireInstance(context, balancer.hidden["vpcId"] as string, inputs["instance"] as string);
    return { id: `${balancer.id}-${context.account.digits(26)}` };
  },
};

const policyTypes = ["ProxyProtocolPolicyType", "SSLNegotiationPolicyType"];
const awsPolicyTypes = [
  ...policyTypes,
  "AppCookieStickinessPolicyType",
  "BackendServerAuthenticationPolicyType",
  "LBCookieStickinessPolicyType",
  "PublicKeyPolicyType",
];

/** AWS's predefined TLS policies for Classic Load Balancers. */
const predefinedTlsPolicies = [
  "ELBSecurityPolicy-TLS-1-2-2017-01",
  "ELBSecurityPolicy-TLS-1-1-2017-01",
  "ELBSecurityPolicy-2016-08",
  "ELBSecurityPolicy-2015-05",
  "ELBSecurityPolicy-2015-03",
  "ELBSecurityPolicy-2015-02",
  "ELBSecurityPolicy-2014-10",
  "ELBSecurityPolicy-2014-01",
  "ELBSecurityPolicy-2011-08",
];

interface PolicyAttribute {
  name: string;
  value: string;
}

export const loadBalancerPolicyType: ResourceType = {
  token: names.loadBalancerPolicy,
  title: "ELB Classic Load Balancer Policy",
  properties: {
    loadBalancerName: text({ required: true, forceNew: true }),
    policyName: text({ required: true, forceNew: true }),
    policyTypeName: text({ required: true, forceNew: true }),
    policyAttributes: set(object({ name: text(), value: text() }), { computed: true }),
  },
  create(context, inputs) {
    const { loadBalancerName, policyName, policyTypeName } = inputs as Record<string, string>;
    requireBalancer(context, loadBalancerName!);
    if (!/^[A-Za-z0-9-]{1,128}$/.test(policyName!)) {
      fail("ValidationError", `PolicyName must contain only letters, digits and hyphens: '${policyName}'`);
    }
    const id = `${loadBalancerName}:${policyName}`;
    if (context.find(names.loadBalancerPolicy, id)) {
      fail("DuplicatePolicyName", `Policy name ${policyName} already exists for ${loadBalancerName}`);
    }
    if (!awsPolicyTypes.includes(policyTypeName!)) {
      fail("PolicyTypeNotFound", `Policy Type(s) '[${policyTypeName}]' not found.`);
    }
    if (!policyTypes.includes(policyTypeName!)) {
      fail("NotModelled", `the simulated region does not model policies of type ${policyTypeName}`);
    }
    const attributes = (inputs["policyAttributes"] as unknown as PolicyAttribute[] | undefined) ?? [];
    checkPolicyAttributes(policyTypeName!, attributes);
    return { id, attributes: { policyAttributes: inputs["policyAttributes"] ?? [] } };
  },
  update(_context, policy, inputs) {
    checkPolicyAttributes(
      policy.attributes["policyTypeName"] as string,
      inputs["policyAttributes"] as unknown as PolicyAttribute[],
    );
  },
  delete(context, policy) {
    const { loadBalancerName, policyName } = policy.attributes as Record<string, string>;
    const balancer = context.find(names.loadBalancer, loadBalancerName!);
    const { listenerPolicies, backendPolicies } = (balancer?.hidden ?? {}) as Record<string, PortPolicies>;
    const ports = [...Object.entries(listenerPolicies ?? {}), ...Object.entries(backendPolicies ?? {})]
      .filter(([, policies]) => policies.includes(policyName!))
      .map(([number]) => number);
    if (ports.length > 0) {
      fail(
        "InvalidConfigurationRequest",
        `You cannot delete policy ${policyName} since it is currently in use on port ${ports.join(", ")}`,
      );
    }
  },
};

function checkPolicyAttributes(type: string, attributes: PolicyAttribute[]): void {
  const bad = (detail: string) => fail("InvalidConfigurationRequest", detail);
  const seen = new Set<string>();
  for (const { name, value } of attributes) {
    if (seen.has(name)) {
      bad(`The policy attribute '${name}' is given twice`);
    }
    seen.add(name);
    if (type === "ProxyProtocolPolicyType") {
      if (name !== "ProxyProtocol" || !["true", "false"].includes(value)) {
        bad(`The policy attribute '${name}' with value '${value}' is not valid for ${type}`);
      }
    } else if (name === "Reference-Security-Policy") {
      if (!predefinedTlsPolicies.includes(value)) {
        bad(
          `The reference security policy '${value}' does not exist; predefined are ${predefinedTlsPolicies.join(", ")}`,
        );
      }
    } else if (
      !/^(Protocol-(SSLv3|TLSv1|TLSv1\.1|TLSv1\.2)|Server-Defined-Cipher-Order|[A-Z0-9-]+)$/.test(name)
    ) {
      bad(`There is no policy attribute '${name}' for ${type}`);
    } else if (!["true", "false"].includes(value)) {
      bad(`The policy attribute '${name}' is true or false, got '${value}'`);
    }
  }
  if (type === "ProxyProtocolPolicyType" && !seen.has("ProxyProtocol")) {
    bad("The policy attribute 'ProxyProtocol' is missing");
  }
}

/** A listener policy and a backend policy differ in the port they are for, and in the policy types. */
function portPolicyType(options: {
  token: string;
  title: string;
  portProperty: "loadBalancerPort" | "instancePort";
  listenerPort: "lbPort" | "instancePort";
  kind: "listenerPolicies" | "backendPolicies";
  policyType: string;
  extra?: ResourceType["properties"];
}): ResourceType {
  const { portProperty, kind } = options;
  const apply = (context: Context, props: Props, policies: string[]) => {
    const balancer = requireBalancer(context, props["loadBalancerName"] as string);
    const number = props[portProperty] as number;
    const listener = (balancer.attributes["listeners"] as unknown as Listener[]).find(
      (l) => l[options.listenerPort] === number,
    );
    if (!listener) {
      fail("ListenerNotFound", `There is no listener of ${balancer.id} with ${portProperty} ${number}`);
    }
    for (const name of policies) {
      const policy = context.find(names.loadBalancerPolicy, `${balancer.id}:${name}`);
      if (!policy && !(kind === "listenerPolicies" && predefinedTlsPolicies.includes(name))) {
        fail("PolicyNotFound", `There is no policy with name ${name} for load balancer ${balancer.id}`);
      }
      if (policy && policy.attributes["policyTypeName"] !== options.policyType) {
        fail(
          "InvalidConfigurationRequest",
          `The policy ${name} of type ${policy.attributes["policyTypeName"]} cannot be set on ${kind === "listenerPolicies" ? "a listener" : "an instance port"}`,
        );
      }
    }
    if (
      kind === "listenerPolicies" &&
      policies.length > 0 &&
      !["ssl", "https"].includes(lower(listener.lbProtocol))
    ) {
      fail(
        "InvalidConfigurationRequest",
        `The listener on port ${number} is ${listener.lbProtocol}: TLS policies need SSL or HTTPS`,
      );
    }
    const byPort = { ...(balancer.hidden[kind] as PortPolicies) };
    if (policies.length > 0) {
      byPort[number] = policies;
    } else {
      delete byPort[number];
    }
    context.account.update(balancer, {}, { [kind]: byPort });
  };
  return {
    token: options.token,
    title: options.title,
    properties: {
      loadBalancerName: text({ required: true, forceNew: true }),
      [portProperty]: int({ required: true, forceNew: true, check: between(1, 65535) }),
      policyNames: set(text()),
      ...options.extra,
    },
    create(context, inputs) {
      apply(context, inputs, (inputs["policyNames"] as string[] | undefined) ?? []);
      return { id: `${inputs["loadBalancerName"]}:${inputs[portProperty]}` };
    },
    update(context, _resource, inputs) {
      apply(context, inputs, (inputs["policyNames"] as string[] | undefined) ?? []);
    },
    delete(context, resource) {
      const balancer = context.find(names.loadBalancer, resource.attributes["loadBalancerName"] as string);
      const number = resource.attributes[portProperty] as number;
      if (balancer && (balancer.hidden[kind] as PortPolicies)[number]) {
        const byPort = { ...(balancer.hidden[kind] as PortPolicies) };
        delete byPort[number];
        context.account.update(balancer, {}, { [kind]: byPort });
      }
    },
    view(context, resource) {
      const balancer = context.find(names.loadBalancer, resource.attributes["loadBalancerName"] as string);
      const byPort = (balancer?.hidden[kind] ?? {}) as PortPolicies;
      return { policyNames: byPort[resource.attributes[portProperty] as number] ?? [] };
    },
  };
}

export const listenerPolicyType = portPolicyType({
  token: names.listenerPolicy,
  title: "ELB Classic Listener Policy",
  portProperty: "loadBalancerPort",
  listenerPort: "lbPort",
  kind: "listenerPolicies",
  policyType: "SSLNegotiationPolicyType",
  extra: { triggers: map(text()) },
});

export const backendServerPolicyType = portPolicyType({
  token: names.backendServerPolicy,
  title: "ELB Classic Backend Server Policy",
  portProperty: "instancePort",
  listenerPort: "instancePort",
  kind: "backendPolicies",
  policyType: "ProxyProtocolPolicyType",
});
