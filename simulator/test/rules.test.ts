/** Every rule of AWS that the region knows: what breaks it, and the code it answers with, at both doors. */
import { names } from "..";
import type { Props } from "../values";
import { askAtBothDoors, type Row } from "./rows";
import {
  allow,
  balancerInputs,
  keyPair,
  listener,
  nodeInputs,
  trust,
  x86Image,
  type Door,
  type Ids,
} from "./world";

const text = JSON.stringify;
const certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
const elsewhere = "arn:aws:acm:us-east-1:123456789012:certificate/9d8c7b6a-5f4e-4d3c-9b2a-1f0e9d8c7b03";
const secure = { lbPort: 8883, lbProtocol: "ssl", instancePort: 1883, instanceProtocol: "tcp" };

const balancer = (changes: (ids: Ids) => Props) => (ids: Ids) => ({
  ...balancerInputs(ids),
  ...changes(ids),
});
const withListener = (changes: Props) => balancer(() => ({ listeners: [{ ...listener, ...changes }] }));
const healthy = {
  target: "HTTP:18083/status",
  interval: 10,
  timeout: 5,
  healthyThreshold: 2,
  unhealthyThreshold: 2,
};
const withHealth = (changes: Props) => balancer(() => ({ healthCheck: { ...healthy, ...changes } }));
const subnetIn = (changes: Props) => (ids: Ids) => ({
  vpcId: ids["vpc"]!,
  cidrBlock: "10.0.9.0/24",
  availabilityZone: "eu-west-1a",
  ...changes,
});
const rule = (changes: Props | ((ids: Ids) => Props)) => (ids: Ids) => ({
  securityGroupId: ids["group"]!,
  ipProtocol: "tcp",
  fromPort: 1883,
  toPort: 1883,
  ...(typeof changes === "function" ? changes(ids) : changes),
});
const instance = (changes: Props) => (ids: Ids) => ({ ...nodeInputs(ids), ...changes });
const gp3 = (changes: Props) => ({ availabilityZone: "eu-west-1a", type: "gp3", size: 20, ...changes });
const makeBalancer = (door: Door, ids: Ids) =>
  door.create(names.loadBalancer, "balancer", {
    ...balancerInputs(ids),
    listeners: [listener, { ...secure, sslCertificateId: certificate }],
  });
const makeInstance = async (door: Door, ids: Ids) =>
  (ids["instance"] = (await door.create(names.instance, "instance", nodeInputs(ids))).id);
const natIn = async (door: Door, ids: Ids) =>
  (ids["nat"] = (
    await door.create(names.natGateway, "nat", { subnetId: ids["subnetA"]!, allocationId: ids["eip"]! })
  ).id);
const importOf = async (body: "rsa" | "expired" | "other", key: "rsa" | "other" | "expired") => ({
  certificateBody: (await keyPair(body)).certificate,
  privateKey: (await keyPair(key)).key,
});

const proxyPolicy = {
  loadBalancerName: "balancer",
  policyName: "proxy",
  policyTypeName: "ProxyProtocolPolicyType",
  policyAttributes: [{ name: "ProxyProtocol", value: "true" }],
};

const rows: Row[] = [
  // Types and properties
  {
    rule: "unknown type",
    type: "aws:s3/bucketNotification:BucketNotification",
    inputs: {},
    error: /does not know the resource type "aws:s3\/bucketNotification:BucketNotification"/,
  },
  {
    rule: "unknown property",
    type: names.vpc,
    inputs: { cidrBlok: "10.9.0.0/16" },
    error: /has no input "cidrBlok"; did you mean "cidrBlock"/,
  },
  {
    rule: "property that is an output",
    type: names.vpc,
    inputs: { cidrBlock: "10.9.0.0/16", arn: "x" },
    error: /has no input "arn"/,
  },
  {
    rule: "property without behaviour here",
    type: names.vpc,
    inputs: { ipv6NetmaskLength: 56 },
    error: /has no input "ipv6NetmaskLength" in the simulated region/,
  },
  {
    rule: "unknown inner property",
    type: names.loadBalancer,
    inputs: withListener({ protocol: "tcp" }),
    error: /has no input "listeners\[0\]\.protocol"/,
  },
  {
    rule: "wrong kind",
    type: names.vpc,
    inputs: { cidrBlock: 10 },
    error: /"cidrBlock" of aws:ec2\/vpc:Vpc is a string, got 10/,
  },
  {
    rule: "wrong kind of a list's element",
    type: names.loadBalancer,
    inputs: balancer(() => ({ subnets: [5] })),
    error: /"subnets\[0\]" of .* is a string, got 5/,
  },
  {
    rule: "fraction where a whole number is due",
    type: names.volume,
    inputs: gp3({ size: 20.5 }),
    error: /"size" of .* is a whole number, got 20.5/,
  },
  {
    rule: "required property missing",
    type: names.subnet,
    inputs: { cidrBlock: "10.0.9.0/24" },
    error: /Missing required property 'vpcId'/,
  },
  {
    rule: "required inner property missing",
    type: names.loadBalancer,
    inputs: balancer(() => ({ listeners: [{ lbPort: 1883, lbProtocol: "tcp", instancePort: 1883 }] })),
    error: /Missing required property 'listeners\[0\].instanceProtocol'/,
  },
  {
    rule: "resource of another package",
    type: "random:index/randomPet:RandomPet",
    inputs: {},
    error: /does not know the resource type/,
  },

  // VPC
  {
    rule: "VPC block too large",
    type: names.vpc,
    inputs: { cidrBlock: "10.0.0.0/15" },
    error: "InvalidVpc.Range",
  },
  {
    rule: "VPC block too small",
    type: names.vpc,
    inputs: { cidrBlock: "10.0.0.0/29" },
    error: "InvalidVpc.Range",
  },
  {
    rule: "VPC block with host bits",
    type: names.vpc,
    inputs: { cidrBlock: "10.0.0.1/16" },
    error: /InvalidVpc.Range.*did you mean "10.0.0.0\/16"/,
  },
  {
    rule: "VPC block malformed",
    type: names.vpc,
    inputs: { cidrBlock: "10.0.0.0" },
    error: "InvalidVpc.Range",
  },
  { rule: "VPC without block", type: names.vpc, inputs: {}, error: "MissingParameter" },
  {
    rule: "second internet gateway",
    type: names.internetGateway,
    inputs: (ids) => ({ vpcId: ids["vpc"]! }),
    error: /InvalidParameterValue: Network vpc-\w+ already has an internet gateway attached/,
  },
  {
    rule: "internet gateway of no VPC",
    type: names.internetGateway,
    inputs: { vpcId: "vpc-0" },
    error: "InvalidVpcID.NotFound",
  },

  // Subnets
  {
    rule: "subnet outside its VPC",
    type: names.subnet,
    inputs: subnetIn({ cidrBlock: "10.2.0.0/24" }),
    error: "InvalidSubnet.Range",
  },
  {
    rule: "subnet too small",
    type: names.subnet,
    inputs: subnetIn({ cidrBlock: "10.0.9.0/29" }),
    error: "InvalidSubnet.Range",
  },
  {
    rule: "subnet with host bits",
    type: names.subnet,
    inputs: subnetIn({ cidrBlock: "10.0.9.1/24" }),
    error: "InvalidSubnet.Range",
  },
  {
    rule: "subnet overlaps a sibling",
    type: names.subnet,
    inputs: subnetIn({ cidrBlock: "10.0.0.128/25" }),
    error:
      /^creating EC2 Subnet: InvalidSubnet.Conflict: The CIDR '10.0.0.128\/25' conflicts with another subnet$/,
  },
  {
    rule: "subnet in a zone of another region",
    type: names.subnet,
    inputs: subnetIn({ availabilityZone: "us-east-1a" }),
    error: "InvalidParameterValue",
  },
  {
    rule: "subnet in no zone",
    type: names.subnet,
    inputs: subnetIn({ availabilityZone: "eu-west-1d" }),
    error: /InvalidParameterValue.*eu-west-1a, eu-west-1b, eu-west-1c/,
  },
  {
    rule: "subnet of no VPC",
    type: names.subnet,
    inputs: { vpcId: "vpc-0", cidrBlock: "10.0.9.0/24" },
    error: "InvalidVpcID.NotFound",
  },

  // Gateways and routes
  {
    rule: "NAT gateway without address",
    type: names.natGateway,
    inputs: (ids) => ({ subnetId: ids["subnetA"]! }),
    error: "MissingParameter",
  },
  {
    rule: "NAT gateway with an unknown address",
    type: names.natGateway,
    inputs: (ids) => ({ subnetId: ids["subnetA"]!, allocationId: "eipalloc-0" }),
    error: "InvalidAllocationID.NotFound",
  },
  {
    rule: "NAT gateway in no subnet",
    type: names.natGateway,
    inputs: (ids) => ({ subnetId: "subnet-0", allocationId: ids["eip"]! }),
    error: "InvalidSubnetID.NotFound",
  },
  {
    rule: "NAT gateway without internet gateway",
    type: names.natGateway,
    inputs: (ids) => ({ subnetId: ids["otherSubnet"]!, allocationId: ids["eip"]! }),
    error: "Gateway.NotAttached",
  },
  {
    rule: "NAT gateway with a taken address",
    type: names.natGateway,
    given: natIn,
    inputs: (ids) => ({ subnetId: ids["subnetB"]!, allocationId: ids["eip"]! }),
    error: "Resource.AlreadyAssociated",
  },
  {
    rule: "route with no target",
    type: names.route,
    inputs: (ids) => ({ routeTableId: ids["table"]!, destinationCidrBlock: "0.0.0.0/0" }),
    error: /exactly one target.*got none/,
  },
  {
    rule: "route with two targets",
    type: names.route,
    inputs: (ids) => ({
      routeTableId: ids["table"]!,
      destinationCidrBlock: "0.0.0.0/0",
      gatewayId: ids["igw"]!,
      natGatewayId: "nat-0",
    }),
    error: /exactly one target.*gatewayId, natGatewayId/,
  },
  {
    rule: "route to no gateway",
    type: names.route,
    inputs: (ids) => ({ routeTableId: ids["table"]!, destinationCidrBlock: "0.0.0.0/0", gatewayId: "igw-0" }),
    error: "InvalidGatewayID.NotFound",
  },
  {
    rule: "route to no NAT gateway",
    type: names.route,
    inputs: (ids) => ({
      routeTableId: ids["table"]!,
      destinationCidrBlock: "0.0.0.0/0",
      natGatewayId: "nat-0",
    }),
    error: "InvalidNatGatewayID.NotFound",
  },
  {
    rule: "route to another VPC's gateway",
    type: names.route,
    inputs: (ids) => ({
      routeTableId: ids["otherTable"]!,
      destinationCidrBlock: "0.0.0.0/0",
      gatewayId: ids["igw"]!,
    }),
    error: /InvalidParameterValue.*belong to different networks/,
  },
  {
    rule: "route in no table",
    type: names.route,
    inputs: (ids) => ({ routeTableId: "rtb-0", destinationCidrBlock: "0.0.0.0/0", gatewayId: ids["igw"]! }),
    error: "InvalidRouteTableID.NotFound",
  },
  {
    rule: "route twice",
    type: names.route,
    given: (door, ids) =>
      door.create(names.route, "first", {
        routeTableId: ids["table"]!,
        destinationCidrBlock: "0.0.0.0/0",
        gatewayId: ids["igw"]!,
      }),
    inputs: (ids) => ({
      routeTableId: ids["table"]!,
      destinationCidrBlock: "0.0.0.0/0",
      gatewayId: ids["igw"]!,
    }),
    error: "RouteAlreadyExists: The route identified by 0.0.0.0/0 already exists.",
  },
  {
    rule: "route for the VPC's own block",
    type: names.route,
    inputs: (ids) => ({
      routeTableId: ids["table"]!,
      destinationCidrBlock: "10.0.0.0/16",
      gatewayId: ids["igw"]!,
    }),
    error: "RouteAlreadyExists",
  },
  {
    rule: "route with host bits",
    type: names.route,
    inputs: (ids) => ({
      routeTableId: ids["table"]!,
      destinationCidrBlock: "10.7.0.1/16",
      gatewayId: ids["igw"]!,
    }),
    error: /has host bits set/,
  },
  {
    rule: "second association of a subnet",
    type: names.routeTableAssociation,
    given: (door, ids) =>
      door.create(names.routeTableAssociation, "first", {
        routeTableId: ids["table"]!,
        subnetId: ids["subnetA"]!,
      }),
    inputs: (ids) => ({ routeTableId: ids["table"]!, subnetId: ids["subnetA"]! }),
    error: "Resource.AlreadyAssociated",
  },
  {
    rule: "association across VPCs",
    type: names.routeTableAssociation,
    inputs: (ids) => ({ routeTableId: ids["otherTable"]!, subnetId: ids["subnetA"]! }),
    error: /InvalidParameterValue.*different networks/,
  },
  {
    rule: "endpoint of an unknown service",
    type: names.vpcEndpoint,
    inputs: (ids) => ({ vpcId: ids["vpc"]!, serviceName: "com.amazonaws.us-east-1.s3" }),
    error: "InvalidServiceName",
  },
  {
    rule: "endpoint of another type",
    type: names.vpcEndpoint,
    inputs: (ids) => ({
      vpcId: ids["vpc"]!,
      serviceName: "com.amazonaws.eu-west-1.s3",
      vpcEndpointType: "Interface",
    }),
    error: /models endpoints of type Gateway only/,
  },
  {
    rule: "endpoint twice in a table",
    type: names.vpcEndpoint,
    given: (door, ids) =>
      door.create(names.vpcEndpoint, "first", {
        vpcId: ids["vpc"]!,
        serviceName: "com.amazonaws.eu-west-1.s3",
        routeTableIds: [ids["table"]!],
      }),
    inputs: (ids) => ({
      vpcId: ids["vpc"]!,
      serviceName: "com.amazonaws.eu-west-1.s3",
      routeTableIds: [ids["table"]!],
    }),
    error: "RouteAlreadyExists",
  },

  // Security groups
  {
    rule: "group name taken",
    type: names.securityGroup,
    inputs: (ids) => ({ vpcId: ids["vpc"]!, name: "group" }),
    error: "InvalidGroup.Duplicate",
  },
  {
    rule: "group name sg-*",
    type: names.securityGroup,
    inputs: (ids) => ({ vpcId: ids["vpc"]!, name: "sg-mine" }),
    error: "InvalidParameterValue",
  },
  {
    rule: "group name default",
    type: names.securityGroup,
    inputs: (ids) => ({ vpcId: ids["vpc"]!, name: "default" }),
    error: "InvalidParameterValue",
  },
  {
    rule: "group description with other characters",
    type: names.securityGroup,
    inputs: (ids) => ({ vpcId: ids["vpc"]!, description: "Köln <mqtt>" }),
    error: "InvalidParameterValue",
  },
  {
    rule: "group description too long",
    type: names.securityGroup,
    inputs: (ids) => ({ vpcId: ids["vpc"]!, description: "d".repeat(256) }),
    error: /at most 255 characters/,
  },
  { rule: "group without VPC", type: names.securityGroup, inputs: { name: "x" }, error: "VPCIdNotSpecified" },
  {
    rule: "inline rules",
    type: names.securityGroup,
    inputs: (ids) => ({ vpcId: ids["vpc"]!, ingress: [] }),
    error: /has no input "ingress" in the simulated region/,
  },
  { rule: "rule with no source", type: names.ingressRule, inputs: rule({}), error: "InvalidParameterValue" },
  {
    rule: "rule with two sources",
    type: names.ingressRule,
    inputs: rule((ids) => ({ cidrIpv4: "0.0.0.0/0", referencedSecurityGroupId: ids["group"]! })),
    error: "InvalidParameterValue",
  },
  {
    rule: "rule with host bits",
    type: names.ingressRule,
    inputs: rule({ cidrIpv4: "10.0.0.1/8" }),
    error: "InvalidParameterValue",
  },
  {
    rule: "rule with ports the wrong way",
    type: names.ingressRule,
    inputs: rule({ cidrIpv4: "0.0.0.0/0", fromPort: 20, toPort: 10 }),
    error: "InvalidParameterValue",
  },
  {
    rule: "rule with a port too high",
    type: names.egressRule,
    inputs: rule({ cidrIpv4: "0.0.0.0/0", toPort: 65536 }),
    error: "InvalidParameterValue",
  },
  {
    rule: "rule without ports",
    type: names.ingressRule,
    inputs: (ids) => ({ securityGroupId: ids["group"]!, ipProtocol: "tcp", cidrIpv4: "0.0.0.0/0" }),
    error: "MissingParameter",
  },
  {
    rule: "rule for an unknown protocol",
    type: names.ingressRule,
    inputs: rule({ ipProtocol: "mqtt", cidrIpv4: "0.0.0.0/0" }),
    error: "InvalidParameterValue",
  },
  {
    rule: "rule description",
    type: names.ingressRule,
    inputs: rule({ cidrIpv4: "0.0.0.0/0", description: "clients' port" }),
    error: "InvalidParameterValue",
  },
  {
    rule: "rule of no group",
    type: names.ingressRule,
    inputs: rule({ securityGroupId: "sg-0", cidrIpv4: "0.0.0.0/0" }),
    error: "InvalidGroup.NotFound",
  },
  {
    rule: "rule that names no group",
    type: names.ingressRule,
    inputs: rule({ referencedSecurityGroupId: "sg-0" }),
    error: "InvalidGroup.NotFound",
  },
  {
    rule: "rule that names another VPC's group",
    type: names.ingressRule,
    inputs: rule((ids) => ({ referencedSecurityGroupId: ids["otherGroup"]! })),
    error: "InvalidGroup.NotFound",
  },
  {
    rule: "rule twice, described differently",
    type: names.ingressRule,
    given: (door, ids) =>
      door.create(names.ingressRule, "first", rule({ cidrIpv4: "0.0.0.0/0", description: "one" })(ids)),
    inputs: rule({ cidrIpv4: "0.0.0.0/0", ipProtocol: "6", description: "two" }),
    error: "InvalidPermission.Duplicate",
  },
  {
    rule: "61 rules in a group",
    type: names.ingressRule,
    given: async (door, ids) => {
      for (let port = 1; port <= 60; port++) {
        await door.create(
          names.ingressRule,
          `r${port}`,
          rule({ cidrIpv4: "0.0.0.0/0", fromPort: port, toPort: port })(ids),
        );
      }
    },
    inputs: rule({ cidrIpv4: "0.0.0.0/0" }),
    error: "RulesPerSecurityGroupLimitExceeded",
  },

  // Interfaces
  {
    rule: "address outside the subnet",
    type: names.networkInterface,
    inputs: (ids) => ({ subnetId: ids["subnetA"]!, privateIps: ["10.0.1.10"] }),
    error: "InvalidParameterValue",
  },
  {
    rule: "address taken",
    type: names.networkInterface,
    inputs: (ids) => ({ subnetId: ids["subnetA"]!, privateIps: ["10.0.0.10"] }),
    error: "InvalidIPAddress.InUse",
  },
  ...["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.255"].map((ip): Row => ({
    rule: `address ${ip} reserved`,
    type: names.networkInterface,
    inputs: (ids) => ({ subnetId: ids["subnetA"]!, privateIps: [ip] }),
    error: /InvalidParameterValue: Address .* is in subnet's reserved address range/,
  })),
  {
    rule: "address malformed",
    type: names.networkInterface,
    inputs: (ids) => ({ subnetId: ids["subnetA"]!, privateIps: ["10.0.0"] }),
    error: "InvalidParameterValue",
  },
  {
    rule: "interface in no subnet",
    type: names.networkInterface,
    inputs: { subnetId: "subnet-0" },
    error: "InvalidSubnetID.NotFound",
  },
  {
    rule: "interface with no group",
    type: names.networkInterface,
    inputs: (ids) => ({ subnetId: ids["subnetA"]!, securityGroups: ["sg-0"] }),
    error: "InvalidGroup.NotFound",
  },
  {
    rule: "interface with another VPC's group",
    type: names.networkInterface,
    inputs: (ids) => ({ subnetId: ids["subnetA"]!, securityGroups: [ids["otherGroup"]!] }),
    error: "InvalidParameter",
  },
  {
    rule: "interface with six groups",
    type: names.networkInterface,
    given: async (door, ids) => {
      for (let i = 0; i < 6; i++) {
        ids[`g${i}`] = (await door.create(names.securityGroup, `g${i}`, { vpcId: ids["vpc"]! })).id;
      }
    },
    inputs: (ids) => ({
      subnetId: ids["subnetA"]!,
      securityGroups: [0, 1, 2, 3, 4, 5].map((i) => ids[`g${i}`]!),
    }),
    error: "SecurityGroupsPerInterfaceLimitExceeded",
  },

  // Instances
  {
    rule: "image unknown",
    type: names.instance,
    inputs: instance({ ami: "ami-0123456789abcdef0" }),
    error: "InvalidAMIID.NotFound",
  },
  {
    rule: "instance without image",
    type: names.instance,
    inputs: { instanceType: "m7g.large" },
    error: /Missing required argument: "ami"/,
  },
  {
    rule: "architecture of the type does not fit",
    type: names.instance,
    inputs: instance({ instanceType: "m7i.large" }),
    error: /InvalidParameterValue: The architecture 'x86_64' .* 'arm64' of the specified AMI/,
  },
  {
    rule: "architecture of the image does not fit",
    type: names.instance,
    inputs: instance({ ami: x86Image }),
    error: "InvalidParameterValue",
  },
  {
    rule: "instance type unknown",
    type: names.instance,
    inputs: instance({ instanceType: "m7g.huge" }),
    error: /Invalid value 'm7g.huge' for InstanceType/,
  },
  {
    rule: "instance profile unknown",
    type: names.instance,
    inputs: instance({ iamInstanceProfile: "nobody" }),
    error: /InvalidParameterValue.*Invalid IAM Instance Profile name/,
  },
  {
    rule: "interface unknown",
    type: names.instance,
    inputs: instance({ primaryNetworkInterface: { networkInterfaceId: "eni-0" } }),
    error: "InvalidNetworkInterfaceID.NotFound",
  },
  {
    rule: "interface in use",
    type: names.instance,
    given: makeInstance,
    inputs: instance({}),
    error: "InvalidNetworkInterface.InUse",
  },
  {
    rule: "user data of 16,385 bytes",
    type: names.instance,
    inputs: instance({ userData: "x".repeat(16385) }),
    error: /InvalidParameterValue: User data is limited to 16384 bytes, got 16385/,
  },
  {
    rule: "user data counted in bytes",
    type: names.instance,
    inputs: instance({ userData: "é".repeat(8193) }),
    error: "User data is limited to 16384 bytes",
  },
  {
    rule: "root volume smaller than the image",
    type: names.instance,
    inputs: instance({ rootBlockDevice: { volumeSize: 4 } }),
    error: "InvalidBlockDeviceMapping",
  },
  {
    rule: "metadata tokens",
    type: names.instance,
    inputs: instance({ metadataOptions: { httpTokens: "mandatory" } }),
    error: /expected one of optional, required/,
  },

  // Volumes
  { rule: "volume too small", type: names.volume, inputs: gp3({ size: 0 }), error: "InvalidParameterValue" },
  {
    rule: "volume too large",
    type: names.volume,
    inputs: gp3({ size: 16385 }),
    error: "InvalidParameterValue",
  },
  {
    rule: "volume in no zone",
    type: names.volume,
    inputs: gp3({ availabilityZone: "eu-west-1z" }),
    error: "InvalidZone.NotFound",
  },
  { rule: "volume type", type: names.volume, inputs: gp3({ type: "gp9" }), error: "InvalidParameterValue" },
  {
    rule: "key for a volume that is not encrypted",
    type: names.volume,
    inputs: gp3({ kmsKeyId: "arn:aws:kms:eu-west-1:123456789012:key/0b1d3f5a-7c9e-4a2b-8d6f-1e3c5a7b9d0f" }),
    error: "InvalidParameterDependency",
  },
  {
    rule: "unknown key",
    type: names.volume,
    inputs: gp3({ encrypted: true, kmsKeyId: "arn:aws:kms:eu-west-1:123456789012:key/0" }),
    error: "InvalidKmsKey.NotFound",
  },
  {
    rule: "volume of another zone",
    type: names.volumeAttachment,
    given: async (door, ids) => {
      await makeInstance(door, ids);
      ids["far"] = (await door.create(names.volume, "far", gp3({ availabilityZone: "eu-west-1b" }))).id;
    },
    inputs: (ids) => ({ deviceName: "/dev/sdf", instanceId: ids["instance"]!, volumeId: ids["far"]! }),
    error: "InvalidVolume.ZoneMismatch",
  },
  {
    rule: "device name",
    type: names.volumeAttachment,
    given: makeInstance,
    inputs: (ids) => ({ deviceName: "/data", instanceId: ids["instance"]!, volumeId: ids["volume"]! }),
    error: "InvalidParameterValue",
  },
  {
    rule: "device name of the root volume",
    type: names.volumeAttachment,
    given: makeInstance,
    inputs: (ids) => ({ deviceName: "/dev/xvda", instanceId: ids["instance"]!, volumeId: ids["volume"]! }),
    error: "InvalidParameterValue",
  },
  {
    rule: "device name twice",
    type: names.volumeAttachment,
    given: async (door, ids) => {
      await makeInstance(door, ids);
      const second = await door.create(names.volume, "second", gp3({}));
      await door.create(names.volumeAttachment, "first", {
        deviceName: "/dev/sdf",
        instanceId: ids["instance"]!,
        volumeId: second.id,
      });
    },
    inputs: (ids) => ({ deviceName: "/dev/sdf", instanceId: ids["instance"]!, volumeId: ids["volume"]! }),
    error: /InvalidParameterValue: .*already in use/,
  },
  {
    rule: "volume attached twice",
    type: names.volumeAttachment,
    given: async (door, ids) => {
      await makeInstance(door, ids);
      await door.create(names.volumeAttachment, "first", {
        deviceName: "/dev/sdf",
        instanceId: ids["instance"]!,
        volumeId: ids["volume"]!,
      });
    },
    inputs: (ids) => ({ deviceName: "/dev/sdg", instanceId: ids["instance"]!, volumeId: ids["volume"]! }),
    error: "VolumeInUse",
  },
  {
    rule: "attachment to no instance",
    type: names.volumeAttachment,
    inputs: (ids) => ({ deviceName: "/dev/sdf", instanceId: "i-0", volumeId: ids["volume"]! }),
    error: "InvalidInstanceID.NotFound",
  },
  {
    rule: "attachment of no volume",
    type: names.volumeAttachment,
    given: makeInstance,
    inputs: (ids) => ({ deviceName: "/dev/sdf", instanceId: ids["instance"]!, volumeId: "vol-0" }),
    error: "InvalidVolume.NotFound",
  },

  // Classic Load Balancer
  {
    rule: "name of 33 characters",
    type: names.loadBalancer,
    inputs: balancer(() => ({ name: "a".repeat(33) })),
    error: "ValidationError",
  },
  {
    rule: "name with an underscore",
    type: names.loadBalancer,
    inputs: balancer(() => ({ name: "my_elb" })),
    error: "ValidationError",
  },
  {
    rule: "name that begins with a hyphen",
    type: names.loadBalancer,
    inputs: balancer(() => ({ name: "-elb" })),
    error: "ValidationError",
  },
  {
    rule: "name taken",
    type: names.loadBalancer,
    given: makeBalancer,
    inputs: balancer((ids) => ({ name: "BALANCER", subnets: [ids["subnetB"]!] })),
    error: "DuplicateLoadBalancerName",
  },
  {
    rule: "no listener",
    type: names.loadBalancer,
    inputs: balancer(() => ({ listeners: [] })),
    error: "ValidationError",
  },
  {
    rule: "listener port 0",
    type: names.loadBalancer,
    inputs: withListener({ lbPort: 0 }),
    error: /from 1 to 65535, got 0/,
  },
  {
    rule: "instance port 65536",
    type: names.loadBalancer,
    inputs: withListener({ instancePort: 65536 }),
    error: /from 1 to 65535, got 65536/,
  },
  {
    rule: "protocol UDP",
    type: names.loadBalancer,
    inputs: withListener({ lbProtocol: "udp" }),
    error: /expected one of http, https, ssl, tcp/,
  },
  {
    rule: "layers mixed",
    type: names.loadBalancer,
    inputs: withListener({ lbProtocol: "http" }),
    error: "ValidationError",
  },
  {
    rule: "SSL without certificate",
    type: names.loadBalancer,
    inputs: balancer(() => ({ listeners: [secure] })),
    error: "ValidationError",
  },
  {
    rule: "certificate on TCP",
    type: names.loadBalancer,
    inputs: withListener({ sslCertificateId: certificate }),
    error: "ValidationError",
  },
  {
    rule: "certificate unknown",
    type: names.loadBalancer,
    inputs: balancer(() => ({ listeners: [{ ...secure, sslCertificateId: `${certificate}0` }] })),
    error: "CertificateNotFound",
  },
  {
    rule: "certificate of another region",
    type: names.loadBalancer,
    inputs: balancer(() => ({ listeners: [{ ...secure, sslCertificateId: elsewhere }] })),
    error: "CertificateNotFound",
  },
  {
    rule: "certificate that is no ARN",
    type: names.loadBalancer,
    inputs: balancer(() => ({ listeners: [{ ...secure, sslCertificateId: "mqtt" }] })),
    error: /is an invalid ARN/,
  },
  {
    rule: "ACM certificate with an EC key",
    type: names.loadBalancer,
    given: async (door, ids) => {
      const { certificate: body, key } = await keyPair("ec");
      ids["ec"] = (await door.create(names.certificate, "ec", { certificateBody: body, privateKey: key })).id;
    },
    inputs: balancer((ids) => ({ listeners: [{ ...secure, sslCertificateId: ids["ec"]! }] })),
    error: "InvalidConfigurationRequest",
  },
  {
    rule: "load balancer port twice",
    type: names.loadBalancer,
    inputs: balancer(() => ({ listeners: [listener, { ...listener, instancePort: 1884 }] })),
    error: "DuplicateListener",
  },
  {
    rule: "no subnet",
    type: names.loadBalancer,
    inputs: balancer(() => ({ subnets: [] })),
    error: "ValidationError",
  },
  {
    rule: "subnet unknown",
    type: names.loadBalancer,
    inputs: balancer(() => ({ subnets: ["subnet-0"] })),
    error: "SubnetNotFound",
  },
  {
    rule: "two subnets of a zone",
    type: names.loadBalancer,
    given: async (door, ids) => {
      ids["twin"] = (await door.create(names.subnet, "twin", subnetIn({})(ids))).id;
    },
    inputs: balancer((ids) => ({ subnets: [ids["subnetA"]!, ids["twin"]!] })),
    error: "InvalidConfigurationRequest",
  },
  {
    rule: "subnet smaller than /27",
    type: names.loadBalancer,
    given: async (door, ids) => {
      ids["tiny"] = (await door.create(names.subnet, "tiny", subnetIn({ cidrBlock: "10.0.9.0/28" })(ids))).id;
    },
    inputs: balancer((ids) => ({ subnets: [ids["tiny"]!] })),
    error: "InvalidSubnet",
  },
  {
    rule: "subnet with fewer than eight free addresses",
    type: names.loadBalancer,
    given: async (door, ids) => {
      ids["full"] = (await door.create(names.subnet, "full", subnetIn({ cidrBlock: "10.0.9.0/27" })(ids))).id;
      for (let i = 0; i < 20; i++) {
        await door.create(names.networkInterface, `eni${i}`, { subnetId: ids["full"] });
      }
    },
    inputs: balancer((ids) => ({ subnets: [ids["full"]!] })),
    error: "InvalidSubnet",
  },
  {
    rule: "internet-facing without internet gateway",
    type: names.loadBalancer,
    inputs: balancer((ids) => ({ subnets: [ids["otherSubnet"]!], securityGroups: [ids["otherGroup"]!] })),
    error: /InvalidSubnet: VPC vpc-\w+ has no internet gateway/,
  },
  {
    rule: "group of another VPC",
    type: names.loadBalancer,
    inputs: balancer((ids) => ({ securityGroups: [ids["otherGroup"]!] })),
    error: "InvalidSecurityGroup",
  },
  ...[
    "18083",
    "MQTT:1883",
    "TCP:0",
    "TCP:65536",
    "HTTP:18083",
    "TCP:1883/status",
    `HTTP:18083/${"p".repeat(1024)}`,
  ].map((target): Row => ({
    rule: `health target ${target.slice(0, 20)}`,
    type: names.loadBalancer,
    inputs: withHealth({ target }),
    error: "ValidationError",
  })),
  {
    rule: "health interval 4",
    type: names.loadBalancer,
    inputs: withHealth({ interval: 4, timeout: 2 }),
    error: /from 5 to 300/,
  },
  {
    rule: "health timeout 1",
    type: names.loadBalancer,
    inputs: withHealth({ timeout: 1 }),
    error: /from 2 to 60/,
  },
  {
    rule: "health timeout as long as the interval",
    type: names.loadBalancer,
    inputs: withHealth({ timeout: 10 }),
    error: "ValidationError",
  },
  {
    rule: "health threshold 1",
    type: names.loadBalancer,
    inputs: withHealth({ healthyThreshold: 1 }),
    error: /from 2 to 10/,
  },
  {
    rule: "health threshold 11",
    type: names.loadBalancer,
    inputs: withHealth({ unhealthyThreshold: 11 }),
    error: /from 2 to 10/,
  },
  {
    rule: "idle timeout 0",
    type: names.loadBalancer,
    inputs: balancer(() => ({ idleTimeout: 0 })),
    error: /from 1 to 4000/,
  },
  {
    rule: "idle timeout 3,601",
    type: names.loadBalancer,
    inputs: balancer(() => ({ idleTimeout: 3601 })),
    error: "ValidationError",
  },
  {
    rule: "draining timeout 3,601",
    type: names.loadBalancer,
    inputs: balancer(() => ({ connectionDrainingTimeout: 3601 })),
    error: "ValidationError",
  },
  {
    rule: "access log interval",
    type: names.loadBalancer,
    inputs: balancer(() => ({ accessLogs: { bucket: "emqx-access-logs-example", interval: 15 } })),
    error: /expected one of 5, 60/,
  },
  {
    rule: "access log bucket unknown",
    type: names.loadBalancer,
    inputs: balancer(() => ({ accessLogs: { bucket: "nobody" } })),
    error: "InvalidConfigurationRequest",
  },
  {
    rule: "access log bucket of another region",
    type: names.loadBalancer,
    inputs: balancer(() => ({ accessLogs: { bucket: "emqx-access-logs-example-us" } })),
    error: "InvalidConfigurationRequest",
  },
  {
    rule: "access log bucket without permission",
    type: names.loadBalancer,
    inputs: balancer(() => ({ accessLogs: { bucket: "emqx-private-example" } })),
    error: /InvalidConfigurationRequest: Access Denied for bucket/,
  },
  {
    rule: "policy of an unknown type",
    type: names.loadBalancerPolicy,
    given: makeBalancer,
    inputs: { loadBalancerName: "balancer", policyName: "p", policyTypeName: "TlsPolicyType" },
    error: "PolicyTypeNotFound",
  },
  {
    rule: "policy of no load balancer",
    type: names.loadBalancerPolicy,
    inputs: { loadBalancerName: "nobody", policyName: "p", policyTypeName: "ProxyProtocolPolicyType" },
    error: "LoadBalancerNotFound",
  },
  {
    rule: "policy twice",
    type: names.loadBalancerPolicy,
    given: async (door, ids) => {
      await makeBalancer(door, ids);
      await door.create(names.loadBalancerPolicy, "first", proxyPolicy);
    },
    inputs: proxyPolicy,
    error: "DuplicatePolicyName",
  },
  {
    rule: "TLS policy unknown",
    type: names.loadBalancerPolicy,
    given: makeBalancer,
    inputs: {
      loadBalancerName: "balancer",
      policyName: "p",
      policyTypeName: "SSLNegotiationPolicyType",
      policyAttributes: [{ name: "Reference-Security-Policy", value: "ELBSecurityPolicy-TLS13-1-2-2021-06" }],
    },
    error: "InvalidConfigurationRequest",
  },
  {
    rule: "PROXY policy without its attribute",
    type: names.loadBalancerPolicy,
    given: makeBalancer,
    inputs: { loadBalancerName: "balancer", policyName: "p", policyTypeName: "ProxyProtocolPolicyType" },
    error: "InvalidConfigurationRequest",
  },
  {
    rule: "listener policy without listener",
    type: names.listenerPolicy,
    given: makeBalancer,
    inputs: { loadBalancerName: "balancer", loadBalancerPort: 8884, policyNames: [] },
    error: "ListenerNotFound",
  },
  {
    rule: "listener policy without policy",
    type: names.listenerPolicy,
    given: makeBalancer,
    inputs: { loadBalancerName: "balancer", loadBalancerPort: 8883, policyNames: ["nobody"] },
    error: "PolicyNotFound",
  },
  {
    rule: "TLS policy on a TCP listener",
    type: names.listenerPolicy,
    given: makeBalancer,
    inputs: {
      loadBalancerName: "balancer",
      loadBalancerPort: 1883,
      policyNames: ["ELBSecurityPolicy-TLS-1-2-2017-01"],
    },
    error: "InvalidConfigurationRequest",
  },
  {
    rule: "PROXY policy on a listener",
    type: names.listenerPolicy,
    given: async (door, ids) => {
      await makeBalancer(door, ids);
      await door.create(names.loadBalancerPolicy, "proxy", {
        loadBalancerName: "balancer",
        policyName: "proxy",
        policyTypeName: "ProxyProtocolPolicyType",
        policyAttributes: [{ name: "ProxyProtocol", value: "true" }],
      });
    },
    inputs: { loadBalancerName: "balancer", loadBalancerPort: 8883, policyNames: ["proxy"] },
    error: "InvalidConfigurationRequest",
  },
  {
    rule: "backend policy on a port nobody uses",
    type: names.backendServerPolicy,
    given: makeBalancer,
    inputs: { loadBalancerName: "balancer", instancePort: 1884, policyNames: [] },
    error: "ListenerNotFound",
  },
  {
    rule: "registration with no load balancer",
    type: names.loadBalancerAttachment,
    given: makeInstance,
    inputs: (ids) => ({ elb: "nobody", instance: ids["instance"]! }),
    error: "LoadBalancerNotFound",
  },
  {
    rule: "registration of no instance",
    type: names.loadBalancerAttachment,
    given: makeBalancer,
    inputs: { elb: "balancer", instance: "i-0" },
    error: "InvalidInstance",
  },
  {
    rule: "registration of another VPC's instance",
    type: names.loadBalancerAttachment,
    given: async (door, ids) => {
      await makeBalancer(door, ids);
      const eni = (await door.create(names.networkInterface, "far", { subnetId: ids["otherSubnet"]! })).id;
      ids["far"] = (await door.create(names.instance, "far", nodeInputs({ ...ids, eni }))).id;
    },
    inputs: (ids) => ({ elb: "balancer", instance: ids["far"]! }),
    error: "InvalidInstance",
  },

  // Certificates
  {
    rule: "key of another certificate",
    type: names.certificate,
    inputs: () => importOf("rsa", "other"),
    error: /ValidationException: .*does not match the private key/,
  },
  {
    rule: "certificate expired",
    type: names.certificate,
    inputs: () => importOf("expired", "expired"),
    error: /ValidationException: The certificate has expired/,
  },
  {
    rule: "certificate that is no PEM",
    type: names.certificate,
    inputs: async () => ({ ...(await importOf("rsa", "rsa")), certificateBody: "hello" }),
    error: "ValidationException",
  },
  {
    rule: "key that is no PEM",
    type: names.certificate,
    inputs: async () => ({ ...(await importOf("rsa", "rsa")), privateKey: "hello" }),
    error: "ValidationException",
  },
  {
    rule: "chain of somebody else",
    type: names.certificate,
    inputs: async () => ({
      ...(await importOf("rsa", "rsa")),
      certificateChain: (await keyPair("other")).certificate,
    }),
    error: "ValidationException",
  },
  {
    rule: "certificate without key",
    type: names.certificate,
    inputs: async () => ({ certificateBody: (await keyPair("rsa")).certificate }),
    error: /Missing required property 'privateKey'/,
  },
  {
    rule: "certificate requested",
    type: names.certificate,
    inputs: { domainName: "mqtt.example.com" },
    error: /has no input "domainName" in the simulated region/,
  },

  // DNS
  {
    rule: "zone unknown",
    type: names.record,
    inputs: { zoneId: "Z0", name: "mqtt", type: "A", records: ["1.2.3.4"], ttl: 60 },
    error: "NoSuchHostedZone",
  },
  {
    rule: "record with a label that is none",
    type: names.record,
    inputs: {
      zoneId: "Z0123456789EXAMPLE01",
      name: "a b.example.com",
      type: "A",
      ttl: 60,
      records: ["10.0.0.1"],
    },
    error: "DomainLabelInvalid",
  },
  {
    rule: "record without ttl",
    type: names.record,
    inputs: { zoneId: "Z0123456789EXAMPLE01", name: "a.example.com", type: "A", records: ["10.0.0.1"] },
    error: "Missing field 'TTL'",
  },
  {
    rule: "A record that is no address",
    type: names.record,
    inputs: { zoneId: "Z0123456789EXAMPLE01", name: "mqtt", type: "A", records: ["elb"], ttl: 60 },
    error: "InvalidChangeBatch",
  },
  {
    rule: "CNAME at the apex",
    type: names.record,
    inputs: { zoneId: "Z0123456789EXAMPLE01", name: "example.com", type: "CNAME", records: ["elb"], ttl: 60 },
    error: "InvalidChangeBatch",
  },
  {
    rule: "alias of nobody",
    type: names.record,
    inputs: {
      zoneId: "Z0123456789EXAMPLE01",
      name: "mqtt",
      type: "A",
      aliases: [
        { name: "nobody.eu-west-1.elb.amazonaws.com", zoneId: "Z32O12XQLNTSW2", evaluateTargetHealth: true },
      ],
    },
    error: /InvalidChangeBatch: .*that target was not found/,
  },
  {
    rule: "alias in the wrong zone",
    type: names.record,
    given: async (door, ids) => {
      ids["dns"] = (await makeBalancer(door, ids)).outputs["dnsName"] as string;
    },
    inputs: (ids) => ({
      zoneId: "Z0123456789EXAMPLE01",
      name: "mqtt",
      type: "A",
      aliases: [{ name: ids["dns"]!, zoneId: "Z35SXDOTRQ7X7K", evaluateTargetHealth: true }],
    }),
    error: /InvalidChangeBatch: .*does not lie within the target zone/,
  },
  {
    rule: "alias and ttl",
    type: names.record,
    inputs: {
      zoneId: "Z0123456789EXAMPLE01",
      name: "mqtt",
      type: "A",
      ttl: 60,
      aliases: [{ name: "x", zoneId: "y", evaluateTargetHealth: true }],
    },
    error: /"ttl" conflicts with "aliases"/,
  },
  {
    rule: "record twice",
    type: names.record,
    given: (door) =>
      door.create(names.record, "first", {
        zoneId: "Z0123456789EXAMPLE01",
        name: "mqtt.example.com",
        type: "A",
        records: ["1.2.3.4"],
        ttl: 60,
      }),
    inputs: { zoneId: "Z0123456789EXAMPLE01", name: "mqtt", type: "A", records: ["1.2.3.5"], ttl: 60 },
    error: /InvalidChangeBatch: .*mqtt.example.com.', type='A'\] but it already exists/,
  },

  // IAM
  {
    rule: "trust policy without principal",
    type: names.role,
    inputs: { assumeRolePolicy: allow("sts:AssumeRole", "*") },
    error: "MalformedPolicyDocument: Has prohibited field Resource",
  },
  {
    rule: "trust policy that trusts nobody",
    type: names.role,
    inputs: {
      assumeRolePolicy: text({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "sts:AssumeRole" }],
      }),
    },
    error: "MalformedPolicyDocument: Missing required field Principal",
  },
  {
    rule: "trust policy for no service",
    type: names.role,
    inputs: { assumeRolePolicy: trust("ec2") },
    error: "MalformedPolicyDocument: Invalid principal",
  },
  {
    rule: "trust policy for another action",
    type: names.role,
    inputs: { assumeRolePolicy: trust("ec2.amazonaws.com").replace("sts:AssumeRole", "ec2:RunInstances") },
    error: "MalformedPolicyDocument",
  },
  {
    rule: "policy that is no JSON",
    type: names.role,
    inputs: { assumeRolePolicy: "{" },
    error: /contains an invalid JSON policy/,
  },
  {
    rule: "role name taken",
    type: names.role,
    inputs: { name: "NODE", assumeRolePolicy: trust("ec2.amazonaws.com") },
    error: "EntityAlreadyExists",
  },
  {
    rule: "role name of 65 characters",
    type: names.role,
    inputs: { name: "r".repeat(65), assumeRolePolicy: trust("ec2.amazonaws.com") },
    error: /at most 64 characters/,
  },
  {
    rule: "policy with a principal",
    type: names.rolePolicy,
    inputs: { role: "node", policy: trust("ec2.amazonaws.com") },
    error: "MalformedPolicyDocument",
  },
  {
    rule: "policy without actions",
    type: names.rolePolicy,
    inputs: { role: "node", policy: text({ Statement: [{ Effect: "Allow", Resource: "*" }] }) },
    error: "MalformedPolicyDocument",
  },
  {
    rule: "policy without resources",
    type: names.rolePolicy,
    inputs: { role: "node", policy: text({ Statement: [{ Effect: "Allow", Action: "ssm:GetParameter" }] }) },
    error: "MalformedPolicyDocument",
  },
  {
    rule: "policy action without service",
    type: names.rolePolicy,
    inputs: { role: "node", policy: allow("GetParameter", "*") },
    error: "MalformedPolicyDocument",
  },
  {
    rule: "policy resource that is no ARN",
    type: names.rolePolicy,
    inputs: { role: "node", policy: allow("ssm:GetParameter", "/emqx") },
    error: "MalformedPolicyDocument",
  },
  {
    rule: "policy element misspelt",
    type: names.rolePolicy,
    inputs: {
      role: "node",
      policy: text({ Statement: [{ Effect: "Allow", Actions: "ssm:*", Resource: "*" }] }),
    },
    error: "MalformedPolicyDocument",
  },
  {
    rule: "policy effect",
    type: names.rolePolicy,
    inputs: { role: "node", policy: allow("ssm:*", "*").replace("Allow", "allow") },
    error: "MalformedPolicyDocument",
  },
  {
    rule: "policy of 10,241 characters",
    type: names.rolePolicy,
    inputs: {
      role: "node",
      policy: allow(
        "ssm:GetParameter",
        Array.from({ length: 300 }, (_, i) => `arn:aws:ssm:eu-west-1:123456789012:p/${i}`),
      ),
    },
    error: "LimitExceeded",
  },
  {
    rule: "policy of no role",
    type: names.rolePolicy,
    inputs: { role: "nobody", policy: allow("ssm:GetParameter", "*") },
    error: "NoSuchEntity",
  },
  {
    rule: "profile name taken",
    type: names.instanceProfile,
    inputs: { name: "node" },
    error: "EntityAlreadyExists",
  },
  {
    rule: "profile with no role",
    type: names.instanceProfile,
    inputs: { name: "p", role: "nobody" },
    error: "NoSuchEntity",
  },

  // SSM
  {
    rule: "parameter name aws",
    type: names.parameter,
    inputs: { name: "/aws/x", type: "String", value: "v" },
    error: "ValidationException",
  },
  {
    rule: "parameter name ssm",
    type: names.parameter,
    inputs: { name: "ssm-x", type: "String", value: "v" },
    error: "ValidationException",
  },
  {
    rule: "parameter name with other characters",
    type: names.parameter,
    inputs: { name: "/a b", type: "String", value: "v" },
    error: "ValidationException",
  },
  {
    rule: "parameter path not from the root",
    type: names.parameter,
    inputs: { name: "a/b", type: "String", value: "v" },
    error: "ValidationException",
  },
  {
    rule: "parameter of 16 levels",
    type: names.parameter,
    inputs: { name: "/l".repeat(16), type: "String", value: "v" },
    error: "HierarchyLevelLimitExceededException",
  },
  {
    rule: "parameter value of 4,097 bytes",
    type: names.parameter,
    inputs: { name: "/a", type: "String", value: "v".repeat(4097) },
    error: "ValidationException",
  },
  {
    rule: "parameter value empty",
    type: names.parameter,
    inputs: { name: "/a", type: "String", value: "" },
    error: "ValidationException",
  },
  {
    rule: "parameter type",
    type: names.parameter,
    inputs: { name: "/a", type: "Secret", value: "v" },
    error: /expected one of String, StringList, SecureString/,
  },
  {
    rule: "parameter with two values",
    type: names.parameter,
    inputs: { name: "/a", type: "String", value: "v", insecureValue: "v" },
    error: /exactly one of "value" and "insecureValue"/,
  },
  {
    rule: "parameter key",
    type: names.parameter,
    inputs: { name: "/a", type: "SecureString", value: "v", keyId: "alias/nobody" },
    error: "InvalidKeyId",
  },
  {
    rule: "parameter twice",
    type: names.parameter,
    given: (door) => door.create(names.parameter, "first", { name: "/a", type: "String", value: "v" }),
    inputs: { name: "/a", type: "String", value: "w" },
    error: "ParameterAlreadyExists",
  },

  // Logs
  {
    rule: "log group twice",
    type: names.logGroup,
    given: (door) => door.create(names.logGroup, "first", { name: "/flows" }),
    inputs: { name: "/flows" },
    error: "ResourceAlreadyExistsException",
  },
  {
    rule: "log retention",
    type: names.logGroup,
    inputs: { name: "/flows", retentionInDays: 10 },
    error: /expected one of 0, 1, 3, 5/,
  },
  {
    rule: "log group name",
    type: names.logGroup,
    inputs: { name: "flows & more" },
    error: /a log group's name/,
  },
  {
    rule: "log key unknown",
    type: names.logGroup,
    inputs: { name: "/flows", kmsKeyId: "arn:aws:kms:eu-west-1:123456789012:key/0" },
    error: "InvalidParameterException",
  },
  {
    rule: "flow log of nothing",
    type: names.flowLog,
    inputs: { trafficType: "ALL" },
    error: "Missing required property 'vpcId'",
  },
  {
    rule: "flow log to no log group",
    type: names.flowLog,
    inputs: (ids) => ({
      vpcId: ids["vpc"]!,
      trafficType: "ALL",
      logDestination: "arn:aws:logs:eu-west-1:123456789012:log-group:nobody",
      iamRoleArn: "arn:aws:iam::123456789012:role/node",
    }),
    error: "InvalidParameter",
  },
  {
    rule: "flow log with a role that trusts somebody else",
    type: names.flowLog,
    given: (door) => door.create(names.logGroup, "first", { name: "/flows" }),
    inputs: (ids) => ({
      vpcId: ids["vpc"]!,
      trafficType: "ALL",
      logDestination: "arn:aws:logs:eu-west-1:123456789012:log-group:/flows",
      iamRoleArn: "arn:aws:iam::123456789012:role/node",
    }),
    error: /InvalidParameter: .*cannot assume/,
  },

  // random, tls
  {
    rule: "password shorter than its minima",
    type: "random:index/randomPassword:RandomPassword",
    inputs: { length: 3, minLower: 2, minUpper: 2 },
    error: /length must be >= the sum of the minima \(4\), got 3/,
  },
  {
    rule: "password of length 0",
    type: "random:index/randomPassword:RandomPassword",
    inputs: { length: 0 },
    error: /expected at least 1/,
  },
  {
    rule: "key algorithm",
    type: "tls:index/privateKey:PrivateKey",
    inputs: { algorithm: "DSA" },
    error: /expected one of RSA, ECDSA, ED25519/,
  },
  {
    rule: "certificate use",
    type: "tls:index/selfSignedCert:SelfSignedCert",
    inputs: { allowedUses: ["mqtt"], privateKeyPem: "x", validityPeriodHours: 1 },
    error: /expected one of digital_signature/,
  },
  {
    rule: "certificate of no key",
    type: "tls:index/selfSignedCert:SelfSignedCert",
    inputs: { allowedUses: [], privateKeyPem: "x", validityPeriodHours: 1 },
    error: "not a PEM-encoded private key",
  },
];

askAtBothDoors(rows);
