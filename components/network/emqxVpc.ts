import * as pulumi from "@pulumi/pulumi";
import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as ec2 from "@pulumi/aws/ec2";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import * as iam from "@pulumi/aws/iam";
import { checkedLater } from "../shared/checkedLater";
import { choice, flag, problemsOf, type Shapes } from "../shared/inputs";
import { kmsKeyInput } from "../shared/kmsKey";
import { logRetentionInput } from "../shared/logRetention";
import { nameProblems } from "../shared/names";
import { availabilityZonesInput } from "./availabilityZones";
import { checkedZones, regionOf } from "../shared/place";
import { vpcBlockInput, zoneSubnets, type ZoneSubnets } from "./subnets";
import { refuse } from "../shared/problems";
import { tagged, tagsInput, type Tags } from "../shared/tags";

/** How private subnets reach the internet. Each NAT gateway costs by the hour and by the gigabyte. */
export const NatGateways = {
  /** None: private subnets reach Amazon S3 only. */
  None: "None",
  /** One, in the first zone listed: the cheapest; without that zone, no node reaches the internet. */
  Single: "Single",
  /** One in every zone: a zone depends on no other. */
  PerAvailabilityZone: "PerAvailabilityZone",
} as const;
export type NatGateways = (typeof NatGateways)[keyof typeof NatGateways];

export interface EmqxVpcArgs {
  /**
   * Names of the Availability Zones to use, for example `eu-west-1a`, all of one region. Each gets a private and a
   * public subnet. A zone's addresses follow from its letter, so adding a zone changes nothing of the others.
   */
  availabilityZones: string[];
  /** The VPC's IPv4 block, between /16 and /23. Default: 192.168.0.0/16. Changing it replaces everything. */
  cidrBlock?: string;
  /** NAT gateways for the private subnets. Default: Single. */
  natGateways?: NatGateways;
  /** Whether the VPC's accepted and rejected connections are logged to CloudWatch Logs. Default: false. */
  flowLogs?: boolean;
  /** Days that flow logs are kept, one of the periods that CloudWatch Logs knows. Default: 365. */
  flowLogRetentionDays?: number;
  /**
   * ARN of the customer managed KMS key that encrypts the flow logs; its policy must let CloudWatch Logs use it.
   * Default: CloudWatch Logs' own encryption.
   */
  kmsKeyId?: pulumi.Input<string>;
  /** Tags of every resource. Default: none but `Name`. */
  tags?: Record<string, pulumi.Input<string>>;
}

/**
 * A VPC for an EMQX cluster: per zone a public subnet for the load balancer and a private one for nodes, with an
 * internet gateway, NAT, a gateway endpoint for Amazon S3, and a default security group that allows nothing.
 */
export class EmqxVpc extends pulumi.ComponentResource {
  /** Id of the VPC. */
  public readonly vpcId: pulumi.Output<string>;
  /** Ids of the public subnets, in the order of the zones; known once their route to the internet is there. */
  public readonly publicSubnetIds: pulumi.Output<string>[];
  /** Ids of the private subnets, in the order of the zones; known once their route out is there. */
  public readonly privateSubnetIds: pulumi.Output<string>[];

  constructor(name: string, args: EmqxVpcArgs, opts?: pulumi.ComponentResourceOptions) {
    const subject = `EmqxVpc "${name}"`;
    refuse(subject, vpcProblems(name, args));
    super("emqx-aws:index:EmqxVpc", name, {}, opts);
    const { region } = getRegionOutput({}, { parent: this });
    args = checkedLater(subject, vpcInputs, args, region);
    const context: Context = { name, parent: this, tags: args.tags };
    const cidrBlock = args.cidrBlock ?? defaultVpcBlock;
    const zones = zoneSubnets(cidrBlock, args.availabilityZones);

    // Everything waits for the VPC, and the VPC for the answer that all of its zones are there.
    const zonesChecked = checkedZones(subject, this, "availabilityZones", args.availabilityZones);
    const vpc = createVpc(
      context,
      zonesChecked.apply(() => cidrBlock),
    );
    const gateway = createInternetGateway(context, vpc);
    const publicSubnets = createPublicSubnets(context, vpc, gateway, zones);
    const nats = createNatGateways(context, gateway, publicSubnets, args.natGateways ?? NatGateways.Single);
    const privateSubnets = createPrivateSubnets(context, vpc, nats, zones);
    createS3Endpoint(context, vpc, privateSubnets);
    closeDefaultSecurityGroup(context, vpc);
    if (args.flowLogs ?? false) {
      createFlowLogs(context, vpc, args);
    }

    this.vpcId = vpc.id;
    this.publicSubnetIds = publicSubnets.map(routedSubnetId);
    this.privateSubnetIds = privateSubnets.map(routedSubnetId);
    this.registerOutputs({
      vpcId: this.vpcId,
      publicSubnetIds: this.publicSubnetIds,
      privateSubnetIds: this.privateSubnetIds,
    });
  }
}

/** The guide's private network 192.168.0.0/24 is the private subnet of zone a in this block. */
export const defaultVpcBlock = "192.168.0.0/16";

export const vpcInputs = {
  availabilityZones: availabilityZonesInput,
  cidrBlock: vpcBlockInput,
  natGateways: choice(NatGateways),
  flowLogs: flag,
  flowLogRetentionDays: logRetentionInput,
  kmsKeyId: kmsKeyInput,
  tags: tagsInput(),
} satisfies Shapes<EmqxVpcArgs>;

/** Everything that is wrong with the input, one line each. */
function vpcProblems(name: string, args: EmqxVpcArgs): string[] {
  return problemsOf<EmqxVpcArgs>(vpcInputs, args, { region: regionOf(args) }, [
    () => vpcNameProblems(name),
    (sound) => flowLogProblems(sound, ["flowLogRetentionDays", "kmsKeyId"]),
  ]);
}

export function vpcNameProblems(name: string, part?: string): string[] {
  return nameProblems(name, { made: [{ suffix: "-flow-logs", of: "an IAM role", longest: 64 }] }, part);
}

/** Settings that do nothing without flow logs. */
export function flowLogProblems(
  args: Partial<EmqxVpcArgs>,
  settings: ("flowLogRetentionDays" | "kmsKeyId")[],
): string[] {
  return args.flowLogs
    ? []
    : settings
        .filter((setting) => args[setting] !== undefined)
        .map((setting) => `${setting}: given, but flowLogs is off; set flowLogs to true, or leave it out`);
}

interface Context {
  name: string;
  parent: EmqxVpc;
  tags: Tags | undefined;
}

/** A subnet, and what must exist before traffic can leave it. */
interface RoutedSubnet {
  availabilityZone: string;
  subnet: ec2.Subnet;
  routeTable: ec2.RouteTable;
  wayOut: pulumi.Resource[];
}

function createVpc({ name, parent, tags }: Context, cidrBlock: pulumi.Input<string>): ec2.Vpc {
  return new ec2.Vpc(
    name,
    { cidrBlock, enableDnsSupport: true, enableDnsHostnames: true, tags: tagged(name, tags) },
    { parent },
  );
}

function createInternetGateway({ name, parent, tags }: Context, vpc: ec2.Vpc): ec2.InternetGateway {
  return new ec2.InternetGateway(
    `${name}-igw`,
    { vpcId: vpc.id, tags: tagged(`${name}-igw`, tags) },
    // The provider would move the gateway to a new VPC, which AWS refuses while the old one has public addresses.
    { parent, replaceOnChanges: ["vpcId"] },
  );
}

function createPublicSubnets(
  { name, parent, tags }: Context,
  vpc: ec2.Vpc,
  gateway: ec2.InternetGateway,
  zones: ZoneSubnets[],
): RoutedSubnet[] {
  const routeTable = new ec2.RouteTable(
    `${name}-public`,
    { vpcId: vpc.id, tags: tagged(`${name}-public`, tags) },
    { parent },
  );
  const route = new ec2.Route(
    `${name}-public-internet`,
    { routeTableId: routeTable.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id },
    { parent },
  );
  return zones.map(({ availabilityZone, publicBlock }) => {
    const subnetName = `${name}-public-${availabilityZone}`;
    const subnet = new ec2.Subnet(
      subnetName,
      {
        vpcId: vpc.id,
        availabilityZone,
        cidrBlock: publicBlock.text,
        mapPublicIpOnLaunch: false,
        tags: tagged(subnetName, tags),
      },
      { parent },
    );
    const association = associate(subnetName, parent, subnet, routeTable);
    return { availabilityZone, subnet, routeTable, wayOut: [route, association] };
  });
}

/** NAT gateways by zone. With a single one, every zone has the same. */
function createNatGateways(
  { name, parent, tags }: Context,
  gateway: ec2.InternetGateway,
  publicSubnets: RoutedSubnet[],
  natGateways: NatGateways,
): Map<string, ec2.NatGateway> {
  const create = ({ availabilityZone, subnet, wayOut }: RoutedSubnet) => {
    const natName = `${name}-nat-${availabilityZone}`;
    const address = new ec2.Eip(
      natName,
      { domain: "vpc", tags: tagged(natName, tags) },
      { parent, dependsOn: gateway },
    );
    return new ec2.NatGateway(
      natName,
      { allocationId: address.id, subnetId: subnet.id, tags: tagged(natName, tags) },
      // An address serves one gateway at a time.
      { parent, dependsOn: wayOut, deleteBeforeReplace: true },
    );
  };
  const zones = publicSubnets.map(({ availabilityZone }) => availabilityZone);
  switch (natGateways) {
    case NatGateways.None:
      return new Map();
    case NatGateways.Single: {
      const [nat] = publicSubnets.slice(0, 1).map(create);
      return new Map(nat && zones.map((zone) => [zone, nat]));
    }
    case NatGateways.PerAvailabilityZone:
      return new Map(publicSubnets.map((subnet) => [subnet.availabilityZone, create(subnet)]));
  }
}

function createPrivateSubnets(
  { name, parent, tags }: Context,
  vpc: ec2.Vpc,
  nats: Map<string, ec2.NatGateway>,
  zones: ZoneSubnets[],
): RoutedSubnet[] {
  return zones.map(({ availabilityZone, privateBlock }) => {
    const subnetName = `${name}-private-${availabilityZone}`;
    const subnet = new ec2.Subnet(
      subnetName,
      {
        vpcId: vpc.id,
        availabilityZone,
        cidrBlock: privateBlock.text,
        mapPublicIpOnLaunch: false,
        tags: tagged(subnetName, tags),
      },
      { parent },
    );
    // A table for every zone, so that moving from one NAT gateway to one per zone only changes a route's target.
    const routeTable = new ec2.RouteTable(
      subnetName,
      { vpcId: vpc.id, tags: tagged(subnetName, tags) },
      { parent },
    );
    const association = associate(subnetName, parent, subnet, routeTable);
    const nat = nats.get(availabilityZone);
    const routes = nat
      ? [
          new ec2.Route(
            `${subnetName}-internet`,
            { routeTableId: routeTable.id, destinationCidrBlock: "0.0.0.0/0", natGatewayId: nat.id },
            { parent },
          ),
        ]
      : [];
    return { availabilityZone, subnet, routeTable, wayOut: [association, ...routes] };
  });
}

function associate(
  subnetName: string,
  parent: EmqxVpc,
  subnet: ec2.Subnet,
  routeTable: ec2.RouteTable,
): ec2.RouteTableAssociation {
  return new ec2.RouteTableAssociation(
    subnetName,
    { subnetId: subnet.id, routeTableId: routeTable.id },
    { parent },
  );
}

/** Packages and images come from Amazon S3; through the endpoint they cost no NAT traffic. */
function createS3Endpoint(
  { name, parent, tags }: Context,
  vpc: ec2.Vpc,
  privateSubnets: RoutedSubnet[],
): void {
  const { region } = getRegionOutput({}, { parent });
  new ec2.VpcEndpoint(
    `${name}-s3`,
    {
      vpcId: vpc.id,
      vpcEndpointType: "Gateway",
      serviceName: pulumi.interpolate`com.amazonaws.${region}.s3`,
      routeTableIds: privateSubnets.map(({ routeTable }) => routeTable.id),
      tags: tagged(`${name}-s3`, tags),
    },
    { parent },
  );
}

/** AWS's default group lets its members talk to each other and to the world. Nothing here uses it, so it allows nothing. */
function closeDefaultSecurityGroup({ name, parent, tags }: Context, vpc: ec2.Vpc): void {
  new ec2.DefaultSecurityGroup(
    `${name}-default`,
    { vpcId: vpc.id, ingress: [], egress: [], tags: tagged(`${name}-default`, tags) },
    { parent },
  );
}

function createFlowLogs({ name, parent, tags }: Context, vpc: ec2.Vpc, args: EmqxVpcArgs): void {
  const logName = `${name}-flow-logs`;
  const logGroup = new cloudwatch.LogGroup(
    logName,
    {
      retentionInDays: args.flowLogRetentionDays ?? 365,
      kmsKeyId: args.kmsKeyId,
      tags: tagged(logName, tags),
    },
    { parent },
  );
  const role = new iam.Role(
    logName,
    {
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: "vpc-flow-logs.amazonaws.com" },
            Action: "sts:AssumeRole",
          },
        ],
      }),
      tags: tagged(logName, tags),
    },
    { parent },
  );
  const policy = new iam.RolePolicy(
    logName,
    {
      role: role.id,
      policy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            Resource: [logGroup.arn, pulumi.interpolate`${logGroup.arn}:*`],
          },
        ],
      }),
    },
    { parent },
  );
  new ec2.FlowLog(
    logName,
    {
      vpcId: vpc.id,
      trafficType: "ALL",
      logDestinationType: "cloud-watch-logs",
      logDestination: logGroup.arn,
      iamRoleArn: role.arn,
      tags: tagged(logName, tags),
    },
    { parent, dependsOn: policy },
  );
}

/** The subnet's id, held back until the subnet's way out exists: what waits for the id can reach the internet. */
function routedSubnetId({ subnet, wayOut }: RoutedSubnet): pulumi.Output<string> {
  return pulumi.all([subnet.id, pulumi.all(wayOut.map((resource) => resource.urn))]).apply(([id]) => id);
}
