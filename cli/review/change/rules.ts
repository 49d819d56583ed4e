/** The permissions of security groups, in whichever of the provider's four forms they are written. */
import { types } from "../types";
import type { Existing, Side } from "./side";
import { list, number, record, text } from "./values";

export interface Permission {
  direction: "in" | "out";
  group: string;
  protocol: string;
  from: number;
  to: number;
  /** The other end: a block, a group or a prefix list. */
  block?: string;
  peer?: string;
  prefixList?: string;
  description?: string;
}

const groupTypes = [types.securityGroup, types.defaultSecurityGroup] as const;

export function permissionsOf(side: Side): Permission[] {
  return [
    ...side.ofType(types.ingressRule).flatMap((rule) => ruleResource(side, rule, "in")),
    ...side.ofType(types.egressRule).flatMap((rule) => ruleResource(side, rule, "out")),
    ...side.ofType(types.oldRule).flatMap((rule) => oldRule(side, rule)),
    ...side
      .ofType(...groupTypes)
      .flatMap((group) => [
        ...inlineRules(side, group, "ingress", "in"),
        ...inlineRules(side, group, "egress", "out"),
      ]),
  ];
}

function ruleResource(side: Side, rule: Existing, direction: "in" | "out"): Permission[] {
  const group = side.target(rule, "securityGroupId", ...groupTypes)?.key;
  if (group === undefined) return [];
  const { inputs } = rule;
  const base = {
    direction,
    group,
    description: text(inputs.description) ?? "",
    ...ports(inputs.ipProtocol, inputs.fromPort, inputs.toPort),
  };
  const peer = side.target(rule, "referencedSecurityGroupId", ...groupTypes)?.key;
  if (peer !== undefined) return [{ ...base, peer }];
  const block = text(inputs.cidrIpv4) ?? text(inputs.cidrIpv6);
  if (block !== undefined) return [{ ...base, block }];
  const prefixList = text(inputs.prefixListId);
  return prefixList === undefined ? [] : [{ ...base, prefixList }];
}

function oldRule(side: Side, rule: Existing): Permission[] {
  const group = side.target(rule, "securityGroupId", ...groupTypes)?.key;
  if (group === undefined) return [];
  const { inputs } = rule;
  const direction = inputs.type === "egress" ? "out" : "in";
  const base = { direction, group, ...ports(inputs.protocol, inputs.fromPort, inputs.toPort) } as const;
  return [
    ...blocks(inputs).map((block) => ({ ...base, block })),
    ...list(inputs.prefixListIds).flatMap((id) => (text(id) ? [{ ...base, prefixList: text(id) }] : [])),
    ...(inputs.self === true ? [{ ...base, peer: group }] : []),
    ...side.targets(rule, "sourceSecurityGroupId", ...groupTypes).map(({ key }) => ({ ...base, peer: key })),
  ];
}

function inlineRules(
  side: Side,
  group: Existing,
  property: "ingress" | "egress",
  direction: "in" | "out",
): Permission[] {
  return list(group.inputs[property]).flatMap((item, i) => {
    const rule = record(item);
    const base = { direction, group: group.key, ...ports(rule.protocol, rule.fromPort, rule.toPort) };
    return [
      ...blocks(rule).map((block) => ({ ...base, block })),
      ...(rule.self === true ? [{ ...base, peer: group.key }] : []),
      ...side
        .targets(group, `${property}[${i}].securityGroups`, ...groupTypes)
        .map(({ key }) => ({ ...base, peer: key })),
    ];
  });
}

function blocks(rule: Record<string, unknown>): string[] {
  return [...list(rule.cidrBlocks), ...list(rule.ipv6CidrBlocks)]
    .map(text)
    .filter((block) => block !== undefined);
}

function ports(protocol: unknown, from: unknown, to: unknown): Pick<Permission, "protocol" | "from" | "to"> {
  const name = text(protocol)?.toLowerCase() ?? "-1";
  if (name === "-1" || name === "all") return { protocol: "all", from: 0, to: 65535 };
  const names: Record<string, string> = { "6": "tcp", "17": "udp", "1": "icmp" };
  const first = number(from) ?? 0;
  return { protocol: names[name] ?? name, from: first, to: number(to) ?? first };
}
