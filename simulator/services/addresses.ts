import type { StoredResource } from "../storedResource";
import { addressText, holds, isReserved, parseAddress, parseBlock, sizeOf } from "../cidr";
import { type Context } from "../context";
import { fail } from "../errors";
import * as names from "./names";

/** Private addresses in use in a subnet. */
export function addressesTaken(context: Context, subnetId: string): Set<string> {
  const taken = new Set<string>();
  for (const eni of context.list(names.networkInterface)) {
    if (eni.attributes["subnetId"] === subnetId) {
      (eni.attributes["privateIps"] as string[]).forEach((ip) => taken.add(ip));
    }
  }
  return taken;
}

/** Checks the addresses somebody wants, or picks one. `own` are addresses the interface has already. */
export function claimAddresses(
  context: Context,
  subnet: StoredResource,
  wanted: string[],
  own: string[] = [],
): string[] {
  const cidr = subnet.attributes["cidrBlock"] as string;
  const block = parseBlock(cidr)!;
  const taken = addressesTaken(context, subnet.id);
  own.forEach((ip) => taken.delete(ip));
  if (wanted.length === 0) {
    for (let address = block.base + 4; address < block.base + sizeOf(block) - 1; address++) {
      if (!taken.has(addressText(address))) {
        return [addressText(address)];
      }
    }
    fail("InsufficientFreeAddressesInSubnet", `There are not enough free addresses in subnet '${subnet.id}'`);
  }
  const seen = new Set<string>();
  for (const ip of wanted) {
    const address = parseAddress(ip);
    if (address === undefined) {
      fail("InvalidParameterValue", `invalid value for parameter address: ${ip}`);
    }
    if (!holds(block, address)) {
      fail("InvalidParameterValue", `Address ${ip} does not fall within the subnet's address range ${cidr}`);
    }
    if (isReserved(block, address)) {
      fail("InvalidParameterValue", `Address ${ip} is in subnet's reserved address range`);
    }
    if (taken.has(ip) || seen.has(ip)) {
      fail("InvalidIPAddress.InUse", `The specified address is already in use: ${ip}`);
    }
    seen.add(ip);
  }
  return wanted;
}

/** An address out of Amazon's 18.192.0.0/10. It is only a name here: nothing is ever sent there. */
export function publicAddress(context: Context): string {
  const number = parseInt(context.account.hex(8), 16);
  return addressText(parseAddress("18.192.0.0")! + (number % 2 ** 22));
}

export function publicDns(context: Context, ip: string): string {
  const zone = context.region === "us-east-1" ? "compute-1" : `${context.region}.compute`;
  return `ec2-${ip.replaceAll(".", "-")}.${zone}.amazonaws.com`;
}

export function privateDns(context: Context, ip: string): string {
  const zone = context.region === "us-east-1" ? "ec2" : `${context.region}.compute`;
  return `ip-${ip.replaceAll(".", "-")}.${zone}.internal`;
}

export function macAddress(context: Context): string {
  return `0a:${context.account.hex(10).match(/../g)!.join(":")}`;
}
