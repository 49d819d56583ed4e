import { EmqxVpc, NatGateways, type EmqxVpcArgs } from "../../../components";
import { inAws, namesByType, run, valueOf } from "../../support";

const twoZones: EmqxVpcArgs = { availabilityZones: ["eu-west-1a", "eu-west-1b"] };
const deploy = (args: EmqxVpcArgs, preview = false) => run(() => new EmqxVpc("net", args), { preview });

describe("EmqxVpc", () => {
  test("makes exactly a VPC, its gateways, and two subnets with routes for every zone", async () => {
    expect(namesByType(inAws(await deploy(twoZones)))).toEqual({
      DefaultSecurityGroup: ["net-default"],
      Eip: ["net-nat-eu-west-1a"],
      InternetGateway: ["net-igw"],
      NatGateway: ["net-nat-eu-west-1a"],
      Route: ["net-private-eu-west-1a-internet", "net-private-eu-west-1b-internet", "net-public-internet"],
      RouteTable: ["net-private-eu-west-1a", "net-private-eu-west-1b", "net-public"],
      RouteTableAssociation: [
        "net-private-eu-west-1a",
        "net-private-eu-west-1b",
        "net-public-eu-west-1a",
        "net-public-eu-west-1b",
      ],
      Subnet: [
        "net-private-eu-west-1a",
        "net-private-eu-west-1b",
        "net-public-eu-west-1a",
        "net-public-eu-west-1b",
      ],
      Vpc: ["net"],
      VpcEndpoint: ["net-s3"],
    });
  });

  test("uses the guide's network by default", async () => {
    const mocks = await deploy(twoZones);
    expect(mocks.named("net", "aws:ec2/vpc:Vpc").inputs).toEqual({
      cidrBlock: "192.168.0.0/16",
      enableDnsHostnames: true,
      enableDnsSupport: true,
      tags: { Name: "net" },
    });
    expect(mocks.named("net-private-eu-west-1a", "aws:ec2/subnet:Subnet").inputs).toMatchObject({
      availabilityZone: "eu-west-1a",
      cidrBlock: "192.168.0.0/24",
      mapPublicIpOnLaunch: false,
    });
  });

  test("sends all private subnets through the one NAT gateway of the first zone by default", async () => {
    const mocks = await deploy(twoZones);
    const nat = mocks.named("net-nat-eu-west-1a", "aws:ec2/natGateway:NatGateway");
    for (const zone of ["a", "b"]) {
      expect(mocks.named(`net-private-eu-west-1${zone}-internet`).inputs).toMatchObject({
        destinationCidrBlock: "0.0.0.0/0",
        natGatewayId: nat.id,
      });
    }
  });

  test("gives every zone its own NAT gateway with PerAvailabilityZone", async () => {
    const mocks = await deploy({ ...twoZones, natGateways: NatGateways.PerAvailabilityZone });
    for (const zone of ["eu-west-1a", "eu-west-1b"]) {
      const nat = mocks.named(`net-nat-${zone}`, "aws:ec2/natGateway:NatGateway");
      expect(nat.inputs["subnetId"]).toBe(mocks.named(`net-public-${zone}`, "aws:ec2/subnet:Subnet").id);
      expect(mocks.named(`net-private-${zone}-internet`).inputs["natGatewayId"]).toBe(nat.id);
    }
  });

  test("makes no NAT gateway and no private route with None", async () => {
    const names = namesByType(inAws(await deploy({ ...twoZones, natGateways: NatGateways.None })));
    expect(names["NatGateway"]).toBeUndefined();
    expect(names["Eip"]).toBeUndefined();
    expect(names["Route"]).toEqual(["net-public-internet"]);
  });

  test("goes from one NAT gateway to one per zone by adding gateways and turning routes", async () => {
    const single = inAws(await deploy(twoZones));
    const perZone = inAws(await deploy({ ...twoZones, natGateways: NatGateways.PerAvailabilityZone }));
    const key = (r: { type: string; name: string }) => `${r.type} ${r.name}`;
    expect(single.filter((r) => !perZone.map(key).includes(key(r)))).toEqual([]);
  });

  test("closes the default security group", async () => {
    const mocks = await deploy(twoZones);
    expect(mocks.named("net-default").inputs).toMatchObject({ ingress: [], egress: [] });
  });

  test("logs flows to an encrypted log group of a year only when asked", async () => {
    const mocks = await deploy({
      ...twoZones,
      flowLogs: { kmsKeyId: "arn:aws:kms:eu-west-1:123456789012:key/0b1d3f5a-7c9e-4a2b-8d6f-1e3c5a7b9d0f" },
    });
    const group = mocks.named("net-flow-logs", "aws:cloudwatch/logGroup:LogGroup");
    expect(group.inputs).toMatchObject({ retentionInDays: 365, kmsKeyId: expect.stringContaining(":key/") });
    expect(mocks.named("net-flow-logs", "aws:ec2/flowLog:FlowLog").inputs).toMatchObject({
      trafficType: "ALL",
      logDestination: group.outputs?.["arn"],
    });
    const policy = JSON.parse(
      String(mocks.named("net-flow-logs", "aws:iam/rolePolicy:RolePolicy").inputs["policy"]),
    ) as { Statement: { Resource: string[] }[] };
    expect(policy.Statement[0]?.Resource.every((arn) => arn.startsWith(String(group.outputs?.["arn"])))).toBe(
      true,
    );
  });

  test("gives out a subnet's id only when the subnet's way out exists", async () => {
    const vpcs: EmqxVpc[] = [];
    await run(() => vpcs.push(new EmqxVpc("net", twoZones)));
    const resources = await (
      vpcs[0]!.privateSubnetIds[1] as unknown as {
        allResources(): Promise<Set<{ __name: string }>>;
      }
    ).allResources();
    expect([...resources].map((r) => r.__name)).toEqual(
      expect.arrayContaining(["net-private-eu-west-1b", "net-private-eu-west-1b-internet"]),
    );
  });

  test("has its outputs", async () => {
    let vpc: EmqxVpc | undefined;
    const mocks = await run(() => {
      vpc = new EmqxVpc("net", twoZones);
    });
    expect(await valueOf(vpc!.vpcId)).toBe(mocks.named("net", "aws:ec2/vpc:Vpc").id);
    expect(await Promise.all(vpc!.publicSubnetIds.map(valueOf))).toEqual(
      ["a", "b"].map((zone) => mocks.named(`net-public-eu-west-1${zone}`, "aws:ec2/subnet:Subnet").id),
    );
  });

  test("refuses bad input before anything is registered", async () => {
    const mocks = await run(() => {
      expect(() => new EmqxVpc("net", { availabilityZones: [], cidrBlock: "10.0.0.0/8" })).toThrow(
        `EmqxVpc "net": nothing of it was changed, because its input cannot work:\n` +
          `  - availabilityZones: none given; name at least one zone, for example ["eu-west-1a", "eu-west-1b"]\n` +
          `  - cidrBlock: "10.0.0.0/8" is a /8; a VPC's block is between /16 and /28`,
      );
    });
    expect(mocks.registered).toEqual([]);
  });
});
