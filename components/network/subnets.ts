/**
 * How a VPC's block is divided: the lower half for private subnets, the upper half for public ones, and in each half
 * one slot for every zone letter. A zone's subnets depend on nothing but the VPC's block and the zone's letter, so that
 * adding, removing or reordering zones never moves another zone's addresses.
 */
import { parseAvailabilityZone } from "./availabilityZones";
import { text } from "../shared/inputs";
import { addressProblem, blockFrom, contains, formatAddress, parseBlock, type Block } from "./ipv4";

/** Slots in each half: zones a to h. No region has a zone beyond f today. */
const zoneSlots = 8;

/** A Classic ELB wants a subnet of /27 or larger with 8 free addresses (Classic Load Balancer user guide). */
export const smallestPublicPrefix = 27;

/** Subnets are never larger than this: the guide's private network is 192.168.0.0/24. */
const largestSubnetPrefix = 24;

/** The first node's host number. Numbers below 4 are AWS's; 4 to 9 stay free for what a user adds by hand. */
export const firstNodeHostNumber = 10;

export interface ZoneSubnets {
  availabilityZone: string;
  privateBlock: Block;
  publicBlock: Block;
}

/** The private and the public block of every zone. The input must be free of problems (`vpcBlockProblems`). */
export function zoneSubnets(vpcBlock: string, availabilityZones: string[]): ZoneSubnets[] {
  const block = parseBlock(vpcBlock);
  if (typeof block === "string") {
    throw new Error(`cidrBlock: "${vpcBlock}" ${block}`);
  }
  const prefix = subnetPrefix(block);
  const size = 1n << BigInt(32 - prefix);
  const publicStart = block.first + (1n << BigInt(32 - block.prefix - 1));
  return availabilityZones.map((availabilityZone) => {
    const slot = BigInt(parseAvailabilityZone(availabilityZone)?.index ?? 0);
    return {
      availabilityZone,
      privateBlock: blockFrom(block.first + slot * size, prefix),
      publicBlock: blockFrom(publicStart + slot * size, prefix),
    };
  });
}

/**
 * Blocks in which EC2 makes no VPC (Amazon VPC user guide, "VPC CIDR blocks", and RFC 6890 for what they are). 240.0.0.0/4
 * is no address of a host, either.
 */
const notForVpcs: [block: string, what: string][] = [
  ["0.0.0.0/8", `"this network"`],
  ["127.0.0.0/8", "loopback"],
  ["169.254.0.0/16", "link-local"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved"],
];

/** The block of a VPC that holds the address plan. */
export const vpcBlockInput = text((value) => {
  const block = parseBlock(value);
  if (typeof block === "string") {
    return block;
  }
  if (block.prefix < 16 || block.prefix > 28) {
    return `is a /${block.prefix}; a VPC's block is between /16 and /28`;
  }
  if (subnetPrefix(block) > smallestPublicPrefix) {
    return (
      `is too small: it is divided into ${2 * zoneSlots} subnets, and a Classic ELB needs subnets of ` +
      `/${smallestPublicPrefix} or larger; use a /${smallestPublicPrefix - 4} or larger block`
    );
  }
  const inside = notForVpcs.find(([outer]) => contains(parseBlock(outer) as Block, block.first));
  return inside === undefined
    ? undefined
    : `is in ${inside[0]} (${inside[1]}), where EC2 makes no VPC; use a private block, for example 10.0.0.0/16`;
});

/** The fixed address of node `nodeNumber` in a subnet: host number 10 for node 0, 11 for node 1, … in any zone. */
export function nodeAddress(subnet: Block, nodeNumber: number, first = firstNodeHostNumber): string {
  return formatAddress(subnet.first + BigInt(first + nodeNumber));
}

/** Why the last of `nodeCount` nodes would find no address in its subnet, or undefined. */
export function nodeCountProblem(subnet: Block, nodeCount: number): string | undefined {
  const capacity = Number(subnet.last - subnet.first) - firstNodeHostNumber;
  return addressProblem(subnet, nodeAddress(subnet, nodeCount - 1))
    ? `nodeCount: ${nodeCount} nodes do not fit into subnet ${subnet.text}, which has addresses for ${capacity}; ` +
        `use fewer nodes or a larger VPC (vpc.cidrBlock)`
    : undefined;
}

function subnetPrefix(vpcBlock: Block): number {
  return Math.max(largestSubnetPrefix, vpcBlock.prefix + 4);
}
