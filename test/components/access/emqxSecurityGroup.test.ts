import * as ec2 from "@pulumi/aws/ec2";
import * as pulumi from "@pulumi/pulumi";
import * as fc from "fast-check";
import {
  ClusterPorts,
  EmqxSecurityGroup,
  EmqxVpc,
  Listener,
  type EmqxSecurityGroupArgs,
} from "../../../components";
import type { RegionMocks } from "@emqx-aws/simulator";
import { prefixListId } from "@emqx-aws/simulator/services/routing";
import { inAws, run, valueOf } from "../../support";

type Args = Omit<EmqxSecurityGroupArgs, "vpcId">;

async function deploy(args: Args): Promise<RegionMocks> {
  return run(() => {
    const vpc = new EmqxVpc("net", { availabilityZones: ["eu-west-1a"] });
    new EmqxSecurityGroup("mq", { vpcId: vpc.vpcId, ...args });
  });
}

/** Every permission in one line: direction, group, peer, ports. */
function permissions(mocks: RegionMocks): string[] {
  const groups = new Map(mocks.ofType("aws:ec2/securityGroup:SecurityGroup").map((g) => [g.id, g.name]));
  return inAws(mocks)
    .filter(({ type }) => type.startsWith("aws:vpc/securityGroup"))
    .map(({ type, inputs }) => {
      const group = groups.get(String(inputs["securityGroupId"]));
      const peer = inputs["cidrIpv4"] ?? groups.get(String(inputs["referencedSecurityGroupId"]));
      const ports = inputs["fromPort"] === inputs["toPort"] ? inputs["fromPort"] : "a range";
      const from = type.includes("Ingress");
      return `${from ? peer : group} -> ${from ? group : peer} ${from ? "in" : "out"} ${inputs["ipProtocol"]} ${ports}`;
    })
    .sort();
}

describe("EmqxSecurityGroup", () => {
  test("opens exactly the guide's ports by default", async () => {
    expect(permissions(await deploy({}))).toEqual([
      "0.0.0.0/0 -> mq-lb in tcp 1883",
      "0.0.0.0/0 -> mq-lb in tcp 8883",
      "mq-lb -> mq-nodes in tcp 18083",
      "mq-lb -> mq-nodes in tcp 1883",
      "mq-lb -> mq-nodes out tcp 18083",
      "mq-lb -> mq-nodes out tcp 1883",
      "mq-nodes -> 0.0.0.0/0 out tcp 443",
      "mq-nodes -> mq-nodes in tcp 4369",
      "mq-nodes -> mq-nodes in tcp 5369",
      "mq-nodes -> mq-nodes in tcp 6369",
      "mq-nodes -> mq-nodes out tcp 4369",
      "mq-nodes -> mq-nodes out tcp 5369",
      "mq-nodes -> mq-nodes out tcp 6369",
    ]);
  });

  test("opens EMQX's own cluster ports instead with ClusterPorts.Package", async () => {
    const cluster = permissions(await deploy({ clusterPorts: ClusterPorts.Package })).filter((line) =>
      line.startsWith("mq-nodes -> mq-nodes"),
    );
    expect(cluster).toEqual([
      "mq-nodes -> mq-nodes in tcp 4370",
      "mq-nodes -> mq-nodes in tcp 5370",
      "mq-nodes -> mq-nodes out tcp 4370",
      "mq-nodes -> mq-nodes out tcp 5370",
    ]);
  });

  test("opens the WebSocket ports for WebSocket listeners only", async () => {
    const lines = permissions(await deploy({ listeners: [Listener.Wss], clientCidrBlocks: ["10.0.0.0/8"] }));
    expect(lines).toContain("10.0.0.0/8 -> mq-lb in tcp 8084");
    expect(lines).toContain("mq-lb -> mq-nodes in tcp 8083");
    expect(lines.filter((line) => /1883$| 8883$/.test(line))).toEqual([]);
  });

  test("opens the dashboard to administrators only when asked", async () => {
    expect(permissions(await deploy({ adminCidrBlocks: ["10.8.0.0/24"] }))).toContain(
      "10.8.0.0/24 -> mq-nodes in tcp 18083",
    );
  });

  test("lets nodes reach back ends: in a block, of a group, in a prefix list", async () => {
    const mocks = await run(() => {
      const vpc = new EmqxVpc("net", { availabilityZones: ["eu-west-1a"] });
      const database = new ec2.SecurityGroup("database", { vpcId: vpc.vpcId });
      new EmqxSecurityGroup("mq", {
        vpcId: vpc.vpcId,
        egress: [
          { port: 5432, securityGroupId: database.id, description: "PostgreSQL of the users" },
          { port: 8080, cidrBlock: "10.0.0.0/8" },
          { port: 80, prefixListId: prefixListId("eu-west-1", "s3") },
        ],
      });
    });
    const ways = mocks.ofType("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule");
    const named = ways.filter(({ name }) => /^mq-nodes-to-(?!nodes|internet)/.test(name));
    expect(named.map(({ name, inputs }) => `${name}: ${String(inputs["description"])}`).sort()).toEqual([
      "mq-nodes-to-10.0.0.0-8-8080: port 8080 of a back end",
      "mq-nodes-to-group-5432: PostgreSQL of the users",
      expect.stringMatching(/^mq-nodes-to-pl-[0-9a-f]{8}-80: port 80 of a back end$/),
    ]);
    expect(permissions(mocks)).toContain("mq-nodes -> database out tcp 5432");
  });

  test("cannot tell two groups from each other that are not known yet, and says so", async () => {
    const groups = () =>
      [0, 1].map(() => ({ port: 5432, securityGroupId: pulumi.output("sg-0123456789abcdef0") }));
    await expect(deploy({ egress: groups() })).rejects.toThrow(
      "egress[1]: port 5432 to a group that another resource gives is egress[0], too, and one could not be told from the other",
    );
  });

  test("describes every rule", async () => {
    const rules = inAws(await deploy({ adminCidrBlocks: ["10.8.0.0/24"] })).filter(({ type }) =>
      type.startsWith("aws:vpc/securityGroup"),
    );
    expect(
      rules.map(({ inputs }) => String(inputs["description"])).filter((text) => text.length < 10),
    ).toEqual([]);
  });

  test("names a rule after what it permits, so that a block more only adds", async () => {
    const name = ({ name }: { name: string }) => name;
    const some = inAws(await deploy({ clientCidrBlocks: ["10.0.0.0/8"] })).map(name);
    const more = inAws(await deploy({ clientCidrBlocks: ["172.16.0.0/12", "10.0.0.0/8"] })).map(name);
    expect(some.filter((n) => !more.includes(n))).toEqual([]);
    expect(more.filter((n) => !some.includes(n)).sort()).toEqual([
      "mq-lb-from-172.16.0.0-12-mqtt",
      "mq-lb-from-172.16.0.0-12-mqtts",
    ]);
  });

  test("never lets a block of addresses at a cluster port or at the nodes' MQTT ports, whatever the input", async () => {
    const args = fc.record<Args>({
      listeners: fc.uniqueArray(fc.constantFrom(...Object.values(Listener)), { minLength: 1 }),
      clientCidrBlocks: fc.uniqueArray(fc.constantFrom("0.0.0.0/0", "10.0.0.0/8", "203.0.113.0/24"), {
        minLength: 1,
      }),
      adminCidrBlocks: fc.uniqueArray(fc.constantFrom("10.0.0.0/8", "198.51.100.0/24")),
      clusterPorts: fc.constantFrom(...Object.values(ClusterPorts)),
    });
    await fc.assert(
      fc.asyncProperty(args, async (input) => {
        const lines = permissions(await deploy(input));
        const fromBlocks = lines.filter((line) => /^\d.* -> mq-nodes in /.test(line));
        expect(fromBlocks.filter((line) => !line.endsWith(" 18083"))).toEqual([]);
        expect(fromBlocks).toHaveLength(input.adminCidrBlocks?.length ?? 0);
      }),
      { numRuns: 12 },
    );
  });

  test("has its outputs", async () => {
    const groups: EmqxSecurityGroup[] = [];
    const mocks = await run(() => {
      const vpc = new EmqxVpc("net", { availabilityZones: ["eu-west-1a"] });
      groups.push(new EmqxSecurityGroup("mq", { vpcId: vpc.vpcId }));
    });
    expect(await valueOf(groups[0]!.loadBalancerSecurityGroupId)).toBe(mocks.named("mq-lb").id);
    expect(await valueOf(groups[0]!.nodeSecurityGroupId)).toBe(mocks.named("mq-nodes").id);
  });
});
