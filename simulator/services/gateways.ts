import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { int, out, set, text, type ResourceType } from "../schema";
import type { Props } from "../values";
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
    instance: text({ computed: true }),
    networkInterface: text({ computed: true }),
    associateWithPrivateIp: text(),
    networkBorderGroup: text({ computed: true, forceNew: true }),
    publicIpv4Pool: text({ computed: true, forceNew: true, check: oneOf("amazon") }),
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
  notModelled: ["address", "customerOwnedIpv4Pool", "ipamPoolId"],
  create(context, inputs) {
    if (context.list(names.eip).length >= context.account.seeds.quotas.elasticIpsPerRegion) {
      fail("AddressLimitExceeded", "The maximum number of addresses has been reached.");
    }
    const id = context.id("eipalloc");
    const ip = publicAddress(context);
    const eni = interfaceFor(context, inputs["networkInterface"] as string, inputs["instance"] as string);
    if (eni) {
      context.account.update(eni, {}, { publicIp: ip, eip: id });
    }
    return {
      id,
      attributes: {
        domain: "vpc",
        networkBorderGroup: inputs["networkBorderGroup"] ?? context.region,
        publicIpv4Pool: "amazon",
        allocationId: id,
        arn: context.arn("ec2", `elastic-ip/${id}`),
        carrierIp: "",
        customerOwnedIp: "",
        ptrRecord: "",
        publicDns: publicDns(context, ip),
        publicIp: ip,
      },
      hidden: eni ? ({ associationId: context.id("eipassoc") } as Props) : {},
    };
  },
  update(context, eip, inputs, changed) {
    if (!changed.has("networkInterface") && !changed.has("instance")) {
      return;
    }
    const current = interfaceOf(context, eip);
    if (current) {
      context.account.update(current, {}, { publicIp: undefined, eip: undefined });
    }
    const eni = interfaceFor(context, inputs["networkInterface"] as string, inputs["instance"] as string);
    if (eni) {
      context.account.update(eni, {}, { publicIp: eip.attributes["publicIp"], eip: eip.id });
    }
    context.account.update(eip, {}, { associationId: eni ? context.id("eipassoc") : undefined });
  },
  delete(context, eip) {
    const eni = interfaceOf(context, eip);
    if (eni?.implicit) {
      fail(
        "InvalidIPAddress.InUse",
        `The address ${eip.attributes["publicIp"]} is in use by ${eni.hidden["owner"]}.`,
      );
    }
    if (eni) {
      context.account.update(eni, {}, { publicIp: undefined, eip: undefined });
    }
  },
  view(context, eip) {
    const eni = interfaceOf(context, eip);
    const attachment = eni?.hidden["attachment"] as { instanceId?: string } | undefined;
    const ip = eni?.attributes["privateIp"] as string | undefined;
    return {
      associationId: eip.hidden["associationId"] ?? "",
      networkInterface: eni?.id ?? "",
      instance: attachment?.instanceId ?? "",
      privateIp: ip ?? "",
      privateDns: ip ? privateDns(context, ip) : "",
    };
  },
};

function interfaceOf(context: Context, eip: StoredResource): StoredResource | undefined {
  return context.list(names.networkInterface).find((eni) => eni.hidden["eip"] === eip.id);
}

function interfaceFor(context: Context, eniId?: string, instanceId?: string): StoredResource | undefined {
  if (eniId) {
    const eni =
      context.find(names.networkInterface, eniId) ??
      fail("InvalidNetworkInterfaceID.NotFound", `The networkInterface ID '${eniId}' does not exist`);
    return requireGateway(context, eni);
  }
  if (instanceId) {
    const eni = context
      .list(names.networkInterface)
      .find(
        (e) => (e.hidden["attachment"] as { instanceId?: string } | undefined)?.instanceId === instanceId,
      );
    return requireGateway(
      context,
      eni ?? fail("InvalidInstanceID.NotFound", `The instance ID '${instanceId}' does not exist`),
    );
  }
  return undefined;
}

function requireGateway(context: Context, eni: StoredResource): StoredResource {
  const vpcId = eni.hidden["vpcId"];
  if (!context.list(names.internetGateway).some((g) => g.attributes["vpcId"] === vpcId)) {
    fail("Gateway.NotAttached", `Network ${vpcId} is not attached to any internet gateway`);
  }
  return eni;
}

export const natGatewayType: ResourceType = {
  token: names.natGateway,
  title: "EC2 NAT Gateway",
  tagged: true,
  properties: {
    allocationId: text({ forceNew: true }),
    availabilityMode: text({
      computed: true,
      forceNew: true,
      check: (v: string) =>
        v === "zonal" ? undefined : `the simulated region models zonal NAT gateways only, got "${v}"`,
    }),
    connectivityType: text({ default: "public", forceNew: true, check: oneOf("public", "private") }),
    privateIp: text({ computed: true, forceNew: true }),
    secondaryPrivateIpAddressCount: int({ computed: true, forceNew: true, check: onlyZero }),
    subnetId: text({ forceNew: true }),
    secondaryAllocationIds: set(text(), { computed: true, check: onlyEmpty }),
    secondaryPrivateIpAddresses: set(text(), { computed: true, check: onlyEmpty }),
    associationId: out(),
    networkInterfaceId: out(),
    publicIp: out(),
    autoProvisionZones: out(),
    autoScalingIps: out(),
    regionalNatGatewayAddresses: out("list"),
    regionalNatGatewayAutoMode: out(),
    routeTableId: out(),
  },
  notModelled: ["availabilityZoneAddresses", "vpcId"],
  validate(inputs, problems) {
    if (inputs["connectivityType"] === "private" && inputs["allocationId"] !== undefined) {
      problems.add("allocationId", '"allocationId" is not supported with connectivityType = "private"');
    }
  },
  create(context, inputs) {
    if (inputs["subnetId"] === undefined) {
      fail("MissingParameter", "The request must contain the parameter subnetId");
    }
    const subnet = requireSubnet(context, inputs["subnetId"] as string);
    const isPublic = inputs["connectivityType"] !== "private";
    const vpcId = subnet.attributes["vpcId"] as string;
    const zone = subnet.attributes["availabilityZone"];
    const inZone = context.list(names.natGateway).filter((n) => n.hidden["zone"] === zone);
    if (inZone.length >= context.account.seeds.quotas.natGatewaysPerZone) {
      fail("NatGatewayLimitExceeded", `The maximum number of NAT Gateways has been reached in ${zone}.`);
    }
    const eip = isPublic ? addressFor(context, inputs["allocationId"] as string | undefined) : undefined;
    if (isPublic && !context.list(names.internetGateway).some((g) => g.attributes["vpcId"] === vpcId)) {
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
        ...(eip ? { publicIp: eip.attributes["publicIp"]!, eip: eip.id } : {}),
      },
      { implicit: true },
    );
    const association = eip ? context.id("eipassoc") : "";
    if (eip) {
      context.account.update(eip, {}, { associationId: association });
    }
    return {
      id,
      attributes: {
        availabilityMode: "zonal",
        privateIp: ip!,
        secondaryPrivateIpAddressCount: 0,
        secondaryAllocationIds: [],
        secondaryPrivateIpAddresses: [],
        associationId: association,
        networkInterfaceId: eni,
        publicIp: eip?.attributes["publicIp"] ?? "",
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
    fail(
      "MissingParameter",
      "The request must contain the parameter AllocationId (a public NAT gateway needs one)",
    );
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

function onlyZero(value: number): string | undefined {
  return value === 0 ? undefined : "the simulated region models one address per NAT gateway";
}

function onlyEmpty(value: unknown[]): string | undefined {
  return value.length === 0 ? undefined : "the simulated region models one address per NAT gateway";
}
