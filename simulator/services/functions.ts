import { accountNumber, globalRegion } from "../storedResource";
import { type Context } from "../context";
import { dnsSuffixOf } from "../partition";
import { fail } from "../errors";
import { bool, list, map, object, text, type InvokeType } from "../schema";
import { seedTypes } from "../seeds";
import type { Props } from "../values";
import { canRecover, instanceTypeFacts, zonesWith } from "./instanceTypes";
import * as names from "./names";
import { publicParameter } from "./parameters";
import { maxLength, oneOf } from "./validators";
import { freeAddresses } from "./vpc";

const filters = list(object({ name: text({ required: true }), values: list(text(), { required: true }) }));

interface Filter {
  name: string;
  values: string[];
}

export const getRegion: InvokeType = {
  token: "aws:index/getRegion:getRegion",
  properties: { region: text(), name: text(), id: text() },
  call(context, args) {
    const name = (args["region"] ?? args["name"] ?? context.region) as string;
    const seed = context.account.seeds.region(name);
    return {
      description: seed.description,
      endpoint: `ec2.${name}.${dnsSuffixOf(name)}`,
      id: name,
      name,
      region: name,
    };
  },
};

export const getCallerIdentity: InvokeType = {
  token: "aws:index/getCallerIdentity:getCallerIdentity",
  properties: { id: text() },
  call: () => ({
    accountId: accountNumber,
    arn: `arn:aws:iam::${accountNumber}:user/simulated`,
    id: accountNumber,
    userId: "AIDASIMULATED00000001",
  }),
};

/** What the provider was configured with; AWS is not asked. */
export const getDefaultTags: InvokeType = {
  token: "aws:index/getDefaultTags:getDefaultTags",
  properties: { id: text() },
  call: (context) => ({ id: context.partition, tags: context.defaultTags }),
};

export const getPartition: InvokeType = {
  token: "aws:index/getPartition:getPartition",
  properties: { id: text() },
  call(context) {
    const suffix = dnsSuffixOf(context.region);
    return {
      dnsSuffix: suffix,
      id: context.partition,
      partition: context.partition,
      reverseDnsPrefix: suffix.split(".").reverse().join("."),
    };
  },
};

export const getAvailabilityZones: InvokeType = {
  token: "aws:index/getAvailabilityZones:getAvailabilityZones",
  properties: {
    allAvailabilityZones: bool(),
    excludeNames: list(text()),
    filters,
    region: text(),
    state: text(),
  },
  call(context, args) {
    const { zones, zoneIds, name } = context.regionSeed;
    const wanted = (args["filters"] as unknown as Filter[] | undefined) ?? [];
    const fields: Record<string, (zone: string) => string> = {
      // Local and Wavelength Zones are not modelled, nor is one that is out of order.
      "zone-type": () => "availability-zone",
      state: () => "available",
      "region-name": () => name,
      "zone-name": (zone) => zone,
    };
    const excluded = (args["excludeNames"] as string[] | undefined) ?? [];
    const found = zones
      .filter(
        (zone) => !excluded.includes(zone) && [undefined, "available"].includes(args["state"] as string),
      )
      .filter((zone) => wanted.every((filter) => filter.values.includes(fieldOf(fields, filter.name)(zone))));
    return {
      ...args,
      groupNames: [name],
      id: name,
      names: found,
      region: name,
      zoneIds: found.map((zone) => zoneIds[zone]!),
    };
  },
};

function fieldOf<T>(fields: Record<string, T>, name: string): T {
  return (
    fields[name] ??
    fail(
      "InvalidParameterValue",
      `The filter '${name}' is invalid; known are ${Object.keys(fields).join(", ")}`,
    )
  );
}

/** A type that EC2 does not have is offered nowhere, which is no error. */
export const getInstanceTypeOfferings: InvokeType = {
  token: "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings",
  properties: {
    filters,
    locationType: text({ check: oneOf("availability-zone") }),
    region: text(),
  },
  call(context, args) {
    const wanted = (args["filters"] as unknown as Filter[] | undefined) ?? [];
    const values = (name: string) => wanted.find((filter) => filter.name === name)?.values;
    const types =
      values("instance-type") ?? fail("InvalidParameterValue", "the filter instance-type is needed");
    const offers = types.flatMap((type) => {
      const facts = instanceTypeFacts(type);
      const zones = facts ? zonesWith(facts, context.regionSeed) : [];
      return zones
        .filter((zone) => values("location")?.includes(zone) ?? true)
        .map((zone) => ({ type, zone }));
    });
    return {
      ...args,
      id: context.region,
      instanceTypes: offers.map(({ type }) => type),
      locationTypes: offers.map(() => "availability-zone"),
      locations: offers.map(({ zone }) => zone),
      region: context.region,
    };
  },
};

export const getInstanceType: InvokeType = {
  token: "aws:ec2/getInstanceType:getInstanceType",
  properties: { instanceType: text({ required: true }), region: text() },
  call(context, args) {
    const instanceType = args["instanceType"] as string;
    const facts =
      instanceTypeFacts(instanceType) ??
      fail("InvalidInstanceType", `The following supplied instance types do not exist: [${instanceType}]`);
    return {
      autoRecoverySupported: canRecover(facts),
      bareMetal: facts.bareMetal,
      burstablePerformanceSupported: facts.burstable,
      id: instanceType,
      instanceStorageSupported: facts.instanceStore,
      instanceType,
      region: context.region,
      supportedArchitectures: [facts.architecture],
    };
  },
};

export const getParameter: InvokeType = {
  token: "aws:ssm/getParameter:getParameter",
  properties: { name: text({ required: true }), region: text(), withDecryption: bool({ default: true }) },
  sensitive: ["value"],
  call(context, args) {
    const name = args["name"] as string;
    const found =
      context.find(names.parameter, name)?.attributes ??
      publicParameter(context, name, context.list(seedTypes.image)) ??
      fail("ParameterNotFound", `reading SSM Parameter (${name}): couldn't find resource`);
    const secure = found["type"] === "SecureString";
    const hidden = secure && args["withDecryption"] === false;
    return {
      arn: found["arn"]!,
      id: name,
      insecureValue: secure ? "" : found["value"]!,
      name,
      region: context.region,
      type: found["type"]!,
      // Encrypted values are opaque; nobody can do anything with them.
      value: hidden ? Buffer.from(`encrypted:${name}`).toString("base64") : found["value"]!,
      version: found["version"]!,
      withDecryption: args["withDecryption"]!,
    };
  },
};

export const getServerCertificate: InvokeType = {
  token: "aws:iam/getServerCertificate:getServerCertificate",
  properties: { name: text({ required: true, check: maxLength(128) }) },
  call(context, args) {
    const name = args["name"] as string;
    const found =
      context.account
        .list(seedTypes.serverCertificate, globalRegion)
        .find(({ id }) => id.slice(id.lastIndexOf("/") + 1) === name) ??
      fail("NoSuchEntity", `Search for AWS IAM server certificate returned no results (name ${name})`);
    const { certificatePem, certificateChain } = found.hidden;
    return {
      arn: found.id,
      // Made when a listener first needs it.
      certificateBody: certificatePem ?? "",
      certificateChain: certificateChain ?? "",
      expirationDate: secondsOf(found.attributes["notAfter"] as string),
      id: found.id,
      name,
      path: found.id.slice(found.id.indexOf("/"), found.id.lastIndexOf("/") + 1),
      uploadDate: secondsOf(found.attributes["notBefore"] as string),
    };
  },
};

const secondsOf = (time: string) => time.replace(/\.\d+Z$/, "Z");

export const getAmi: InvokeType = {
  token: "aws:ec2/getAmi:getAmi",
  properties: {
    filters,
    owners: list(text()),
    mostRecent: bool({ default: false }),
    nameRegex: text(),
    includeDeprecated: bool({ default: false }),
    allowUnsafeFilter: bool(),
    region: text(),
  },
  call(context, args) {
    const owners = (args["owners"] as string[] | undefined) ?? [];
    const pattern = args["nameRegex"] === undefined ? undefined : new RegExp(args["nameRegex"] as string);
    const fits = filtered(args, {
      "image-id": "id",
      name: "name",
      architecture: "architecture",
      state: "state",
      "owner-alias": "imageOwnerAlias",
      "owner-id": "ownerId",
      "root-device-type": "rootDeviceType",
      "virtualization-type": "virtualizationType",
    });
    const found = context
      .list(seedTypes.image)
      .map((image) => image.attributes)
      .filter(fits)
      .filter(
        (image) =>
          owners.length === 0 || owners.some((o) => [image["ownerId"], image["imageOwnerAlias"]].includes(o)),
      )
      .filter((image) => pattern?.test(image["name"] as string) ?? true)
      .sort((a, b) => String(b["creationDate"]).localeCompare(String(a["creationDate"])));
    if (found.length === 0) {
      fail("NotFound", "Your query returned no results. Please change your search criteria and try again.");
    }
    if (found.length > 1 && args["mostRecent"] !== true) {
      fail(
        "TooManyResults",
        "Your query returned more than one result. Please try a more specific search criteria, or set `mostRecent` attribute to true.",
      );
    }
    return {
      ...args,
      deprecationTime: "",
      kernelId: "",
      lastLaunchedTime: "",
      platform: "",
      productCodes: [],
      ramdiskId: "",
      stateReason: { code: "UNSET", message: "UNSET" },
      tags: {},
      tpmSupport: "",
      ...found[0],
    };
  },
};

/** Whether attributes fit all of the filters asked for; `fields` are the filters known, and what they are about. */
function filtered(args: Props, fields: Record<string, string>): (attributes: Props) => boolean {
  const wanted = (args["filters"] as unknown as Filter[] | undefined) ?? [];
  for (const { name } of wanted) {
    if (!fields[name]) {
      fail(
        "InvalidParameterValue",
        `The filter '${name}' is invalid; known are ${Object.keys(fields).join(", ")}`,
      );
    }
  }
  return (attributes) =>
    wanted.every(({ name, values }) =>
      [attributes[fields[name]!] ?? ""]
        .flat()
        .some((own) => values.some((value) => glob(value).test(own as string))),
    );
}

/** `*` and `?` of EC2's filters and IAM's resources. */
export function glob(pattern: string): RegExp {
  const body = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${body}$`, "s");
}

export const getSubnet: InvokeType = {
  token: "aws:ec2/getSubnet:getSubnet",
  properties: {
    id: text(),
    availabilityZone: text(),
    cidrBlock: text(),
    vpcId: text(),
    tags: map(text()),
    region: text(),
  },
  call(context, args) {
    const { id, availabilityZone, cidrBlock, vpcId, tags } = args;
    const found = context.list(names.subnet).filter((subnet) => {
      const a = subnet.attributes;
      const own = (a["tagsAll"] as Props | undefined) ?? {};
      return (
        (id === undefined || subnet.id === id) &&
        (availabilityZone === undefined || a["availabilityZone"] === availabilityZone) &&
        (cidrBlock === undefined || a["cidrBlock"] === cidrBlock) &&
        (vpcId === undefined || a["vpcId"] === vpcId) &&
        Object.entries((tags as Props | undefined) ?? {}).every(([k, v]) => own[k] === v)
      );
    });
    if (found.length !== 1) {
      fail(
        id !== undefined ? "InvalidSubnetID.NotFound" : "NotFound",
        found.length === 0
          ? `no matching EC2 Subnet found${id === undefined ? "" : `: ${id}`}`
          : "multiple EC2 Subnets matched; use additional constraints to reduce matches to a single EC2 Subnet",
      );
    }
    const subnet = found[0]!;
    return {
      customerOwnedIpv4Pool: "",
      enableLniAtDeviceIndex: 0,
      ipv6CidrBlock: "",
      ipv6Native: false,
      mapCustomerOwnedIpOnLaunch: false,
      outpostArn: "",
      ...subnet.attributes,
      availableIpAddressCount: freeAddresses(context, subnet),
      defaultForAz: false,
      id: subnet.id,
      state: "available",
      tags: subnet.attributes["tagsAll"] ?? {},
    };
  },
};

/** DescribeNetworkInterfaces, by the filters of its API reference that are asked for. */
export const getNetworkInterfaces: InvokeType = {
  token: "aws:ec2/getNetworkInterfaces:getNetworkInterfaces",
  properties: { filters, tags: map(text()), region: text() },
  call(context, args) {
    const fits = filtered(args, {
      "subnet-id": "subnetId",
      "addresses.private-ip-address": "privateIps",
      description: "description",
    });
    const found = context.list(names.networkInterface).filter(({ attributes }) => fits(attributes));
    return { ...args, ids: found.map(({ id }) => id), tags: args["tags"] ?? {} };
  },
};

/** DescribeInstances, by the filters of its API reference that are asked for; those that run, unless states are named. */
export const getInstances: InvokeType = {
  token: "aws:ec2/getInstances:getInstances",
  properties: { filters, instanceStateNames: list(text()), instanceTags: map(text()), region: text() },
  call(context, args) {
    const fits = filtered(args, {
      "instance-id": "id",
      "network-interface.network-interface-id": "primaryNetworkInterfaceId",
    });
    const states = (args["instanceStateNames"] as string[] | undefined) ?? ["running"];
    const found = context
      .list(names.instance)
      .filter(({ id, attributes }) => fits({ ...attributes, id }))
      .map(({ id, attributes }): Props => ({ ...attributes, id }))
      .filter(({ instanceState }) => states.includes(instanceState as string));
    return {
      ...args,
      ids: found.map(({ id }) => id!),
      privateIps: found.map(({ privateIp }) => privateIp!),
      publicIps: [],
      ipv6Addresses: [],
    };
  },
};

export const getZone: InvokeType = {
  token: "aws:route53/getZone:getZone",
  properties: { zoneId: text(), name: text(), privateZone: bool({ default: false }) },
  call(context, args) {
    const zones = context.account.list(seedTypes.zone, globalRegion);
    const name = (args["name"] as string | undefined)?.toLowerCase().replace(/\.$/, "");
    const found =
      args["zoneId"] === undefined
        ? zones.find(
            (z) => z.attributes["name"] === name && z.attributes["privateZone"] === args["privateZone"],
          )
        : zones.find((z) => z.id === args["zoneId"]);
    if (!found) {
      fail(
        "NoSuchHostedZone",
        args["zoneId"] === undefined
          ? `no matching Route 53 Hosted Zone found: ${name ?? "neither zoneId nor name was given"}`
          : `No hosted zone found with ID: ${args["zoneId"]}`,
      );
    }
    const isPrivate = found.attributes["privateZone"] === true;
    const servers = isPrivate ? [] : [1, 2, 3, 4].map((i) => `ns-${i * 311}.awsdns-${i * 13}.example`);
    return {
      arn: found.attributes["arn"]!,
      callerReference: "simulated",
      comment: "",
      id: found.id,
      linkedServiceDescription: "",
      linkedServicePrincipal: "",
      name: found.attributes["name"]!,
      nameServers: servers,
      primaryNameServer: servers[0] ?? "ns-0.awsdns-00.com",
      privateZone: isPrivate,
      resourceRecordSetCount: 2 + recordCount(context, found.id),
      tags: {},
      ...(found.attributes["vpcId"] ? { vpcId: found.attributes["vpcId"] } : {}),
      zoneId: found.id,
    };
  },
};

function recordCount(context: Context, zone: string): number {
  return context.account.list(names.record).filter((r) => r.attributes["zoneId"] === zone).length;
}
