/** What a bucket is told beside its name: versions, encryption, who may read it. One of each a bucket. */
import { type Created, bool, json, list, object, text, type Property, type ResourceType } from "../schema";
import { type Context } from "../context";
import { fail, AwsError } from "../errors";
import type { Props } from "../values";
import { requireBucket } from "./bucketNames";
import * as names from "./names";
import { statementsOf, type Statement } from "./policyDocuments";
import { oneOf } from "./validators";

/** The bucket's name is the id; a second setting for the same bucket takes the first one's place, as S3 has it. */
export function settingOf(
  token: string,
  title: string,
  properties: Record<string, Property>,
  rest: Partial<ResourceType> & { refuse?: (context: Context, inputs: Props) => void } = {},
): ResourceType {
  const { refuse, ...others } = rest;
  return {
    token,
    title,
    properties: { bucket: text({ required: true, forceNew: true }), ...properties },
    create(context, inputs): Created {
      const bucket = requireBucket(context, inputs["bucket"] as string);
      refuse?.(context, inputs);
      return { id: bucket.id };
    },
    update(context, _setting, inputs) {
      refuse?.(context, inputs);
    },
    ...others,
  };
}

export const bucketVersioningType = settingOf(
  names.bucketVersioning,
  "S3 Bucket Versioning",
  {
    versioningConfiguration: object(
      {
        status: text({ required: true, check: oneOf("Enabled", "Suspended", "Disabled") }),
      },
      { required: true },
    ),
  },
  {
    update(_context, setting, inputs) {
      const status = (props: Props) => (props["versioningConfiguration"] as Props)["status"];
      if (status(inputs) === "Disabled" && status(setting.attributes) !== "Disabled") {
        fail(
          "InvalidArgument",
          "versioning_configuration.status cannot be updated to 'Disabled' once versioning was enabled; use 'Suspended'",
        );
      }
    },
  },
);

const keyed = ["aws:kms", "aws:kms:dsse"];

export const bucketEncryptionType = settingOf(
  names.bucketEncryption,
  "S3 Bucket Server-side Encryption Configuration",
  {
    rules: list(
      object({
        applyServerSideEncryptionByDefault: object({
          sseAlgorithm: text({ required: true, check: oneOf("AES256", ...keyed) }),
          kmsMasterKeyId: text(),
        }),
        bucketKeyEnabled: bool(),
      }),
      { required: true },
    ),
  },
  {
    validate(inputs, problems) {
      const rules = inputs["rules"] as Props[] | undefined;
      if (rules !== undefined && rules.length !== 1) {
        problems.add("rules", `a bucket has exactly one rule for encryption, got ${rules.length}`);
      }
    },
    refuse(_context, inputs) {
      for (const rule of inputs["rules"] as Props[]) {
        const byDefault = (rule["applyServerSideEncryptionByDefault"] ?? {}) as Props;
        if (byDefault["kmsMasterKeyId"] && !keyed.includes(byDefault["sseAlgorithm"] as string)) {
          fail(
            "InvalidArgument",
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
          );
        }
      }
    },
  },
);

export const bucketPublicAccessBlockType = settingOf(
  names.bucketPublicAccessBlock,
  "S3 Bucket Public Access Block",
  {
    blockPublicAcls: bool({ default: false }),
    blockPublicPolicy: bool({ default: false }),
    ignorePublicAcls: bool({ default: false }),
    restrictPublicBuckets: bool({ default: false }),
  },
);

export const bucketOwnershipControlsType = settingOf(
  names.bucketOwnershipControls,
  "S3 Bucket Ownership Controls",
  {
    rule: object(
      {
        objectOwnership: text({
          required: true,
          check: oneOf("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"),
        }),
      },
      { required: true },
    ),
  },
);

/** S3 refuses longer ones (S3 user guide, "Bucket policies"): 20 KB. */
const longestPolicy = 20 * 1024;

export const bucketPolicyType = settingOf(
  names.bucketPolicy,
  "S3 Bucket Policy",
  { policy: json({ required: true }) },
  {
    refuse(context, inputs) {
      const bucket = requireBucket(context, inputs["bucket"] as string);
      const policy = inputs["policy"] as string;
      if (Buffer.byteLength(policy) > longestPolicy) {
        fail("PolicyTooLarge", `Policy exceeds the maximum allowed document size of ${longestPolicy} bytes`);
      }
      const statements = bucketStatements(policy);
      for (const statement of statements) {
        checkResources(statement, bucket.attributes["arn"] as string);
      }
      const block = context.find(names.bucketPublicAccessBlock, bucket.id);
      // New buckets block public policies unless they are told otherwise (since April 2023).
      if (statements.some(isPublic) && block?.attributes["blockPublicPolicy"] !== false) {
        fail(
          "AccessDenied",
          "User is not authorized to perform: s3:PutBucketPolicy because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
        );
      }
    },
  },
);

function bucketStatements(policy: string): Statement[] {
  try {
    return statementsOf(policy);
  } catch (error) {
    return fail("MalformedPolicy", error instanceof AwsError ? error.message : String(error));
  }
}

function checkResources(statement: Statement, bucketArn: string): void {
  if (statement.Principal === undefined && statement.NotPrincipal === undefined) {
    fail("MalformedPolicy", "Missing required field Principal");
  }
  for (const resource of [statement.Resource ?? statement.NotResource ?? []].flat()) {
    if (resource !== bucketArn && !resource.startsWith(`${bucketArn}/`)) {
      fail("MalformedPolicy", `Policy has invalid resource: ${resource} is not ${bucketArn} or in it`);
    }
  }
  for (const action of [statement.Action ?? statement.NotAction ?? []].flat()) {
    if (action !== "*" && !action.startsWith("s3:")) {
      fail("MalformedPolicy", `Policy has invalid action: ${action}`);
    }
  }
}

/** Lets anybody in: an Allow for everyone without a condition. */
function isPublic({ Effect, Principal, Condition }: Statement): boolean {
  const everyone = Principal === "*" || (Principal as { AWS?: unknown } | undefined)?.AWS === "*";
  return Effect === "Allow" && everyone && Condition === undefined;
}
