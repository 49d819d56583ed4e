/** IPv4 addresses and blocks. The arithmetic is ip-address's; here are only the questions this library asks. */
import { Address4 } from "ip-address";
import { text } from "../shared/inputs";

const blockPattern = /^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/;
const addressPattern = /^\d{1,3}(\.\d{1,3}){3}$/;

/** A block in CIDR notation, for example `192.168.0.0/16`. */
export interface Block {
  text: string;
  prefix: number;
  first: bigint;
  last: bigint;
}

/** Reads a block, or says in words why `text` is none. Host bits are refused, as AWS's own tools refuse them. */
export function parseBlock(text: string): Block | string {
  if (typeof text !== "string" || !blockPattern.test(text) || !Address4.isValid(text)) {
    return "is not an IPv4 block in CIDR notation (for example 192.168.0.0/16)";
  }
  const address = new Address4(text);
  const canonical = `${address.startAddress().correctForm()}/${address.subnetMask}`;
  if (canonical !== text) {
    return `has host bits set or is not in canonical form: write ${canonical}`;
  }
  return blockFrom(address.startAddress().bigInt(), address.subnetMask);
}

/** An IPv4 block as an input. */
export const blockInput = text((value) => {
  const block = parseBlock(value);
  return typeof block === "string" ? block : undefined;
});

/** An IPv4 address as an input. */
export const addressInput = text((value) => (isAddress(value) ? undefined : "is not an IPv4 address"), {
  later: true,
  needed: "give the node's private address",
});

export function isAddress(text: string): boolean {
  return (
    typeof text === "string" &&
    addressPattern.test(text) &&
    Address4.isValid(text) &&
    new Address4(text).correctForm() === text
  );
}

/** The block of the given prefix length that starts at `first`. */
export function blockFrom(first: bigint, prefix: number): Block {
  const last = first + (1n << BigInt(32 - prefix)) - 1n;
  return { text: `${formatAddress(first)}/${prefix}`, prefix, first, last };
}

export function addressNumber(text: string): bigint {
  return new Address4(text).bigInt();
}

export function formatAddress(address: bigint): string {
  return Address4.fromBigInt(address).correctForm();
}

export function contains(block: Block, address: bigint): boolean {
  return block.first <= address && address <= block.last;
}

/**
 * Why AWS would not give `address` to an interface in `subnet`, or undefined. AWS keeps the first four addresses and
 * the last one of every subnet for itself (VPC user guide, "Subnet CIDR blocks").
 */
export function addressProblem(subnet: Block, address: string): string | undefined {
  const number = addressNumber(address);
  if (!contains(subnet, number)) {
    return `is outside its subnet ${subnet.text}`;
  }
  if (number < subnet.first + 4n || number === subnet.last) {
    return (
      `is reserved by AWS: the first four addresses and the last one of subnet ${subnet.text} are not available; ` +
      `use ${formatAddress(subnet.first + 4n)} to ${formatAddress(subnet.last - 1n)}`
    );
  }
  return undefined;
}

/** Blocks that are nobody's in the internet (IANA IPv4 Special-Purpose Address Registry; RFC 5771 for multicast). */
const specialBlocks = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/3",
].map((text) => parseBlock(text) as Block);

/** How many addresses of the internet are in at least one of the blocks. */
export function publicAddresses(blocks: string[]): bigint {
  const read = blocks.map(parseBlock).filter((block) => typeof block !== "string");
  return addressesIn([...read, ...specialBlocks]) - addressesIn(specialBlocks);
}

/** Whether every address of a block is in at least one of the others. */
export function isCovered(block: string, others: string[]): boolean {
  const inner = parseBlock(block);
  const outer = others.map(parseBlock).filter((other) => typeof other !== "string");
  return typeof inner !== "string" && addressesIn([...outer, inner]) === addressesIn(outer);
}

/** Addresses in the union of blocks, which contain each other or are apart. */
function addressesIn(blocks: Block[]): bigint {
  let end = -1n;
  let count = 0n;
  const sorted = [...blocks].sort((a, b) =>
    a.first < b.first ? -1 : a.first > b.first ? 1 : a.prefix - b.prefix,
  );
  for (const { first, last } of sorted) {
    if (last > end) {
      count += last - first + 1n;
      end = last;
    }
  }
  return count;
}
