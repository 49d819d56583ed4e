/** The parts without sockets: routes and rules, PROXY headers, topic filters. */
import { parseHealthTarget } from "../../dataplane/elb/healthProbe";
import { topicMatches } from "../../dataplane/broker/topics";
import { parseProxyHeader, proxyV1Header, proxyV2Header } from "../../dataplane/proxyProtocol";
import { InternetHost, Network, NetworkInterface } from "../../dataplane/reachability";
import { RegionSnapshot, RouteFacts, RuleFacts } from "../../dataplane/regionView";

describe("PROXY headers", () => {
  const connection = {
    sourceAddress: "203.0.113.10",
    sourcePort: 50000,
    destinationAddress: "192.168.128.5",
    destinationPort: 8883,
  };

  function v2(command: number, family: number, body: Buffer): Buffer {
    const fixed = Buffer.from([
      0x0d,
      0x0a,
      0x0d,
      0x0a,
      0,
      0x0d,
      0x0a,
      0x51,
      0x55,
      0x49,
      0x54,
      0x0a,
      0x20 | command,
      family,
      0,
      0,
    ]);
    fixed.writeUInt16BE(body.length, 14);
    return Buffer.concat([fixed, body]);
  }
  const v4Body = Buffer.from([203, 0, 113, 10, 192, 168, 128, 5, 0xc3, 0x50, 0x22, 0xb3]);

  test("version 1 as written is read back, however it is cut", () => {
    const header = proxyV1Header(connection);
    expect(header).toBe("PROXY TCP4 203.0.113.10 192.168.128.5 50000 8883\r\n");
    const bytes = Buffer.from(`${header}rest`);
    for (let length = 0; length < header.length; length++) {
      expect(parseProxyHeader(bytes.subarray(0, length))).toEqual({ kind: "incomplete" });
    }
    expect(parseProxyHeader(bytes)).toEqual({ kind: "header", connection, length: header.length });
  });

  test("version 2 is read as written, with and without addresses", () => {
    const bytes = v2(1, 0x11, v4Body);
    expect(parseProxyHeader(Buffer.concat([bytes, Buffer.from("rest")]))).toEqual({
      kind: "header",
      connection,
      length: bytes.length,
    });
    expect(proxyV2Header(connection)).toEqual(bytes);
    expect(parseProxyHeader(bytes.subarray(0, 20))).toEqual({ kind: "incomplete" });
    expect(parseProxyHeader(v2(0, 0, Buffer.alloc(0)))).toEqual({ kind: "header", length: 16 });
  });

  test.each([
    ["MQTT instead", Buffer.from([0x10, 0x0c, 0, 4])],
    ["no end", Buffer.from(`PROXY TCP4 ${"1".repeat(200)}`)],
    ["an unknown family", Buffer.from("PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n")],
    ["a port that is none", Buffer.from("PROXY TCP4 1.1.1.1 2.2.2.2 1 x\r\n")],
    ["version 2 too short for its addresses", v2(1, 0x11, Buffer.alloc(4))],
  ])("%s is refused", (_name, bytes) => {
    expect(parseProxyHeader(bytes).kind).toBe("invalid");
  });
});

test.each([
  ["a/b", "a/b", true],
  ["a/+", "a/b", true],
  ["a/+", "a", false],
  ["a/#", "a", true],
  ["a/#", "a/b/c", true],
  ["+/b", "a/b", true],
  ["+", "a/b", false],
  ["#", "a", true],
  ["#", "$SYS/x", false],
  ["+/x", "$SYS/x", false],
  ["$SYS/#", "$SYS/x", true],
  ["a/b/c", "a/b", false],
])("the filter %s and the topic %s: %s", (filter, topic, matches) => {
  expect(topicMatches(filter, topic)).toBe(matches);
});

test("health check targets are read as AWS writes them", () => {
  expect(parseHealthTarget("HTTP:18083/status")).toEqual({ protocol: "HTTP", port: 18083, path: "/status" });
  expect(parseHealthTarget("tcp:1883")).toEqual({ protocol: "TCP", port: 1883, path: "/" });
  expect(() => parseHealthTarget("UDP:1")).toThrow(/is not PROTOCOL:port/);
});

describe("the network", () => {
  const local: RouteFacts = { destinationCidrBlock: "10.0.0.0/16", target: "local" };
  const outTo = (target: string): RouteFacts => ({ destinationCidrBlock: "0.0.0.0/0", target });
  const tcp = (fromPort: number, toPort: number, source: Partial<RuleFacts>): RuleFacts => ({
    protocol: "tcp",
    fromPort,
    toPort,
    ...source,
  });
  const host: InternetHost = { kind: "internet", address: "203.0.113.10" };

  function network(change: (snapshot: RegionSnapshot) => void = () => undefined): Network {
    const subnet = (id: string, cidrBlock: string, routes: RouteFacts[]) => ({
      id,
      vpcId: "vpc-1",
      cidrBlock,
      availabilityZone: "a",
      routes: [local, ...routes],
    });
    const snapshot: RegionSnapshot = {
      vpcs: [{ id: "vpc-1", cidrBlock: "10.0.0.0/16", internetGatewayId: "igw-1" }],
      subnets: [
        subnet("public", "10.0.0.0/24", [outTo("igw-1")]),
        subnet("private", "10.0.1.0/24", [outTo("nat-1")]),
      ],
      natGateways: [{ id: "nat-1", subnetId: "public" }],
      securityGroups: [
        {
          id: "sg-front",
          vpcId: "vpc-1",
          ingress: [tcp(1883, 1883, { cidrIpv4: "203.0.113.0/24" })],
          egress: [tcp(1883, 1883, { referencedGroupId: "sg-back" })],
        },
        {
          id: "sg-back",
          vpcId: "vpc-1",
          ingress: [tcp(1000, 2000, { referencedGroupId: "sg-front" })],
          egress: [{ protocol: "-1", cidrIpv4: "0.0.0.0/0" }],
        },
      ],
      instances: [],
      loadBalancers: [],
      networkLoadBalancers: [],
      targetGroups: [],
      certificates: [],
    };
    change(snapshot);
    return new Network(snapshot);
  }

  const at = (subnetId: string, group: string, publicAddress: boolean): NetworkInterface => ({
    kind: "interface",
    label: group,
    vpcId: "vpc-1",
    subnetId,
    address: subnetId === "public" ? "10.0.0.5" : "10.0.1.5",
    securityGroupIds: [group],
    publicAddress,
  });
  const front = at("public", "sg-front", true);
  const back = at("private", "sg-back", false);
  const reason = (verdict: ReturnType<Network["judge"]>) => (verdict.allowed ? "allowed" : verdict.reason);

  test("lets in what gateway, route and rules let in, and nothing else", () => {
    expect(reason(network().judge(host, front, 1883))).toBe("allowed");
    expect(reason(network().judge(host, front, 8883))).toMatch(/no ingress rule/);
    expect(reason(network().judge({ ...host, address: "198.51.100.1" }, front, 1883))).toMatch(
      /from 198\.51\.100\.1/,
    );
    expect(reason(network().judge(host, back, 1883))).toMatch(/no address on the internet/);
    expect(reason(network(({ vpcs }) => delete vpcs[0]!.internetGatewayId).judge(host, front, 1883))).toMatch(
      /no route to an attached internet gateway/,
    );
  });

  test("needs egress at the source and ingress at the target", () => {
    expect(reason(network().judge(front, back, 1883))).toBe("allowed");
    expect(reason(network().judge(front, back, 1884))).toMatch(/no egress rule of sg-front/);
    expect(reason(network().judge(back, front, 1883))).toMatch(/no ingress rule of sg-front/);
    expect(reason(network().judge(front, { ...back, vpcId: "vpc-2" }, 1883))).toMatch(/no route between/);
  });

  test("lets out through NAT or a public address only", () => {
    expect(reason(network().judgeEgress(back, host, 443))).toBe("allowed");
    const gone = network((snapshot) => (snapshot.natGateways = []));
    expect(reason(gone.judgeEgress(back, host, 443))).toMatch(/black hole/);
    const inward = network(({ natGateways }) => (natGateways[0]!.subnetId = "private"));
    expect(reason(inward.judgeEgress(back, host, 443))).toMatch(/no way to the internet itself/);
    const wide = network(
      ({ securityGroups }) => (securityGroups[0]!.egress = [{ protocol: "-1", cidrIpv4: "0.0.0.0/0" }]),
    );
    expect(reason(wide.judgeEgress(front, host, 443))).toBe("allowed");
    expect(reason(wide.judgeEgress({ ...front, publicAddress: false }, host, 443))).toMatch(
      /has no public address/,
    );
    expect(reason(network().judgeEgress(front, host, 443))).toMatch(/no egress rule/);
  });

  test("takes the most specific route", () => {
    const special = network(({ subnets }) =>
      subnets[1]!.routes.push({ destinationCidrBlock: "203.0.113.0/24", target: "vgw-1" }),
    );
    expect(reason(special.judgeEgress(back, host, 443))).toMatch(/leads to vgw-1/);
  });
});
