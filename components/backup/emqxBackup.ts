import * as pulumi from "@pulumi/pulumi";
import * as iam from "@pulumi/aws/iam";
import type * as s3 from "@pulumi/aws/s3";
import * as ssm from "@pulumi/aws/ssm";
import { writeMetricsStatement } from "../emqx/metrics";
import { checkedLater } from "../shared/checkedLater";
import { Members } from "../shared/members";
import { checkDefaultTags } from "../shared/defaultTags";
import { resolve } from "../shared/resolve";
import { tagged } from "../shared/tags";
import { createBackupBucket } from "./bucket";
import { placeOf, type Place } from "./place";
import { backupCalendar, backupParameterText, exportsPrefix } from "./plan";
import { backupInputs, backupProblems, type BackupSettings, type EmqxBackupArgs } from "./settings";
import { createSnapshotPolicy } from "./snapshots";

/**
 * Backups of an EMQX cluster: exports of EMQX's data, which one node puts into a bucket of their own, and daily snapshots
 * of the data volumes. Nothing here deletes an export before its time: the bucket cannot be removed until somebody has
 * emptied it. A component that is protected protects the bucket, too.
 *
 * @example
 * // nodes: EmqxClusterNodes
 * const backup = new EmqxBackup("emqx", {
 *   parameterPrefix: nodes.parameterPrefix,
 *   roleName: nodes.roleName,
 *   intervalHours: 12,
 * });
 */
export class EmqxBackup extends pulumi.ComponentResource {
  /** Name of the bucket with the exports. */
  public readonly bucketName: pulumi.Output<string>;
  /** Id of the Data Lifecycle Manager policy that takes the snapshots. */
  public readonly snapshotPolicyId: pulumi.Output<string>;

  /** The bucket with the exports. */
  public get bucket(): s3.Bucket {
    return members.of(this).bucket;
  }

  constructor(name: string, args: EmqxBackupArgs, opts?: pulumi.ComponentResourceOptions) {
    const subject = `EmqxBackup "${name}"`;
    const resolved = resolve(subject, backupInputs, args, () => backupProblems(name, args));
    super("emqx-aws:index:EmqxBackup", name, {}, opts);
    checkDefaultTags(subject, this, args.tags, { snapshots: true });
    const place = placeOf(this);
    const settings = checkedLater(subject, backupInputs, resolved, place.region);
    const { retentionDays, kmsKeyId, tags } = settings;
    const bucket = createBackupBucket(name, this, place, { retentionDays, kmsKeyId, tags });
    const { bucketName } = bucket;
    const permissions = allowNodes(name, this, place, settings, bucketName);
    createParameter(name, this, settings, bucketName, [...bucket.settings, permissions]);
    const snapshots = createSnapshotPolicy(name, this, place, {
      cluster: settings.parameterPrefix,
      retentionDays,
      tags,
    });

    this.bucketName = bucketName;
    this.snapshotPolicyId = snapshots.id;
    members.keep(this, { bucket: bucket.made });
    this.registerOutputs({ bucketName: this.bucketName, snapshotPolicyId: this.snapshotPolicyId });
  }
}

const members = new Members<EmqxBackup, { bucket: s3.Bucket }>();

function allowNodes(
  name: string,
  parent: EmqxBackup,
  { partition, region, accountId }: Place,
  args: BackupSettings,
  bucketName: pulumi.Output<string>,
): iam.RolePolicy {
  return new iam.RolePolicy(
    name,
    {
      role: args.roleName,
      policy: pulumi
        .all([partition, region, accountId, bucketName, args.parameterPrefix, args.kmsKeyId])
        .apply(([partition, region, accountId, bucket, parameterPrefix, kmsKeyArn]) =>
          JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Sid: "ReadBackupPlan",
                Effect: "Allow",
                Action: ["ssm:GetParameter", "ssm:GetParameters"],
                Resource: `arn:${partition}:ssm:${region}:${accountId}:parameter${parameterPrefix}/backup`,
              },
              {
                Sid: "StoreAndFetchExports",
                Effect: "Allow",
                Action: ["s3:PutObject", "s3:GetObject"],
                Resource: `arn:${partition}:s3:::${bucket}/${exportsPrefix}*`,
              },
              {
                Sid: "ListExports",
                Effect: "Allow",
                Action: "s3:ListBucket",
                Resource: `arn:${partition}:s3:::${bucket}`,
                Condition: { StringEquals: { "s3:prefix": exportsPrefix } },
              },
              writeMetricsStatement,
              ...(kmsKeyArn === undefined
                ? []
                : [
                    {
                      Sid: "UseExportsKey",
                      Effect: "Allow",
                      Action: ["kms:GenerateDataKey", "kms:Decrypt"],
                      Resource: kmsKeyArn,
                    },
                  ]),
            ],
          }),
        ),
    },
    { parent },
  );
}

/** Nodes begin to export when they find this parameter, so all that they need for it is there before. */
function createParameter(
  name: string,
  parent: EmqxBackup,
  args: BackupSettings,
  bucketName: pulumi.Output<string>,
  needed: pulumi.Resource[],
): ssm.Parameter {
  const calendar = backupCalendar(args.intervalHours);
  return new ssm.Parameter(
    name,
    {
      name: pulumi.interpolate`${args.parameterPrefix}/backup`,
      type: "String",
      insecureValue: bucketName.apply((bucket) => backupParameterText(bucket, calendar)),
      description: "When EMQX nodes export their data, and where to",
      tags: tagged(name, args.tags),
    },
    { parent, dependsOn: needed },
  );
}
