import * as pulumi from "@pulumi/pulumi";
import * as iam from "@pulumi/aws/iam";
import * as ssm from "@pulumi/aws/ssm";
import { createBackupBucket } from "./bucket";
import { placeOf, type Place } from "./place";
import { createSnapshotPolicy } from "./snapshots";
import {
  backupCalendar,
  backupIntervalInput,
  backupNameProblems,
  backupParameterText,
  exportsPrefix,
} from "./plan";
import { writeMetricsStatement } from "../emqx/metrics";
import { parameterPrefix, roleName } from "../shared/awsNames";
import { checkedLater } from "../shared/checkedLater";
import { problemsOf, wholeNumber, type Shapes } from "../shared/inputs";
import { kmsKeyInput } from "../shared/kmsKey";
import { refuse } from "../shared/problems";
import { tagged, tagsInput } from "../shared/tags";

export interface EmqxBackupArgs {
  /** Path of the cluster's SSM parameters, without a slash at the end: `parameterPrefix` of EmqxClusterNodes. */
  parameterPrefix: pulumi.Input<string>;
  /** Name of the nodes' IAM role: `roleName` of EmqxClusterNodes. */
  roleName: pulumi.Input<string>;
  /** Hours between two exports of EMQX's data: 1, 2, 3, 4, 6, 8, 12 or 24. Default: 6. */
  intervalHours?: number;
  /** Days that exports and snapshots are kept, 1 to 3,650. Default: 30. */
  retentionDays?: number;
  /** ARN of the customer managed KMS key that encrypts the exports. Default: S3's own keys. */
  kmsKeyId?: pulumi.Input<string>;
  /** Tags of every resource. Default: none but `Name`. */
  tags?: Record<string, pulumi.Input<string>>;
}

export const defaultBackupIntervalHours = 6;
export const defaultBackupRetentionDays = 30;

/**
 * Backups of an EMQX cluster: exports of EMQX's data, which one node puts into a bucket of their own, and daily snapshots
 * of the data volumes. Nothing here deletes an export before its time: the bucket cannot be removed until somebody has
 * emptied it. A component that is protected protects the bucket, too.
 */
export class EmqxBackup extends pulumi.ComponentResource {
  /** Name of the bucket with the exports. */
  public readonly bucketName: pulumi.Output<string>;
  /** Id of the Data Lifecycle Manager policy that takes the snapshots. */
  public readonly snapshotPolicyId: pulumi.Output<string>;

  constructor(name: string, args: EmqxBackupArgs, opts?: pulumi.ComponentResourceOptions) {
    const subject = `EmqxBackup "${name}"`;
    refuse(subject, problemsOf<EmqxBackupArgs>(backupInputs, args, {}, [() => backupNameProblems(name)]));
    super("emqx-aws:index:EmqxBackup", name, {}, opts);
    const place = placeOf(this);
    args = checkedLater(subject, backupInputs, args, place.region);
    const retentionDays = args.retentionDays ?? defaultBackupRetentionDays;
    const { bucketName, settings } = createBackupBucket(name, this, place, {
      retentionDays,
      kmsKeyId: args.kmsKeyId,
      tags: args.tags,
    });
    const permissions = allowNodes(name, this, place, args, bucketName);
    createParameter(name, this, args, bucketName, [...settings, permissions]);
    const snapshots = createSnapshotPolicy(name, this, place, {
      cluster: args.parameterPrefix,
      retentionDays,
      tags: args.tags,
    });

    this.bucketName = bucketName;
    this.snapshotPolicyId = snapshots.id;
    this.registerOutputs({ bucketName: this.bucketName, snapshotPolicyId: this.snapshotPolicyId });
  }
}

export const backupInputs = {
  parameterPrefix,
  roleName: { ...roleName, needed: "give roleName of EmqxClusterNodes" },
  intervalHours: backupIntervalInput,
  retentionDays: wholeNumber(1, 3650, "days"),
  kmsKeyId: kmsKeyInput,
  tags: tagsInput([], true),
} satisfies Shapes<EmqxBackupArgs>;

function allowNodes(
  name: string,
  parent: EmqxBackup,
  { partition, region, accountId }: Place,
  args: EmqxBackupArgs,
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
  args: EmqxBackupArgs,
  bucketName: pulumi.Output<string>,
  needed: pulumi.Resource[],
): ssm.Parameter {
  const calendar = backupCalendar(args.intervalHours ?? defaultBackupIntervalHours);
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
