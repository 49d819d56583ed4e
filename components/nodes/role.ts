/** What a node may do in AWS: read its own parameters, report that it is ready, ask its load balancers, open a shell. */
import * as pulumi from "@pulumi/pulumi";
import { getCallerIdentityOutput } from "@pulumi/aws/getCallerIdentity";
import { getPartitionOutput } from "@pulumi/aws/getPartition";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import * as iam from "@pulumi/aws/iam";
import { takenUp } from "../emqx/parameters";
import { secretSource, type SecretSource } from "../emqx/secretConfig";
import { tagged, type Tags } from "../shared/tags";
import { certificateStatements } from "./tls";

export interface NodeRoleArgs {
  /** Path of the cluster's parameters, without a slash at the end. */
  parameterPrefix: string;
  hasLoadBalancers: boolean;
  hasTargetGroups: boolean;
  /** The parameter of the user's own that holds the nodes' certificate. */
  certificateParameter: string | undefined;
  kmsKeyId: pulumi.Input<string> | undefined;
  /** What is kept by somebody else. */
  sources: pulumi.Input<string>[];
  tags: Tags | undefined;
}

export interface NodeRole {
  role: iam.Role;
  profile: iam.InstanceProfile;
  /** A node without its permissions fails its first boot; instances wait for them. */
  permissions: pulumi.Resource;
}

export function createNodeRole(name: string, parent: pulumi.Resource, args: NodeRoleArgs): NodeRole {
  const role = new iam.Role(
    name,
    {
      description: "EMQX nodes: own parameters, readiness, load balancer health, Session Manager",
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      }),
      tags: tagged(name, args.tags),
    },
    { parent },
  );
  const permissions = new iam.RolePolicy(
    name,
    {
      role: role.id,
      policy: pulumi
        .all([
          getPartitionOutput({}, { parent }).partition,
          getRegionOutput({}, { parent }).region,
          getCallerIdentityOutput({}, { parent }).accountId,
          args.kmsKeyId,
          pulumi.all(args.sources),
        ])
        .apply(([partition, region, accountId, kmsKeyArn, sources]) =>
          JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              ...statements(args, `${partition}:`, `${region}:${accountId}:`, kmsKeyArn),
              ...readSources(sources.map(secretSource), `${partition}:`, `${region}:`, accountId),
            ],
          }),
        ),
    },
    { parent },
  );
  const profile = new iam.InstanceProfile(
    name,
    { role: role.name, tags: tagged(name, args.tags) },
    { parent },
  );
  return { role, profile, permissions };
}

/**
 * What a node reads below its cluster's path. All of it always: a node asks for many parameters in one call, whether they
 * exist or not, and one that it may not read fails the whole call.
 */
const readParameters = [
  "cookie",
  ...takenUp,
  "load-balancers",
  "cluster",
  "operations/*",
  "monitoring",
  "backup",
];
/**
 * The secrets that somebody else keeps, each of them alone. Which key they are encrypted with is their owner's; what it
 * decrypts is told by the encryption context (KMS developer guide, "Encryption context"; that of SecureStrings, and of secrets).
 */
function readSources(sources: SecretSource[], partition: string, region: string, accountId: string) {
  const statement = (sid: string, kind: SecretSource["kind"], action: string, context: string) => {
    const arns = sources
      .filter((source) => source.kind === kind)
      .map(({ name }) =>
        kind === "secret"
          ? name
          : `arn:${partition}ssm:${region}${accountId}:parameter/${name.replace(/^\//, "")}`,
      );
    const Resource = [...new Set(arns)].sort();
    return Resource.length === 0
      ? []
      : [
          { Sid: `Read${sid}`, Effect: "Allow", Action: action, Resource },
          {
            Sid: `Decrypt${sid}`,
            Effect: "Allow",
            Action: "kms:Decrypt",
            Resource: `arn:${partition}kms:${region}*:key/*`,
            Condition: { StringEquals: { [`kms:EncryptionContext:${context}`]: Resource } },
          },
        ];
  };
  return [
    ...statement("ExistingParameters", "parameter", "ssm:GetParameter", "PARAMETER_ARN"),
    ...statement("ExistingSecrets", "secret", "secretsmanager:GetSecretValue", "SecretARN"),
  ];
}

/** What a node writes; `*` is its number. */
const reportParameters = ["nodes/*/ready", "nodes/*/applied"];

/** By the statement's id. */
const healthReads = ({ hasLoadBalancers, hasTargetGroups }: NodeRoleArgs) =>
  Object.entries({
    ...(hasLoadBalancers && { ReadLoadBalancerHealth: "DescribeInstanceHealth" }),
    ...(hasTargetGroups && { ReadTargetHealth: "DescribeTargetHealth" }),
  });

function statements(args: NodeRoleArgs, partition: string, place: string, kmsKeyArn: string | undefined) {
  const parameterArn = (parameterName: string) =>
    `arn:${partition}ssm:${place}parameter${args.parameterPrefix}/${parameterName}`;
  return [
    {
      Sid: "ReadOwnParameters",
      Effect: "Allow",
      Action: ["ssm:GetParameter", "ssm:GetParameters"],
      Resource: [...readParameters, ...reportParameters].map(parameterArn),
    },
    {
      Sid: "Report",
      Effect: "Allow",
      Action: "ssm:PutParameter",
      Resource: reportParameters.map(parameterArn),
    },
    ...certificateStatements(args.certificateParameter, partition, place),
    // These actions know no resources (Service Authorization Reference, Elastic Load Balancing and Elastic Load Balancing V2).
    ...healthReads(args).map(([Sid, action]) => ({
      Sid,
      Effect: "Allow",
      Action: `elasticloadbalancing:${action}`,
      Resource: "*",
    })),
    ...(kmsKeyArn === undefined
      ? []
      : [{ Sid: "DecryptParameters", Effect: "Allow", Action: "kms:Decrypt", Resource: kmsKeyArn }]),
    // Session Manager's own needs, without the right to read every parameter that AWS's managed policy brings along.
    {
      Sid: "RegisterWithSystemsManager",
      Effect: "Allow",
      Action: "ssm:UpdateInstanceInformation",
      Resource: `arn:${partition}ec2:${place}instance/*`,
    },
    {
      // These actions know no resources (Service Authorization Reference, Session Manager Message Gateway).
      Sid: "OpenSessions",
      Effect: "Allow",
      Action: [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ],
      Resource: "*",
    },
  ];
}
