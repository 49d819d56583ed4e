import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { bool, int, map, object, out, set, text, type ResourceType } from "../schema";
import { seedTypes } from "../seeds";
import { isUnknown, type Props, type Value } from "../values";
import { claimAddresses, macAddress, privateDns, publicAddress, publicDns } from "./addresses";
import { instanceTypeFacts, zonesWith } from "./instanceTypes";
import { attachmentOf, interfaceGroups, type Attachment } from "./interfaces";
import * as names from "./names";
import { checkTags } from "./tags";
import { between, oneOf } from "./validators";
import { checkKey, checkVolume } from "./volumes";
import { requireSubnet } from "./vpc";

const userDataLimit = 16384;

/** Replaces when the program says so, and only then. */
const userDataForceNew = (news: Props): boolean => news["userDataReplaceOnChange"] === true;

export const instanceType: ResourceType = {
  token: names.instance,
  title: "EC2 Instance",
  tagged: true,
  properties: {
    ami: text({ computed: true, forceNew: true }),
    instanceType: text({ computed: true }),
    availabilityZone: text({ computed: true, forceNew: true }),
    subnetId: text({ computed: true, forceNew: true }),
    primaryNetworkInterface: object(
      {
        networkInterfaceId: text({ required: true, forceNew: true }),
        deleteOnTermination: bool({ computed: true, forceNew: true }),
      },
      { computed: true, forceNew: true },
    ),
    privateIp: text({ computed: true, forceNew: true }),
    secondaryPrivateIps: set(text(), {
      computed: true,
      check: (v: unknown[]) =>
        v.length === 0 ? undefined : "the simulated region models one private address per instance",
    }),
    vpcSecurityGroupIds: set(text(), { computed: true }),
    associatePublicIpAddress: bool({ computed: true, forceNew: true }),
    sourceDestCheck: bool({ default: true }),
    keyName: text({ computed: true, forceNew: true }),
    userData: text({ computed: true, forceNew: userDataForceNew }),
    userDataBase64: text({ computed: true, forceNew: userDataForceNew }),
    userDataReplaceOnChange: bool({ default: false }),
    iamInstanceProfile: text({ computed: true }),
    metadataOptions: object(
      {
        httpEndpoint: text({ computed: true, check: oneOf("enabled", "disabled") }),
        httpProtocolIpv6: text({ computed: true, check: oneOf("enabled", "disabled") }),
        httpPutResponseHopLimit: int({ computed: true, check: between(1, 64) }),
        httpTokens: text({ computed: true, check: oneOf("optional", "required") }),
        instanceMetadataTags: text({ computed: true, check: oneOf("enabled", "disabled") }),
      },
      { computed: true },
    ),
    rootBlockDevice: object(
      {
        deleteOnTermination: bool({ default: true }),
        deviceName: out(),
        encrypted: bool({ computed: true, forceNew: true }),
        iops: int({ computed: true }),
        kmsKeyId: text({ computed: true, forceNew: true }),
        tags: map(text()),
        tagsAll: out("map"),
        throughput: int({ computed: true }),
        volumeId: out(),
        volumeSize: int({ computed: true }),
        volumeType: text({ computed: true }),
      },
      { computed: true },
    ),
    monitoring: bool({ computed: true }),
    ebsOptimized: bool({ computed: true, forceNew: true }),
    disableApiStop: bool({ computed: true }),
    disableApiTermination: bool({ computed: true }),
    instanceInitiatedShutdownBehavior: text({ computed: true, check: oneOf("stop", "terminate") }),
    // Leaving it out later keeps what it was.
    creditSpecification: object(
      { cpuCredits: text({ computed: true, check: oneOf("standard", "unlimited") }) },
      { computed: true },
    ),
    maintenanceOptions: object(
      { autoRecovery: text({ computed: true, check: oneOf("default", "disabled") }) },
      { computed: true },
    ),
    privateDnsNameOptions: object(
      {
        enableResourceNameDnsARecord: bool({ computed: true }),
        enableResourceNameDnsAaaaRecord: bool({ computed: true }),
        hostnameType: text({ computed: true, forceNew: true, check: oneOf("ip-name", "resource-name") }),
      },
      { computed: true },
    ),
    tenancy: text({ computed: true, forceNew: true, check: oneOf("default", "dedicated") }),
    getPasswordData: bool({ default: false }),
    forceDestroy: bool({ default: false }),
    volumeTags: map(text()),
    arn: out(),
    instanceLifecycle: out(),
    instanceState: out(),
    outpostArn: out(),
    passwordData: out(),
    primaryNetworkInterfaceId: out(),
    privateDns: out(),
    publicDns: out(),
    publicIp: out(),
    spotInstanceRequestId: out(),
  },
  notModelled: [
    "capacityReservationSpecification",
    "cpuOptions",
    "ebsBlockDevices",
    "enablePrimaryIpv6",
    "enclaveOptions",
    "ephemeralBlockDevices",
    "hibernation",
    "hostId",
    "hostResourceGroupArn",
    "instanceMarketOptions",
    "ipv6AddressCount",
    "ipv6Addresses",
    "launchTemplate",
    "networkInterfaces",
    "placementGroup",
    "placementGroupId",
    "placementPartitionNumber",
    "secondaryNetworkInterfaces",
    "securityGroups",
  ],
  validate(inputs, problems, given) {
    for (const required of ["ami", "instanceType"]) {
      if (!given.has(required)) {
        problems.add(
          "",
          `Missing required argument: "${required}" (or a launch template, which is not modelled)`,
        );
      }
    }
    if (given.has("primaryNetworkInterface")) {
      for (const other of [
        "subnetId",
        "privateIp",
        "vpcSecurityGroupIds",
        "associatePublicIpAddress",
        "secondaryPrivateIps",
      ]) {
        if (given.has(other)) {
          problems.add(other, `"${other}" conflicts with "primaryNetworkInterface"`);
        }
      }
    }
    if (given.has("userData") && given.has("userDataBase64")) {
      problems.add("userDataBase64", '"userDataBase64" conflicts with "userData"');
    }
    const size = userDataOf(inputs)?.length ?? 0;
    if (size > userDataLimit) {
      problems.add(
        given.has("userData") ? "userData" : "userDataBase64",
        `InvalidParameterValue: User data is limited to 16384 bytes, got ${size}`,
      );
    }
  },
  redundant: (attributes) =>
    // An interface that goes with the instance was made for it.
    (attributes["primaryNetworkInterface"] as Props)["deleteOnTermination"] === true
      ? ["primaryNetworkInterface"]
      : ["subnetId", "privateIp", "vpcSecurityGroupIds", "associatePublicIpAddress", "secondaryPrivateIps"],
  create: launch,
  settle: async (context, instance) => {
    context.surroundings.machines.start(instance);
  },
  async beforeUpdate(context, instance, _inputs, changed) {
    if (needsStop(changed)) {
      await context.surroundings.machines.stop(instance);
    }
  },
  update(context, instance, inputs, changed) {
    if (changed.has("instanceType")) {
      checkInstanceType(
        context,
        inputs["instanceType"] as string,
        instance.attributes["ami"] as string,
        instance,
      );
    }
    if (changed.has("iamInstanceProfile")) {
      checkProfile(context, inputs["iamInstanceProfile"] as string | undefined);
    }
    if (changed.has("userData") || changed.has("userDataBase64")) {
      checkUserData(inputs);
    }
    if (changed.has("vpcSecurityGroupIds")) {
      const eni = interfaceOf(context, instance.id)!;
      const subnet = requireSubnet(context, instance.attributes["subnetId"] as string);
      const groups = interfaceGroups(context, subnet, inputs["vpcSecurityGroupIds"] as string[]);
      context.account.update(eni, { securityGroups: groups });
    }
    const computed: Props = {};
    for (const key of ["metadataOptions", "maintenanceOptions", "privateDnsNameOptions"]) {
      if (changed.has(key)) {
        computed[key] = { ...(instance.attributes[key] as Props), ...(inputs[key] as Props) };
      }
    }
    if (changed.has("rootBlockDevice")) {
      computed["rootBlockDevice"] = resizeRoot(context, instance, inputs["rootBlockDevice"] as Props);
    }
    return computed;
  },
  recomputed: (changed) => (changed.has("instanceType") ? ["publicDns", "publicIp"] : []),
  async beforeDelete(context, instance) {
    if (instance.attributes["disableApiTermination"] === true) {
      fail(
        "OperationNotPermitted",
        `The instance '${instance.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
      );
    }
    await context.surroundings.machines.terminate(instance);
  },
  delete(context, instance) {
    for (const eni of context.list(names.networkInterface)) {
      const attachment = attachmentOf(eni);
      if (attachment?.instanceId !== instance.id) {
        continue;
      }
      if (attachment.deleteOnTermination) {
        context.account.delete(eni);
      } else {
        context.account.update(eni, {}, { attachment: undefined });
      }
    }
    for (const attachment of context.list(names.volumeAttachment)) {
      if (attachment.attributes["instanceId"] === instance.id) {
        context.account.delete(attachment);
      }
    }
    const root = instance.attributes["rootBlockDevice"] as Props;
    const volume = context.find(names.volume, root["volumeId"] as string);
    if (volume && root["deleteOnTermination"] === true) {
      context.account.delete(volume);
    } else if (volume) {
      context.account.update(volume, {}, { rootOf: undefined });
    }
  },
  view(context, instance) {
    const eni = interfaceOf(context, instance.id);
    const ip = (eni?.hidden["publicIp"] as string | undefined) ?? "";
    return {
      publicIp: ip,
      publicDns: ip === "" ? "" : publicDns(context, ip),
      ...(eni ? { vpcSecurityGroupIds: eni.attributes["securityGroups"]! } : {}),
    };
  },
};

/** The provider stops the instance to change these, and starts it again. */
function needsStop(changed: Set<string>): boolean {
  return ["instanceType", "userData", "userDataBase64"].some((p) => changed.has(p));
}

export function interfaceOf(context: Context, instanceId: string): StoredResource | undefined {
  return context.list(names.networkInterface).find((eni) => attachmentOf(eni)?.instanceId === instanceId);
}

/** User data as the instance sees it. */
export function userDataOf(attributes: Props): Buffer | undefined {
  const { userData, userDataBase64 } = attributes;
  if (typeof userData === "string" && userData !== "" && !isUnknown(userData)) {
    return Buffer.from(userData, "utf8");
  }
  if (typeof userDataBase64 === "string" && userDataBase64 !== "" && !isUnknown(userDataBase64)) {
    return Buffer.from(userDataBase64, "base64");
  }
  return undefined;
}

function checkUserData(inputs: Props): void {
  const size = userDataOf(inputs)?.length ?? 0;
  if (size > userDataLimit) {
    fail("InvalidParameterValue", `User data is limited to 16384 bytes, got ${size}`);
  }
}

function launch(context: Context, inputs: Props) {
  const image =
    context.find(seedTypes.image, inputs["ami"] as string) ??
    fail("InvalidAMIID.NotFound", `The image id '[${inputs["ami"]}]' does not exist`);
  if (inputs["keyName"] !== undefined && inputs["keyName"] !== "") {
    fail("InvalidKeyPair.NotFound", `The key pair '${inputs["keyName"]}' does not exist`);
  }
  checkUserData(inputs);
  checkProfile(context, inputs["iamInstanceProfile"] as string | undefined);
  const id = context.id("i");
  const { eni, subnet, deleteOnTermination } = primaryInterface(context, inputs, id);
  const zone = subnet.attributes["availabilityZone"] as string;
  if (inputs["availabilityZone"] !== undefined && inputs["availabilityZone"] !== zone) {
    fail(
      "InvalidParameterValue",
      `The availability zone '${inputs["availabilityZone"]}' is not that of the subnet '${subnet.id}' (${zone})`,
    );
  }
  const facts = checkInstanceType(context, inputs["instanceType"] as string, image.id, { zone });
  if (inputs["creditSpecification"] !== undefined && !facts.burstable) {
    fail(
      "InvalidParameterCombination",
      `The specified parameter 'CreditSpecification' is not supported for the instance type ${inputs["instanceType"]}.`,
    );
  }
  const root = createRoot(context, inputs, image, zone, id);
  const attachment: Attachment = {
    attachmentId: context.id("eni-attach"),
    instanceId: id,
    deviceIndex: 0,
    deleteOnTermination,
  };
  context.account.update(eni, {}, { attachment: { ...attachment } });
  const ip = eni.attributes["privateIp"] as string;
  return {
    id,
    attributes: {
      availabilityZone: zone,
      subnetId: subnet.id,
      primaryNetworkInterface: { networkInterfaceId: eni.id, deleteOnTermination },
      primaryNetworkInterfaceId: eni.id,
      privateIp: ip,
      secondaryPrivateIps: [],
      vpcSecurityGroupIds: eni.attributes["securityGroups"]!,
      associatePublicIpAddress: eni.hidden["publicIp"] !== undefined,
      keyName: "",
      userData: inputs["userData"] ?? "",
      userDataBase64: inputs["userDataBase64"] ?? "",
      iamInstanceProfile: inputs["iamInstanceProfile"] ?? "",
      metadataOptions: {
        httpEndpoint: "enabled",
        httpProtocolIpv6: "disabled",
        httpPutResponseHopLimit: 2, // the AL2023 image asks for 2 and for IMDSv2
        httpTokens: "required",
        instanceMetadataTags: "disabled",
        ...(inputs["metadataOptions"] as Props | undefined),
      },
      rootBlockDevice: root,
      monitoring: inputs["monitoring"] ?? false,
      ebsOptimized: inputs["ebsOptimized"] ?? false,
      disableApiStop: inputs["disableApiStop"] ?? false,
      disableApiTermination: inputs["disableApiTermination"] ?? false,
      instanceInitiatedShutdownBehavior: inputs["instanceInitiatedShutdownBehavior"] ?? "stop",
      ...(facts.burstable
        ? {
            creditSpecification: {
              cpuCredits: facts.family === "t2" ? "standard" : "unlimited",
              ...(inputs["creditSpecification"] as Props | undefined),
            },
          }
        : {}),
      maintenanceOptions: { autoRecovery: "default", ...(inputs["maintenanceOptions"] as Props | undefined) },
      privateDnsNameOptions: {
        enableResourceNameDnsARecord: false,
        enableResourceNameDnsAaaaRecord: false,
        hostnameType: "ip-name",
        ...(inputs["privateDnsNameOptions"] as Props | undefined),
      },
      tenancy: inputs["tenancy"] ?? "default",
      arn: context.arn("ec2", `instance/${id}`),
      instanceLifecycle: "",
      instanceState: "pending",
      outpostArn: "",
      passwordData: "",
      privateDns: privateDns(context, ip),
      publicDns: "",
      publicIp: "",
      spotInstanceRequestId: "",
    } satisfies Props,
  };
}

function checkProfile(context: Context, name: string | undefined): void {
  if (name && !context.findGlobal(names.instanceProfile, name)) {
    fail(
      "InvalidParameterValue",
      `Value (${name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name`,
    );
  }
}

function checkInstanceType(
  context: Context,
  type: string,
  imageId: string,
  where: StoredResource | { zone: string },
) {
  const facts =
    instanceTypeFacts(type) ?? fail("InvalidParameterValue", `Invalid value '${type}' for InstanceType.`);
  const architecture = context.find(seedTypes.image, imageId)?.attributes["architecture"];
  if (architecture !== undefined && architecture !== facts.architecture) {
    fail(
      "InvalidParameterValue",
      `The architecture '${facts.architecture}' of the specified instance type does not match the architecture '${architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.`,
    );
  }
  const zone = "zone" in where ? where.zone : (where.attributes["availabilityZone"] as string);
  const offering = zonesWith(facts, context.regionSeed);
  if (!offering.includes(zone)) {
    fail(
      "Unsupported",
      `Your requested instance type (${type}) is not supported in your requested Availability Zone (${zone}). Please retry your request by not specifying an Availability Zone or choosing ${offering.join(", ")}.`,
    );
  }
  return facts;
}

interface Primary {
  eni: StoredResource;
  subnet: StoredResource;
  deleteOnTermination: boolean;
}

/** The interface of the program's choice, or one that AWS makes for the instance. */
function primaryInterface(context: Context, inputs: Props, instanceId: string): Primary {
  const given = inputs["primaryNetworkInterface"] as Props | undefined;
  if (given) {
    const eniId = given["networkInterfaceId"] as string;
    const eni =
      context.find(names.networkInterface, eniId) ??
      fail("InvalidNetworkInterfaceID.NotFound", `The networkInterface ID '${eniId}' does not exist`);
    const attachment = attachmentOf(eni);
    if (attachment || eni.implicit) {
      fail(
        "InvalidNetworkInterface.InUse",
        `Interface: [${eniId}] in use${attachment ? ` by instance ${attachment.instanceId}` : ""}.`,
      );
    }
    const subnet = requireSubnet(context, eni.attributes["subnetId"] as string);
    return { eni, subnet, deleteOnTermination: given["deleteOnTermination"] === true };
  }
  const subnetId = inputs["subnetId"] as string | undefined;
  if (subnetId === undefined) {
    fail("MissingInput", "No subnets found for the default VPC. Please specify a subnet.");
  }
  const subnet = requireSubnet(context, subnetId);
  const wanted = inputs["privateIp"] as string | undefined;
  const ips = claimAddresses(context, subnet, wanted ? [wanted] : []);
  const isPublic = inputs["associatePublicIpAddress"] ?? subnet.attributes["mapPublicIpOnLaunch"];
  const eni = context.create(
    names.networkInterface,
    context.id("eni"),
    {
      subnetId,
      privateIps: ips,
      privateIp: ips[0]!,
      securityGroups: interfaceGroups(context, subnet, inputs["vpcSecurityGroupIds"] as string[] | undefined),
      description: "",
      interfaceType: "interface",
      macAddress: macAddress(context),
    },
    {
      vpcId: subnet.attributes["vpcId"]!,
      zone: subnet.attributes["availabilityZone"]!,
      owner: instanceId,
      ...(isPublic === true ? { publicIp: publicAddress(context) } : {}),
    },
    { implicit: true },
  );
  return { eni, subnet, deleteOnTermination: true };
}

function createRoot(
  context: Context,
  inputs: Props,
  image: StoredResource,
  zone: string,
  instanceId: string,
): Props {
  const given = (inputs["rootBlockDevice"] as Props | undefined) ?? {};
  const snapshot = image.hidden["rootVolumeGiB"] as number;
  const size = (given["volumeSize"] as number | undefined) ?? snapshot;
  if (size < snapshot) {
    fail(
      "InvalidBlockDeviceMapping",
      `Volume of size ${size}GB is smaller than snapshot '${image.attributes["rootSnapshotId"]}', expect size>= ${snapshot}GB`,
    );
  }
  const type = (given["volumeType"] as string | undefined) ?? "gp3";
  const rates = checkVolume({
    type,
    size,
    iops: given["iops"] as number | undefined,
    throughput: given["throughput"] as number | undefined,
  });
  const encrypted = given["encrypted"] === true;
  const kmsKeyId = encrypted ? checkKey(context, given["kmsKeyId"] as string | undefined) : "";
  const tagsAll = { ...context.defaultTags, ...(given["tags"] as Props | undefined) };
  checkTags(names.volume, tagsAll);
  const volume = context.create(
    names.volume,
    context.id("vol"),
    { availabilityZone: zone, size, type, ...rates, encrypted, kmsKeyId, tags: given["tags"] ?? {} },
    { rootOf: instanceId },
    { implicit: true },
  );
  return {
    ...given,
    deleteOnTermination: given["deleteOnTermination"] ?? true,
    deviceName: image.attributes["rootDeviceName"]!,
    encrypted,
    kmsKeyId,
    ...rates,
    tagsAll,
    volumeId: volume.id,
    volumeSize: size,
    volumeType: type,
  };
}

function resizeRoot(context: Context, instance: StoredResource, wanted: Props): Value {
  const current = instance.attributes["rootBlockDevice"] as Props;
  const next: Props = { ...current, ...wanted };
  const size = next["volumeSize"] as number;
  if (size < (current["volumeSize"] as number)) {
    fail(
      "InvalidParameterValue",
      `New size cannot be smaller than existing size (${current["volumeSize"]} GiB)`,
    );
  }
  const type = next["volumeType"] as string;
  const rates = checkVolume({
    type,
    size,
    iops: wanted["iops"] as number | undefined,
    throughput: wanted["throughput"] as number | undefined,
  });
  const volume = context.find(names.volume, current["volumeId"] as string);
  if (volume) {
    context.account.update(volume, { size, type, ...rates });
  }
  return { ...next, ...rates };
}
