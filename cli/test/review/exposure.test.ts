import { Address4 } from "ip-address";
import * as fc from "fast-check";
import { isClosed, isOpened, opensFor } from "../../review/change/exposure";
import { gatesMet } from "../../review/gatesMet";
import { types } from "../../review/types";
import { create, remove, reviewed, same, type Resource } from "./previews";

const vpc: Resource = { type: types.vpc, name: "vpc", inputs: { cidrBlock: "10.0.0.0/16" } };
const subnet: Resource = {
  type: types.subnet,
  name: "public",
  inputs: { vpcId: "vpc-id", availabilityZone: "eu-west-1a" },
};
const table: Resource = { type: types.routeTable, name: "table", inputs: {} };
const toInternet: Resource = {
  type: types.route,
  name: "route",
  inputs: { routeTableId: "table-id", destinationCidrBlock: "0.0.0.0/0", gatewayId: "igw-id" },
};
const association: Resource = {
  type: types.routeTableAssociation,
  name: "association",
  inputs: { subnetId: "public-id", routeTableId: "table-id" },
};
const group = (name: string, inputs = {}): Resource => ({ type: types.securityGroup, name, inputs });
const ingress = (name: string, securityGroupId: string, port: number, from: object): Resource => ({
  type: types.ingressRule,
  name,
  inputs: { securityGroupId, ipProtocol: "tcp", fromPort: port, toPort: port, ...from },
});
const egress = (name: string, securityGroupId: string, port: number, to: object): Resource => ({
  ...ingress(name, securityGroupId, port, to),
  type: types.egressRule,
});
const balancer = (inputs = {}): Resource => ({
  type: types.loadBalancer,
  name: "lb",
  inputs: {
    subnets: ["public-id"],
    securityGroups: ["lb-sg-id"],
    listeners: [{ lbPort: 8883, lbProtocol: "ssl", instancePort: 1883, instanceProtocol: "tcp" }],
    ...inputs,
  },
});
const node = (inputs = {}): Resource => ({
  type: types.instance,
  name: "node",
  inputs: { subnetId: "public-id", vpcSecurityGroupIds: ["node-sg-id"], ...inputs },
});

const network = [vpc, subnet, table, toInternet, association, group("lb-sg"), group("node-sg")].map(same);
const fromAll = ingress("all", "lb-sg-id", 8883, { cidrIpv4: "0.0.0.0/0" });

const waysOf = (...steps: Parameters<typeof reviewed>) =>
  reviewed(...network, ...steps).exposure.rows.map(
    ({ from, to, port, before, after }) =>
      `${from} → ${to} ${port}: ${before ?? "closed"} → ${after ?? "closed"}`,
  );
const alarmsOf = (...steps: Parameters<typeof reviewed>) =>
  reviewed(...network, ...steps).exposure.alarms.map(({ kind, isNew }) => `${kind} ${isNew ? "new" : "old"}`);

describe("what is in the way of packets", () => {
  it("is nothing with a rule, a listener and a route", () => {
    expect(waysOf(same(balancer()), create(fromAll))).toEqual([
      "internet → load balancer TCP 8883: closed → open",
    ]);
  });

  it("is nothing at a Network Load Balancer, whose listeners are resources of their own, mapped to a subnet or not", () => {
    const own = (type: string, name: string, inputs: Resource["inputs"]): Resource => ({
      type,
      name,
      inputs,
    });
    const parts = [
      own(types.targetGroup, "group", { port: 1883 }),
      own(types.networkListener, "mqtts", {
        loadBalancerArn: "nlb-id",
        port: 8883,
        protocol: "TLS",
        defaultActions: [{ type: "forward", targetGroupArn: "group-id" }],
      }),
    ];
    for (const place of [{ subnets: ["public-id"] }, { subnetMappings: [{ subnetId: "public-id" }] }]) {
      const nlb = own(types.networkLoadBalancer, "nlb", { ...place, securityGroups: ["lb-sg-id"] });
      const { rows } = reviewed(...network, ...[nlb, ...parts].map(same), create(fromAll)).exposure;
      expect(rows.map(({ purpose, after }) => [purpose, after])).toEqual([["MQTT with TLS", "open"]]);
    }
  });

  it("is the route of an internal load balancer, or of a subnet without an internet gateway", () => {
    const expected = ["internet → load balancer TCP 8883: no route → no route"];
    expect(waysOf(same(balancer({ internal: true })), same(fromAll))).toEqual(expected);
    const steps = network
      .filter(({ urn }) => !urn.includes("Route:"))
      .concat([same(balancer()), same(fromAll)]);
    expect(reviewed(...steps).exposure.rows[0]).toMatchObject({ before: "no route", after: "no route" });
  });

  it("is a listener that does not exist", () => {
    const rule = ingress("plain", "lb-sg-id", 1883, { cidrIpv4: "0.0.0.0/0" });
    expect(waysOf(same(balancer()), create(rule))).toEqual([
      "internet → load balancer TCP 1883: closed → no listener",
    ]);
  });

  it("is a group that does not let it out", () => {
    const inward = ingress("in", "node-sg-id", 1883, { referencedSecurityGroupId: "lb-sg-id" });
    const outward = egress("out", "lb-sg-id", 1883, { referencedSecurityGroupId: "node-sg-id" });
    const both = [same(balancer()), same(node()), same(inward)];
    expect(waysOf(...both, remove(outward))).toEqual(["load balancer → nodes TCP 1883: open → not let out"]);
  });
});

it("is told of back ends, by the rule's words: in a block, of somebody else's group, in a prefix list", () => {
  const back = (name: string, port: number, to: object) =>
    create(egress(name, "node-sg-id", port, { description: "PostgreSQL", ...to }));
  const { rows } = reviewed(
    ...network,
    same(node()),
    back("block", 5432, { cidrIpv4: "10.9.0.0/16" }),
    back("group", 5433, { referencedSecurityGroupId: "sg-0fedcba9876543210" }),
    back("list", 80, { prefixListId: "pl-1" }),
  ).exposure;
  expect(
    rows.map(({ from, to, port, purpose, after }) => [from, to, port, purpose, after].join(" ")),
  ).toEqual([
    "nodes addresses 10.9.0.0/16 TCP 5432 PostgreSQL open",
    "nodes group sg-0fedcba9876543210 TCP 5433 PostgreSQL open",
    "nodes prefix list pl-1 TCP 80 PostgreSQL open",
  ]);
  expect(rows.filter(opensFor)).toHaveLength(3);
});

describe("who it is", () => {
  const who = (inputs: object, port = 8883, target = "lb-sg-id") =>
    waysOf(same(balancer()), same(node()), create(ingress("rule", target, port, inputs)))[0]?.split(" →")[0];

  it("is told by address and target", () => {
    expect(who({ cidrIpv4: "0.0.0.0/0" })).toBe("internet");
    expect(who({ cidrIpv4: "0.0.0.0/1" })).toBe("internet (0.0.0.0/1)");
    expect(who({ cidrIpv6: "::/0" })).toBe("internet (::/0)");
    expect(who({ cidrIpv4: "203.0.113.0/24" })).toBe("clients 203.0.113.0/24");
    expect(who({ cidrIpv4: "10.0.0.0/16" })).toBe("VPC");
    expect(who({ cidrIpv4: "10.0.1.0/24" })).toBe("VPC 10.0.1.0/24");
    expect(who({ cidrIpv4: "203.0.113.0/24" }, 18083, "node-sg-id")).toBe("admins 203.0.113.0/24");
    expect(who({ cidrIpv4: "203.0.113.0/24" }, 22, "node-sg-id")).toBe("addresses 203.0.113.0/24");
    expect(who({ prefixListId: "pl-1" })).toBe("prefix list pl-1");
  });
});

describe("alarms", () => {
  const toNodes = (port: number, from: object) => create(ingress("rule", "node-sg-id", port, from));

  it.each([
    ["a cluster port from a block", toNodes(4369, { cidrIpv4: "10.0.0.0/16" }), ["cluster-port new"]],
    ["a cluster port from the nodes", toNodes(4369, { referencedSecurityGroupId: "node-sg-id" }), []],
    ["the dashboard from an office", toNodes(18083, { cidrIpv4: "203.0.113.0/24" }), []],
    [
      "the dashboard from the world",
      toNodes(18083, { cidrIpv4: "0.0.0.0/0" }),
      ["dashboard new", "node-from-internet new"],
    ],
    ["MQTT on the nodes from the world", toNodes(1883, { cidrIpv6: "::/0" }), ["node-from-internet new"]],
  ])("%s", (_what, rule, expected) => {
    expect(alarmsOf(same(node()), rule)).toEqual(expected);
  });

  it("see inline rules and the older rule resource", () => {
    const inline = { ...group("node-sg", { ingress: [{ protocol: "-1", cidrBlocks: ["10.0.0.0/8"] }] }) };
    const steps = network.filter(({ urn }) => !urn.endsWith("::node-sg"));
    expect(reviewed(...steps, same(inline), same(node())).exposure.alarms).toMatchObject([
      { kind: "cluster-port", isNew: false },
    ]);
    const older: Resource = {
      type: types.oldRule,
      name: "older",
      inputs: {
        type: "ingress",
        securityGroupId: "node-sg-id",
        protocol: "tcp",
        fromPort: 4000,
        toPort: 5000,
        cidrBlocks: ["10.0.0.0/8"],
      },
    };
    expect(alarmsOf(same(node()), create(older))).toEqual(["cluster-port new"]);
  });

  it("see a public address, and a listener that leads to the dashboard", () => {
    expect(alarmsOf(same(node({ associatePublicIpAddress: true })))).toEqual(["public-node old"]);
    const eip: Resource = { type: types.eip, name: "eip", inputs: { instance: "node-id" } };
    expect(alarmsOf(same(node()), create(eip))).toEqual(["public-node new"]);
    const leaky = balancer({
      listeners: [{ lbPort: 8883, lbProtocol: "TCP", instancePort: 18083, instanceProtocol: "TCP" }],
    });
    expect(alarmsOf(same(leaky), create(fromAll))).toEqual(["dashboard new"]);
  });
});

test("the exposure gate is met by a new way in, not by one that was there or that closes", () => {
  const gates = (...steps: Parameters<typeof reviewed>) => gatesMet(reviewed(...network, ...steps));
  expect(gates(same(balancer()), create(fromAll))).toContain("exposure");
  expect(gates(same(balancer()), same(fromAll))).not.toContain("exposure");
  expect(gates(same(balancer()), remove(fromAll))).not.toContain("exposure");
});

describe("blocks are sets of addresses", () => {
  /** Nested and side by side, so that many of them together are another one. */
  const blocks = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "8.0.0.0/8",
    "8.0.0.0/9",
    "8.128.0.0/9",
    "203.0.113.0/24",
  ];
  const holds = (all: string[], address: string) =>
    all.some((block) => new Address4(address).isInSubnet(new Address4(block)));
  /** One address of each area that a block's limit separates from the next. */
  const probes = ["1.2.3.4", "8.1.2.3", "8.200.0.1", "203.0.113.9", "203.0.114.1"];
  const someBlocks = fc.uniqueArray(fc.constantFrom(...blocks), { minLength: 1, maxLength: 4 });

  it.each<[string, (name: string, block: string) => Resource]>([
    ["clients of the load balancer", (name, block) => ingress(name, "lb-sg-id", 8883, { cidrIpv4: block })],
    ["addresses that reach nodes", (name, block) => ingress(name, "node-sg-id", 9000, { cidrIpv4: block })],
    ["addresses that nodes reach", (name, block) => egress(name, "node-sg-id", 443, { cidrIpv4: block })],
  ])("%s: a way opens where an address is new, and closes where one is gone", (_what, rule) => {
    fc.assert(
      fc.property(someBlocks, someBlocks, (old, next) => {
        const steps = [...new Set([...old, ...next])].map((block) => {
          const resource = rule(block.replace("/", "-"), block);
          return !next.includes(block)
            ? remove(resource)
            : old.includes(block)
              ? same(resource)
              : create(resource);
        });
        const { exposure } = reviewed(...network, same(balancer()), same(node()), ...steps);
        const gains = probes.some((probe) => holds(next, probe) && !holds(old, probe));
        const loses = probes.some((probe) => holds(old, probe) && !holds(next, probe));
        expect({ opens: exposure.rows.some(isOpened), closes: exposure.rows.some(isClosed) }).toEqual({
          opens: gains,
          closes: loses,
        });
      }),
    );
  });
});
