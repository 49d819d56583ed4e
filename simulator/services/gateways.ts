import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { out, text, type ResourceType } from "../schema";
import { claimAddresses, macAddress, privateDns, publicAddress, publicDns } from "./addresses";
import * as names from "./names";
import { oneOf } from "./validators";
import { requireSubnet } from "./vpc";

export const eipType: ResourceType = {
  token: names.eip,
  title: "EC2 EIP",
  tagged: true,
  properties: {
    domain: text({ computed: true, forceNew: true, check: oneOf("vpc") }),
    allocationId: out(),
    arn: out(),
    associationId: out(),
    carrierIp: out(),
    customerOwnedIp: out(),
    privateDns: out(),
    privateIp: out(),
    ptrRecord: out(),
    publicDns: out(),
    publicIp: out(),
  },
  create(context) {
    if (context.list(names.eip).length >= context.account.seeds.quotas.elasticIpsPerRegion) {
      fail("AddressLimitExceeded", "The maximum number of addresses has been reached.");
    }
    const id = context.id("eipalloc");
    const ip = publicAddress(context);
    return {
      id,
      attributes: {
        domain: "vpc",
        allocationId: id,
        arn: context.arn("ec2", `elastic-ip/${id}`),
        carrierIp: "",
        customerOwnedIp: "",
        ptrRecord: "",
        publicDns: publicDns(context, ip),
        publicIp: ip,
      },
    };
  },
  delete(context, eip) {
    const eni = interfaceOf(context, eip);
    if (eni) {
      fail(
        "InvalidIPAddress.InUse",
        `The address ${eip.attributes["publicIp"]} is in use by ${eni.hidden["owner"]}.`,
      );
    }
  },
  view(context, eip) {
    const eni = interfaceOf(context, eip);
    const ip = eni?.attributes["privateIp"] as string | undefined;
    return {
      associationId: eip.hidden["associationId"] ?? "",
      privateIp: ip ?? "",
      privateDns: ip ? privateDns(context, ip) : "",
    };
  },
};

function interfaceOf(context: Context, eip: StoredResource): StoredResource | undefined {
  return context.list(names.networkInterface).find((eni) => eni.hidden["eip"] === eip.id);
}

export const natGatewayType: ResourceType = {
  token: names.natGateway,
  title: "EC2 NAT Gateway",
  tagged: true,
  properties: {
    allocationId: text({ forceNew: true }),
    privateIp: text({ computed: true, forceNew: true }),
    subnetId: text({ forceNew: true }),
    associationId: out(),
    networkInterfaceId: out(),
    publicIp: out(),
    autoProvisionZones: out(),
    autoScalingIps: out(),
    regionalNatGatewayAddresses: out("list"),
    regionalNatGatewayAutoMode: out(),
    routeTableId: out(),
  },
  create(context, inputs) {
    if (inputs["subnetId"] === undefined) {
      fail("MissingParameter", "The request must contain the parameter subnetId");
    }
    const subnet = requireSubnet(context, inputs["subnetId"] as string);
    const vpcId = subnet.attributes["vpcId"] as string;
    const zone = subnet.attributes["availabilityZone"];
    const inZone = context.list(names.natGateway).filter((n) => n.hidden["zone"] === zone);
    if (inZone.length >= context.account.seeds.quotas.natGatewaysPerZone) {
      fail("NatGatewayLimitExceeded", `The maximum number of NAT Gateways has been reached in ${zone}.`);
    }
    const eip = addressFor(context, inputs["allocationId"] as string | undefined);
    if (!context.list(names.internetGateway).some((g) => g.attributes["vpcId"] === vpcId)) {
      fail("Gateway.NotAttached", `Network ${vpcId} has no Internet gateway attached`);
    }
    const id = context.id("nat");
    const [ip] = claimAddresses(context, subnet, inputs["privateIp"] ? [inputs["privateIp"] as string] : []);
    const eni = context.id("eni");
    context.create(
      names.networkInterface,
      eni,
      {
        subnetId: subnet.id,
        privateIps: [ip!],
        privateIp: ip!,
        securityGroups: [],
        description: `Interface for NAT Gateway ${id}`,
        interfaceType: "nat_gateway",
        macAddress: macAddress(context),
      },
      {
        vpcId,
        owner: id,
        publicIp: eip.attributes["publicIp"]!,
        eip: eip.id,
      },
      { implicit: true },
    );
    const association = context.id("eipassoc");
    context.account.update(eip, {}, { associationId: association });
    return {
      id,
      attributes: {
        privateIp: ip!,
        associationId: association,
        networkInterfaceId: eni,
        publicIp: eip.attributes["publicIp"]!,
        autoProvisionZones: "",
        autoScalingIps: "",
        regionalNatGatewayAddresses: [],
        regionalNatGatewayAutoMode: "",
        routeTableId: "",
      },
      hidden: { vpcId, zone: zone! },
    };
  },
  delete(context, nat) {
    const eni = context.find(names.networkInterface, nat.attributes["networkInterfaceId"] as string);
    const eip = eni && context.find(names.eip, (eni.hidden["eip"] as string | undefined) ?? "");
    if (eip) {
      context.account.update(eip, {}, { associationId: undefined });
    }
    if (eni) {
      context.account.delete(eni);
    }
  },
};

function addressFor(context: Context, allocationId: string | undefined): StoredResource {
  if (allocationId === undefined) {
    fail("MissingParameter", "The request must contain the parameter AllocationId");
  }
  const eip =
    context.find(names.eip, allocationId) ??
    fail("InvalidAllocationID.NotFound", `The allocation ID '${allocationId}' does not exist`);
  if (interfaceOf(context, eip)) {
    fail(
      "Resource.AlreadyAssociated",
      `resource ${allocationId} is already associated with a network interface`,
    );
  }
  return eip;
}
