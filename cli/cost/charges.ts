/** What each resource type costs. A type that is neither here nor in `free` shows in every estimate as undecided. */
import { list, number, record, text } from "../review/change/values";
import { assumedSnapshotsPerVolume, assumedBucketGB } from "./assumptions";
import type { Prices } from "./prices";
import { hoursPerMonth, instanceHour } from "./prices";

/** What an estimate needs to know of a resource: what the program asks for. */
export interface CostedResource {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/** Something that costs the same every month, whatever passes through it. */
export interface Charge {
  what: string;
  amount: number;
  /** In US dollars, for one of it and a month; undefined where no price is known. */
  price: number | undefined;
}

type Rule = (inputs: Record<string, unknown>, prices: Prices) => Charge[];

const one = (what: string, price: number | undefined, amount = 1): Charge => ({ what, amount, price });

/** AWS sends seven metrics of an instance every minute, at the price of custom ones (CloudWatch pricing, example 1). */
const detailedMetrics = 7;

export const charges: Record<string, Rule> = {
  "aws:ec2/instance:Instance": (inputs, prices) => {
    const type = text(inputs.instanceType) ?? "?";
    const hour = instanceHour(prices, type);
    const root = record(inputs.rootBlockDevice);
    return [
      one(`instance ${type}`, hour === undefined ? undefined : hour * hoursPerMonth),
      ...volume("root disk", root.volumeType, number(root.volumeSize) ?? smallestRootGiB, root, prices),
      ...(inputs.monitoring === true
        ? [one("detailed monitoring of an instance", detailedMetrics * prices.customMetric)]
        : []),
      ...(inputs.associatePublicIpAddress === true ? [publicAddress(prices)] : []),
    ];
  },
  "aws:ebs/volume:Volume": (inputs, prices) =>
    volume("data volume", inputs.type, number(inputs.size) ?? 0, inputs, prices),
  "aws:ec2/natGateway:NatGateway": (_, prices) => [one("NAT gateway", prices.natGatewayHour * hoursPerMonth)],
  "aws:ec2/eip:Eip": (_, prices) => [publicAddress(prices)],
  "aws:elb/loadBalancer:LoadBalancer": (inputs, prices) => [
    one("Classic ELB", prices.classicElbHour * hoursPerMonth),
    // At least one address per zone; AWS adds more as the load balancer grows.
    ...(inputs.internal === true ? [] : [publicAddress(prices, Math.max(1, list(inputs.subnets).length))]),
  ],
  "aws:lb/loadBalancer:LoadBalancer": (inputs, prices) => [
    one("Network Load Balancer", prices.networkElbHour * hoursPerMonth),
    // Elastic IPs, with which zones are mapped, are charged for themselves.
    ...(inputs.internal === true || list(inputs.subnetMappings).length > 0
      ? []
      : [publicAddress(prices, Math.max(1, list(inputs.subnets).length))]),
  ],
  "aws:ec2/vpcEndpoint:VpcEndpoint": (inputs, prices) =>
    inputs.vpcEndpointType === "Interface"
      ? [
          one(
            "VPC interface endpoint, zone",
            prices.interfaceEndpointHour * hoursPerMonth,
            Math.max(1, list(inputs.subnetIds).length),
          ),
        ]
      : [],
  "aws:kms/key:Key": (_, prices) => [one("KMS key", prices.kmsKey)],
  "aws:secretsmanager/secret:Secret": (_, prices) => [one("secret in Secrets Manager", prices.secret)],
  "aws:route53/zone:Zone": (_, prices) => [one("hosted zone", prices.hostedZone)],
  "aws:cloudwatch/metricAlarm:MetricAlarm": (inputs, prices) => [
    one("alarm, metric", prices.alarm, alarmMetrics(inputs)),
  ],
  "aws:cloudwatch/compositeAlarm:CompositeAlarm": (_, prices) => [
    one("composite alarm", prices.compositeAlarm),
  ],
  "aws:cloudwatch/dashboard:Dashboard": (_, prices) => [one("dashboard", prices.dashboard)],
  ...Object.fromEntries(
    ["aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"].map((type): [string, Rule] => [
      type,
      (_, prices) => [one("S3 storage, GB (assumed)", prices.s3GB, assumedBucketGB)],
    ]),
  ),
};

/** AL2023's image. */
const smallestRootGiB = 8;

function publicAddress(prices: Prices, amount = 1): Charge {
  return one("public IPv4 address", prices.publicAddressHour * hoursPerMonth, amount);
}

function volume(
  what: string,
  volumeType: unknown,
  size: number,
  { iops, throughput }: Record<string, unknown>,
  prices: Prices,
): Charge[] {
  const type = text(volumeType) ?? "gp3";
  const extraIops = type === "gp3" ? Math.max(0, (number(iops) ?? 0) - 3000) : 0;
  const extraThroughput = type === "gp3" ? Math.max(0, (number(throughput) ?? 0) - 125) : 0;
  return [
    one(`${what} ${type}, GiB`, prices.volumeGiB[type], size),
    ...(extraIops > 0 ? [one("gp3 IOPS above 3,000", prices.gp3Iops, extraIops)] : []),
    ...(extraThroughput > 0 ? [one("gp3 MiB/s above 125", prices.gp3Throughput, extraThroughput)] : []),
  ];
}

/** The metrics an alarm looks at: one, or those of its queries that are not expressions over others. */
function alarmMetrics(inputs: Record<string, unknown>): number {
  const queries = list(inputs.metricQueries).map(record);
  return Math.max(1, queries.filter((query) => query.metric !== undefined).length);
}

/** What resources cost together that none of them costs alone: snapshots are of volumes, not of their plan. */
export function snapshotCharges(resources: readonly CostedResource[], prices: Prices): Charge[] {
  if (!resources.some(({ type }) => snapshotPlans.includes(type))) return [];
  const volumes = resources.filter(({ type }) => type === "aws:ebs/volume:Volume");
  const size = volumes.reduce((sum, { inputs }) => sum + (number(inputs.size) ?? 0), 0);
  return size > 0
    ? [one("snapshots, GiB (assumed)", prices.snapshotGiB, size * assumedSnapshotsPerVolume)]
    : [];
}

const snapshotPlans = ["aws:dlm/lifecyclePolicy:LifecyclePolicy", "aws:backup/plan:Plan"];

/** Types that cost nothing by themselves. What passes through some of them does: see usage.ts. */
export const free: readonly string[] = [
  // Network: a VPC and its parts, security groups, addresses inside it.
  "aws:ec2/vpc:Vpc",
  "aws:ec2/subnet:Subnet",
  "aws:ec2/internetGateway:InternetGateway",
  "aws:ec2/routeTable:RouteTable",
  "aws:ec2/route:Route",
  "aws:ec2/routeTableAssociation:RouteTableAssociation",
  "aws:ec2/securityGroup:SecurityGroup",
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
  "aws:ec2/securityGroupRule:SecurityGroupRule",
  "aws:ec2/networkInterface:NetworkInterface",
  "aws:ec2/eipAssociation:EipAssociation",
  "aws:ec2/volumeAttachment:VolumeAttachment",
  "aws:ec2/keyPair:KeyPair",
  // Flow logs and log groups cost by the GB.
  "aws:ec2/flowLog:FlowLog",
  "aws:cloudwatch/logGroup:LogGroup",
  "aws:cloudwatch/logMetricFilter:LogMetricFilter",
  // Parts of the load balancer; public certificates that AWS issues or that are imported.
  "aws:elb/attachment:Attachment",
  "aws:elb/loadBalancerPolicy:LoadBalancerPolicy",
  "aws:elb/listenerPolicy:ListenerPolicy",
  "aws:elb/loadBalancerBackendServerPolicy:LoadBalancerBackendServerPolicy",
  "aws:lb/listener:Listener",
  "aws:lb/listenerCertificate:ListenerCertificate",
  "aws:lb/targetGroup:TargetGroup",
  "aws:lb/targetGroupAttachment:TargetGroupAttachment",
  // Whoever makes an endpoint pays for it.
  "aws:ec2/vpcEndpointService:VpcEndpointService",
  "aws:acm/certificate:Certificate",
  "aws:acm/certificateValidation:CertificateValidation",
  // Alias records to a load balancer are answered for nothing.
  "aws:route53/record:Record",
  "aws:iam/role:Role",
  "aws:iam/policy:Policy",
  "aws:iam/rolePolicy:RolePolicy",
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  "aws:iam/instanceProfile:InstanceProfile",
  "aws:iam/serverCertificate:ServerCertificate",
  "aws:iam/accessKey:AccessKey",
  // Standard tier, and standard throughput.
  "aws:ssm/parameter:Parameter",
  "aws:ssm/association:Association",
  "aws:kms/alias:Alias",
  "aws:secretsmanager/secretVersion:SecretVersion",
  // Topics and subscriptions cost by the message: the first thousand e-mails a month nothing.
  "aws:sns/topic:Topic",
  "aws:sns/topicPolicy:TopicPolicy",
  "aws:sns/topicSubscription:TopicSubscription",
  "aws:cloudwatch/eventRule:EventRule",
  "aws:cloudwatch/eventTarget:EventTarget",
  // Settings of a bucket.
  "aws:s3/bucketPolicy:BucketPolicy",
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  "aws:s3/bucketVersioning:BucketVersioning",
  // Plans of snapshots; the snapshots cost, see snapshotCharges.
  ...snapshotPlans,
  "aws:backup/vault:Vault",
  "aws:backup/selection:Selection",
];

/** Whether it is decided what a type costs. Nothing outside of AWS costs anything there. */
export function isDecided(type: string): boolean {
  return !type.startsWith("aws:") || Object.hasOwn(charges, type) || free.includes(type);
}
