import { crc32 } from "zlib";
import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { bool, int, out, text, type ResourceType } from "../schema";
import { seedTypes } from "../seeds";
import type { Props } from "../values";
import * as names from "./names";

interface VolumeLimits {
  size: [number, number];
  iops?: { range: [number, number]; perGiB: number; default?: number; required?: boolean };
  throughput?: [number, number];
}

/** By type: what EBS offers. gp3 as extended in 2025 goes further; these are the limits every account has. */
const limits: Record<string, VolumeLimits> = {
  gp3: {
    size: [1, 16384],
    iops: { range: [3000, 16000], perGiB: 500, default: 3000 },
    throughput: [125, 1000],
  },
  gp2: { size: [1, 16384] },
  io1: { size: [4, 16384], iops: { range: [100, 64000], perGiB: 50, required: true } },
  io2: { size: [4, 65536], iops: { range: [100, 256000], perGiB: 1000, required: true } },
  st1: { size: [125, 16384] },
  sc1: { size: [125, 16384] },
  standard: { size: [1, 1024] },
};

export interface VolumeSpec {
  type: string;
  size: number;
  iops?: number;
  throughput?: number;
}

/** Checks a volume's size, iops and throughput together; returns iops and throughput as EBS sets them. */
export function checkVolume(spec: VolumeSpec): { iops: number; throughput: number } {
  const bad = (detail: string) => fail("InvalidParameterValue", detail);
  const { type, size } = spec;
  const limit =
    limits[type] ?? bad(`Unknown volume type: ${type}; known are ${Object.keys(limits).join(", ")}`);
  const [min, max] = limit.size;
  if (size < min || size > max) {
    bad(`Volume of ${size}GiB is outside the range of ${min} to ${max} GiB of type ${type}.`);
  }
  if (spec.iops !== undefined && !limit.iops) {
    fail("InvalidParameterCombination", `The parameter iops is not supported for ${type} volumes.`);
  }
  if (spec.throughput !== undefined && !limit.throughput) {
    fail("InvalidParameterCombination", `The parameter throughput is not supported for ${type} volumes.`);
  }
  if (limit.iops?.required && spec.iops === undefined) {
    fail("MissingParameter", `The request must contain the parameter iops for ${type} volumes.`);
  }
  const iops =
    spec.iops ?? limit.iops?.default ?? (type === "gp2" ? Math.min(Math.max(100, size * 3), 16000) : 0);
  if (limit.iops) {
    const [low, high] = limit.iops.range;
    if (iops < low || iops > high) {
      bad(`Volume iops of ${iops} is outside the range of ${low} to ${high} of type ${type}.`);
    }
    // The default rate comes with every size.
    if (spec.iops !== undefined && iops > low && iops > size * limit.iops.perGiB) {
      bad(
        `Iops to volume size ratio of ${(iops / size).toFixed(1)} is too high; maximum is ${limit.iops.perGiB} IOPS per GiB`,
      );
    }
  }
  const throughput = spec.throughput ?? limit.throughput?.[0] ?? 0;
  if (limit.throughput) {
    const [low, high] = limit.throughput;
    if (throughput < low || throughput > high) {
      bad(`Throughput of ${throughput} MiB/s is outside the range of ${low} to ${high} of type ${type}.`);
    }
    if (throughput > iops / 4) {
      bad(
        `Throughput (MiBps) to iops ratio of ${(throughput / iops).toFixed(3)} is too high; maximum is 0.250 MiBps per iops.`,
      );
    }
  }
  return { iops, throughput };
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
    finalSnapshot: bool({ default: false }),
    iops: int({ computed: true }),
    kmsKeyId: text({ computed: true, forceNew: true }),
    size: int({ computed: true }),
    throughput: int({ computed: true }),
    type: text({ computed: true }),
    multiAttachEnabled: bool({
      forceNew: true,
      check: (v: boolean) => (v ? "the simulated region does not model multi-attach volumes" : undefined),
    }),
    arn: out(),
    createTime: out(),
  },
  notModelled: ["outpostArn", "snapshotId", "volumeInitializationRate"],
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
    const rates = checkVolume({
      type,
      size: inputs["size"] as number,
      iops: inputs["iops"] as number | undefined,
      throughput: inputs["throughput"] as number | undefined,
    });
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
        ...rates,
        encrypted,
        kmsKeyId: key,
        multiAttachEnabled: false,
        arn: context.arn("ec2", `volume/${id}`),
        createTime: context.timestamp(),
      },
    };
  },
  update(_context, volume, inputs, changed) {
    if (!["size", "type", "iops", "throughput"].some((p) => changed.has(p))) {
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
    return { type, size, ...checkVolume({ type, size, ...rateInputs(inputs) }) };
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

function rateInputs(inputs: Props): { iops?: number; throughput?: number } {
  return {
    iops: inputs["iops"] as number | undefined,
    throughput: inputs["throughput"] as number | undefined,
  };
}

export function attachmentsOf(context: Context, volumeId: string): StoredResource[] {
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
    forceDetach: bool(),
    stopInstanceBeforeDetaching: bool(),
  },
  notModelled: ["skipDestroy"],
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
