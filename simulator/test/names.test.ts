/** Names, ids and addresses look like AWS's, and fit. */
import { names } from "..";
import { balancerInputs, furnish, keyPair, listener, trust, World, type Ids } from "./world";

let world: World;
let ids: Ids;
beforeEach(async () => {
  world = new World();
  ids = await furnish(world);
});

const autoNamed: [string, string, number][] = [
  [names.securityGroup, "emqx-sg", 255],
  [names.loadBalancer, "emqx-elb", 32],
  [names.role, "emqx-nodes", 64],
  [names.instanceProfile, "emqx-nodes", 128],
  [names.rolePolicy, "emqx-nodes", 128],
  [names.logGroup, "emqx-flows", 512],
  [names.parameter, "emqx", 2048],
];

test.each(autoNamed)("%s gets a name of its own: %s-1234567", (type, name, max) => {
  const check = (logical: string, olds?: Record<string, string | string[]>) =>
    world.cloud.check(type, {
      name: logical,
      urn: `urn::${type}::${logical}`,
      news: {},
      randomSeed: Buffer.from("seed"),
      ...(olds ? { olds } : {}),
    });
  const { inputs } = check(name);
  expect(inputs["name"]).toMatch(new RegExp(`^${name}-[0-9a-f]{7}$`));
  expect(inputs["__defaults"]).toContain("name");
  // The engine gives the same seed at preview and update.
  expect(check(name).inputs["name"]).toBe(inputs["name"]);
  // An existing resource keeps its name.
  expect(check(name, { name: "kept-0000000", __defaults: ["name"] }).inputs["name"]).toBe("kept-0000000");
  const { problems } = check("n".repeat(max - 7));
  expect(problems.map((p) => p.reason).join()).toContain(`longer than maximum length ${max}`);
  expect(check("n".repeat(max - 8)).problems.filter((p) => p.property === "name")).toEqual([]);
});

test("a load balancer's automatic name has no underscores", () => {
  const { inputs } = world.cloud.check(names.loadBalancer, {
    name: "my_elb",
    urn: "urn",
    news: { listeners: [] },
  });
  expect(inputs["name"]).toMatch(/^my-elb-[0-9a-f]{7}$/);
});

test("the engine's own naming is honoured", () => {
  const check = (mode: "propose" | "enforce" | "disable") =>
    world.cloud.check(names.role, {
      name: "node",
      urn: "urn",
      news: { assumeRolePolicy: trust("ec2.amazonaws.com") },
      autoNaming: { mode, proposed: "proposed" },
    });
  expect(check("propose").inputs["name"]).toBe("proposed");
  expect(check("enforce").inputs["name"]).toBe("proposed");
  expect(check("disable").problems).toMatchObject([{ property: "name" }]);
});

test("ids, ARNs and DNS names", async () => {
  expect(ids["vpc"]).toMatch(/^vpc-0[0-9a-f]{16}$/);
  expect(ids["eip"]).toMatch(/^eipalloc-0[0-9a-f]{16}$/);
  expect(world.get(names.subnet, ids["subnetA"]!)).toMatchObject({
    arn: `arn:aws:ec2:eu-west-1:123456789012:subnet/${ids["subnetA"]}`,
    ownerId: "123456789012",
    availabilityZoneId: "euw1-az1",
    region: "eu-west-1",
  });
  expect(world.get(names.role, "node")).toMatchObject({ arn: "arn:aws:iam::123456789012:role/node" });
  expect(world.get(names.networkInterface, ids["eni"]!)).toMatchObject({
    privateDnsName: "ip-10-0-0-10.eu-west-1.compute.internal",
    macAddress: expect.stringMatching(/^0a(:[0-9a-f]{2}){5}$/),
  });
  const facing = await world.create(names.loadBalancer, "a", balancerInputs(ids));
  expect(facing.outputs).toMatchObject({
    id: "balancer",
    dnsName: expect.stringMatching(/^balancer-\d{10}\.eu-west-1\.elb\.amazonaws\.com$/),
    zoneId: "Z32O12XQLNTSW2",
  });
  const internal = await world.create(names.loadBalancer, "b", {
    ...balancerInputs(ids),
    name: "inside",
    internal: true,
  });
  expect(internal.outputs["dnsName"]).toMatch(/^internal-inside-\d{10}\./);
});

test("an imported certificate says what it is", async () => {
  const { certificate, key } = await keyPair("rsa");
  const { id, outputs } = await world.create(names.certificate, "c", {
    certificateBody: certificate,
    privateKey: key,
  });
  expect(id).toMatch(
    /^arn:aws:acm:eu-west-1:123456789012:certificate\/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  expect(outputs).toMatchObject({
    domainName: "mqtt.example.com",
    subjectAlternativeNames: ["mqtt.example.com"],
    keyAlgorithm: "RSA_2048",
    status: "ISSUED",
    type: "IMPORTED",
  });
});

test("two accounts with the same seed give the same ids, one account never gives one twice", async () => {
  const again = await furnish(new World());
  expect(again).toEqual(ids);
  const all = world.cloud.account.all().map((r) => `${r.type} ${r.region} ${r.id}`);
  expect(new Set(all).size).toBe(all.length);
});

test("the first free address that is not reserved", async () => {
  const { outputs } = await world.create(names.networkInterface, "n", { subnetId: ids["subnetA"]! });
  expect(outputs["privateIps"]).toEqual(["10.0.0.4"]);
});

test("a record's name is completed with its zone's", async () => {
  const zoneId = "Z0123456789EXAMPLE01";
  const { id, outputs } = await world.create(names.record, "r", {
    zoneId,
    name: "mqtt",
    type: "A",
    ttl: 60,
    records: ["1.2.3.4"],
  });
  expect(id).toBe(`${zoneId}_mqtt.example.com_A`);
  expect(outputs["fqdn"]).toBe("mqtt.example.com");
});

test("an alias to a load balancer, with or without dualstack", async () => {
  const { outputs } = await world.create(names.loadBalancer, "a", balancerInputs(ids));
  for (const [prefix, name] of [
    ["", "one"],
    ["dualstack.", "two"],
  ] as const) {
    const alias = {
      name: `${prefix}${outputs["dnsName"]}`,
      zoneId: outputs["zoneId"]!,
      evaluateTargetHealth: true,
    };
    await world.create(names.record, name, {
      zoneId: "Z0123456789EXAMPLE01",
      name,
      type: "A",
      aliases: [alias],
    });
  }
});

test("a load balancer without a health check gets AWS's own", async () => {
  const { outputs } = await world.create(names.loadBalancer, "a", {
    ...balancerInputs(ids),
    listeners: [{ ...listener, instancePort: 1884 }],
  });
  expect(outputs["healthCheck"]).toEqual({
    target: "TCP:1884",
    interval: 30,
    timeout: 5,
    healthyThreshold: 10,
    unhealthyThreshold: 2,
  });
});
