/**
 * What the policies need to know of security group rules, in the provider's four forms. Properties may be unknown at
 * preview: reading such a one ends the policy for that resource, and the engine says so.
 */
export interface Rule {
  protocol: string;
  from: number;
  to: number;
  /** Addresses that it admits, or the name of a prefix list. */
  blocks: string[];
}

type Properties = Record<string, unknown>;

export const securityGroup = "aws:ec2/securityGroup:SecurityGroup";
export const defaultSecurityGroup = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup";
export const ingressRule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
export const egressRule = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
export const oldRule = "aws:ec2/securityGroupRule:SecurityGroupRule";

/** The permissions to come in that a resource gives to addresses. */
export function inwardRules(type: string, props: Properties): Rule[] {
  switch (type) {
    case ingressRule:
      return [rule(props.ipProtocol, props, [props.cidrIpv4, props.cidrIpv6, props.prefixListId])];
    case oldRule:
      return props.type === "egress" ? [] : [rule(props.protocol, props, addresses(props))];
    case securityGroup:
    case defaultSecurityGroup:
      return inlineRules(props.ingress).map((inline) => rule(inline.protocol, inline, addresses(inline)));
    default:
      return [];
  }
}

export function inlineRules(value: unknown): Properties[] {
  return Array.isArray(value) ? (value as Properties[]) : [];
}

function addresses(props: Properties): unknown[] {
  return [props.cidrBlocks, props.ipv6CidrBlocks, props.prefixListIds].flat();
}

function rule(protocol: unknown, props: Properties, blocks: unknown[]): Rule {
  const isAll = protocol === undefined || String(protocol) === "-1" || protocol === "all";
  const from = isAll ? 0 : Number(props.fromPort ?? 0);
  return {
    protocol: isAll ? "all" : String(protocol).toLowerCase(),
    from,
    to: isAll ? 65535 : Number(props.toPort ?? from),
    blocks: blocks.filter((block): block is string => typeof block === "string" && block !== ""),
  };
}

/** Whether a TCP port is among those that a rule admits. */
export function admits({ protocol, from, to }: Rule, port: number): boolean {
  return ["all", "tcp", "6"].includes(protocol) && port >= from && port <= to;
}

/** The whole internet, or so much of it that the difference does not matter. */
export function isWorld(block: string): boolean {
  const [address = "", length] = block.split("/");
  return length !== undefined && Number(length) < (address.includes(":") ? 16 : 8);
}
