/** Nodes that come up, and nodes that say why they do not. */
import { asRole, inService, names, nodeFacts } from "..";
import { evaluate } from "../policy";
import type { Props } from "../values";
import { allow, arm64Image, furnish, listener, trust, World, type Ids } from "./world";

const prefix = "/emqx/project/stack/nodes";
const parameters = `arn:aws:ssm:eu-west-1:123456789012:parameter${prefix}`;

const userData = (changes: Record<string, string> = {}) =>
  "#cloud-config\nwrite_files:\n- path: /etc/emqx-node/environment\n  content: |\n" +
  Object.entries({
    NODE_NUMBER: "0",
    PARAMETER_PREFIX: prefix,
    LOAD_BALANCER_COUNT: "1",
    HAS_LICENSE: "false",
    ...changes,
  })
    .map(([name, value]) => `    ${name}='${value}'\n`)
    .join("") +
  "    # waits for /dev/sdf\n";

const policy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: "ssm:GetParameter", Resource: `${parameters}/*` },
    { Effect: "Allow", Action: "ssm:PutParameter", Resource: `${parameters}/nodes/*/ready` },
    { Effect: "Allow", Action: "elasticloadbalancing:DescribeInstanceHealth", Resource: "*" },
  ],
});

let world: World;
let ids: Ids;
const add = async (key: string, type: string, inputs: Props) =>
  (ids[key] = (await world.create(type, key, inputs)).id);

/** Everything a node needs, but for what `without` names. */
async function deploy(without: string[] = [], changes: Record<string, string> = {}): Promise<void> {
  const step = (name: string, run: () => Promise<unknown>) => (without.includes(name) ? undefined : run());
  world = new World();
  ids = await furnish(world);
  await add("nat", names.natGateway, { subnetId: ids["subnetB"]!, allocationId: ids["eip"]! });
  await add("public", names.routeTable, { vpcId: ids["vpc"]! });
  await step("route of the NAT gateway", () =>
    add("up", names.route, {
      routeTableId: ids["public"]!,
      destinationCidrBlock: "0.0.0.0/0",
      gatewayId: ids["igw"]!,
    }),
  );
  await add("publicAssociation", names.routeTableAssociation, {
    routeTableId: ids["public"]!,
    subnetId: ids["subnetB"]!,
  });
  await step("route", () =>
    add("out", names.route, {
      routeTableId: ids["table"]!,
      destinationCidrBlock: "0.0.0.0/0",
      natGatewayId: ids["nat"]!,
    }),
  );
  await step("association", () =>
    add("association", names.routeTableAssociation, {
      routeTableId: ids["table"]!,
      subnetId: ids["subnetA"]!,
    }),
  );
  await step("egress", () =>
    add("egress", names.egressRule, {
      securityGroupId: ids["group"]!,
      ipProtocol: "tcp",
      fromPort: 443,
      toPort: 443,
      cidrIpv4: "0.0.0.0/0",
    }),
  );
  await step("policy", () => add("policy", names.rolePolicy, { role: "node", policy }));
  await step("cookie", () =>
    add("cookie", names.parameter, { name: `${prefix}/cookie`, type: "SecureString", value: "c" }),
  );
  await add("balancer", names.loadBalancer, {
    name: "balancer",
    subnets: [ids["subnetB"]!],
    listeners: [listener],
  });
  await step("load balancer names", () =>
    add("balancers", names.parameter, {
      name: `${prefix}/load-balancers`,
      type: "String",
      value: "balancer",
    }),
  );
  await add("ready", names.parameter, { name: `${prefix}/nodes/0/ready`, type: "String", value: "never" });
  await add("instance", names.instance, {
    ami: arm64Image,
    instanceType: "m7g.large",
    primaryNetworkInterface: { networkInterfaceId: ids["eni"]! },
    ...(without.includes("profile") ? {} : { iamInstanceProfile: "node" }),
    ...(without.includes("user data") ? {} : { userData: userData(changes) }),
  });
  await step("volume", () =>
    add("attachment", names.volumeAttachment, {
      deviceName: "/dev/sdf",
      instanceId: ids["instance"]!,
      volumeId: ids["volume"]!,
    }),
  );
  await step("registration", () =>
    add("registration", names.loadBalancerAttachment, { elb: "balancer", instance: ids["instance"]! }),
  );
}

const readiness = () => world.get(names.parameter, `${prefix}/nodes/0/ready`)!["value"];
const console = () => world.cloud.machines.consoles.read(ids["instance"]!);
const role = () =>
  asRole(world.cloud, world.cloud.account.get(names.instance, "eu-west-1", ids["instance"]!)!);

test("a complete node reports its id", async () => {
  await deploy();
  expect(readiness()).toBe(ids["instance"]);
  expect(role().describeInstanceHealth("balancer")).toEqual([{ instanceId: ids["instance"], ...inService }]);
});

const missing: [string, string][] = [
  ["user data", "there is no user data"],
  ["route", "has no route to 0.0.0.0/0"],
  ["association", "has no route to 0.0.0.0/0"],
  ["route of the NAT gateway", "has no route to an internet gateway"],
  ["egress", "no egress rule"],
  ["volume", "no volume is attached as /dev/sdf"],
  ["profile", "Unable to locate credentials: instance"],
  ["policy", "is not authorized to perform: ssm:GetParameter"],
  ["cookie", "ParameterNotFound"],
  ["load balancer names", "ParameterNotFound"],
  ["registration", "is not currently registered"],
];

test.each(missing)("without %s it does not, and its console says why", async (without, why) => {
  await deploy([without]);
  expect(readiness()).toBe("never");
  expect(console()).toContain(`[region] not ready: `);
  expect(console()).toContain(why);
});

test("what was missing and comes later lets it through", async () => {
  await deploy(["registration", "egress"]);
  expect(readiness()).toBe("never");
  await add("egress", names.egressRule, {
    securityGroupId: ids["group"]!,
    ipProtocol: "-1",
    cidrIpv4: "0.0.0.0/0",
  });
  expect(readiness()).toBe("never");
  await add("registration", names.loadBalancerAttachment, { elb: "balancer", instance: ids["instance"]! });
  expect(readiness()).toBe(ids["instance"]);
});

test("a node with a licence needs the licence's parameter", async () => {
  await deploy([], { HAS_LICENSE: "true" });
  expect(console()).toContain("ParameterNotFound");
});

test("a node that is told not to come up does not, until it may", async () => {
  await deploy(["registration"]);
  world.cloud.faults.failBoot(0);
  await add("registration", names.loadBalancerAttachment, { elb: "balancer", instance: ids["instance"]! });
  expect(readiness()).toBe("never");
  expect(console()).toContain("node 0 was told not to come up");
  world.cloud.faults.failBoot(0, false);
  world.cloud.machines.lookAgain();
  expect(readiness()).toBe(ids["instance"]);
});

test("a fault can be meant for one cluster", () => {
  world.cloud.faults.failBoot(1, true, "/emqx/a");
  expect(world.cloud.faults.failsBoot("/emqx/a", 1)).toBe(true);
  expect(world.cloud.faults.failsBoot("/emqx/b", 1)).toBe(false);
  expect(world.cloud.faults.failsBoot("/emqx/a", 2)).toBe(false);
});

test("a deregistered instance starts over", async () => {
  await deploy();
  await world.delete(names.loadBalancerAttachment, ids["registration"]!);
  expect(() => role().describeInstanceHealth("balancer", [ids["instance"]!])).toThrow("InvalidInstance");
  await add("again", names.loadBalancerAttachment, { elb: "balancer", instance: ids["instance"]! });
  expect(role().describeInstanceHealth("balancer")).toMatchObject([
    { state: "OutOfService", reasonCode: "ELB" },
  ]);
});

test("the facts of a node are found in its user data, or in any path that says ready", () => {
  expect(nodeFacts(userData({ NODE_NUMBER: "12" }))).toEqual({
    prefix,
    number: 12,
    loadBalancers: 1,
    hasLicense: false,
    needsVolume: true,
  });
  expect(nodeFacts(`aws ssm put-parameter --name ${prefix}/nodes/3/ready`)).toMatchObject({
    prefix,
    number: 3,
    needsVolume: false,
  });
  expect(nodeFacts("#!/bin/sh\n")).toBeUndefined();
});

describe("with the role of an instance", () => {
  beforeEach(() => deploy());

  test("parameters are read and written as far as the policy goes", () => {
    expect(role().getParameter(`${prefix}/cookie`, { withDecryption: true }).value).toBe("c");
    expect(role().getParameter(`${prefix}/cookie`).value).not.toBe("c");
    expect(() => role().getParameter("/emqx/other/cookie")).toThrow(
      `AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/node/${ids["instance"]} is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:eu-west-1:123456789012:parameter/emqx/other/cookie because no identity-based policy allows the ssm:GetParameter action`,
    );
    expect(() => role().putParameter(`${prefix}/cookie`, "x", { overwrite: true })).toThrow(
      "ssm:PutParameter",
    );
    expect(() => role().putParameter(`${prefix}/nodes/0/ready`, "x")).toThrow("ParameterAlreadyExists");
    expect(role().putParameter(`${prefix}/nodes/0/ready`, "x", { overwrite: true })).toEqual({ version: 3 });
  });

  test("a key of one's own needs kms:Decrypt", async () => {
    const key = "arn:aws:kms:eu-west-1:123456789012:key/0b1d3f5a-7c9e-4a2b-8d6f-1e3c5a7b9d0f";
    await add("own", names.parameter, {
      name: `${prefix}/own`,
      type: "SecureString",
      value: "s",
      keyId: "alias/emqx",
    });
    const read = () => role().getParameter(`${prefix}/own`, { withDecryption: true }).value;
    expect(read).toThrow(`is not authorized to perform: kms:Decrypt on resource: ${key}`);
    await add("decrypt", names.rolePolicy, { role: "node", policy: allow("kms:Decrypt", key) });
    expect(read()).toBe("s");
  });

  test("a role that EC2 may not assume gives no credentials", async () => {
    await world.update(names.role, "node", { assumeRolePolicy: trust("vpc-flow-logs.amazonaws.com") });
    expect(() => role().getParameter(`${prefix}/cookie`)).toThrow("does not trust ec2.amazonaws.com");
  });
});

describe("policies", () => {
  const statement = (s: object) => JSON.stringify({ Version: "2012-10-17", Statement: [s] });
  const get = {
    action: "ssm:GetParameter",
    resource: "arn:aws:ssm:eu-west-1:1:parameter/a/b",
    context: { "aws:requestedregion": "eu-west-1" },
  };

  test.each([
    ["exact", { Action: "ssm:GetParameter", Resource: get.resource }, "allowed"],
    ["globs", { Action: "ssm:Get*", Resource: "arn:aws:ssm:*:1:parameter/a/?" }, "allowed"],
    ["letter case of actions", { Action: "SSM:getparameter", Resource: "*" }, "allowed"],
    [
      "letter case of resources",
      { Action: "ssm:*", Resource: get.resource.replace("/a/", "/A/") },
      "not allowed",
    ],
    ["another action", { Action: "ssm:GetParameters", Resource: "*" }, "not allowed"],
    ["a dot is a dot", { Action: "ssm:*", Resource: "arn.aws:ssm:eu-west-1:1:parameter/a/b" }, "not allowed"],
    ["NotAction", { NotAction: "iam:*", Resource: "*" }, "allowed"],
    ["NotResource", { Action: "*", NotResource: "arn:aws:ssm:*:*:parameter/a/*" }, "not allowed"],
    [
      "condition that holds",
      {
        Action: "*",
        Resource: "*",
        Condition: { StringEquals: { "aws:RequestedRegion": ["us-east-1", "eu-west-1"] } },
      },
      "allowed",
    ],
    [
      "condition that does not",
      { Action: "*", Resource: "*", Condition: { StringLike: { "aws:RequestedRegion": "us-*" } } },
      "not allowed",
    ],
    [
      "condition on nothing",
      { Action: "*", Resource: "*", Condition: { StringEquals: { "aws:PrincipalTag/a": "b" } } },
      "not allowed",
    ],
    [
      "condition if exists",
      { Action: "*", Resource: "*", Condition: { StringEqualsIfExists: { "aws:PrincipalTag/a": "b" } } },
      "allowed",
    ],
  ])("%s", (_, rule, decision) => {
    expect(evaluate([statement({ Effect: "Allow", ...rule })], get)).toBe(decision);
  });

  test("a deny wins, nothing is allowed by itself", () => {
    const everything = statement({ Effect: "Allow", Action: "*", Resource: "*" });
    expect(evaluate([everything, statement({ Effect: "Deny", Action: "ssm:*", Resource: "*" })], get)).toBe(
      "explicitly denied",
    );
    expect(evaluate([], get)).toBe("not allowed");
  });

  test("a condition nobody here can judge is said, not guessed", () => {
    const odd = {
      Effect: "Allow",
      Action: "*",
      Resource: "*",
      Condition: { DateGreaterThan: { "aws:CurrentTime": "2020-01-01" } },
    };
    expect(() => evaluate([statement(odd)], get)).toThrow("DateGreaterThan");
  });
});
