import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { blockProblem } from "../cidr";
import { int, object, out, set, text, type ResourceType } from "../schema";
import { ownerId } from "../seeds";
import type { Props } from "../values";
import * as names from "./names";
import { prefixListIds } from "./routing";
import { maxLength } from "./validators";
import { requireVpc } from "./vpc";

const descriptionSet = /^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]*$/;
const descriptionHint =
  "Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*";

export const securityGroupType: ResourceType = {
  token: names.securityGroup,
  title: "Security Group",
  tagged: true,
  autoName: { maxLength: 255 },
  properties: {
    description: text({ default: "Managed by Pulumi", forceNew: true, check: maxLength(255) }),
    name: text({ computed: true, forceNew: true, check: groupName }),
    vpcId: text({ computed: true, forceNew: true }),
    arn: out(),
    ownerId: out(),
    ingress: out("list"),
    egress: out("list"),
  },
  create(context, inputs) {
    const vpcId = inputs["vpcId"] as string | undefined;
    if (vpcId === undefined) {
      fail("VPCIdNotSpecified", "No default VPC for this user");
    }
    requireVpc(context, vpcId);
    const name = inputs["name"] as string;
    if (name.toLowerCase().startsWith("sg-")) {
      fail(
        "InvalidParameterValue",
        `Value (${name}) for parameter GroupName is invalid. Group names may not be in the format sg-*.`,
      );
    }
    if (name === "default") {
      fail("InvalidParameterValue", "Cannot use reserved security group name: default");
    }
    const description = inputs["description"] as string;
    if (description === "") {
      fail("MissingParameter", "The request must contain the parameter GroupDescription");
    }
    if (!descriptionSet.test(description)) {
      fail(
        "InvalidParameterValue",
        `Value (${description}) for parameter GroupDescription is invalid. ${descriptionHint}`,
      );
    }
    if (!descriptionSet.test(name)) {
      fail("InvalidParameterValue", `Value (${name}) for parameter GroupName is invalid.`);
    }
    const duplicate = context
      .list(names.securityGroup)
      .some((g) => g.attributes["vpcId"] === vpcId && g.attributes["name"] === name);
    if (duplicate) {
      fail("InvalidGroup.Duplicate", `The security group '${name}' already exists for VPC '${vpcId}'`);
    }
    const id = context.id("sg");
    return {
      id,
      attributes: {
        name,
        arn: context.arn("ec2", `security-group/${id}`),
        ownerId,
        ingress: [],
        egress: [],
      },
    };
  },
  delete(context, group) {
    const userOf = dependants(context, group.id);
    if (userOf.length > 0) {
      fail(
        "DependencyViolation",
        `resource ${group.id} has a dependent object (${userOf.slice(0, 3).join(", ")})`,
      );
    }
    rulesOf(context, group.id).forEach((rule) => context.account.delete(rule));
  },
};

function groupName(name: string): string | undefined {
  if (name.length > 255) {
    return `expected at most 255 characters, got ${name.length}`;
  }
  return name.startsWith("sg-")
    ? `InvalidParameterValue: a group's name cannot begin with "sg-", got "${name}"`
    : undefined;
}

/** Who uses a group: interfaces (of instances and load balancers) and other groups' rules. */
function dependants(context: Context, groupId: string): string[] {
  const interfaces = context
    .list(names.networkInterface)
    .filter((eni) => (eni.attributes["securityGroups"] as string[]).includes(groupId))
    .map((eni) => eni.id);
  const rules = [names.ingressRule, names.egressRule]
    .flatMap((type) => context.list(type))
    .filter((r) => referenced(r) === groupId && r.attributes["securityGroupId"] !== groupId)
    .map((r) => r.id);
  return [...interfaces, ...rules];
}

function referenced(rule: StoredResource): string | undefined {
  return (rule.attributes["referencedSecurityGroupId"] as string | undefined)?.split("/").pop();
}

function rulesOf(context: Context, groupId: string): StoredResource[] {
  return [names.ingressRule, names.egressRule]
    .flatMap((type) => context.list(type))
    .filter((rule) => rule.attributes["securityGroupId"] === groupId);
}

export function requireGroup(context: Context, id: string): StoredResource {
  return (
    context.find(names.securityGroup, id) ??
    fail("InvalidGroup.NotFound", `The security group '${id}' does not exist`)
  );
}

const sources = ["cidrIpv4", "referencedSecurityGroupId", "prefixListId"] as const;

const protocolNumbers: Record<string, string> = { "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6" };

function protocolName(protocol: unknown): string {
  const name = String(protocol).toLowerCase();
  return protocolNumbers[name] ?? (name === "all" ? "-1" : name);
}

function ruleType(token: string, title: string): ResourceType {
  return {
    token,
    title,
    tagged: true,
    properties: {
      securityGroupId: text({ required: true, forceNew: true }),
      ipProtocol: text({ required: true, normalise: protocolName, check: protocolProblem }),
      fromPort: int({ check: portProblem }),
      toPort: int({ check: portProblem }),
      cidrIpv4: text({
        check: (v: string) => blockProblem(v) && `InvalidParameterValue: ${blockProblem(v)}`,
      }),
      referencedSecurityGroupId: text(),
      prefixListId: text(),
      description: text({
        check: (v: string) =>
          v.length <= 255 && descriptionSet.test(v)
            ? undefined
            : `InvalidParameterValue: Invalid rule description. ${descriptionHint}`,
      }),
      arn: out(),
      securityGroupRuleId: out(),
    },
    validate(inputs, problems, given) {
      const sourcesGiven = sources.filter((s) => given.has(s));
      if (sourcesGiven.length !== 1) {
        problems.add("", `InvalidParameterValue: ${sourceProblem(sourcesGiven)}`);
      }
      const protocol = inputs["ipProtocol"] === undefined ? undefined : protocolName(inputs["ipProtocol"]);
      const { fromPort, toPort } = inputs as { fromPort?: number; toPort?: number };
      if (protocol === "-1" && (fromPort !== undefined || toPort !== undefined) && (fromPort ?? -1) !== -1) {
        problems.add("fromPort", "a rule for all protocols (-1) has no fromPort and toPort");
      }
      if (fromPort !== undefined && toPort !== undefined && fromPort > toPort && toPort !== -1) {
        problems.add(
          "fromPort",
          `InvalidParameterValue: Invalid TCP port range (${fromPort}-${toPort}): fromPort is above toPort`,
        );
      }
    },
    create(context, inputs) {
      const group = requireGroup(context, inputs["securityGroupId"] as string);
      checkRule(context, token, group, inputs);
      const quota = context.account.seeds.quotas.rulesPerSecurityGroup;
      const count = context.list(token).filter((r) => r.attributes["securityGroupId"] === group.id).length;
      if (count >= quota) {
        fail(
          "RulesPerSecurityGroupLimitExceeded",
          `The maximum number of rules per security group has been reached (${quota}).`,
        );
      }
      const id = context.id("sgr");
      return {
        id,
        attributes: { arn: context.arn("ec2", `security-group-rule/${id}`), securityGroupRuleId: id },
      };
    },
    update(context, rule, inputs) {
      const group = requireGroup(context, rule.attributes["securityGroupId"] as string);
      checkRule(context, token, group, inputs, rule.id);
    },
  };
}

function protocolProblem(value: string): string | undefined {
  const name = protocolName(value);
  const known = ["-1", "tcp", "udp", "icmp", "icmpv6"].includes(name);
  return known || (/^\d+$/.test(name) && Number(name) <= 255)
    ? undefined
    : `InvalidParameterValue: Invalid value '${value}' for IP protocol. Unknown protocol.`;
}

function portProblem(value: number): string | undefined {
  return value >= -1 && value <= 65535
    ? undefined
    : `InvalidParameterValue: a port is -1 or from 0 to 65535, got ${value}`;
}

function sourceProblem(given: string[]): string {
  return `a rule has exactly one of ${sources.join(", ")}; got ${given.length === 0 ? "none" : given.join(", ")}`;
}

function checkRule(
  context: Context,
  token: string,
  group: StoredResource,
  inputs: Props,
  self?: string,
): void {
  const given = sources.filter((s) => inputs[s] !== undefined && inputs[s] !== "");
  if (given.length !== 1) {
    fail("InvalidParameterValue", sourceProblem(given));
  }
  const protocol = protocolName(inputs["ipProtocol"]);
  const portsNeeded = protocol === "tcp" || protocol === "udp";
  if (portsNeeded && (inputs["fromPort"] === undefined || inputs["toPort"] === undefined)) {
    fail("MissingParameter", `Both fromPort and toPort are needed for protocol ${protocol}.`);
  }
  if (inputs["referencedSecurityGroupId"] !== undefined) {
    const id = (inputs["referencedSecurityGroupId"] as string).split("/").pop()!;
    const other = requireGroup(context, id);
    if (other.attributes["vpcId"] !== group.attributes["vpcId"]) {
      fail(
        "InvalidGroup.NotFound",
        `You have specified two resources that belong to different networks: ${id}`,
      );
    }
  }
  const prefixList = inputs["prefixListId"] as string | undefined;
  if (prefixList !== undefined && !prefixListIds(context.region).includes(prefixList)) {
    // hashicorp/terraform-provider-aws:internal/service/ec2/errors.go, errCodeInvalidPrefixListIDNotFound.
    fail("InvalidPrefixListID.NotFound", `The prefix list ID '${prefixList}' does not exist`);
  }
  const key = ruleKey(inputs);
  const duplicate = context
    .list(token)
    .some(
      (r) => r.id !== self && r.attributes["securityGroupId"] === group.id && ruleKey(r.attributes) === key,
    );
  if (duplicate) {
    const peer = inputs[given[0]!] as string;
    fail(
      "InvalidPermission.Duplicate",
      `the specified rule "peer: ${peer}, ${protocol.toUpperCase()}, from port: ${inputs["fromPort"]}, to port: ${inputs["toPort"]}, ALLOW" already exists`,
    );
  }
}

/** What makes two rules the same rule: not the description. */
function ruleKey(rule: Props): string {
  const protocol = protocolName(rule["ipProtocol"]);
  const ports = protocol === "-1" ? "" : `${rule["fromPort"] ?? -1}-${rule["toPort"] ?? -1}`;
  return [protocol, ports, ...sources.map((s) => rule[s] ?? "")].join("|");
}

export const ingressRuleType = ruleType(names.ingressRule, "VPC Security Group Ingress Rule");
export const egressRuleType = ruleType(names.egressRule, "VPC Security Group Egress Rule");

const noRules = () =>
  set(object({}), {
    check: (rules: unknown[]) =>
      rules.length === 0 ? undefined : "the simulated region models a default group without rules only",
  });

/** Takes over the group that every VPC has, and revokes all of its rules. */
export const defaultSecurityGroupType: ResourceType = {
  token: names.defaultSecurityGroup,
  title: "EC2 Default Security Group",
  tagged: true,
  properties: {
    vpcId: text({ computed: true, forceNew: true }),
    ingress: noRules(),
    egress: noRules(),
    arn: out(),
    description: out(),
    name: out(),
    namePrefix: out(),
    ownerId: out(),
  },
  create(context, inputs) {
    const vpcId = inputs["vpcId"] as string | undefined;
    if (vpcId === undefined) {
      fail("VPCIdNotSpecified", "No default VPC for this user");
    }
    requireVpc(context, vpcId);
    const group = context
      .list(names.securityGroup)
      .find((g) => g.implicit && g.attributes["vpcId"] === vpcId)!;
    rulesOf(context, group.id).forEach((rule) => context.account.delete(rule));
    context.account.update(group, { ingress: [], egress: [] });
    return {
      id: group.id,
      attributes: {
        arn: group.attributes["arn"]!,
        description: group.attributes["description"]!,
        name: "default",
        namePrefix: "",
        ownerId,
        ingress: [],
        egress: [],
      },
    };
  },
  update() {},
  // Deleting it only forgets it: the group stays as it is, like the VPC it belongs to.
  view(context, resource) {
    const group = context.find(names.securityGroup, resource.id);
    const { ingress, egress } = group?.attributes ?? resource.attributes;
    return { ingress: ingress!, egress: egress! };
  },
};
