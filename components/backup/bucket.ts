/** The bucket of a cluster's exports: private, encrypted, with versions, and emptied by nothing but time. */
import * as pulumi from "@pulumi/pulumi";
import * as s3 from "@pulumi/aws/s3";
import type { Place } from "./place";
import { tagged, type Tags } from "../shared/tags";

export interface BackupBucketArgs {
  retentionDays: number;
  kmsKeyId: pulumi.Input<string> | undefined;
  tags: Tags | undefined;
}

export interface BackupBucket {
  made: s3.Bucket;
  bucketName: pulumi.Output<string>;
  /** What makes the bucket fit for secrets: whoever writes into it waits for these. */
  settings: pulumi.Resource[];
}

/** An upload that broke off leaves parts that cost money and that no listing shows. */
const abortUploadsAfterDays = 7;

export function createBackupBucket(
  name: string,
  parent: pulumi.Resource,
  { partition }: Place,
  { retentionDays, kmsKeyId, tags }: BackupBucketArgs,
): BackupBucket {
  const made = new s3.Bucket(name, { tags: tagged(name, tags) }, { parent });
  const { bucket } = made;
  // A bucket takes its settings along. One that cannot be removed, because exports are in it, keeps them.
  const opts = { parent, deletedWith: made };
  const publicAccess = new s3.BucketPublicAccessBlock(
    `${name}-public-access`,
    {
      bucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    opts,
  );
  const settings = [
    publicAccess,
    new s3.BucketOwnershipControls(
      `${name}-ownership`,
      { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
      opts,
    ),
    new s3.BucketVersioning(
      `${name}-versioning`,
      { bucket, versioningConfiguration: { status: "Enabled" } },
      opts,
    ),
    new s3.BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      {
        bucket,
        rules: [
          kmsKeyId === undefined
            ? { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }
            : {
                applyServerSideEncryptionByDefault: {
                  sseAlgorithm: "aws:kms",
                  kmsMasterKeyId: kmsKeyId,
                },
                bucketKeyEnabled: true,
              },
        ],
      },
      opts,
    ),
    new s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      {
        bucket,
        rules: [
          {
            id: "expire-exports",
            status: "Enabled",
            filter: {},
            expiration: { days: retentionDays },
            noncurrentVersionExpiration: { noncurrentDays: retentionDays },
            abortIncompleteMultipartUpload: { daysAfterInitiation: abortUploadsAfterDays },
          },
        ],
      },
      opts,
    ),
    new s3.BucketPolicy(
      `${name}-policy`,
      {
        bucket,
        policy: pulumi.all([partition, bucket]).apply(([partition, bucket]) =>
          JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Sid: "RefusePlainHttp",
                Effect: "Deny",
                Principal: "*",
                Action: "s3:*",
                Resource: [`arn:${partition}:s3:::${bucket}`, `arn:${partition}:s3:::${bucket}/*`],
                Condition: { Bool: { "aws:SecureTransport": "false" } },
              },
            ],
          }),
        ),
      },
      // S3 refuses two changes of a bucket's access at the same time.
      { ...opts, dependsOn: publicAccess },
    ),
  ];
  return { made, bucketName: bucket, settings };
}
