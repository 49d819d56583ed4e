/** AWS's own policies that a role of this project may have, with what they allow. */

const ssmCore = [
  "ssm:DescribeAssociation",
  "ssm:DescribeDocument",
  "ssm:GetDeployablePatchSnapshotForInstance",
  "ssm:GetDocument",
  "ssm:GetManifest",
  "ssm:GetParameter",
  "ssm:GetParameters",
  "ssm:ListAssociations",
  "ssm:ListInstanceAssociations",
  "ssm:PutComplianceItems",
  "ssm:PutConfigurePackageResult",
  "ssm:PutInventory",
  "ssm:UpdateAssociationStatus",
  "ssm:UpdateInstanceAssociationStatus",
  "ssm:UpdateInstanceInformation",
  "ssmmessages:CreateControlChannel",
  "ssmmessages:CreateDataChannel",
  "ssmmessages:OpenControlChannel",
  "ssmmessages:OpenDataChannel",
  "ec2messages:AcknowledgeMessage",
  "ec2messages:DeleteMessage",
  "ec2messages:FailMessage",
  "ec2messages:GetEndpoint",
  "ec2messages:GetMessages",
  "ec2messages:SendReply",
];

const cloudWatchAgent = [
  "cloudwatch:PutMetricData",
  "ec2:DescribeVolumes",
  "ec2:DescribeTags",
  "logs:PutLogEvents",
  "logs:PutRetentionPolicy",
  "logs:DescribeLogStreams",
  "logs:DescribeLogGroups",
  "logs:CreateLogStream",
  "logs:CreateLogGroup",
  "xray:PutTraceSegments",
  "xray:PutTelemetryRecords",
];

const byName: Record<string, string[]> = {
  AmazonSSMManagedInstanceCore: ssmCore,
  CloudWatchAgentServerPolicy: cloudWatchAgent,
  AmazonSSMReadOnlyAccess: ["ssm:Describe*", "ssm:Get*", "ssm:List*"],
};

/** The document of a managed policy, or nothing if AWS has none of that ARN (that is modelled). */
export function managedPolicy(arn: string): string | undefined {
  const match = /^arn:aws[a-z-]*:iam::aws:policy\/(?:[\w-]+\/)?([\w-]+)$/.exec(arn);
  const actions = match && byName[match[1]!];
  return actions
    ? JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
      })
    : undefined;
}
