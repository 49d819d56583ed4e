/** A deployment as a user has it: messages through it, nodes replaced under it, mistakes and faults in it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { DrillReport } from "@emqx-aws/cli/drill/drill";
import { drill, startTraffic } from "@emqx-aws/cli/drill/drill";
import type { FaultName } from "@emqx-aws/cli/drill/faults";
import { faultNames, faults } from "@emqx-aws/cli/drill/faults";
import { endpointLines } from "@emqx-aws/cli/local/endpoints";
import { readStatus, formatStatus } from "@emqx-aws/cli/local/status";
import type { Deployment } from "@emqx-aws/cli/smoke/deployment";
import { findDeployment } from "@emqx-aws/cli/smoke/deployment";
import { RealInside } from "@emqx-aws/cli/smoke/realInside";
import type { SmokeResult } from "@emqx-aws/cli/smoke/result";
import { credentialsOf, smoke } from "@emqx-aws/cli/smoke/smoke";
import { obtainTimeout, prepareCli } from "../engine/harness";
import { residentPrograms } from "../run/resident";
import { mistakes } from "./mistakes";
import { failures, wordsOf, World } from "./world";
import { eventually } from "../waiting";

// Bounds against hanging: on a machine that does three things besides, a rolling change takes minutes.
jest.setTimeout(400_000);
let world: World;
residentPrograms();

beforeAll(async () => {
  await prepareCli();
  world = new World({
    availabilityZones: ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
    certificate: { selfSigned: {} },
    listeners: ["Mqtt", "Mqtts", "Ws", "Wss"],
    classicElb: { proxyProtocol: true },
    rollout: { readinessTimeoutSeconds: 120 },
  });
  expect(await world.up()).toBe(0);
}, obtainTimeout);
afterAll(() => world?.end());

test("`up` ends with the addresses and a message that went the whole way", () => {
  expect(world.said).toMatch(/MQTTS +mqtts:\/\/127\.0\.0\.1:\d+/);
  expect(world.said).toContain("User   mqtt; its password: npm run -s region -- password");
  expect(world.said).toMatch(/Connected to the load balancer through TLSv1\.2, .* 36\d days left/);
  expect(world.said).toMatch(
    /A message has travelled from emqx@192\.168\S+ to emqx@192\.168\S+ in [\d.]+ ms/,
  );
});

test("`status` shows where the endpoints answer, and says when a port is another", async () => {
  const status = await readStatus(world.session.surroundings);
  expect(formatStatus(status)).toMatch(/WSS +wss:\/\/127\.0\.0\.1:\d+\/mqtt/);
  const { outputs } = world.deployment;
  const endpoints = status.endpoints.map((endpoint) => ({ ...endpoint, port: 50_000 }));
  expect(endpointLines({ ...outputs }, "mqtt", endpoints).join("\n")).toContain(
    "mqtts://127.0.0.1:50000  (port 8883 is taken on this machine)",
  );
});

test("smoke is green: every address, every node, every QoS", async () => {
  const result = await world.smoke();
  expect(failures(result)).toEqual([]);
  expect(result).toMatchObject({ passed: true, kind: "simulated", stack: "local" });
  const of = (id: string) => result.checks.find((check) => check.id === id);
  for (const scheme of ["mqtt", "mqtts", "ws", "wss"]) {
    expect(of(`${scheme}.connect`)).toMatchObject({ status: "passed", detail: "MQTT 3.1.1 and 5 as mqtt" });
  }
  expect(of("messages")?.detail).toMatch(/^3 of 3 nodes served; 18 messages with QoS 0, 1, 2/);
  expect(of("retained")?.detail).toMatch(/^kept at emqx@\S+, found at emqx@\S+$/);
  expect(of("keep-alive")?.detail).toContain("not waited for");
});

describe("idle timeout and keep-alive", () => {
  test("a client that pings in time lives, one that does not is cut", async () => {
    await world.changeLoadBalancer({ idleTimeout: 3 });
    const { checks } = await world.smoke({ keepAliveSeconds: 2 });
    expect(checks.find(({ id }) => id === "keep-alive")).toMatchObject({
      status: "passed",
      detail: "idle timeout 3 s: a client that says nothing but a ping every 2 s was not cut",
    });
    const silent = await world.connect({ keepalive: 30 });
    await eventually("it is cut", () => !silent.client.connected, 6);
    await world.undoAll();
  });
});

describe("the same checks for a deployment outside the simulated region", () => {
  /** The addresses as DNS has them: this machine. */
  async function local(): Promise<Deployment> {
    const { outputs } = world.deployment;
    const { port } = await world.deployment.inside.locate(outputs.loadBalancerDnsName!, 1883);
    const { mqttUsername, mqttPasswordParameter, nodeNames } = outputs;
    const own = { mqttUsername, mqttPasswordParameter, nodeNames, mqttUrl: `mqtt://localhost:${port}` };
    return { stack: "prod", outputs: own, inside: new RealInside(own, { PATH: "" }) };
  }

  test("with the password given", async () => {
    const { password } = await credentialsOf(world.deployment);
    const result = await smoke(await local(), { password });
    expect(failures(result)).toEqual([]);
    const details = Object.fromEntries(
      result.checks.map(({ id, status, detail }) => [id, { status, detail }]),
    );
    expect(details["messages"]?.detail).toMatch(/^12 connections to 3 nodes .*; 72 messages/);
    expect(details["instances"]).toMatchObject({ status: "skipped" });
    expect(details["keep-alive"]).toMatchObject({ status: "skipped" });
  });

  test("without a password and without the aws CLI it says what to do", async () => {
    const [failure] = failures(await smoke(await local()));
    expect(failure!.detail).toMatch(
      /cannot be read from SSM parameter \S+mqtt-password[\s\S]*--password-file/,
    );
  });

  test("a name without an address is named", async () => {
    const env = {
      ...world.session.env,
      PULUMI_BACKEND_URL: `file://${world.session.surroundings.backend}`,
      PULUMI_HOME: world.session.surroundings.home,
      PULUMI_CONFIG_PASSPHRASE: "simulated-region",
    };
    const deployment = await findDeployment({ ...world.session, env }, "local", { real: true });
    expect(deployment.inside.kind).toBe("real");
    const outputs = { ...deployment.outputs, mqttsUrl: "mqtts://no-such-name.invalid:8883" };
    const result = await smoke({ ...deployment, outputs: { mqttsUrl: outputs.mqttsUrl } });
    expect(wordsOf(failures(result)[0]!)).toMatch(/ENOTFOUND|EAI_AGAIN/);
    expect(wordsOf(failures(result)[0]!)).toContain("no client finds the load balancer");
  });
});

describe("a mistake fails the smoke test, with an explanation", () => {
  test.each(Object.keys(mistakes))("%s", async (name) => {
    const { make, check, says, options } = mistakes[name]!;
    let result: SmokeResult;
    try {
      await make(world);
      result = await world.smoke(options);
    } finally {
      await world.undoAll();
      await eventually("all is well again", () => world.isWell());
    }
    const failure = failures(result).find(({ id }) => id === check);
    expect({ failed: failures(result).map(({ id }) => id) }).toEqual({
      failed: expect.arrayContaining([check]) as string[],
    });
    for (const words of says) expect(wordsOf(failure!)).toMatch(words);
  });

  test("and all taken back, it is green again", async () => {
    expect(failures(await world.smoke())).toEqual([]);
  });
});

describe("drills", () => {
  const watched = (name: FaultName, seconds = 3): Promise<DrillReport> =>
    drill(world.session, world.deployment, name, {
      ...{ seconds, repair: true },
      traffic: { keepAliveSeconds: 2, intervalMs: 100, probeMs: 250 },
    });
  const metrics = ({ alarms }: DrillReport) => alarms.map(({ metric }) => metric);
  const hit = ({ clients }: DrillReport) => clients.filter(({ lostAfter }) => lostAfter !== undefined);
  /** When the last of them was back, in milliseconds after the fault; what is not back in time counts as never. */
  const slowest = (report: DrillReport) =>
    Math.max(...hit(report).map(({ backAfter = Infinity }) => backAfter));

  // A rule that is gone is not the machine room's: `refresh` finds it.
  test.each(faultNames.filter((name) => name !== "remove-cluster-rule"))(
    "%s, left as it is: smoke knows it for a drill, and sees no port that is open",
    async (name) => {
      const [instanceId, nodeName] = [world.instance(0), world.deployment.outputs.nodeNames![0]!];
      const [zone] = (await world.region.machines()).flatMap((one) =>
        one.instanceId === instanceId ? [one.zone] : [],
      );
      const target = { instanceId, nodeName, node: 0, zone: zone! };
      const { undo } = await faults[name].inject(world.deployment, target);
      try {
        await eventually("smoke fails", async () => failures(await world.smoke()).length > 0);
        const failed = failures(await world.smoke());
        expect(failed.map(({ id }) => id)).not.toContain("closed-ports");
        expect(wordsOf(failed[0]!)).toMatch(
          /a drill has left this: \S+ .*To put it right: npm run drill -- repair -s local/,
        );
      } finally {
        await undo();
        await eventually("all is well again", () => world.isWell());
      }
      expect(await world.region.standingFaults()).toEqual([]);
    },
  );

  test("kill-node: clients notice by their keep-alive and come back to another node", async () => {
    const report = await watched("kill-node", 12);
    expect(hit(report).length).toBeGreaterThan(0);
    expect(hit(report).every(({ nodeBefore, nodeAfter }) => nodeBefore !== nodeAfter)).toBe(true);
    // One and a half keep-alives and the way back are 4 s; the connection itself would not tell for many minutes.
    expect(slowest(report)).toBeLessThan(15_000);
    expect(metrics(report)).toEqual(
      expect.arrayContaining(["AWS/ELB UnHealthyHostCount", "AWS/EC2 StatusCheckFailed"]),
    );
    expect(report.repaired).toMatchObject({ well: true });
  });

  test("stop-emqx: clients are back at once", async () => {
    const report = await watched("stop-emqx", 5);
    expect(hit(report).length).toBeGreaterThan(0);
    expect(slowest(report)).toBeLessThan(5000);
    expect(metrics(report)).toContain("AWS/ELB UnHealthyHostCount");
    expect(report.messages.find(({ qos }) => qos === 1)).toMatchObject({
      lostWhileHeard: 0,
      unacknowledged: 0,
    });
    expect(report.repaired).toMatchObject({ well: true });
  });

  test("cut-zone: the other zones carry on", async () => {
    const report = await watched("cut-zone", 12);
    expect(report.clients.every(({ lostAfter, backAfter }) => lostAfter === undefined || backAfter)).toBe(
      true,
    );
    expect(metrics(report)).toContain("emqx_cluster_nodes_running (Prometheus)");
    expect(report.repaired).toMatchObject({ well: true });
  });

  test("expire-certificate: open connections live, nobody new gets in", async () => {
    const report = await watched("expire-certificate", 2);
    expect(hit(report)).toEqual([]);
    expect(report.messages.every(({ lost }) => lost === 0)).toBe(true);
    expect(report.newConnections.failures["certificate has expired"]).toBeGreaterThan(2);
    expect(report.repaired).toMatchObject({ well: true });
  });

  test("break-health-check: the node gets nobody new and keeps those it has", async () => {
    const report = await watched("break-health-check");
    expect(hit(report)).toEqual([]);
    expect(report.timeline.map(({ text }) => text).join("\n")).toContain("last check: HTTP status 503");
    expect(metrics(report)).toEqual(["AWS/ELB UnHealthyHostCount"]);
    expect(report.repaired).toMatchObject({ well: true });
  });

  test("remove-cluster-rule: a node is alone until refresh and up", async () => {
    const report = await watched("remove-cluster-rule");
    expect(report.messages.every(({ lost }) => lost > 0)).toBe(true);
    expect(report.alarms.map(({ value }) => value).join("\n")).toMatch(/cannot reach \S+:6369/);
    expect(report.repaired).toMatchObject({ how: "refresh and up", well: true });
  });
});

test("replacing every node under steady clients: QoS 1 arrives, and clients are back at once", async () => {
  const before = world.deployment.outputs.instanceIds;
  const traffic = await startTraffic(world.deployment, { qos: [1], intervalMs: 100, probeMs: 250 });
  try {
    world.configure({ extraConfig: "mqtt.max_packet_size = 2MB" });
    expect(await world.up()).toBe(0);
    await sleep(500);
    await traffic.settle();
    expect(world.deployment.outputs.instanceIds!.filter((id) => before!.includes(id))).toEqual([]);
    const [counts] = traffic.count();
    const outages = traffic
      .lives()
      .flatMap((life) => life.outages.map(({ from, to }) => (to ?? Infinity) - from));
    const probes = traffic.newConnections();
    // This edition keeps sessions on their nodes: nothing is lost but what is sent while no subscriber is connected.
    expect(counts).toMatchObject({ lostWhileHeard: 0, unacknowledged: 0 });
    expect(counts!.published).toBeGreaterThan(100);
    // Every client is moved at least once; nobody waits for draining (300 s) or for health checks.
    expect(outages.length).toBeGreaterThanOrEqual(traffic.lives().length);
    expect(Math.max(...outages)).toBeLessThan(5000);
    expect(probes.filter(({ error }) => error !== undefined)).toEqual([]);
  } finally {
    await traffic.end();
  }
});
