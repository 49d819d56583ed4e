import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { dnsSuffixOf } from "../partition";
import { fail } from "../errors";
import { objectsIn } from "../objects";
import { bool, out, text, type ResourceType } from "../schema";
import { bucketNameProblem, findBucket } from "./bucketNames";
import { glob } from "./functions";
import * as names from "./names";
import { statementsOf } from "./policyDocuments";
import { matches } from "./validators";

/** Whether the region's load balancers may write access logs into a bucket: by its policy, or because it came so. */
export function takesLoadBalancerLogs(
  context: Context,
  bucket: StoredResource,
  writers = [context.regionSeed.logAccount, "logdelivery.elasticloadbalancing.amazonaws.com"],
): boolean {
  const policy = context.find(names.bucketPolicy, bucket.id)?.attributes["policy"] as string | undefined;
  const statements = policy === undefined ? [] : statementsOf(policy);
  return (
    bucket.hidden["takesLoadBalancerLogs"] === true ||
    statements.some(({ Effect, Action, Principal }) => {
      const who = Object.values((Principal ?? {}) as Record<string, string | string[]>).flat();
      const known = who.some((name) => writers.some((writer) => name.includes(writer)));
      return Effect === "Allow" && known && [Action ?? []].flat().some((a) => glob(a).test("s3:PutObject"));
    })
  );
}

export const bucketType: ResourceType = {
  token: names.bucket,
  title: "S3 Bucket",
  tagged: true,
  autoName: { maxLength: 63, property: "bucket", transform: (name) => name.toLowerCase() },
  properties: {
    bucket: text({ computed: true, forceNew: true }),
    bucketPrefix: text({
      computed: true,
      forceNew: true,
      check: matches(/^[a-z0-9.-]{0,37}$/, "at most 37 lower-case letters, digits, dots and hyphens"),
    }),
    forceDestroy: bool({ default: false }),
    arn: out(),
    bucketDomainName: out(),
    bucketRegion: out(),
    bucketRegionalDomainName: out(),
    objectLockEnabled: out("boolean"),
  },
  create(context, inputs) {
    const name =
      (inputs["bucket"] as string | undefined) ??
      `${inputs["bucketPrefix"] as string}${context.account.digits(26)}`;
    const problem = bucketNameProblem(name);
    if (problem !== undefined) {
      fail("InvalidBucketName", problem);
    }
    if (findBucket(context.account, name)) {
      fail(
        "BucketAlreadyOwnedByYou",
        `Your previous request to create the named bucket succeeded and you already own it: ${name}`,
      );
    }
    const suffix = dnsSuffixOf(context.region);
    return {
      id: name,
      attributes: {
        bucket: name,
        bucketPrefix: inputs["bucketPrefix"] ?? "",
        arn: `arn:${context.partition}:s3:::${name}`,
        bucketDomainName: `${name}.s3.${suffix}`,
        bucketRegion: context.region,
        bucketRegionalDomainName: `${name}.s3.${context.region}.${suffix}`,
        objectLockEnabled: false,
      },
    };
  },
  delete(context, bucket) {
    const objects = objectsIn(context.account, bucket.id);
    if (objects.length > 0 && bucket.attributes["forceDestroy"] !== true) {
      fail(
        "BucketNotEmpty",
        `The bucket you tried to delete is not empty (${bucket.id} has ${objects.length} objects). You must delete all versions in the bucket.`,
      );
    }
    objects.forEach((object) => context.account.delete(object));
    // A bucket takes its settings along.
    for (const type of bucketSettings) {
      const setting = context.find(type, bucket.id);
      if (setting) {
        context.account.delete(setting);
      }
    }
  },
};

const bucketSettings = [
  names.bucketVersioning,
  names.bucketEncryption,
  names.bucketPublicAccessBlock,
  names.bucketOwnershipControls,
  names.bucketLifecycle,
  names.bucketPolicy,
];
