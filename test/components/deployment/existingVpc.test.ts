/** A deployment in a VPC that was there before: in its subnets, at addresses of its own, and refused where others are. */
import * as ec2 from "@pulumi/aws/ec2";
import * as pulumi from "@pulumi/pulumi";
import { deploymentProblems, EmqxDeployment, EmqxVpc, type EmqxDeploymentArgs } from "../../../components";
import { newAccount, type RegionMocks } from "@emqx-aws/simulator";
import type { Account } from "@emqx-aws/simulator/account";
import { inAws, memory, namesByType, run, valueOf } from "../../support";

const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
let account: Account;
let existing: { vpcId: string; publicSubnetIds: string[]; privateSubnetIds: string[] };

beforeEach(async () => {
  account = newAccount();
  await run(
    async () => {
      const vpc = new EmqxVpc("own", { availabilityZones: zones, cidrBlock: "10.20.0.0/16" });
      existing = {
        vpcId: await valueOf(vpc.vpcId),
        publicSubnetIds: await Promise.all(vpc.publicSubnetIds.map(valueOf)),
        privateSubnetIds: await Promise.all(vpc.privateSubnetIds.map(valueOf)),
      };
    },
    { account },
  );
});

const argsOf = (changes: Partial<EmqxDeploymentArgs> = {}): EmqxDeploymentArgs => ({
  availabilityZones: zones,
  certificate: { selfSigned: {} },
  existingVpc: existing,
  ...changes,
});

async function deploy(changes: Partial<EmqxDeploymentArgs> = {}, stashes: Record<string, unknown> = {}) {
  let deployment: EmqxDeployment | undefined;
  const mocks = await run(
    () => {
      deployment = new EmqxDeployment("emqx", argsOf(changes));
    },
    { account, stashes },
  );
  return { mocks, deployment: deployment! };
}

const addressesIn = (mocks: RegionMocks) =>
  mocks
    .ofType("aws:ec2/networkInterface:NetworkInterface")
    .map(({ inputs }) => [inputs["subnetId"], (inputs["privateIps"] as string[])[0]]);

async function holdAddress(privateIp: string, subnetId: string) {
  await run(() => void new ec2.NetworkInterface("other", { subnetId, privateIps: [privateIp] }), { account });
}

test("makes no network of its own, and stands in the given subnets", async () => {
  const { mocks, deployment } = await deploy();
  const types = Object.keys(namesByType(inAws(mocks)));
  expect(types.filter((type) => /Vpc|Subnet|Route|Gateway|Eip/.test(type))).toEqual([]);
  expect(deployment.vpc).toBeUndefined();
  expect(await valueOf(deployment.vpcId)).toBe(existing.vpcId);
  const [a, b, c] = existing.privateSubnetIds;
  expect(addressesIn(mocks)).toEqual([
    [a, "10.20.0.10"],
    [b, "10.20.1.11"],
    [c, "10.20.2.12"],
  ]);
  const [balancer] = mocks.ofType("aws:elb/loadBalancer:LoadBalancer");
  expect(balancer?.inputs["subnets"]).toEqual(existing.publicSubnetIds);
  for (const group of mocks.ofType("aws:ec2/securityGroup:SecurityGroup")) {
    expect(group.inputs["vpcId"]).toBe(existing.vpcId);
  }
});

test("an internal load balancer stands in the nodes' subnets", async () => {
  const { vpcId, privateSubnetIds } = existing;
  const { mocks } = await deploy({
    existingVpc: { vpcId, privateSubnetIds },
    classicElb: { internal: true },
  });
  const [balancer] = mocks.ofType("aws:elb/loadBalancer:LoadBalancer");
  expect(balancer?.inputs["subnets"]).toEqual(privateSubnetIds);
});

test("an address is remembered: another first host number is for new nodes only", async () => {
  const { mocks } = await deploy({ nodeCount: 1 });
  const stashes = memory(mocks);
  const second = run(
    () => void new EmqxDeployment("emqx", argsOf({ existingVpc: { ...existing, firstHostNumber: 100 } })),
    { account, stashes, preview: true },
  );
  expect(addressesIn(await second).map(([, address]) => address)).toEqual([
    "10.20.0.10",
    "10.20.1.101",
    "10.20.2.102",
  ]);
});

test("the order of zones and their subnets means nothing, as long as it is the same", async () => {
  const { mocks } = await deploy();
  const stashes = memory(mocks);
  const { vpcId, privateSubnetIds, publicSubnetIds } = existing;
  const again = await run(
    () =>
      void new EmqxDeployment("emqx", {
        ...argsOf({ availabilityZones: [...zones].reverse() }),
        existingVpc: {
          vpcId,
          privateSubnetIds: [...privateSubnetIds].reverse(),
          publicSubnetIds: [...publicSubnetIds].reverse(),
        },
      }),
    { account, stashes, preview: true },
  );
  expect(addressesIn(again)).toEqual(addressesIn(mocks));
});

test("an address that somebody else has is refused at preview, by whose it is", async () => {
  await holdAddress("10.20.1.11", existing.privateSubnetIds[1]!);
  const preview = run(() => void new EmqxDeployment("emqx", argsOf()), { account, preview: true });
  await expect(preview).rejects.toThrow(
    /existingVpc: 10\.20\.1\.11, the address of node 1 in subnet-\w+, is taken by the network interface eni-\w+; free it, or give/,
  );
});

test.each<[string, () => Partial<EmqxDeploymentArgs>, string]>([
  [
    "a subnet of another zone",
    () => ({ existingVpc: { ...existing, privateSubnetIds: [...existing.privateSubnetIds].reverse() } }),
    "is in eu-west-1c, and availabilityZones has eu-west-1a in its place; list the subnets in the order of the zones",
  ],
  [
    "a subnet of another VPC",
    () => ({ existingVpc: { ...existing, vpcId: "vpc-0123456789abcdef0" } }),
    `, not of existingVpc.vpcId vpc-0123456789abcdef0`,
  ],
  [
    "more nodes than a subnet has room for",
    () => ({ existingVpc: { ...existing, firstHostNumber: 254 } }),
    "existingVpc.firstHostNumber: 254 makes 10.20.1.255 the address of node 1, which is reserved by AWS",
  ],
])("at preview: %s", async (_, changes, words) => {
  await expect(
    run(() => void new EmqxDeployment("emqx", argsOf(changes())), { account, preview: true }),
  ).rejects.toThrow(words);
});

test.each<[Partial<EmqxDeploymentArgs>, string[]]>([
  [
    { vpc: { cidrBlock: "10.0.0.0/16" } },
    ["existingVpc: given together with vpc, which is one to be made; choose one of the two"],
  ],
  [
    { availabilityZones: zones.slice(0, 2) },
    [
      "existingVpc.privateSubnetIds: 3 for 2 zones; give one for each of availabilityZones, in their order",
      "existingVpc.publicSubnetIds: 3 for 2 zones; give one for each of availabilityZones, in their order",
    ],
  ],
])("%j is refused", (changes, problems) => {
  expect(deploymentProblems("emqx", argsOf(changes))).toEqual(problems);
});

test("no subnet for a public load balancer, and no VPC", () => {
  const { privateSubnetIds } = existing;
  expect(deploymentProblems("emqx", argsOf({ existingVpc: { privateSubnetIds } as never }))).toEqual([
    "existingVpc.vpcId: missing; give the id of the VPC",
    "existingVpc.publicSubnetIds: missing; the load balancer stands in them, unless classicElb.internal is true",
  ]);
});

test("ids that another resource gives are taken at preview, when they are not known yet", async () => {
  const mocks = await run(
    () => {
      const vpc = new EmqxVpc("made", { availabilityZones: zones });
      const { vpcId, publicSubnetIds, privateSubnetIds } = vpc;
      new EmqxDeployment("emqx", argsOf({ existingVpc: { vpcId, publicSubnetIds, privateSubnetIds } }));
    },
    { account, preview: true },
  );
  expect(mocks.ofType("aws:ec2/instance:Instance")).toHaveLength(3);
  expect(pulumi.runtime.isDryRun()).toBe(true);
});
