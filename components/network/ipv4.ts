/** IPv4 addresses and blocks. The arithmetic is ip-address's; here are only the questions this library asks. */
import { Address4 } from "ip-address";

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
