/** What AWS does not let go of while something else needs it. */
import { names } from "..";
import type { Props } from "../values";
import { allow, balancerInputs, furnish, listener, nodeInputs, World, type Ids } from "./world";

const certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
const secure = {
  lbPort: 8883,
  lbProtocol: "ssl",
  instancePort: 1883,
  instanceProtocol: "tcp",
  sslCertificateId: certificate,
};

let world: World;
let ids: Ids;
beforeEach(async () => {
  world = new World();
  ids = await furnish(world);
});

const add = async (key: string, type: string, inputs: Props) => {
  ids[key] = (await world.create(type, key, inputs)).id;
};
const addInstance = () => add("instance", names.instance, nodeInputs(ids));
const addBalancer = () =>
  add("balancer", names.loadBalancer, { ...balancerInputs(ids), listeners: [listener, secure] });
const attachVolume = () =>
  add("attachment", names.volumeAttachment, {
    deviceName: "/dev/sdf",
    instanceId: ids["instance"]!,
    volumeId: ids["volume"]!,
    stopInstanceBeforeDetaching: true,
  });

const rows: [what: string, arrange: () => Promise<unknown>, type: string, key: string, error: string][] = [
  ["a VPC with subnets", async () => {}, names.vpc, "vpc", "DependencyViolation"],
  ["a VPC with a gateway and nothing else", () => emptyVpc(), names.vpc, "vpc", "DependencyViolation"],
  ["a subnet with an interface", async () => {}, names.subnet, "subnetA", "DependencyViolation"],
  [
    "a subnet with a load balancer",
    async () => {
      await add("balancer", names.loadBalancer, { ...balancerInputs(ids), subnets: [ids["subnetB"]!] });
    },
    names.subnet,
    "subnetB",
    "DependencyViolation",
  ],
  [
    "a gateway while a NAT gateway has a public address",
    () => add("nat", names.natGateway, { subnetId: ids["subnetB"]!, allocationId: ids["eip"]! }),
    names.internetGateway,
    "igw",
    "DependencyViolation",
  ],
  [
    "an address of a NAT gateway",
    () => add("nat", names.natGateway, { subnetId: ids["subnetB"]!, allocationId: ids["eip"]! }),
    names.eip,
    "eip",
    "InvalidIPAddress.InUse",
  ],
  [
    "a route table that a subnet uses",
    () =>
      add("association", names.routeTableAssociation, {
        routeTableId: ids["table"]!,
        subnetId: ids["subnetB"]!,
      }),
    names.routeTable,
    "table",
    "DependencyViolation",
  ],
  ["a group of an interface", async () => {}, names.securityGroup, "group", "DependencyViolation"],
  [
    "a group of a load balancer",
    async () => {
      await add("lbGroup", names.securityGroup, { vpcId: ids["vpc"]! });
      await add("balancer", names.loadBalancer, {
        ...balancerInputs(ids),
        securityGroups: [ids["lbGroup"]!],
      });
    },
    names.securityGroup,
    "lbGroup",
    "DependencyViolation",
  ],
  [
    "a group that another group's rule names",
    async () => {
      await add("clients", names.securityGroup, { vpcId: ids["vpc"]! });
      await add("rule", names.ingressRule, {
        securityGroupId: ids["group"]!,
        ipProtocol: "tcp",
        fromPort: 1883,
        toPort: 1883,
        referencedSecurityGroupId: ids["clients"]!,
      });
    },
    names.securityGroup,
    "clients",
    "DependencyViolation",
  ],
  [
    "an interface of an instance",
    addInstance,
    names.networkInterface,
    "eni",
    "InvalidNetworkInterface.InUse",
  ],
  [
    "a volume of an instance",
    async () => {
      await addInstance();
      await attachVolume();
    },
    names.volume,
    "volume",
    "VolumeInUse",
  ],
  [
    "a certificate of a listener",
    async () => {
      await addBalancer();
      ids["certificate"] = certificate;
    },
    names.certificate,
    "certificate",
    "ResourceInUseException",
  ],
  [
    "a policy of a listener",
    async () => {
      await addBalancer();
      await add("tls", names.loadBalancerPolicy, tlsPolicy);
      await add("listenerPolicy", names.listenerPolicy, onListener);
    },
    names.loadBalancerPolicy,
    "tls",
    "InvalidConfigurationRequest",
  ],
  [
    "a role with policies",
    () => add("policy", names.rolePolicy, { role: ids["role"]!, policy: allow("ssm:GetParameter", "*") }),
    names.role,
    "role",
    "DeleteConflict",
  ],
];

const tlsPolicy = {
  loadBalancerName: "balancer",
  policyName: "tls",
  policyTypeName: "SSLNegotiationPolicyType",
  policyAttributes: [{ name: "Reference-Security-Policy", value: "ELBSecurityPolicy-TLS-1-2-2017-01" }],
};
const onListener = { loadBalancerName: "balancer", loadBalancerPort: 8883, policyNames: ["tls"] };

async function emptyVpc(): Promise<void> {
  await add("vpc", names.vpc, { cidrBlock: "10.5.0.0/16" });
  await add("igw", names.internetGateway, { vpcId: ids["vpc"]! });
}

test.each(rows)("%s cannot be deleted", async (_, arrange, type, key, code) => {
  await arrange();
  await expect(world.delete(type, ids[key]!)).rejects.toThrow(code);
  // Nothing happened to it.
  expect(world.get(type, ids[key]!)).toBeDefined();
});

test("what is gone already is deleted without complaint", async () => {
  await world.delete(names.eip, ids["eip"]!);
  await expect(world.delete(names.eip, ids["eip"]!)).resolves.toBeUndefined();
});

test("everything goes in the right order, and then nothing is left of it", async () => {
  await addInstance();
  await attachVolume();
  await addBalancer();
  await add("registration", names.loadBalancerAttachment, { elb: "balancer", instance: ids["instance"]! });
  const order: [string, string][] = [
    [names.loadBalancerAttachment, "registration"],
    [names.volumeAttachment, "attachment"],
    [names.instance, "instance"],
    [names.volume, "volume"],
    [names.networkInterface, "eni"],
    [names.loadBalancer, "balancer"],
    [names.instanceProfile, "profile"],
    [names.role, "role"],
    [names.eip, "eip"],
    [names.routeTable, "table"],
    [names.routeTable, "otherTable"],
    [names.securityGroup, "group"],
    [names.securityGroup, "otherGroup"],
    [names.subnet, "subnetA"],
    [names.subnet, "subnetB"],
    [names.subnet, "otherSubnet"],
    [names.internetGateway, "igw"],
    [names.vpc, "vpc"],
    [names.vpc, "otherVpc"],
  ];
  for (const [type, key] of order) {
    await world.delete(type, ids[key]!);
  }
  const seeded = new World().cloud.account.all().map((r) => r.id);
  expect(world.cloud.account.all().map((r) => r.id)).toEqual(seeded);
});

test("a failed creation leaves nothing behind, not even the parts AWS would make first", async () => {
  const before = world.cloud.account.all().length;
  const inputs = { ...nodeInputs(ids), rootBlockDevice: { volumeSize: 20, volumeType: "st1" } };
  await expect(world.create(names.instance, "broken", inputs)).rejects.toThrow("InvalidParameterValue");
  expect(world.cloud.account.all()).toHaveLength(before);
  expect(world.get(names.networkInterface, ids["eni"]!)!["attachments"]).toEqual([]);
});

test("detaching a volume stops the instance first where that was asked for", async () => {
  await addInstance();
  await attachVolume();
  await world.delete(names.volumeAttachment, ids["attachment"]!);
  expect(world.get(names.instance, ids["instance"]!)!["instanceState"]).toBe("stopped");
});

test("an instance gives its interface back, with its address, but not its root volume", async () => {
  await addInstance();
  const root = (world.get(names.instance, ids["instance"]!)!["rootBlockDevice"] as Props)[
    "volumeId"
  ] as string;
  expect(world.get(names.networkInterface, ids["eni"]!)!["attachments"]).toMatchObject([
    { instance: ids["instance"] },
  ]);
  expect(world.get(names.volume, root)).toBeDefined();
  await world.delete(names.instance, ids["instance"]!);
  expect(world.get(names.networkInterface, ids["eni"]!)).toMatchObject({
    attachments: [],
    privateIps: ["10.0.0.10"],
  });
  expect(world.get(names.volume, root)).toBeUndefined();
  await addInstance();
  expect(world.get(names.instance, ids["instance"]!)!["privateIp"]).toBe("10.0.0.10");
});

test("a listener that changes is created anew and loses its policy", async () => {
  await addBalancer();
  await add("tls", names.loadBalancerPolicy, tlsPolicy);
  await add("listenerPolicy", names.listenerPolicy, onListener);
  const policies = () => world.get(names.listenerPolicy, "balancer:8883")!["policyNames"];
  await world.update(names.loadBalancer, "balancer", { listeners: [listener, secure], idleTimeout: 300 });
  expect(policies()).toEqual(["tls"]);
  await world.update(names.loadBalancer, "balancer", {
    listeners: [listener, { ...secure, instancePort: 1884 }],
  });
  expect(policies()).toEqual([]);
});

test("a load balancer keeps interfaces in its subnets, and follows a change of subnets and groups", async () => {
  await addBalancer();
  await add("lbGroup", names.securityGroup, { vpcId: ids["vpc"]! });
  await world.update(names.loadBalancer, "balancer", {
    subnets: [ids["subnetA"]!, ids["subnetB"]!],
    securityGroups: [ids["lbGroup"]!],
  });
  expect(world.get(names.loadBalancer, "balancer")).toMatchObject({
    availabilityZones: ["eu-west-1a", "eu-west-1b"],
    sourceSecurityGroupId: ids["lbGroup"],
  });
  await expect(world.delete(names.securityGroup, ids["lbGroup"]!)).rejects.toThrow("DependencyViolation");
  await world.update(names.loadBalancer, "balancer", { subnets: [ids["subnetA"]!] });
  await world.delete(names.subnet, ids["subnetB"]!);
});

test("user data changed in place stops and starts the instance", async () => {
  await addInstance();
  const states: unknown[] = [];
  world.cloud.account.onChange((changes) =>
    changes.forEach(
      ({ resource }) => resource.id === ids["instance"] && states.push(resource.attributes["instanceState"]),
    ),
  );
  await world.update(names.instance, ids["instance"]!, { userData: "#cloud-config\n" });
  expect(states).toEqual(["stopping", "stopped", "stopped", "running"]);
  states.length = 0;
  await world.update(names.instance, ids["instance"]!, { tags: { Name: "node" } });
  expect(states).toEqual(["running"]);
});

test("a volume grows and never shrinks", async () => {
  await world.update(names.volume, ids["volume"]!, { size: 30 });
  expect(world.get(names.volume, ids["volume"]!)).toMatchObject({ size: 30 });
  await expect(world.update(names.volume, ids["volume"]!, { size: 20 })).rejects.toThrow(
    /updating EBS Volume \(vol-\w+\): InvalidParameterValue: New size cannot be smaller/,
  );
});

test("a primary address cannot be taken from an interface", async () => {
  await world.update(names.networkInterface, ids["eni"]!, { privateIps: ["10.0.0.10", "10.0.0.11"] });
  await expect(
    world.update(names.networkInterface, ids["eni"]!, { privateIps: ["10.0.0.11"] }),
  ).rejects.toThrow("InvalidParameterValue");
});

test("a parameter that is changed is put as a whole, tags are not", async () => {
  await add("parameter", names.parameter, { name: "/ready", type: "String", value: "never" });
  const stored = world.cloud.account.get(names.parameter, "eu-west-1", "/ready")!;
  world.cloud.account.update(stored, { value: "i-1", insecureValue: "i-1", version: 2 });
  await world.update(names.parameter, "/ready", { tags: { a: "b" } });
  expect(world.get(names.parameter, "/ready")).toMatchObject({ value: "i-1", version: 2 });
  const olds = { ...world.get(names.parameter, "/ready")!, value: "never" };
  await world.cloud.update(names.parameter, world.scope, "/ready", olds, {
    name: "/ready",
    type: "String",
    value: "never",
    description: "new",
  });
  expect(world.get(names.parameter, "/ready")).toMatchObject({
    value: "never",
    version: 3,
    description: "new",
  });
});

test("the default group is closed by taking it over", async () => {
  await add("defaults", names.defaultSecurityGroup, { vpcId: ids["vpc"]! });
  const id = world.get(names.vpc, ids["vpc"]!)!["defaultSecurityGroupId"] as string;
  expect(ids["defaults"]).toBe(id);
  expect(world.get(names.securityGroup, id)).toMatchObject({ ingress: [], egress: [] });
});

test("a route of a gateway that is gone is a black hole", async () => {
  await add("nat", names.natGateway, { subnetId: ids["subnetB"]!, allocationId: ids["eip"]! });
  await add("route", names.route, {
    routeTableId: ids["table"]!,
    destinationCidrBlock: "0.0.0.0/0",
    natGatewayId: ids["nat"]!,
  });
  expect(world.get(names.route, ids["route"]!)!["state"]).toBe("active");
  await world.delete(names.natGateway, ids["nat"]!);
  expect(world.get(names.route, ids["route"]!)!["state"]).toBe("blackhole");
});

test("an instance that is gone: the provider cannot stop it to detach its volume, until a refresh has seen that", async () => {
  await addInstance();
  await attachVolume();
  const attachment = ids["attachment"]!;
  const olds = {
    deviceName: "/dev/sdf",
    instanceId: ids["instance"]!,
    volumeId: ids["volume"]!,
    stopInstanceBeforeDetaching: true,
  };
  const { cloud, scope } = world;
  await cloud.delete(names.instance, scope, ids["instance"]!, {});
  await expect(cloud.delete(names.volumeAttachment, scope, attachment, olds)).rejects.toThrow(
    /StopInstances: .*'i-\w+' does not exist/,
  );
  expect(cloud.read(names.volumeAttachment, scope, attachment, olds)).toBeUndefined();
});
