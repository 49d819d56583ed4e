import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { bool, int, map, object, out, text, type ResourceType } from "../schema";
import { seedTypes } from "../seeds";
import { isUnknown, type Props, type Value } from "../values";
import { privateDns } from "./addresses";
import { instanceTypeFacts, zonesWith } from "./instanceTypes";
import { attachmentOf, type Attachment } from "./interfaces";
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
    primaryNetworkInterface: object(
      {
        networkInterfaceId: text({ required: true, forceNew: true }),
      },
      { forceNew: true },
    ),
    userData: text({ computed: true, forceNew: userDataForceNew }),
    userDataReplaceOnChange: bool({ default: false }),
    iamInstanceProfile: text({ computed: true }),
    metadataOptions: object(
      {
        httpEndpoint: text({ computed: true, check: oneOf("enabled", "disabled") }),
        httpPutResponseHopLimit: int({ computed: true, check: between(1, 64) }),
        httpTokens: text({ computed: true, check: oneOf("optional", "required") }),
      },
      { computed: true },
    ),
    rootBlockDevice: object(
      {
        deviceName: out(),
        encrypted: bool({ computed: true, forceNew: true }),
        kmsKeyId: text({ computed: true, forceNew: true }),
        tags: map(text()),
        tagsAll: out("map"),
        volumeId: out(),
        volumeSize: int({ computed: true }),
        volumeType: text({ computed: true }),
      },
      { computed: true },
    ),
    monitoring: bool({ computed: true }),
    ebsOptimized: bool({ computed: true, forceNew: true }),
    arn: out(),
    instanceLifecycle: out(),
    instanceState: out(),
    outpostArn: out(),
    passwordData: out(),
    spotInstanceRequestId: out(),
    subnetId: out(),
    privateIp: out(),
    vpcSecurityGroupIds: out("set"),
    primaryNetworkInterfaceId: out(),
    privateDns: out(),
    publicDns: out(),
    publicIp: out(),
  },
  validate(inputs, problems, given) {
    for (const required of ["ami", "instanceType", "primaryNetworkInterface"]) {
      if (!given.has(required)) {
        problems.add("", `Missing required argument: "${required}"`);
      }
    }
    const size = userDataOf(inputs)?.length ?? 0;
    if (size > userDataLimit) {
      problems.add("userData", `InvalidParameterValue: User data is limited to 16384 bytes, got ${size}`);
    }
  },
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
    if (changed.has("userData")) {
      checkUserData(inputs);
    }
    const computed: Props = {};
    if (changed.has("metadataOptions")) {
      computed["metadataOptions"] = {
        ...(instance.attributes["metadataOptions"] as Props),
        ...(inputs["metadataOptions"] as Props),
      };
    }
    if (changed.has("rootBlockDevice")) {
      computed["rootBlockDevice"] = resizeRoot(context, instance, inputs["rootBlockDevice"] as Props);
    }
    return computed;
  },
  recomputed: (changed) => (changed.has("instanceType") ? ["publicDns", "publicIp"] : []),
  async beforeDelete(context, instance) {
    await context.surroundings.machines.terminate(instance);
  },
  delete(context, instance) {
    for (const eni of context.list(names.networkInterface)) {
      const attachment = attachmentOf(eni);
      if (attachment?.instanceId === instance.id) {
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
    if (volume) {
      context.account.delete(volume);
    }
  },
  view(context, instance) {
    const eni = interfaceOf(context, instance.id);
    return { ...(eni && { vpcSecurityGroupIds: eni.attributes["securityGroups"]! }) };
  },
};

/** The provider stops the instance to change these, and starts it again. */
function needsStop(changed: Set<string>): boolean {
  return ["instanceType", "userData"].some((p) => changed.has(p));
}

export function interfaceOf(context: Context, instanceId: string): StoredResource | undefined {
  return context.list(names.networkInterface).find((eni) => attachmentOf(eni)?.instanceId === instanceId);
}

/** User data as the instance sees it. */
export function userDataOf(attributes: Props): Buffer | undefined {
  const { userData } = attributes;
  return typeof userData === "string" && userData !== "" && !isUnknown(userData)
    ? Buffer.from(userData, "utf8")
    : undefined;
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
  checkUserData(inputs);
  checkProfile(context, inputs["iamInstanceProfile"] as string | undefined);
  const id = context.id("i");
  const eni = primaryInterface(context, inputs);
  const subnet = requireSubnet(context, eni.attributes["subnetId"] as string);
  const zone = subnet.attributes["availabilityZone"] as string;
  if (inputs["availabilityZone"] !== undefined && inputs["availabilityZone"] !== zone) {
    fail(
      "InvalidParameterValue",
      `The availability zone '${inputs["availabilityZone"]}' is not that of the subnet '${subnet.id}' (${zone})`,
    );
  }
  checkInstanceType(context, inputs["instanceType"] as string, image.id, { zone });
  const root = createRoot(context, inputs, image, zone, id);
  const attachment: Attachment = {
    attachmentId: context.id("eni-attach"),
    instanceId: id,
    deviceIndex: 0,
  };
  context.account.update(eni, {}, { attachment: { ...attachment } });
  const ip = eni.attributes["privateIp"] as string;
  return {
    id,
    attributes: {
      availabilityZone: zone,
      subnetId: subnet.id,
      primaryNetworkInterface: { networkInterfaceId: eni.id },
      primaryNetworkInterfaceId: eni.id,
      privateIp: ip,
      vpcSecurityGroupIds: eni.attributes["securityGroups"]!,
      userData: inputs["userData"] ?? "",
      iamInstanceProfile: inputs["iamInstanceProfile"] ?? "",
      metadataOptions: {
        httpEndpoint: "enabled",
        httpPutResponseHopLimit: 2, // the AL2023 image asks for 2 and for IMDSv2
        httpTokens: "required",
        ...(inputs["metadataOptions"] as Props | undefined),
      },
      rootBlockDevice: root,
      monitoring: inputs["monitoring"] ?? false,
      ebsOptimized: inputs["ebsOptimized"] ?? false,
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
}

function primaryInterface(context: Context, inputs: Props): StoredResource {
  const eniId = (inputs["primaryNetworkInterface"] as Props)["networkInterfaceId"] as string;
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
  return eni;
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
  checkVolume(type, size);
  const encrypted = given["encrypted"] === true;
  const kmsKeyId = encrypted ? checkKey(context, given["kmsKeyId"] as string | undefined) : "";
  const tagsAll = { ...context.defaultTags, ...(given["tags"] as Props | undefined) };
  checkTags(names.volume, tagsAll);
  const volume = context.create(
    names.volume,
    context.id("vol"),
    { availabilityZone: zone, size, type, encrypted, kmsKeyId, tags: given["tags"] ?? {} },
    { rootOf: instanceId },
    { implicit: true },
  );
  return {
    ...given,
    deviceName: image.attributes["rootDeviceName"]!,
    encrypted,
    kmsKeyId,
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
  checkVolume(type, size);
  const volume = context.find(names.volume, current["volumeId"] as string);
  if (volume) {
    context.account.update(volume, { size, type });
  }
  return next;
}
