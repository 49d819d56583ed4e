/** MQTT clients, 3.1.1 and 5, through the load balancer to a cluster of two. */
import { inbox, TestRegion } from "./testRegion";
import { eventually } from "../../../test/waiting";

let region: TestRegion;

beforeAll(async () => {
  region = await TestRegion.start({
    prepare: ({ state }) => {
      const web = { instancePort: 8083, instanceProtocol: "TCP" as const };
      const [, ssl] = state.loadBalancers[0]!.listeners;
      state.loadBalancers[0]!.listeners.push(
        { loadBalancerPort: 8083, protocol: "TCP", ...web },
        { ...ssl!, loadBalancerPort: 8084, ...web },
      );
    },
  });
  await region.allReady();
});

afterAll(() => region.stop());

/** Connections per node, as the nodes count them. */
function spread(): number[] {
  return [0, 1].map((node) => region.machine(node).emqx!.connections);
}

describe.each([
  ["mqtt", 4],
  ["mqtts", 4],
  ["ws", 4],
  ["wss", 4],
  ["mqtt", 5],
  ["mqtts", 5],
  ["wss", 5],
] as const)("%s, protocol version %i", (scheme, protocolVersion) => {
  test("publish and subscribe with each QoS, from one node to the other", async () => {
    const before = spread();
    const subscriber = await region.client(scheme, { protocolVersion });
    const publisher = await region.client(scheme, { protocolVersion });
    await eventually("both nodes serve one of them", () =>
      spread().every((connections, node) => connections === before[node]! + 1),
    );
    const received = inbox(subscriber);
    const topic = `t/${scheme}/${protocolVersion}`;
    await subscriber.subscribeAsync(`${topic}/#`, { qos: 2 });
    for (const qos of [0, 1, 2] as const) {
      await publisher.publishAsync(`${topic}/${qos}`, `q${qos}`, { qos });
    }
    await eventually("all three arrived", () => received.length === 3);
    expect(received.map(({ text, qos }) => [text, qos])).toEqual([
      ["q0", 0],
      ["q1", 1],
      ["q2", 2],
    ]);
    await subscriber.endAsync();
    await publisher.endAsync();
  });
});

test("messages of different QoS that overtake each other all arrive, once, also at overlapping filters", async () => {
  const subscriber = await region.client("mqtt", { clean: false, clientId: "overlapping" });
  const publisher = await region.client("mqtt");
  await subscriber.subscribeAsync(["mixed/#", "mixed/+"], { qos: 2 });
  const texts = Array.from({ length: 90 }, (_, number) => `message ${number}`);
  await Promise.all(
    texts.map((text, number) =>
      publisher.publishAsync("mixed/topic", text, { qos: (2 - (number % 3)) as 0 | 1 | 2 }),
    ),
  );
  await eventually("all arrived", () => inbox(subscriber).length >= texts.length);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(
    inbox(subscriber)
      .map(({ text }) => text)
      .sort(),
  ).toEqual([...texts].sort());
  await subscriber.endAsync();
  await publisher.endAsync();
});

test("QoS 2 to a persistent session, several messages on their way at once", async () => {
  const subscriber = await region.client("mqtt", { clean: false, clientId: "keeps-its-session" });
  const publisher = await region.client("mqtt");
  await subscriber.subscribeAsync("busy/#", { qos: 2 });
  const texts = Array.from({ length: 60 }, (_, number) => `message ${number}`);
  await Promise.all(texts.map((text) => publisher.publishAsync("busy/topic", text, { qos: 2 })));
  await eventually("all arrived", () => inbox(subscriber).length >= texts.length);
  expect(new Set(inbox(subscriber).map(({ text }) => text))).toEqual(new Set(texts));
  await subscriber.endAsync();
  await publisher.endAsync();
});

test("what MQTT 5 attaches to a message reaches a subscriber at another node", async () => {
  const subscriber = await region.client("mqtts", { protocolVersion: 5 });
  const publisher = await region.client("mqtts", { protocolVersion: 5 });
  const received = inbox(subscriber);
  await subscriber.subscribeAsync("five/+", { qos: 1, properties: { subscriptionIdentifier: 7 } });
  await publisher.publishAsync("five/x", "body", {
    qos: 1,
    properties: {
      userProperties: { colour: ["red", "green"] },
      contentType: "text/plain",
      responseTopic: "answers",
      correlationData: Buffer.from("id-1"),
      messageExpiryInterval: 60,
    },
  });
  await eventually("it arrived", () => received.length === 1);
  expect(received[0]!.properties).toMatchObject({
    contentType: "text/plain",
    responseTopic: "answers",
    correlationData: Buffer.from("id-1"),
    subscriptionIdentifier: 7,
  });
  await Promise.all([subscriber.endAsync(), publisher.endAsync()]);
});

test("a wildcard subscription's QoS is the most that is delivered", async () => {
  const subscriber = await region.client();
  const publisher = await region.client();
  const received = inbox(subscriber);
  await subscriber.subscribeAsync("low/#", { qos: 1 });
  await publisher.publishAsync("low/x", "two", { qos: 2 });
  await eventually("it arrived", () => received.length === 1);
  expect(received[0]!.qos).toBe(1);
  await Promise.all([subscriber.endAsync(), publisher.endAsync()]);
});

test("a retained message is there for a later subscriber at either node", async () => {
  const publisher = await region.client();
  await publisher.publishAsync("kept/x", "last word", { qos: 1, retain: true });
  for (let round = 0; round < 2; round++) {
    const subscriber = await region.client();
    const received = inbox(subscriber);
    await subscriber.subscribeAsync("kept/#", { qos: 1 });
    await eventually("the retained message came", () => received.length === 1);
    expect(received[0]).toMatchObject({ text: "last word", retain: true });
    await subscriber.endAsync();
  }
  await publisher.publishAsync("kept/x", "", { qos: 1, retain: true });
  await publisher.endAsync();
});

test.each([4, 5] as const)(
  "a persistent session follows its client to the other node (version %i)",
  async (version) => {
    const options = {
      protocolVersion: version,
      clientId: `wanderer-${version}`,
      clean: false,
      ...(version === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}),
    };
    const first = await region.client("mqtt", options);
    await first.subscribeAsync(`wander/${version}/#`, { qos: 1 });
    const home = spread();
    await first.endAsync();
    const publisher = await region.client();
    await publisher.publishAsync(`wander/${version}/x`, "while away", { qos: 1 });
    const second = await region.client("mqtt", options);
    expect(spread()).not.toEqual(home);
    const received = inbox(second);
    await eventually("the queued message came", () => received.length === 1);
    expect(received[0]!.text).toBe("while away");
    await publisher.publishAsync(`wander/${version}/y`, "back again", { qos: 1 });
    await eventually("the subscription still holds", () => received.length === 2);
    await Promise.all([second.endAsync(), publisher.endAsync()]);
  },
);

test.each([4, 5] as const)(
  "a second client with the same id takes over, whatever its node (version %i)",
  async (version) => {
    for (let round = 0; round < 2; round++) {
      const options = { protocolVersion: version, clientId: "twin" };
      const first = await region.client("mqtt", options);
      const reason = new Promise<number | undefined>((resolve) => {
        first.on("disconnect", (packet) => resolve(packet.reasonCode));
        first.on("close", () => setTimeout(() => resolve(undefined), 20));
      });
      const filler = round === 0 ? undefined : await region.client();
      const second = await region.client("mqtt", options);
      expect(await reason).toBe(version === 5 ? 0x8e : undefined);
      expect(second.connected).toBe(true);
      await Promise.all([second.endAsync(), filler?.endAsync()]);
    }
  },
);

test("a will is published at the other node when its client vanishes", async () => {
  const watcher = await region.client();
  const received = inbox(watcher);
  await watcher.subscribeAsync("will/#");
  const doomed = await region.client("mqtt", {
    will: { topic: "will/x", payload: Buffer.from("gone"), qos: 1, retain: false },
  });
  doomed.stream.destroy();
  await eventually("the will came", () => received.length === 1);
  expect(received[0]!.text).toBe("gone");
  await watcher.endAsync();
});

test.each([
  ["a wrong password", { password: "wrong" }, /bad user ?name or password/i, /bad user ?name or password/i],
  ["no password", { username: undefined, password: undefined }, /Not authorized/i, /Not authorized/i],
  ["an unknown user", { username: "somebody" }, /Not authorized/i, /Not authorized/i],
])("%s is refused", async (_name, credentials, in4, in5) => {
  await expect(region.client("mqtt", { ...credentials, protocolVersion: 4 })).rejects.toThrow(in4);
  await expect(region.client("mqtt", { ...credentials, protocolVersion: 5 })).rejects.toThrow(in5);
});

test("a client id or a topic called like a property of every object is no surprise", async () => {
  const odd = await region.client("mqtt", { clientId: "constructor" });
  const received = inbox(odd);
  await odd.subscribeAsync("__proto__/#", { qos: 1 });
  await odd.publishAsync("__proto__/x", "fine", { qos: 1 });
  await eventually("it arrived", () => received.length === 1);
  await odd.endAsync();
});
