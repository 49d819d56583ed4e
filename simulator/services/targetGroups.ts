/** Target groups of Network Load Balancers, and what is registered with them. */
import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { bool, int, list, object, out, text, type ResourceType } from "../schema";
import type { Props } from "../values";
import * as names from "./names";
import { elbAutoName, elbName } from "./networkLoadBalancers";
import { between, matches, oneOf } from "./validators";
import { requireVpc } from "./vpc";

interface HealthCheck {
  enabled?: boolean;
  protocol: string;
  port: string;
  path: string;
  matcher: string;
  interval: number;
  timeout: number;
  healthyThreshold: number;
  unhealthyThreshold: number;
}

/** What AWS sets where a check of a group for TCP says nothing (CreateTargetGroup, API reference). */
const healthDefaults: HealthCheck = {
  enabled: true,
  protocol: "TCP",
  port: "traffic-port",
  path: "",
  matcher: "",
  interval: 30,
  timeout: 10,
  healthyThreshold: 5,
  unhealthyThreshold: 2,
};

const portOrTraffic = (value: string) =>
  value === "traffic-port" || (/^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 65535)
    ? undefined
    : `expected "port" to be "traffic-port" or a port number, got ${JSON.stringify(value)}`;

const trueOrFalse = oneOf("true", "false");

export const targetGroupType: ResourceType = {
  token: names.targetGroup,
  title: "ELBv2 Target Group",
  tagged: true,
  autoName: elbAutoName,
  properties: {
    name: text({ computed: true, forceNew: true, check: elbName }),
    port: int({ forceNew: true, check: between(1, 65535) }),
    protocol: text({ forceNew: true, check: oneOf("TCP", "TLS") }),
    targetType: text({ default: "instance", forceNew: true, check: oneOf("instance") }),
    vpcId: text({ forceNew: true }),
    ipAddressType: text({ computed: true, forceNew: true, check: oneOf("ipv4") }),
    // Where the check of a group is left out later, it stays as it is.
    healthCheck: object(
      {
        enabled: bool({ default: true }),
        protocol: text({ computed: true, check: oneOf("TCP", "HTTP", "HTTPS") }),
        port: text({ computed: true, check: portOrTraffic }),
        path: text({ computed: true }),
        matcher: text({ computed: true }),
        interval: int({ computed: true, check: between(5, 300) }),
        timeout: int({ computed: true, check: between(2, 120) }),
        healthyThreshold: int({ computed: true, check: between(2, 10) }),
        unhealthyThreshold: int({ computed: true, check: between(2, 10) }),
      },
      { computed: true },
    ),
    deregistrationDelay: int({ default: 300, check: between(0, 3600) }),
    connectionTermination: bool({ computed: true }),
    preserveClientIp: text({ computed: true, check: trueOrFalse }),
    proxyProtocolV2: bool({ default: false }),
    loadBalancingCrossZoneEnabled: text({
      computed: true,
      check: oneOf("true", "false", "use_load_balancer_configuration"),
    }),
    targetHealthStates: list(
      object({
        enableUnhealthyConnectionTermination: bool({ required: true }),
        unhealthyDrainingInterval: int({ default: 0, check: between(0, 360000) }),
      }),
      { computed: true },
    ),
    arn: out(),
    arnSuffix: out(),
    loadBalancerArns: out("set"),
  },
  validate(_inputs, problems, given) {
    for (const needed of ["port", "protocol", "vpcId"]) {
      if (!given.has(needed)) {
        problems.add("", `Attribute "${needed}" must be specified when "target_type" is "instance".`);
      }
    }
  },
  create(context, inputs) {
    const name = inputs["name"] as string;
    const groups = context.list(names.targetGroup);
    if (groups.some((group) => group.attributes["name"] === name)) {
      fail(
        "DuplicateTargetGroupName",
        `A target group with the same name '${name}' exists, but with different settings`,
      );
    }
    if (groups.length >= context.account.seeds.quotas.targetGroupsPerRegion) {
      fail("TooManyTargetGroups", "The maximum number of target groups has been reached");
    }
    requireVpc(context, inputs["vpcId"] as string);
    const healthCheck = checkHealth({ ...healthDefaults, ...(inputs["healthCheck"] as Props) });
    const arnSuffix = `targetgroup/${name}/${context.account.hex(16)}`;
    const arn = context.arn("elasticloadbalancing", arnSuffix);
    return {
      id: arn,
      attributes: {
        ipAddressType: "ipv4",
        connectionTermination: false,
        // Instances see their clients' addresses behind TCP and TLS listeners, if nobody says otherwise.
        preserveClientIp: "true",
        loadBalancingCrossZoneEnabled: "use_load_balancer_configuration",
        targetHealthStates: [{ enableUnhealthyConnectionTermination: true, unhealthyDrainingInterval: 0 }],
        ...inputs,
        name,
        arn,
        arnSuffix,
        healthCheck: healthCheck as unknown as Props,
      },
    };
  },
  update(_context, group, inputs, changed) {
    return changed.has("healthCheck")
      ? {
          healthCheck: checkHealth({
            ...(group.attributes["healthCheck"] as unknown as HealthCheck),
            ...(inputs["healthCheck"] as Props),
          }) as unknown as Props,
        }
      : undefined;
  },
  delete(context, group) {
    if (listenersOf(context, group.id).length > 0) {
      // The provider goes on trying for two minutes.
      fail("ResourceInUse", `Target group '${group.id}' is currently in use by a listener or a rule`);
    }
    registrationsOf(context, group.id).forEach((target) => context.account.delete(target));
  },
  view: (context, group) => ({
    loadBalancerArns: [
      ...new Set(
        listenersOf(context, group.id).map(({ attributes }) => attributes["loadBalancerArn"] as string),
      ),
    ],
  }),
};

function checkHealth(check: HealthCheck): HealthCheck {
  const web = check.protocol !== "TCP";
  const bad = (detail: string) => fail("ValidationError", detail);
  if (!web && (check.path !== "" || check.matcher !== "")) {
    bad("Health check path and matcher are not supported for health checks with protocol TCP");
  }
  if (web && check.path !== "" && !check.path.startsWith("/")) {
    bad(`Health check path '${check.path}' must begin with a '/' character`);
  }
  if (check.timeout > check.interval) {
    bad(
      `Health check interval must be greater than or equal to the timeout (interval ${check.interval}, timeout ${check.timeout})`,
    );
  }
  for (const part of check.matcher.split(",").filter((text) => text !== "")) {
    const codes = part.split("-").map(Number);
    if (codes.length > 2 || codes.some((code) => !(code >= 200 && code <= 599))) {
      bad(`Health check matcher HTTP code '${check.matcher}' must be within '200-599' inclusive`);
    }
  }
  return web ? { ...check, path: check.path || "/", matcher: check.matcher || "200-399" } : check;
}

export function requireTargetGroup(context: Context, arn: string): StoredResource {
  return (
    context.find(names.targetGroup, arn) ??
    fail("TargetGroupNotFound", `One or more target groups not found: ${arn}`)
  );
}

/** The listeners that send to a group. */
export function listenersOf(context: Context, group: string): StoredResource[] {
  return context
    .list(names.networkListener)
    .filter(({ attributes }) =>
      (attributes["defaultActions"] as Props[]).some((action) => action["targetGroupArn"] === group),
    );
}

export function registrationsOf(context: Context, group: string): StoredResource[] {
  return context
    .list(names.targetGroupAttachment)
    .filter(({ attributes }) => attributes["targetGroupArn"] === group);
}

export const targetGroupAttachmentType: ResourceType = {
  token: names.targetGroupAttachment,
  title: "ELBv2 Target Group Attachment",
  properties: {
    targetGroupArn: text({ required: true, forceNew: true }),
    targetId: text({ required: true, forceNew: true }),
    port: int({ forceNew: true, check: between(1, 65535) }),
    availabilityZone: text({ forceNew: true, check: matches(/^all$/, "expected all") }),
  },
  create(context, inputs) {
    const group = requireTargetGroup(context, inputs["targetGroupArn"] as string);
    const instance = requireTarget(context, group, inputs["targetId"] as string);
    for (const listener of listenersOf(context, group.id)) {
      checkTargets(context, listener.attributes["loadBalancerArn"] as string, [instance]);
    }
    return { id: `${group.id}-${context.account.digits(26)}` };
  },
};

function requireTarget(context: Context, group: StoredResource, id: string): StoredResource {
  const instance = context.find(names.instance, id);
  const bad = (why: string) => fail("InvalidTarget", `The following targets ${why}: '${id}'`);
  if (!instance) {
    return bad("are not valid instances");
  }
  const subnet = context.find(names.subnet, instance.attributes["subnetId"] as string);
  if (subnet?.attributes["vpcId"] !== group.attributes["vpcId"]) {
    bad("are not in the target group VPC");
  }
  if (instance.attributes["instanceState"] !== "running") {
    // The provider goes on trying for ten minutes.
    bad("are not in a running state and cannot be registered");
  }
  return instance;
}

/** Each group that an instance is registered with counts (Network Load Balancers guide, "Quotas"). */
export function checkTargets(context: Context, balancerArn: string, added: StoredResource[]): void {
  const balancer = context.find(names.networkLoadBalancer, balancerArn);
  const groups = new Set(
    context
      .list(names.networkListener)
      .filter(({ attributes }) => attributes["loadBalancerArn"] === balancerArn)
      .flatMap(({ attributes }) => (attributes["defaultActions"] as Props[]).map((a) => a["targetGroupArn"])),
  );
  const targets = [
    ...added,
    ...[...groups].flatMap((group) =>
      registrationsOf(context, group as string).flatMap(
        ({ attributes }) => context.find(names.instance, attributes["targetId"] as string) ?? [],
      ),
    ),
  ];
  const { targetsPerNetworkLoadBalancerZone: perZone, targetsPerNetworkLoadBalancer: most } =
    context.account.seeds.quotas;
  const across = balancer?.attributes["enableCrossZoneLoadBalancing"] === true;
  const byZone = new Map<unknown, number>();
  for (const { attributes } of targets) {
    const zone = across ? "all" : attributes["availabilityZone"];
    byZone.set(zone, (byZone.get(zone) ?? 0) + 1);
  }
  if (targets.length > most || [...byZone.values()].some((count) => count > perZone)) {
    fail("TooManyTargets", "You've reached the limit on the number of targets");
  }
}
