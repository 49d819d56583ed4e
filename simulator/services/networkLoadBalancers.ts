/** Network Load Balancers (Elastic Load Balancing API reference 2015-12-01, and the provider's `aws_lb`). */
import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { dnsSuffixOf } from "../partition";
import { bool, int, object, out, set, text, type ResourceType } from "../schema";
import { same } from "../diff";
import type { Props, Value } from "../values";
import { balancerGroups, createInterface, interfacesOf, releaseInterfaces } from "./balancerInterfaces";
import { findBucket } from "./bucketNames";
import { takesLoadBalancerLogs } from "./buckets";
import * as names from "./names";
import { between, oneOf } from "./validators";

/** One of the load balancer's zones. */
interface Mapping {
  subnetId: string;
  allocationId?: string;
  privateIpv4Address?: string;
  ipv6Address?: string;
}

/** The provider's own check of names of load balancers and target groups. */
export const elbName = (value: string): string | undefined => {
  if (value.length > 32) {
    return `"name" cannot be longer than 32 characters: ${JSON.stringify(value)}`;
  }
  if (!/^[0-9A-Za-z-]+$/.test(value)) {
    return `only alphanumeric characters and hyphens allowed in "name": ${JSON.stringify(value)}`;
  }
  const bad = value.startsWith("-") ? "begin" : value.endsWith("-") ? "end" : undefined;
  return bad && `"name" cannot ${bad} with a hyphen: ${JSON.stringify(value)}`;
};

export const elbAutoName = { maxLength: 32, transform: (name: string) => name.replaceAll("_", "-") };

const mapping = object({
  subnetId: text({ required: true }),
  allocationId: text(),
  privateIpv4Address: text(),
  ipv6Address: text({ computed: true }),
  outpostId: out(),
});

/** The provider replaces it unless zones come (`customizeDiffLoadBalancerNLB`); AWS itself never lets one go. */
const lengthOf = (props: Props, key: string) => ((props[key] as Value[] | undefined) ?? []).length;
const someKept = (news: Props, olds: Props) =>
  (olds["subnetMappings"] as Value[]).every((old) =>
    (news["subnetMappings"] as Value[]).some((wanted) => same(mapping, old, wanted)),
  );

export const networkLoadBalancerType: ResourceType = {
  token: names.networkLoadBalancer,
  title: "ELBv2 Load Balancer",
  tagged: true,
  autoName: elbAutoName,
  properties: {
    loadBalancerType: text({
      required: true,
      forceNew: true,
      check: (value: string) =>
        value === "network"
          ? undefined
          : `the simulated region models Network Load Balancers, not "${value}" ones`,
    }),
    name: text({
      computed: true,
      forceNew: true,
      check: (value: string) =>
        value.startsWith("internal-") ? `"name" cannot begin with "internal-"` : elbName(value),
    }),
    internal: bool({ computed: true, forceNew: true }),
    ipAddressType: text({ computed: true, check: oneOf("ipv4", "dualstack") }),
    subnets: set(text(), {
      computed: true,
      forceNew: (news, olds) => lengthOf(news, "subnets") <= lengthOf(olds, "subnets"),
    }),
    subnetMappings: set(mapping, {
      computed: true,
      forceNew: (news, olds) =>
        lengthOf(news, "subnetMappings") <= lengthOf(olds, "subnetMappings") || !someKept(news, olds),
    }),
    // Who was made without groups never gets any, and who has some keeps at least one. Leaving them out is no change.
    securityGroups: set(text(), {
      computed: true,
      forceNew: (news, olds) => {
        const [before, after] = [olds, news].map((props) => lengthOf(props, "securityGroups") > 0);
        return before !== after;
      },
    }),
    enableCrossZoneLoadBalancing: bool({ default: false }),
    enableDeletionProtection: bool({ default: false }),
    enableZonalShift: bool({ default: false }),
    dnsRecordClientRoutingPolicy: text({
      default: "any_availability_zone",
      check: oneOf(
        "any_availability_zone",
        "availability_zone_affinity",
        "partial_availability_zone_affinity",
      ),
    }),
    enforceSecurityGroupInboundRulesOnPrivateLinkTraffic: text({ computed: true, check: oneOf("on", "off") }),
    // More can be had at any time, fewer never again.
    secondaryIpsAutoAssignedPerSubnet: int({
      computed: true,
      check: between(0, 7),
      forceNew: (news, olds) =>
        Number(news["secondaryIpsAutoAssignedPerSubnet"] ?? 0) <
        Number(olds["secondaryIpsAutoAssignedPerSubnet"] ?? 0),
    }),
    accessLogs: object({
      bucket: text({ required: true }),
      prefix: text(),
      enabled: bool({ default: false }),
    }),
    arn: out(),
    arnSuffix: out(),
    dnsName: out(),
    vpcId: out(),
    zoneId: out(),
  },
  redundant: (attributes) => (attributes["subnetMappings"] ? ["subnets"] : []),
  validate(_inputs, problems, given) {
    if (given.has("subnets") === given.has("subnetMappings")) {
      problems.add("", "one of `subnet_mapping,subnets` must be specified");
    }
  },
  create(context, inputs) {
    const name = inputs["name"] as string;
    const balancers = context.list(names.networkLoadBalancer);
    if (balancers.some((b) => b.attributes["name"] === name)) {
      fail(
        "DuplicateLoadBalancerName",
        `A load balancer with the same name '${name}' exists, but with different settings`,
      );
    }
    if (balancers.length >= context.account.seeds.quotas.networkLoadBalancersPerRegion) {
      fail("TooManyLoadBalancers", "The maximum number of load balancers has been reached");
    }
    const internal = inputs["internal"] === true;
    const mappings = mappingsOf(inputs);
    const subnets = checkMappings(context, mappings, internal);
    checkAddressType(inputs["ipAddressType"] as string | undefined, internal, subnets);
    checkLogs(context, inputs);
    const vpcId = subnets[0]!.attributes["vpcId"] as string;
    const wanted = (inputs["securityGroups"] as string[] | undefined) ?? [];
    const groups = wanted.length === 0 ? [] : balancerGroups(context, subnets[0]!, wanted);
    const suffix = `net/${name}/${context.account.hex(16)}`;
    const arn = context.arn("elasticloadbalancing", `loadbalancer/${suffix}`);
    place(context, { suffix, groups, internal }, mappings);
    return {
      id: arn,
      attributes: {
        name,
        internal,
        ipAddressType: "ipv4",
        ...seen(mappings),
        securityGroups: groups,
        enforceSecurityGroupInboundRulesOnPrivateLinkTraffic: groups.length > 0 ? "on" : "",
        secondaryIpsAutoAssignedPerSubnet: 0,
        arn,
        arnSuffix: suffix,
        dnsName: `${name}-${suffix.split("/")[2]}.elb.${context.region}.${dnsSuffixOf(context.region)}`,
        vpcId,
        zoneId: context.regionSeed.networkLoadBalancerZone,
        ...definedOnly(inputs, ["ipAddressType", "secondaryIpsAutoAssignedPerSubnet"]),
      },
    };
  },
  update(context, balancer, inputs, changed) {
    const { arnSuffix: suffix, internal } = balancer.attributes as { arnSuffix: string; internal: boolean };
    const computed: Props = {};
    const zones = changed.has("subnetMappings") || changed.has("subnets");
    const before = balancer.attributes["subnetMappings"] as unknown as Mapping[];
    const mappings = zones ? mappingsOf(inputs, changed.has("subnets")) : before;
    if (!before.every((b) => mappings.some((m) => m.subnetId === b.subnetId))) {
      fail(
        "ValidationError",
        "Subnet removal is not supported for Network Load Balancers. You must specify all existing subnets along with any new ones",
      );
    }
    const subnets = checkMappings(context, mappings, internal, before);
    if (changed.has("ipAddressType")) {
      checkAddressType(inputs["ipAddressType"] as string, internal, subnets);
    }
    if (changed.has("accessLogs")) {
      checkLogs(context, inputs);
    }
    let groups = balancer.attributes["securityGroups"] as string[];
    if (changed.has("securityGroups")) {
      groups = balancerGroups(context, subnets[0]!, inputs["securityGroups"] as string[]);
      interfacesOf(context, suffix).forEach((eni) => context.account.update(eni, { securityGroups: groups }));
    }
    if (zones) {
      const added = mappings.filter((m) => !before.some((b) => b.subnetId === m.subnetId));
      place(context, { suffix, groups, internal }, added);
      Object.assign(computed, seen(mappings));
    }
    return computed;
  },
  recomputed: (changed) =>
    changed.has("subnets") ? ["subnetMappings"] : changed.has("subnetMappings") ? ["subnets"] : [],
  delete(context, balancer) {
    if (balancer.attributes["enableDeletionProtection"] === true) {
      fail(
        "OperationNotPermitted",
        `Load balancer '${balancer.id}' cannot be deleted because deletion protection is enabled`,
      );
    }
    releaseInterfaces(context, interfacesOf(context, balancer.attributes["arnSuffix"] as string));
    // Listeners go with it; target groups stay.
    context
      .list(names.networkListener)
      .filter((listener) => listener.attributes["loadBalancerArn"] === balancer.id)
      .forEach((listener) => context.account.delete(listener));
  },
};

export function requireNetworkLoadBalancer(context: Context, arn: string): StoredResource {
  return (
    context.find(names.networkLoadBalancer, arn) ??
    fail("LoadBalancerNotFound", `One or more load balancers not found: ${arn}`)
  );
}

function definedOnly(inputs: Props, keys: string[]): Props {
  return Object.fromEntries(keys.flatMap((key) => (inputs[key] === undefined ? [] : [[key, inputs[key]]])));
}

/** Zones are given by ids of subnets or by mappings; AWS shows both. */
function mappingsOf(inputs: Props, bySubnets = inputs["subnetMappings"] === undefined): Mapping[] {
  return bySubnets
    ? ((inputs["subnets"] as string[] | undefined) ?? []).map((subnetId) => ({ subnetId }))
    : (inputs["subnetMappings"] as unknown as Mapping[]);
}

function seen(mappings: Mapping[]): Props {
  return {
    subnets: mappings.map(({ subnetId }) => subnetId),
    subnetMappings: mappings.map((m) => ({
      allocationId: "",
      privateIpv4Address: "",
      ipv6Address: "",
      outpostId: "",
      ...m,
    })),
  };
}

/** Zones that it may stand in; `before` are those that it has. */
function checkMappings(
  context: Context,
  mappings: Mapping[],
  internal: boolean,
  before: Mapping[] = [],
): StoredResource[] {
  if (mappings.length === 0) {
    fail("ValidationError", "At least one subnet must be specified");
  }
  const subnets = mappings.map(
    ({ subnetId }) =>
      context.find(names.subnet, subnetId) ??
      fail("InvalidSubnet", `The subnet ID '${subnetId}' is not valid`),
  );
  const vpcId = subnets[0]!.attributes["vpcId"];
  if (subnets.some((s) => s.attributes["vpcId"] !== vpcId)) {
    fail("InvalidSubnet", "All subnets must belong to the same VPC");
  }
  if (new Set(subnets.map((s) => s.attributes["availabilityZone"])).size !== subnets.length) {
    fail(
      "InvalidConfigurationRequest",
      "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
    );
  }
  if (
    !internal &&
    !context.list(names.internetGateway).some((gateway) => gateway.attributes["vpcId"] === vpcId)
  ) {
    fail("InvalidSubnet", `VPC ${String(vpcId)} has no internet gateway`);
  }
  for (const { subnetId, allocationId, privateIpv4Address } of mappings) {
    if (before.some((b) => b.subnetId === subnetId)) {
      continue;
    }
    if (allocationId && internal) {
      fail("ValidationError", "Elastic IP addresses are for internet-facing load balancers only");
    }
    if (privateIpv4Address && !internal) {
      fail("ValidationError", "Private IPv4 addresses are for internal load balancers only");
    }
    if (allocationId) {
      freeAddress(context, allocationId);
    }
  }
  return subnets;
}

function freeAddress(context: Context, allocationId: string): StoredResource {
  const eip = context.find(names.eip, allocationId);
  const taken = context.list(names.networkInterface).some((eni) => eni.hidden["eip"] === allocationId);
  return !eip || taken
    ? fail(
        "AllocationIdNotFound",
        `The allocation IDs are ${eip ? "not available for use" : "not valid"}: ${allocationId}`,
      )
    : eip;
}

/** Dual stack is for the internet, and needs subnets with IPv6, which the region's have not. */
function checkAddressType(wanted: string | undefined, internal: boolean, subnets: StoredResource[]): void {
  if (wanted !== "dualstack") {
    return;
  }
  if (internal) {
    fail("InvalidConfigurationRequest", "Internal load balancers must use the ipv4 address type");
  }
  const without = subnets.find(({ attributes }) => !attributes["ipv6CidrBlock"]);
  if (without) {
    fail(
      "InvalidConfigurationRequest",
      `You must specify subnets with an associated IPv6 CIDR block: ${without.id}`,
    );
  }
}

function checkLogs(context: Context, inputs: Props): void {
  const logs = inputs["accessLogs"] as { bucket: string; enabled?: boolean } | undefined;
  if (!logs?.enabled) {
    return;
  }
  const bucket = findBucket(context.account, logs.bucket);
  if (bucket?.region !== context.region) {
    fail("InvalidConfigurationRequest", `The S3 bucket ${logs.bucket} is not in ${context.region}`);
  }
  // A Network Load Balancer writes as another principal than a Classic one (Network Load Balancers guide, "Access logs").
  if (!takesLoadBalancerLogs(context, bucket, ["delivery.logs.amazonaws.com"])) {
    fail(
      "InvalidConfigurationRequest",
      `Access Denied for bucket: ${logs.bucket}. Please check S3bucket permission (delivery.logs.amazonaws.com must be allowed to put objects)`,
    );
  }
}

/** An interface in each zone. */
function place(
  context: Context,
  { suffix, groups, internal }: { suffix: string; groups: string[]; internal: boolean },
  mappings: Mapping[],
): void {
  for (const { subnetId, allocationId, privateIpv4Address } of mappings) {
    createInterface(context, suffix, context.find(names.subnet, subnetId)!, groups, {
      internal,
      eip: allocationId ? freeAddress(context, allocationId) : undefined,
      privateIp: privateIpv4Address,
      interfaceType: "network_load_balancer",
    });
  }
}
