import * as pulumi from "@pulumi/pulumi";
import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as ec2 from "@pulumi/aws/ec2";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import * as iam from "@pulumi/aws/iam";
import { checkedLater } from "../shared/checkedLater";
import { Members } from "../shared/members";
import { checkDefaultTags } from "../shared/defaultTags";
import { checkedZones } from "../shared/place";
import { resolve } from "../shared/resolve";
import { tagged, type Tags } from "../shared/tags";
import { NatGateways, vpcInputs, vpcProblems, type EmqxVpcArgs, type VpcSettings } from "./settings";
import { zoneSubnets, type ZoneSubnets } from "./subnets";

/**
 * A VPC for an EMQX cluster: per zone a public subnet for the load balancer and a private one for nodes, with an
 * internet gateway, NAT, a gateway endpoint for Amazon S3, and a default security group that allows nothing.
 *
 * @example
 * const vpc = new EmqxVpc("emqx", { availabilityZones: ["eu-west-1a", "eu-west-1b"] });
 * // A database that the nodes may reach learns their addresses from the NAT gateways.
 * const allowed = vpc.natGatewayPublicIps.map((address) => pulumi.interpolate`${address}/32`);
 */
export class EmqxVpc extends pulumi.ComponentResource {
  /** Id of the VPC. */
  public readonly vpcId: pulumi.Output<string>;
  /** Ids of the public subnets, in the order of the zones; known once their route to the internet is there. */
  public readonly publicSubnetIds: pulumi.Output<string>[];
  /** Ids of the private subnets, in the order of the zones; known once their route out is there. */
  public readonly privateSubnetIds: pulumi.Output<string>[];
  /** The VPC's IPv4 block. */
  public readonly cidrBlock: pulumi.Output<string>;
  /** Id of the route table of all public subnets. */
  public readonly publicRouteTableId: pulumi.Output<string>;
  /** Ids of the private subnets' route tables, in the order of the zones: for peering, transit gateways and endpoints. */
  public readonly privateRouteTableIds: pulumi.Output<string>[];
  /** Public addresses of the NAT gateways, by which others know the nodes; empty without one. */
  public readonly natGatewayPublicIps: pulumi.Output<string>[];

  /** The VPC itself. */
  public get vpc(): ec2.Vpc {
    return members.of(this).vpc;
  }
  /** The public subnets, in the order of the zones. */
  public get publicSubnets(): ec2.Subnet[] {
    return members.of(this).publicSubnets;
  }
  /** The private subnets, in the order of the zones. */
  public get privateSubnets(): ec2.Subnet[] {
    return members.of(this).privateSubnets;
  }

  constructor(name: string, args: EmqxVpcArgs, opts?: pulumi.ComponentResourceOptions) {
    const subject = `EmqxVpc "${name}"`;
    const resolved = resolve(subject, vpcInputs, args, () => vpcProblems(name, args));
    super("emqx-aws:index:EmqxVpc", name, {}, opts);
    checkDefaultTags(subject, this, args.tags, { ec2Only: args.flowLogs === undefined });
    const { region } = getRegionOutput({}, { parent: this });
    const settings = checkedLater(subject, vpcInputs, resolved, region);
    const { availabilityZones, cidrBlock } = settings;
    const context: Context = { name, parent: this, tags: settings.tags };
    const zones = zoneSubnets(cidrBlock, availabilityZones);

    // Everything waits for the VPC, and the VPC for the answer that all of its zones are there.
    const zonesChecked = checkedZones(subject, this, "availabilityZones", availabilityZones);
    const vpc = createVpc(
      context,
      zonesChecked.apply(() => cidrBlock),
    );
    const gateway = createInternetGateway(context, vpc);
    const publicSubnets = createPublicSubnets(context, vpc, gateway, zones);
    const nats = createNatGateways(context, gateway, publicSubnets, settings.natGateways);
    const privateSubnets = createPrivateSubnets(context, vpc, nats, zones);
    createS3Endpoint(context, vpc, privateSubnets);
    closeDefaultSecurityGroup(context, vpc);
    if (settings.flowLogs !== undefined) {
      createFlowLogs(context, vpc, settings.flowLogs);
    }

    this.vpcId = vpc.id;
    this.publicSubnetIds = publicSubnets.map(routedSubnetId);
    this.privateSubnetIds = privateSubnets.map(routedSubnetId);
    this.cidrBlock = vpc.cidrBlock;
    // All public subnets have the one table.
    this.publicRouteTableId = publicSubnets[0]!.routeTable.id;
    this.privateRouteTableIds = privateSubnets.map(({ routeTable }) => routeTable.id);
    this.natGatewayPublicIps = [...new Set(nats.values())].map((nat) => nat.publicIp);
    members.keep(this, {
      vpc,
      publicSubnets: publicSubnets.map(({ subnet }) => subnet),
      privateSubnets: privateSubnets.map(({ subnet }) => subnet),
    });
    this.registerOutputs({
      vpcId: this.vpcId,
      publicSubnetIds: this.publicSubnetIds,
      privateSubnetIds: this.privateSubnetIds,
      cidrBlock: this.cidrBlock,
      publicRouteTableId: this.publicRouteTableId,
      privateRouteTableIds: this.privateRouteTableIds,
      natGatewayPublicIps: this.natGatewayPublicIps,
    });
  }
}

const members = new Members<
  EmqxVpc,
  { vpc: ec2.Vpc; publicSubnets: ec2.Subnet[]; privateSubnets: ec2.Subnet[] }
>();

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

function createFlowLogs(
  { name, parent, tags }: Context,
  vpc: ec2.Vpc,
  settings: NonNullable<VpcSettings["flowLogs"]>,
): void {
  const logName = `${name}-flow-logs`;
  const logGroup = new cloudwatch.LogGroup(
    logName,
    {
      retentionInDays: settings.retentionDays,
      kmsKeyId: settings.kmsKeyId,
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
