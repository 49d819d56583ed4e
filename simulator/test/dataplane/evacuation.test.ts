/** Taking a node out of service: with node evacuation a persistent session survives, without it ends with its node. */
import { licenseKeyOf } from "../../../test/licenseKey";
import { MqttClient } from "mqtt";
import { inbox, openNodes, prefix, sharedRegion, TestRegion } from "./testRegion";
import { eventually } from "../../../test/waiting";

const shared = sharedRegion();

async function start(version: string): Promise<TestRegion> {
  const started = await shared({
    nodes: 3,
    userData: (args) => ({ ...args, version, hasLicense: version !== "5.8.9" }),
    prepare: (test) => {
      test.parameters.set(`${prefix}/license-key`, licenseKeyOf("20260101"));
      openNodes(test);
    },
  });
  for (const node of [0, 1, 2]) {
    if (version !== "5.8.9" && started.emqx(node).evacuationStatus().status === "enabled")
      started.emqx(node).stopEvacuation();
  }
  await eventually("all three are one cluster", () =>
    [0, 1, 2].every((node) => started.emqx(node).cluster().running.length === 3),
  );
  return started;
}

const persistent = {
  clientId: "steady-reader",
  protocolVersion: 5 as const,
  clean: false,
  properties: { sessionExpiryInterval: 3600 },
  reconnectPeriod: 20,
};

const nodeOf = (started: TestRegion, client: MqttClient): number =>
  [0, 1, 2].find((node) =>
    started.plane.emqx(started.instance(node).id)?.clientIds().includes(client.options.clientId!),
  )!;

const quick = { waitHealthCheck: 1, waitTakeover: 1 };

/** A persistent subscriber through the load balancer, and a QoS 1 publisher at another node all the while. */
async function whilePublishing(
  started: TestRegion,
  disturb: (node: number) => Promise<void>,
): Promise<{ sent: number; received: number[] }> {
  const subscriber = await started.client("mqtt", persistent);
  await subscriber.subscribeAsync("steady", { qos: 1 });
  const node = nodeOf(started, subscriber);
  const publisher = await started.nodeClient((node + 1) % 3);
  let sent = 0;
  let enough = false;
  const publishing = (async () => {
    const acknowledged: Promise<unknown>[] = [];
    while (!enough) {
      acknowledged.push(publisher.publishAsync("steady", String(sent++), { qos: 1 }));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await Promise.all(acknowledged);
  })();
  await eventually("some have arrived", () => inbox(subscriber).length > 10);
  await disturb(node);
  await eventually("the subscriber is elsewhere", () => {
    const now = nodeOf(started, subscriber);
    return subscriber.connected && now !== undefined && now !== node;
  });
  const [then, arrived] = [sent, inbox(subscriber).length];
  await eventually("more have arrived", () => sent > then + 20 && inbox(subscriber).length > arrived + 10);
  enough = true;
  await publishing;
  await eventually("the last has arrived", () =>
    inbox(subscriber).some(({ text }) => text === String(sent - 1)),
  );
  return { sent, received: inbox(subscriber).map(({ text }) => Number(text)) };
}

const missing = ({ sent, received }: { sent: number; received: number[] }) => {
  const seen = new Set(received);
  return Array.from({ length: sent }, (_, number) => number).filter((number) => !seen.has(number));
};

test("a persistent subscriber misses no QoS 1 message when its node is evacuated and stopped", async () => {
  const started = await start("6.2.3");
  const outcome = await whilePublishing(started, async (node) => {
    started.emqx(node).startEvacuation(quick);
    await eventually("the node is empty", () => {
      const status = started.emqx(node).evacuationStatus();
      return status.status === "enabled" && status.state === "prohibiting";
    });
    await started.plane.faults.stopEmqx(started.instance(node).id);
  });
  expect(missing(outcome)).toEqual([]);
});

test("clients go at the given rate, new ones are refused, probes are told, and a stop lets clients in again", async () => {
  const started = await start("6.2.3");
  const probe = async () => [
    (await started.nodeRequest(0, "GET", "/api/v5/load_rebalance/availability_check")).status,
    (await started.nodeRequest(0, "GET", "/status")).status,
  ];
  expect(await probe()).toEqual([200, 200]);
  expect(started.emqx(0).evacuationStatus()).toEqual({ status: "disabled" });
  expect(() => started.emqx(0).stopEvacuation()).toThrow("Rebalance is already disabled");
  const five = await started.nodeClient(0, { protocolVersion: 5 });
  const others = await Promise.all(Array.from({ length: 4 }, () => started.nodeClient(0)));
  const reason = new Promise<number | undefined>((resolve) =>
    five.once("disconnect", (packet) => resolve(packet.reasonCode)),
  );
  const closedAt: number[] = [];
  [five, ...others].forEach((client) => client.once("close", () => closedAt.push(Date.now())));

  // A second here is 20 ms.
  started.emqx(0).startEvacuation({ waitHealthCheck: 25, connEvictRate: 1, waitTakeover: 1 });
  expect(() => started.emqx(0).startEvacuation()).toThrow("Rebalance is already enabled");
  expect(await probe()).toEqual([503, 200]);
  expect(started.emqx(0).evacuationStatus()).toMatchObject({
    state: "waiting_health_check",
    connection_eviction_rate: 1,
    session_eviction_rate: 500,
    stats: { initial_connected: 5, current_connected: 5 },
  });
  // While load balancers find out, whom they still send is let in.
  await (await started.nodeClient(0)).endAsync();

  expect(await reason).toBe(0x9c);
  const refusal = (protocolVersion: 4 | 5) =>
    started.nodeClient(0, { protocolVersion }).catch((error: { code?: number }) => error.code);
  expect([await refusal(5), await refusal(4)]).toEqual([0x9c, 3]);
  await eventually("all are gone", () => closedAt.length === 5);
  expect(closedAt.at(-1)! - closedAt[0]!).toBeGreaterThanOrEqual(4 * 15);
  await eventually("nothing is left", () => {
    const status = started.emqx(0).evacuationStatus();
    return status.status === "enabled" && status.state === "prohibiting";
  });

  // It outlives a restart.
  await started.plane.faults.stopEmqx("i-0");
  await started.plane.faults.startEmqx("i-0");
  expect(started.console(0)).toContain("Node evacuation is enabled. The node will not receive connections.");
  expect(await refusal(5)).toBe(0x9c);
  expect(await probe()).toEqual([503, 200]);
  started.emqx(0).stopEvacuation();
  expect(await probe()).toEqual([200, 200]);
  await started.nodeClient(0);
});

test("it misses what comes while it reconnects when an open source node is just stopped", async () => {
  const started = await start("5.8.9");
  const outcome = await whilePublishing(started, (node) =>
    started.plane.faults.stopEmqx(started.instance(node).id),
  );
  expect(missing(outcome).length).toBeGreaterThan(0);
});

test("the open source edition knows no evacuation", async () => {
  const started = await start("5.8.9");
  expect(() => started.emqx(0).startEvacuation()).toThrow("{error,cmd_not_found}");
  expect(() => started.emqx(0).evacuationStatus()).toThrow("{error,cmd_not_found}");
  const check = await started.nodeRequest(0, "GET", "/api/v5/load_rebalance/availability_check");
  expect(check.status).toBe(404);
});

test("an absent client's session moves to another node, queue and all", async () => {
  const started = await start("5.8.11");
  const subscriber = await started.nodeClient(0, { ...persistent, reconnectPeriod: 0 });
  await subscriber.subscribeAsync("q", { qos: 1 });
  await subscriber.endAsync(true);
  const publisher = await started.nodeClient(1);
  await publisher.publishAsync("q", "before", { qos: 1 });
  const other = started
    .emqx(0)
    .cluster()
    .running.find((name) => name.includes(started.instance(2).privateIp))!;
  started.emqx(0).startEvacuation({ ...quick, migrateTo: [other] });
  await eventually("no session is left", () => {
    const status = started.emqx(0).evacuationStatus();
    return (
      status.status === "enabled" && status.state === "prohibiting" && status.stats.current_sessions === 0
    );
  });
  await publisher.publishAsync("q", "after", { qos: 1 });
  await started.plane.faults.stopEmqx("i-0");
  const back = await started.nodeClient(2, { ...persistent, reconnectPeriod: 0 });
  await eventually("it has both", () => inbox(back).length === 2);
  expect(inbox(back).map(({ text }) => text)).toEqual(["before", "after"]);
});

test("bad options are refused", async () => {
  const started = await start("5.8.11");
  expect(() => started.emqx(0).startEvacuation({ connEvictRate: 0 })).toThrow(
    "Rebalance start error: invalid --conn-evict-rate value",
  );
});
