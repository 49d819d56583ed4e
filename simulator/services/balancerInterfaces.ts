import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { claimAddresses, macAddress, publicAddress } from "./addresses";
import { interfaceGroups } from "./interfaces";
import * as names from "./names";

/** Groups of a load balancer: of its VPC, and not too many. */
export function balancerGroups(
  context: Context,
  subnet: StoredResource,
  wanted: string[] | undefined,
): string[] {
  for (const id of wanted ?? []) {
    const group = context.find(names.securityGroup, id);
    if (group?.attributes["vpcId"] !== subnet.attributes["vpcId"]) {
      fail("InvalidSecurityGroup", `One or more security groups are invalid: ${id}`);
    }
  }
  return interfaceGroups(context, subnet, wanted);
}

interface Addresses {
  internal: boolean;
  /** An Elastic IP for it, where a Network Load Balancer is given one. */
  eip?: StoredResource | undefined;
  privateIp?: string | undefined;
  interfaceType?: string;
}

/** A load balancer lives in its subnets through interfaces that AWS manages; they hold on to groups, too. */
export function createInterface(
  context: Context,
  balancer: string,
  subnet: StoredResource,
  groups: string[],
  { internal, eip, privateIp, interfaceType = "interface" }: Addresses,
): void {
  const [ip] = claimAddresses(context, subnet, privateIp ? [privateIp] : []);
  context.create(
    names.networkInterface,
    context.id("eni"),
    {
      subnetId: subnet.id,
      privateIps: [ip!],
      privateIp: ip!,
      securityGroups: groups,
      description: `ELB ${balancer}`,
      interfaceType,
      macAddress: macAddress(context),
    },
    {
      vpcId: subnet.attributes["vpcId"]!,
      zone: subnet.attributes["availabilityZone"]!,
      owner: `elb/${balancer}`,
      ...(internal ? {} : { publicIp: (eip?.attributes["publicIp"] as string) ?? publicAddress(context) }),
      ...(eip && { eip: eip.id }),
    },
    { implicit: true },
  );
  if (eip) {
    context.account.update(eip, {}, { associationId: context.id("eipassoc") });
  }
}

export function interfacesOf(context: Context, balancer: string): StoredResource[] {
  return context.list(names.networkInterface).filter((eni) => eni.hidden["owner"] === `elb/${balancer}`);
}

/** The interfaces end with the load balancer; its Elastic IPs are free again. */
export function releaseInterfaces(context: Context, interfaces: StoredResource[]): void {
  for (const eni of interfaces) {
    const eip = context.find(names.eip, (eni.hidden["eip"] as string | undefined) ?? "");
    if (eip) {
      context.account.update(eip, {}, { associationId: "" });
    }
    context.account.delete(eni);
  }
}
