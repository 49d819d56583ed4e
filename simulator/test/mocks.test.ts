/** The unit tests' door: records, previews, providers, stashes. */
import * as aws from "@pulumi/aws/provider";
import { Instance, NetworkInterface, Subnet, Vpc } from "@pulumi/aws/ec2";
import { InstanceProfile, Role } from "@pulumi/aws/iam";
import { getParameterOutput, Parameter } from "@pulumi/aws/ssm";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { isUnknownInput, names, RegionMocks, type RegionMocksOptions } from "..";
import { arm64Image, trust } from "./world";

async function run<T>(
  program: () => T,
  preview = false,
  options: RegionMocksOptions = {},
): Promise<[RegionMocks, T]> {
  const mocks = new RegionMocks(options);
  await pulumi.runtime.setMocks(mocks, "project", "stack", preview);
  const result = program();
  await pulumi.runtime.disconnect();
  return [mocks, result];
}

const value = <T>(output: pulumi.Output<T>): Promise<T> =>
  (output as unknown as { promise: () => Promise<T> }).promise();
const isSecret = (output: pulumi.Output<unknown>): Promise<boolean> => pulumi.isSecret(output);

const network = () => {
  const vpc = new Vpc("vpc", { cidrBlock: "10.0.0.0/16" });
  const subnet = new Subnet("subnet", {
    vpcId: vpc.id,
    cidrBlock: "10.0.0.0/24",
    availabilityZone: "eu-west-1a",
  });
  return { vpc, subnet };
};

test("resources refer to each other and see computed outputs", async () => {
  const [mocks, { vpc, subnet }] = await run(network);
  expect(await value(subnet.vpcId)).toBe(await value(vpc.id));
  expect(await value(vpc.arn)).toMatch(/^arn:aws:ec2:eu-west-1:123456789012:vpc\/vpc-0/);
  expect(mocks.named("subnet").inputs).toEqual({
    vpcId: await value(vpc.id),
    cidrBlock: "10.0.0.0/24",
    availabilityZone: "eu-west-1a",
  });
  expect(mocks.ofType(names.vpc).map((r) => r.name)).toEqual(["vpc"]);
  expect(() => mocks.named("nobody")).toThrow(
    '0 resources are named "nobody"; registered are vpc (aws:ec2/vpc:Vpc)',
  );
});

test("in a preview what AWS decides is unknown, and inputs that depend on it", async () => {
  const [mocks, { vpc, subnet }] = await run(network, true);
  expect(isUnknownInput(mocks.named("subnet").inputs["vpcId"])).toBe(true);
  expect(isUnknownInput(mocks.named("subnet").inputs["cidrBlock"])).toBe(false);
  const known = (output: pulumi.Output<unknown>) =>
    (output as unknown as { isKnown: Promise<boolean> }).isKnown;
  expect(await known(vpc.id)).toBe(false);
  expect(await known(subnet.arn)).toBe(false);
  expect(await known(subnet.cidrBlock)).toBe(true);
  expect(mocks.account.list(names.vpc)).toEqual([]);
});

test("a resource in place of its name", async () => {
  const [mocks] = await run(() => {
    const role = new Role("role", { assumeRolePolicy: trust("ec2.amazonaws.com"), name: "node" });
    new InstanceProfile("profile", { role });
  });
  expect(mocks.named("profile").inputs["role"]).toBe("node");
});

test("secrets are recorded as such, and stay secret on the way back", async () => {
  const [mocks, { parameter, password }] = await run(() => {
    const made = new RandomPassword("password", { length: 20 });
    return {
      password: made,
      parameter: new Parameter("parameter", { name: "/p", type: "SecureString", value: made.result }),
    };
  });
  expect(mocks.named("parameter").secrets).toEqual(["value"]);
  expect(mocks.named("parameter").inputs["value"]).toHaveLength(20);
  expect(await isSecret(password.result)).toBe(true);
  expect(await isSecret(parameter.value)).toBe(true);
});

test("an explicit provider has its own region and default tags", async () => {
  const [mocks, { there, region }] = await run(() => {
    const provider = new aws.Provider("virginia", {
      region: "us-east-1",
      defaultTags: { tags: { owner: "iot" } },
    });
    return {
      there: new Vpc("vpc", { cidrBlock: "10.0.0.0/16" }, { provider }),
      region: getRegionOutput({}, { provider }),
    };
  });
  expect(await value(there.arn)).toContain(":us-east-1:");
  expect(await value(there.tagsAll)).toEqual({ owner: "iot" });
  expect((await value(region)).region).toBe("us-east-1");
  expect(mocks.named("vpc").provider).toContain("virginia");
});

test("a stash gives back what it remembers", async () => {
  const stash = () => new pulumi.Stash("memory", { input: "new" });
  const [, first] = await run(stash);
  expect(await value(first.output)).toBe("new");
  const [, later] = await run(stash, false, { stashes: { memory: "old" } });
  expect(await value(later.output)).toBe("old");
});

test("components are recorded, with their arguments", async () => {
  class Thing extends pulumi.ComponentResource {
    constructor(name: string) {
      super("test:index:Thing", name, { size: 3 });
      new Vpc(`${name}-vpc`, { cidrBlock: "10.0.0.0/16" }, { parent: this });
    }
  }
  const [mocks] = await run(() => new Thing("thing"));
  expect(mocks.named("thing")).toMatchObject({
    custom: false,
    type: "test:index:Thing",
    inputs: { size: 3 },
  });
});

test("an existing resource is read", async () => {
  const [earlier, { vpc }] = await run(network);
  const id = await value(vpc.id);
  const [, found] = await run(() => Vpc.get("found", id), false, { account: earlier.account });
  expect(await value(found.cidrBlock)).toBe("10.0.0.0/16");
});

test("calls are recorded", async () => {
  const [mocks, result] = await run(() =>
    getParameterOutput({ name: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64" }),
  );
  expect((await value(result)).value).toBe(arm64Image);
  expect(mocks.calls).toMatchObject([
    { token: "aws:ssm/getParameter:getParameter", inputs: { name: expect.any(String) } },
  ]);
});

test("a node that cannot come up stays unready", async () => {
  const [mocks, { ready }] = await run(() => {
    const { subnet } = network();
    const eni = new NetworkInterface("eni", { subnetId: subnet.id, privateIps: ["10.0.0.10"] });
    new Instance("node", {
      ami: arm64Image,
      instanceType: "m7g.large",
      primaryNetworkInterface: { networkInterfaceId: eni.id },
      userData: "PARAMETER_PREFIX='/emqx/a/b/c'\nNODE_NUMBER='0'\n",
    });
    return {
      ready: new Parameter("ready", { name: "/emqx/a/b/c/nodes/0/ready", type: "String", value: "never" }),
    };
  });
  expect(await value(ready.value)).toBe("never");
  const instance = mocks.named("node").id!;
  expect(mocks.cloud.machines.consoles.read(instance)).toContain("has no route to 0.0.0.0/0");
});
