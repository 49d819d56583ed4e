import { crc32 } from "zlib";
import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { bool, int, out, text, type ResourceType } from "../schema";
import { seedTypes } from "../seeds";
import type { Props } from "../values";
import * as names from "./names";

/** GiB by type: what EBS offers. */
const sizes: Record<string, [min: number, max: number]> = {
  gp3: [1, 16384],
  gp2: [1, 16384],
  io1: [4, 16384],
  io2: [4, 65536],
  st1: [125, 16384],
  sc1: [125, 16384],
  standard: [1, 1024],
};

export function checkVolume(type: string, size: number): void {
  const bad = (detail: string) => fail("InvalidParameterValue", detail);
  const [min, max] =
    sizes[type] ?? bad(`Unknown volume type: ${type}; known are ${Object.keys(sizes).join(", ")}`);
  if (size < min || size > max) {
    bad(`Volume of ${size}GiB is outside the range of ${min} to ${max} GiB of type ${type}.`);
  }
}

export function checkKey(
  context: Context,
  keyId: string | undefined,
  code = "InvalidKmsKey.NotFound",
): string {
  if (keyId === undefined) {
    return context.arn("kms", "key/00000000-0000-4000-8000-000000000eb5"); // the account's own aws/ebs key
  }
  const key = findKey(context, keyId);
  return key ? key.id : fail(code, `The KMS key '${keyId}' does not exist in ${context.region}`);
}

/** By ARN, key id or alias, in this region. */
export function findKey(context: Context, keyId: string): StoredResource | undefined {
  return context
    .list(seedTypes.key)
    .find((k) => [k.id, k.attributes["keyId"], k.attributes["alias"]].includes(keyId));
}

export const volumeType: ResourceType = {
  token: names.volume,
  title: "EBS Volume",
  tagged: true,
  properties: {
    availabilityZone: text({ required: true, forceNew: true }),
    encrypted: bool({ computed: true, forceNew: true }),
    kmsKeyId: text({ computed: true, forceNew: true }),
    size: int({ computed: true }),
    type: text({ computed: true }),
    arn: out(),
    createTime: out(),
  },
  validate(inputs, problems) {
    if (inputs["kmsKeyId"] !== undefined && inputs["encrypted"] === false) {
      problems.add("kmsKeyId", '"kmsKeyId" needs "encrypted" to be true');
    }
  },
  create(context, inputs) {
    const zone = inputs["availabilityZone"] as string;
    if (!context.regionSeed.zones.includes(zone)) {
      fail("InvalidZone.NotFound", `The zone '${zone}' does not exist.`);
    }
    if (inputs["size"] === undefined) {
      fail("MissingParameter", "The request must contain the parameter size/snapshot");
    }
    const type = (inputs["type"] as string | undefined) ?? "gp2";
    checkVolume(type, inputs["size"] as number);
    const encrypted = inputs["encrypted"] === true;
    const key = encrypted ? checkKey(context, inputs["kmsKeyId"] as string | undefined) : "";
    if (!encrypted && inputs["kmsKeyId"] !== undefined) {
      fail(
        "InvalidParameterDependency",
        "The parameter KmsKeyId requires the parameter Encrypted to be set.",
      );
    }
    const id = context.id("vol");
    return {
      id,
      attributes: {
        type,
        encrypted,
        kmsKeyId: key,
        arn: context.arn("ec2", `volume/${id}`),
        createTime: context.timestamp(),
      },
    };
  },
  update(_context, volume, inputs, changed) {
    if (!["size", "type"].some((p) => changed.has(p))) {
      return undefined;
    }
    const type = (inputs["type"] as string | undefined) ?? (volume.attributes["type"] as string);
    const size = (inputs["size"] as number | undefined) ?? (volume.attributes["size"] as number);
    if (size < (volume.attributes["size"] as number)) {
      fail(
        "InvalidParameterValue",
        `New size cannot be smaller than existing size (${volume.attributes["size"]} GiB, asked for ${size} GiB)`,
      );
    }
    checkVolume(type, size);
    return { type, size };
  },
  delete(context, volume) {
    const attachment = attachmentsOf(context, volume.id)[0];
    if (attachment) {
      fail(
        "VolumeInUse",
        `Volume ${volume.id} is currently attached to ${attachment.attributes["instanceId"]}`,
      );
    }
  },
};

function attachmentsOf(context: Context, volumeId: string): StoredResource[] {
  return context.list(names.volumeAttachment).filter((a) => a.attributes["volumeId"] === volumeId);
}

const deviceNames = /^(\/dev\/sd[a-z][0-9]*|\/dev\/xvd[a-z]{1,2}|xvd[a-z]{1,2}|sd[b-z][0-9]*)$/;

export const volumeAttachmentType: ResourceType = {
  token: names.volumeAttachment,
  title: "EBS Volume Attachment",
  properties: {
    deviceName: text({ required: true, forceNew: true }),
    instanceId: text({ required: true, forceNew: true }),
    volumeId: text({ required: true, forceNew: true }),
    stopInstanceBeforeDetaching: bool(),
  },
  create(context, inputs) {
    const { deviceName, instanceId, volumeId } = inputs as Record<string, string>;
    const instance =
      context.find(names.instance, instanceId!) ??
      fail("InvalidInstanceID.NotFound", `The instance ID '${instanceId}' does not exist`);
    const volume =
      context.find(names.volume, volumeId!) ??
      fail("InvalidVolume.NotFound", `The volume '${volumeId}' does not exist.`);
    if (!["running", "stopped"].includes(instance.attributes["instanceState"] as string)) {
      fail("IncorrectState", `Instance '${instanceId}' is not 'running'.`);
    }
    if (volume.attributes["availabilityZone"] !== instance.attributes["availabilityZone"]) {
      fail(
        "InvalidVolume.ZoneMismatch",
        `The volume '${volumeId}' is not in the same availability zone as instance '${instanceId}'`,
      );
    }
    if (attachmentsOf(context, volumeId!).length > 0 || volume.hidden["rootOf"] !== undefined) {
      fail("VolumeInUse", `${volumeId} is already attached to an instance`);
    }
    if (!deviceNames.test(deviceName!)) {
      fail(
        "InvalidParameterValue",
        `Value (${deviceName}) for parameter device is invalid. ${deviceName} is not a valid EBS device name.`,
      );
    }
    const inUse =
      context
        .list(names.volumeAttachment)
        .some(
          (a) => a.attributes["instanceId"] === instanceId && a.attributes["deviceName"] === deviceName,
        ) || (instance.attributes["rootBlockDevice"] as Props)["deviceName"] === deviceName;
    if (inUse) {
      fail(
        "InvalidParameterValue",
        `Invalid value '${deviceName}' for unixDevice. Attachment point ${deviceName} is already in use`,
      );
    }
    return { id: `vai-${crc32(`${deviceName}-${instanceId}-${volumeId}-`)}` };
  },
  async beforeDelete(context, attachment) {
    if (attachment.attributes["stopInstanceBeforeDetaching"] === true) {
      const instance = context.find(names.instance, attachment.attributes["instanceId"] as string);
      if (instance) {
        await context.surroundings.machines.stop(instance);
      }
    }
  },
  // The provider stops the instance before it looks whether the volume is attached
  // (hashicorp/terraform-provider-aws:internal/service/ec2/ebs_volume_attachment.go, stopVolumeAttachmentInstance).
  deleteGone(context, olds) {
    const instanceId = String(olds["instanceId"]);
    if (olds["stopInstanceBeforeDetaching"] === true && !context.find(names.instance, instanceId)) {
      fail(
        "InvalidInstanceID.NotFound",
        `stopping EC2 Instance (${instanceId}): operation error EC2: StopInstances: The instance ID '${instanceId}' does not exist`,
      );
    }
  },
  findImport(context, importId) {
    const [device, volume, instance] = importId.split(":");
    return context
      .list(names.volumeAttachment)
      .find(
        ({ attributes: a }) =>
          a["deviceName"] === device && a["volumeId"] === volume && a["instanceId"] === instance,
      );
  },
};
