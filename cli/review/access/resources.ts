/** Safeguards that single resources of AWS are, or have. */
import { isUnknown } from "../preview/engine";
import type { Existing, Side } from "../change/side";
import { list, number, record, text } from "../change/values";
import { types } from "../types";
import type { Owned } from "./safeguard";

type Own = Omit<Owned, "key" | "owner">;

export function resourceSafeguards(side: Side): Owned[] {
  return side.resources.flatMap((resource) =>
    [...(rules[resource.type]?.(resource) ?? []), ...keeping(resource)].map((safeguard) => ({
      ...safeguard,
      subject: subjectOf(side, resource),
      key: resource.key,
      owner: resource.name,
    })),
  );
}

export const [deletion, leaving] = ["Deletion by the engine", "What leaves the stack"];

/** What the engine keeps from deletion. */
function keeping({ custom, type, protect, retainOnDelete }: Existing): Own[] {
  if (!custom || type.startsWith("pulumi:")) return [];
  return [
    {
      what: deletion,
      ...(protect ? { state: "refused", rank: 1 } : { state: "carried out", rank: 0 }),
    },
    {
      what: leaving,
      ...(retainOnDelete ? { state: "is kept in AWS", rank: 1 } : { state: "is deleted", rank: 0 }),
    },
  ];
}

/** What a resource is a setting of; somebody else's is taken to be there. */
function subjectOf(side: Side, resource: Existing): string {
  const target = side.target(resource, "bucket", types.bucket) ?? side.target(resource, "vpcId", types.vpc);
  return target?.key ?? resource.key;
}

/** A customer's key can be taken away from somebody; AWS's own cannot; without a key whoever has the disk has the data. */
export function encryption(isOn: boolean, key: unknown): Pick<Own, "state" | "rank" | "detail"> {
  if (!isOn) return { state: "none", rank: 0 };
  return isNone(key)
    ? { state: "with AWS's key", rank: 1 }
    : { state: "with a key of your own", rank: 2, detail: isUnknown(key) ? "" : text(key) };
}

function isNone(value: unknown): boolean {
  return value === undefined || value === null || value === "" || value === "alias/aws/ssm";
}

/** A safeguard that is there or not. */
const present = (what: string, state: string): Own => ({
  what,
  state,
  rank: 1,
  absent: { state: "none", rank: 0 },
});

const publicAccess = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

const rules: Record<string, (resource: Existing) => Own[]> = {
  [types.volume]: ({ inputs }) => [
    { what: "Encryption of data volumes", ...encryption(inputs.encrypted === true, inputs.kmsKeyId) },
  ],
  [types.subnet]: ({ inputs }) => [
    {
      what: "Public addresses of new machines",
      ...(inputs.mapPublicIpOnLaunch === true
        ? { state: "given to each", rank: 0 }
        : { state: "none", rank: 1 }),
    },
  ],
  [types.parameter]: ({ inputs }) => {
    const isSecure = inputs.type === "SecureString";
    return [{ what: "Encryption of parameters", ...encryption(isSecure, isSecure ? inputs.keyId : "") }];
  },
  [types.logGroup]: ({ inputs }) => {
    const days = number(inputs.retentionInDays) ?? 0;
    return [
      { what: "Encryption of logs", ...encryption(true, inputs.kmsKeyId) },
      {
        what: "Days that logs are kept",
        state: days === 0 ? "for ever" : String(days),
        rank: days === 0 ? Infinity : days,
      },
    ];
  },
  [types.flowLog]: ({ inputs }) => [present("Flow logs", `of ${text(inputs.trafficType) ?? "ALL"} traffic`)],
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ({ inputs }) => {
    const blocked = publicAccess.filter((property) => inputs[property] === true);
    const state = blocked.length === publicAccess.length ? "all of it" : blocked.join(", ") || "none";
    return [
      {
        ...present("Public access that the bucket blocks", state),
        rank: blocked.length,
        detail: blocked.join(),
      },
    ];
  },
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ({ inputs }) => {
    const ownership = text(record(inputs.rule).objectOwnership) ?? "?";
    const rank = ["ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"].indexOf(ownership);
    return [{ ...present("Access lists of the bucket's objects", ownership), rank }];
  },
  "aws:s3/bucketVersioning:BucketVersioning": ({ inputs }) => {
    const status = text(record(inputs.versioningConfiguration).status) ?? "?";
    return [{ ...present("Earlier versions of objects", status), rank: status === "Enabled" ? 1 : 0 }];
  },
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ({ inputs }) =>
    list(inputs.rules)
      .map((rule) => record(record(rule).applyServerSideEncryptionByDefault))
      .map((rule) => ({
        what: "Encryption of the bucket",
        ...encryption(true, rule.sseAlgorithm === "aws:kms" ? (rule.kmsMasterKeyId ?? "aws") : undefined),
        // S3 encrypts every object anyway, since January 2023.
        absent: { state: "with AWS's key", rank: 1 },
      })),
  "aws:s3/bucketAcl:BucketAcl": ({ inputs }) => {
    const acl = text(inputs.acl) ?? "a list of grants";
    return [{ what: "Access list of the bucket", state: acl, ...(acl === "private" && { rank: 1 }) }];
  },
  "aws:ec2/ebsEncryptionByDefault:EbsEncryptionByDefault": ({ inputs }) => [
    {
      ...present("Encryption of new disks", inputs.enabled === false ? "off" : "on"),
      rank: inputs.enabled === false ? 0 : 1,
    },
  ],
};
