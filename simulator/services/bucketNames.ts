import type { Account } from "../account";
import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import * as names from "./names";

const reserved = /^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;

/** S3's rules for a new bucket's name (S3 user guide, "General purpose bucket naming rules"). */
export function bucketNameProblem(name: string): string | undefined {
  const plain =
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes("..") &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name) &&
    !reserved.test(name);
  return plain ? undefined : `The specified bucket is not valid: ${name}`;
}

/** A bucket by its name, which no other in the partition has, wherever it is. */
export function findBucket(account: Account, name: string): StoredResource | undefined {
  return account.list(names.bucket).find(({ id }) => id === name);
}

/** The bucket that a setting is made for; S3 answers from the bucket's own region only. */
export function requireBucket(context: Context, name: string): StoredResource {
  const bucket =
    findBucket(context.account, name) ?? fail("NoSuchBucket", `The specified bucket does not exist: ${name}`);
  if (bucket.region !== context.region) {
    fail(
      "PermanentRedirect",
      `The bucket you are attempting to access must be addressed using the specified endpoint: ${name} is in ${bucket.region}, not ${context.region}`,
    );
  }
  return bucket;
}
