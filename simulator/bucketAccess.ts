/** Objects as a role sees them: what its policies, the bucket's own and the bucket's key let it do. */
import { accountNumber, type StoredResource } from "./storedResource";
import { type Context } from "./context";
import { fail } from "./errors";
import { describeObject, objectsIn, readObject, writeObject, type StoredObject } from "./objects";
import { findBucket } from "./services/bucketNames";
import * as names from "./services/names";
import { statementsOf } from "./services/policyDocuments";
import { findKey } from "./services/volumes";
import type { Props } from "./values";

export interface ObjectCalls {
  putObject(bucket: string, key: string, content: Buffer): void;
  getObject(bucket: string, key: string): Buffer;
  listObjects(bucket: string, prefix: string): StoredObject[];
}

/** What a call needs beside an action on a resource. */
export interface Demand {
  /** The service's code for a refusal. Default: AccessDeniedException. */
  code?: string;
  /** Condition keys of the service. */
  keys?: Record<string, string>;
  /** The bucket whose own policy has a say, too. */
  bucket?: StoredResource;
}

/** The calls; `require` refuses those that the role may not make. */
export function objectCalls(
  context: Context,
  require: (action: string, resource: string, demand: Demand) => void,
): ObjectCalls {
  const { account } = context;
  const code = "AccessDenied";
  const bucketNamed = (name: string) =>
    findBucket(account, name) ?? fail("NoSuchBucket", `The specified bucket does not exist: ${name}`);
  const arnOf = (bucket: StoredResource) => bucket.attributes["arn"] as string;
  const reach = (action: string, bucket: StoredResource, key: string, keyAction: string) => {
    require(action, `${arnOf(bucket)}/${key}`, { code, bucket });
    const encryptionKey = keyOfBucket(context, bucket);
    if (encryptionKey !== undefined) {
      require(keyAction, encryptionKey, { code });
    }
  };
  return {
    putObject(bucketName, key, content) {
      const bucket = bucketNamed(bucketName);
      reach("s3:PutObject", bucket, key, "kms:GenerateDataKey");
      writeObject(account, bucket, key, content);
    },
    getObject(bucketName, key) {
      const bucket = bucketNamed(bucketName);
      reach("s3:GetObject", bucket, key, "kms:Decrypt");
      return (
        readObject(account, bucket, key) ?? fail("NoSuchKey", `The specified key does not exist: ${key}`)
      );
    },
    listObjects(bucketName, prefix) {
      const bucket = bucketNamed(bucketName);
      require("s3:ListBucket", arnOf(bucket), { code, keys: { "s3:prefix": prefix }, bucket });
      return objectsIn(account, bucket.id)
        .map(describeObject)
        .filter(({ key }) => key.startsWith(prefix));
    },
  };
}

/** What a bucket's policy says to a role of this account: statements for everybody, the account, or the role. */
export function policiesOfBucket(context: Context, bucket: StoredResource, role: StoredResource): string[] {
  const policy = context.account.get(names.bucketPolicy, bucket.region, bucket.id);
  const own = ["*", accountNumber, context.globalArn("iam", "root"), role.attributes["arn"]];
  const statements = policy ? statementsOf(policy.attributes["policy"] as string) : [];
  const relevant = statements.filter(({ Principal }) => {
    const who = Principal === "*" ? "*" : ((Principal as { AWS?: string | string[] } | undefined)?.AWS ?? []);
    return [who].flat().some((name) => own.includes(name));
  });
  return relevant.length === 0 ? [] : [JSON.stringify({ Version: "2012-10-17", Statement: relevant })];
}

/** The ARN of a bucket's own key; with S3's keys nobody needs a permission. */
function keyOfBucket(context: Context, bucket: StoredResource): string | undefined {
  const setting = context.account.get(names.bucketEncryption, bucket.region, bucket.id);
  const [rule] = (setting?.attributes["rules"] ?? []) as Props[];
  const given = ((rule?.["applyServerSideEncryptionByDefault"] ?? {}) as Props)["kmsMasterKeyId"];
  if (typeof given !== "string") {
    return undefined;
  }
  const key = findKey(context, given);
  return key?.id ?? fail("KMS.NotFoundException", `Key '${given}' does not exist in ${context.region}`);
}
