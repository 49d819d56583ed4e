/** Daily snapshots of a cluster's data volumes, by Data Lifecycle Manager. */
import * as pulumi from "@pulumi/pulumi";
import * as dlm from "@pulumi/aws/dlm";
import * as iam from "@pulumi/aws/iam";
import type { Place } from "./place";
import { dataVolumeTag, tagged, type Tags } from "../shared/tags";

/** Three in the morning UTC: a snapshot slows a volume down a little while it is taken. */
const snapshotTime = "03:00";

export interface SnapshotPolicyArgs {
  /** Value of the volumes' tag. */
  cluster: pulumi.Input<string>;
  retentionDays: number;
  tags: Tags | undefined;
}

export function createSnapshotPolicy(
  name: string,
  parent: pulumi.Resource,
  { partition, region, accountId }: Place,
  args: SnapshotPolicyArgs,
): dlm.LifecyclePolicy {
  const role = new iam.Role(
    `${name}-snapshots`,
    {
      description: "Data Lifecycle Manager: daily snapshots of the EMQX cluster's data volumes",
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: "dlm.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      }),
      tags: tagged(`${name}-snapshots`, args.tags),
    },
    { parent },
  );
  const permissions = new iam.RolePolicy(
    `${name}-snapshots`,
    {
      role: role.id,
      policy: pulumi
        .all([partition, region, accountId, args.cluster])
        .apply(([partition, region, accountId, cluster]) =>
          JSON.stringify({
            Version: "2012-10-17",
            Statement: snapshotStatements(
              `arn:${partition}:ec2:${region}:${accountId}:volume/*`,
              `arn:${partition}:ec2:${region}::snapshot/*`,
              cluster,
            ),
          }),
        ),
    },
    { parent },
  );
  return new dlm.LifecyclePolicy(
    `${name}-snapshots`,
    {
      description: `Daily snapshots of the data volumes of EMQX cluster ${name}`,
      executionRoleArn: role.arn,
      policyDetails: {
        resourceTypes: ["VOLUME"],
        targetTags: { [dataVolumeTag]: args.cluster },
        schedules: [
          {
            name: "daily",
            createRule: { interval: 24, intervalUnit: "HOURS", times: snapshotTime },
            retainRule: { interval: args.retentionDays, intervalUnit: "DAYS" },
            copyTags: true,
          },
        ],
      },
      tags: tagged(`${name}-snapshots`, args.tags),
    },
    { parent, dependsOn: permissions },
  );
}

/** Snapshots take the volumes' tags over, so this cluster's are told apart from any other by the same tag. */
function snapshotStatements(volumes: string, snapshots: string, cluster: string) {
  const ofThisCluster = { StringEquals: { [`aws:ResourceTag/${dataVolumeTag}`]: cluster } };
  return [
    {
      Sid: "SnapshotDataVolumes",
      Effect: "Allow",
      Action: "ec2:CreateSnapshot",
      Resource: volumes,
      Condition: ofThisCluster,
    },
    {
      Sid: "MakeSnapshots",
      Effect: "Allow",
      Action: ["ec2:CreateSnapshot", "ec2:CreateTags"],
      Resource: snapshots,
    },
    {
      Sid: "ExpireSnapshots",
      Effect: "Allow",
      Action: "ec2:DeleteSnapshot",
      Resource: snapshots,
      Condition: ofThisCluster,
    },
    {
      // These actions know no resources (Service Authorization Reference, Amazon EC2).
      Sid: "FindVolumesAndSnapshots",
      Effect: "Allow",
      Action: ["ec2:DescribeVolumes", "ec2:DescribeSnapshots", "ec2:DescribeInstances"],
      Resource: "*",
    },
  ];
}
