/** One mistake at a time, each of which hurts on AWS: here it must hurt a client, a check or the boot, and say why. */
import { licenseKeyOf } from "../../../test/licenseKey";
import { connect } from "node:net";
import { ClusterPorts } from "../../../components/emqx/releases";
import { inbox, rule, sharedRegion, TestRegion, TestRegionOptions } from "./testRegion";
import { eventually } from "../../../test/waiting";

const shared = sharedRegion();
let region: TestRegion | undefined;

afterEach(async () => {
  await region?.stop();
  region = undefined;
});

async function start(options: TestRegionOptions): Promise<TestRegion> {
  region = await TestRegion.start(options);
  return region;
}

/** Nodes come up without waiting for each other being a condition of anything. */
async function running(options: TestRegionOptions): Promise<TestRegion> {
  const started = await start(options);
  await eventually("EMQX runs everywhere", () =>
    started.state.instances.every((_, node) => started.machine(node)?.emqx !== undefined),
  );
  return started;
}

async function inServiceAtAll(started: TestRegion): Promise<void> {
  await eventually("all are in service", () =>
    started.state.instances.every((instance) => started.health.get(instance.id)?.state === "InService"),
  );
}

/** Publishes at one node, listens at the other: does it arrive? */
async function crosses(started: TestRegion): Promise<boolean> {
  const subscriber = await started.client();
  const publisher = await started.client();
  expect([0, 1].map((node) => started.machine(node).emqx!.connections)).toEqual([1, 1]);
  await subscriber.subscribeAsync("x", { qos: 1 });
  await publisher.publishAsync("x", "y", { qos: 1 });
  await new Promise((resolve) => setTimeout(resolve, 150));
  return inbox(subscriber).length > 0;
}

function refusedWith(options: TestRegionOptions, why: RegExp) {
  return async () => {
    const started = await running(options);
    await inServiceAtAll(started);
    expect(await crosses(started)).toBe(false);
    const problems = Object.values(started.machine(1).emqx!.problems).join("\n");
    expect(problems).toMatch(why);
  };
}

const withoutClusterRule = (direction: "ingress" | "egress", port: number) => (test: TestRegion) => {
  const group = test.group("nodes");
  group[direction] = group[direction].filter(({ fromPort }) => fromPort !== port);
};

describe("nodes do not cluster, and messages do not cross,", () => {
  test.each([
    ["ingress", 4369],
    ["ingress", 6369],
    ["egress", 4369],
    ["egress", 6369],
  ] as const)("without the %s rule for port %i", async (direction, port) => {
    await refusedWith({ prepare: withoutClusterRule(direction, port) }, new RegExp(`:${port} `))();
  });

  test(
    "when their seeds are others",
    refusedWith(
      { userData: (args) => ({ ...args, seeds: [args.privateIp, "192.168.0.99"] }) },
      /there is no host 192\.168\.0\.99 in the VPC/,
    ),
  );

  test(
    "when one node uses another port profile",
    refusedWith(
      {
        userData: (args, node) => (node === 0 ? { ...args, clusterPorts: ClusterPorts.Package } : args),
        prepare: (test) => {
          const all = rule(4000, "sg-nodes", 7000);
          test.group("nodes").ingress.push(all);
          test.group("nodes").egress.push(all);
        },
      },
      /cannot reach 192\.168\.0\.10:4369 \(epmd\): ECONNREFUSED/,
    ),
  );

  test("without a licence from 5.9 on", async () => {
    // Nobody dials: the reason is in the console.
    await refusedWith({ userData: (args) => ({ ...args, version: "6.2.3" }) }, /^$/)();
    expect(region!.console(0)).toContain("SINGLE_NODE_LICENSE");
  });

  test("when the cookies differ", async () => {
    const options: TestRegionOptions = {
      userData: (args, node) =>
        node === 0 ? { ...args, parameterPrefix: `${args.parameterPrefix}-other` } : args,
      prepare: (test) => {
        for (const [name, value] of [...test.parameters]) {
          test.parameters.set(name.replace("emqx-nodes/", "emqx-nodes-other/"), value);
        }
        test.parameters.set("/emqx/test/stack/emqx-nodes-other/cookie", `D${"1".repeat(40)}`);
      },
    };
    await refusedWith(options, /cookie/)();
    expect(region!.console(0)).toMatch(/invalid challenge reply \(the cookies differ\)/);
  });
});

test("with a licence 6.x clusters", async () => {
  const started = await running({
    userData: (args) => ({ ...args, version: "6.2.3", hasLicense: true }),
    prepare: (test) =>
      test.parameters.set("/emqx/test/stack/emqx-nodes/license-key", licenseKeyOf("20260101")),
  });
  await started.allReady();
  expect(await crosses(started)).toBe(true);
});

test("the package profile clusters on 4370 and 5370 with rules to match", async () => {
  const started = await running({
    userData: (args) => ({ ...args, clusterPorts: ClusterPorts.Package }),
    prepare: (test) => {
      for (const port of [4370, 5370]) {
        test.group("nodes").ingress.push(rule(port, "sg-nodes"));
        test.group("nodes").egress.push(rule(port, "sg-nodes"));
      }
    },
  });
  await started.allReady();
  expect(await crosses(started)).toBe(true);
});

test("a closed RPC port leaves the cluster whole and loses the messages between nodes", async () => {
  const started = await running({ prepare: withoutClusterRule("ingress", 5369) });
  await started.allReady();
  expect(started.machine(0).emqx!.running).toHaveLength(2);
  expect(await crosses(started)).toBe(false);
  expect(Object.values(started.machine(0).emqx!.problems).join()).toContain(":5369 (rpc)");
});

test("a cluster rule removed under a running cluster hurts the next connection, not the present one", async () => {
  const started = await running({});
  await started.allReady();
  await started.change(() => withoutClusterRule("ingress", 6369)(started));
  expect(started.machine(0).emqx!.running).toHaveLength(2);
  await started.plane.faults.stopEmqx("i-1");
  await started.plane.faults.startEmqx("i-1");
  await eventually("it tries in vain", () => Object.keys(started.machine(1).emqx!.problems).length > 0);
  expect(started.machine(1).emqx!.running).toHaveLength(1);
});

describe("a health check fails, clients are turned away and the node does not become ready", () => {
  test.each<[string, (test: TestRegion) => void, RegExp]>([
    [
      "on a wrong port",
      (test) => (test.loadBalancer.healthCheck.target = "HTTP:8080/status"),
      /admits tcp\/8080|lets tcp\/8080/,
    ],
    [
      "with a wrong path",
      (test) => (test.loadBalancer.healthCheck.target = "HTTP:18083/health"),
      /HTTP status 404/,
    ],
    [
      "without an ingress rule at the nodes",
      (test) =>
        (test.group("nodes").ingress = test.group("nodes").ingress.filter((r) => r.fromPort !== 18083)),
      /no ingress rule of sg-nodes .* admits tcp\/18083/,
    ],
    [
      "without an egress rule at the load balancer",
      (test) => (test.group("elb").egress = test.group("elb").egress.filter((r) => r.fromPort !== 18083)),
      /no egress rule of sg-elb .* lets tcp\/18083/,
    ],
  ])("%s", async (_name, prepare, why) => {
    const started = await running({ prepare, nodes: 1, zones: 1 });
    await eventually("it waits", () => /waiting for the load balancers/.test(started.console(0)), 60);
    await eventually("the check failed", () => started.health.get("i-0")?.reasonCode === "Instance");
    await eventually("its reason is told", () => why.test(lastProblem(started)));
    await expect(started.client()).rejects.toThrow();
    expect(started.machine(0).phase).toBe("booting");
  });

  test("for an instance in a zone the load balancer does not serve", async () => {
    const started = await running({
      prepare: (test) => (test.loadBalancer.interfaces = test.loadBalancer.interfaces.slice(0, 1)),
    });
    await eventually("one is out", () => started.health.get("i-1")?.description.includes("Zone") === true);
    await eventually("the other is in", () => started.health.get("i-0")?.state === "InService");
  });
});

describe("a client is not let in", () => {
  test("when its address is in no client CIDR", async () => {
    const started = await shared({ nodes: 1, zones: 1, prepare: (test) => (test.group("elb").ingress = []) });
    const [endpoint] = started.plane.endpoints();
    expect(endpoint!.problem).toMatch(/no ingress rule of sg-elb .* admits tcp\/1883 from 203\.0\.113\.10/);
    // It has no port: nothing was opened.
    expect(endpoint!.port).toBe(0);
  });

  test("when its address is not the one that is allowed", async () => {
    const started = await running({
      nodes: 1,
      zones: 1,
      plane: { clientAddresses: { "127.0.0.2": "198.51.100.7" } },
      prepare: (test) => (test.group("elb").ingress = [rule(1883, "198.51.100.0/24")]),
    });
    await started.allReady();
    const port = started.port(1883);
    expect(await answers("127.0.0.1", port, "127.0.0.1")).toBe(false);
    expect(await answers("127.0.0.1", port, "127.0.0.2")).toBe(true);
    expect(started.lines.join("\n")).toMatch(/dropped a client: no ingress rule .* from 203\.0\.113\.10/);
  });

  test("without a route to the internet gateway", async () => {
    const started = await shared({
      nodes: 1,
      zones: 1,
      prepare: ({ state }) => {
        const subnet = state.subnets.find(({ id }) => id === "subnet-public-a")!;
        subnet.routes = subnet.routes.filter(({ target }) => target === "local");
      },
    });
    expect(started.plane.endpoints()[0]!.problem).toContain("no route to an attached internet gateway");
  });

  test("by an internal load balancer", async () => {
    const started = await shared({
      nodes: 1,
      zones: 1,
      prepare: (test) => (test.loadBalancer.internal = true),
    });
    expect(started.plane.endpoints()[0]!.problem).toContain("has no address on the internet");
  });

  test("by a listener to a port that nobody listens on", async () => {
    const started = await shared({
      nodes: 1,
      zones: 1,
      prepare: (test) => {
        test.loadBalancer.listeners[0]!.instancePort = 1884;
        test.group("elb").egress.push(rule(1884, "sg-nodes"));
        test.group("nodes").ingress.push(rule(1884, "sg-elb"));
      },
    });
    await expect(started.client()).rejects.toThrow();
    expect(started.plane.loadBalancers()[0]!.counters.backendFailures).toBeGreaterThan(0);
  });

  test("past the load balancer: a node has no address on the internet", async () => {
    const started = await shared({ nodes: 1, zones: 1 });
    for (const port of [1883, 4369, 5369, 6369, 18083]) {
      expect(await answers(started.machine(0).loopback, port)).toBe(false);
    }
    expect(started.lines.join("\n")).toContain("has no address on the internet");
  });

  test.each([
    ["sent by the load balancer alone", true, false],
    ["expected by the nodes alone", false, true],
  ])("when the PROXY header is %s", async (_name, sent, expected) => {
    const started = await shared({
      nodes: 1,
      zones: 1,
      userData: (args) => ({ ...args, proxyProtocol: expected }),
      prepare: (test) => (test.loadBalancer.proxyProtocolPorts = sent ? [1883] : []),
    });
    await expect(started.client()).rejects.toThrow();
    if (expected) {
      expect(started.console(0)).toMatch(
        /connection dropped: the connection does not begin with a PROXY header/,
      );
    }
  });
});

test("the PROXY header, sent and expected, lets clients in on TCP, TLS and WebSocket", async () => {
  const started = await shared({
    nodes: 1,
    zones: 1,
    userData: (args) => ({ ...args, proxyProtocol: true }),
    prepare: (test) => {
      test.loadBalancer.proxyProtocolPorts = [1883, 8083];
      test.loadBalancer.listeners.push({
        loadBalancerPort: 8083,
        protocol: "TCP",
        instancePort: 8083,
        instanceProtocol: "TCP",
      });
    },
  });
  for (const scheme of ["mqtt", "mqtts", "ws"] as const) {
    const client = await started.client(scheme);
    expect(client.connected).toBe(true);
    await client.publishAsync("x", "y", { qos: 1 });
  }
});

describe("a machine does not come up", () => {
  test.each<[string, TestRegionOptions, RegExp]>([
    [
      "without a NAT gateway",
      { prepare: ({ state }) => (state.natGateways = []) },
      /parameter \S+: .* black hole: nat-1 is gone/,
    ],
    [
      "without egress on port 443",
      {
        prepare: (test) =>
          (test.group("nodes").egress = test.group("nodes").egress.filter((r) => r.fromPort !== 443)),
      },
      /parameter \S+: .*no egress rule of sg-nodes .* lets tcp\/443/,
    ],
    [
      "without its data volume",
      {
        prepare: ({ state }) => (state.instances[0]!.volumes = []),
      },
      /waiting for the data volume: no volume is attached as \/dev\/sdf/,
    ],
    [
      "when its role may not read the cookie",
      { prepare: (test) => test.refusedParameters.add("/emqx/test/stack/emqx-nodes/cookie") },
      /parameter \/emqx\/test\/stack\/emqx-nodes\/cookie: An error occurred \(AccessDeniedException\)/,
    ],
    [
      "with a package for another processor",
      { prepare: ({ state }) => (state.instances[0]!.architecture = "x86_64") },
      /incompatible architecture arm64; this machine is x86_64/,
    ],
    [
      "with a cookie that a shell would mangle",
      { prepare: (test) => test.parameters.set("/emqx/test/stack/emqx-nodes/cookie", "a b") },
      /cookie must be a letter and at least 31 letters or digits/,
    ],
  ])("%s", async (_name, options, why) => {
    const userData: TestRegionOptions["userData"] = (args) => ({ ...args, readinessTimeoutSeconds: 20 });
    const started = await start({ nodes: 1, zones: 1, userData, ...options });
    await eventually("the boot failed", () => started.machine(0).phase === "failed", 60);
    expect(started.machine(0).problem).toMatch(why);
    expect(started.console(0)).toMatch(why);
    // Where it can reach AWS, it says so there as well.
    expect(started.parameters.get("/emqx/test/stack/emqx-nodes/nodes/0/ready")).toMatch(
      /AWS was not told/.test(started.console(0)) ? /^never$/ : new RegExp(`^failed i-0: .*${why.source}`),
    );
  });
});

function lastProblem(started: TestRegion): string {
  return started.plane.loadBalancers()[0]!.health["i-0"]!.lastProblem ?? "";
}

/** Whether a port takes a connection and does not reset it at once. */
function answers(host: string, port: number, localAddress?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, localAddress });
    socket.on("error", () => resolve(false));
    socket.on("close", () => resolve(false));
    setTimeout(() => {
      resolve(true);
      socket.destroy();
    }, 100);
  });
}
