/** What EMQX does with clients at the edges of MQTT 3.1.1 and 5, and what its default configuration forbids. */
import fc from "fast-check";
import { AddressInfo, createServer, Server } from "node:net";
import { connectAsync, IClientOptions, MqttClient } from "mqtt";
import { renderAcl, readAcl, type EmqxAclRuleArgs } from "../../../components/emqx/acl";
import { isAllowed, packageRules } from "../../dataplane/broker/authorization";
import { Broker } from "../../dataplane/broker/broker";
import { isTopicFilter } from "../../dataplane/broker/topics";

let broker: Broker;
let server: Server;
const clients: MqttClient[] = [];
const log: string[] = [];
const own = { rules: packageRules, noMatch: "allow", denyAction: "ignore" } as const;

beforeAll(async () => {
  broker = await Broker.start(
    "emqx@127.0.0.1",
    () => ({}),
    {
      published: () => undefined,
      takeOver: () => Promise.resolve(undefined),
      alone: (_clientId, work) => work(),
      log: (line) => log.push(line),
    },
    { maxPacketSize: 1024 ** 2, maxTopicLevels: 128, authorization: own },
  );
  server = createServer((socket) => broker.handle(socket.on("error", () => socket.destroy())));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(() => clients.splice(0).forEach((client) => client.end(true)));

afterAll(async () => {
  await broker.stop();
  server.close();
});

const topicFilterInvalid = 0x8f;

async function connect(options: IClientOptions = {}): Promise<MqttClient> {
  const { port } = server.address() as AddressInfo;
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    ...options,
  });
  client.on("error", () => undefined);
  clients.push(client);
  return client;
}

/** The reason with which the broker ends the connection: a code (MQTT 5), or "closed". */
function ending(client: MqttClient): Promise<number | "closed"> {
  return new Promise((resolve) => {
    client.on("disconnect", ({ reasonCode }) => resolve(reasonCode ?? 0));
    client.on("close", () => setImmediate(() => resolve("closed")));
  });
}

/** What SUBACK says of a filter. */
function granted(client: MqttClient, filter: string): Promise<number> {
  return new Promise((resolve) => {
    client.on("packetreceive", (packet) => {
      if (packet.cmd === "suback") resolve(Number(packet.granted[0]));
    });
    client.subscribe(filter, { qos: 1 }, () => undefined);
  });
}

test("a filter is one exactly when its wildcards stand for whole levels, # for the last", () => {
  const level = fc.constantFrom("", "a", "+", "#", "a+", "+a", "#a", "a#", "++", "$SYS", "ä");
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 5 }), (levels) => {
      const plain = levels.every(
        (each, i) => each === "+" || !/[+#]/.test(each) || (each === "#" && i === levels.length - 1),
      );
      expect(isTopicFilter(levels.join("/"), 128)).toBe(plain && levels.join("/") !== "");
    }),
  );
  expect(isTopicFilter("a/".repeat(128), 128)).toBe(false);
  expect(isTopicFilter("a\u0000", 128)).toBe(false);
  expect(isTopicFilter("a".repeat(65536), 128)).toBe(false);
});

test.each(["a+/b", "+a", "a#", "a/#/b", "b/+c/d"])("the filter %s ends the connection", async (filter) => {
  const client = await connect();
  const end = ending(client);
  // MQTT.js would not send it.
  client.stream.write(subscribePacket(filter));
  expect([topicFilterInvalid, "closed"]).toContain(await end);
});

function subscribePacket(filter: string): Buffer {
  const topic = Buffer.from(filter);
  const body = Buffer.concat([
    Buffer.from([0, 9, 0, topic.length >> 8, topic.length & 255]),
    topic,
    Buffer.from([1]),
  ]);
  return Buffer.concat([Buffer.from([0x82, body.length]), body]);
}

describe.each([4, 5] as const)("protocol version %i", (protocolVersion) => {
  const refused = protocolVersion === 5 ? 0x87 : 128;

  test.each(["#", "+/#", "$SYS/#", "$SYS/brokers", "$SYS/+/x", "$queue/t", "$delayed/5/t", "$exclusive/t"])(
    "%s is refused",
    async (filter) => expect(await granted(await connect({ protocolVersion }), filter)).toBe(refused),
  );

  test.each(["a/#", "+/+/#", "+", "/#", "$other/#", "SYS/#"])("%s is granted", async (filter) =>
    expect(await granted(await connect({ protocolVersion }), filter)).toBe(1),
  );

  test("a shared subscription is refused, not granted and never served", async () => {
    expect(await granted(await connect({ protocolVersion }), "$share/g/t")).toBe(
      protocolVersion === 5 ? 0x9e : 128,
    );
  });

  test("a message above mqtt.max_packet_size ends the connection, one below arrives", async () => {
    const listener = await connect();
    await listener.subscribeAsync("size");
    const arrived = new Promise<number>((resolve) =>
      listener.on("message", (_topic, { length }) => resolve(length)),
    );
    const client = await connect({ protocolVersion });
    await client.publishAsync("size", Buffer.alloc(1024 ** 2 - 100), { qos: 1 });
    expect(await arrived).toBe(1024 ** 2 - 100);
    const end = ending(client);
    client.publish("size", Buffer.alloc(1024 ** 2), { qos: 1 });
    expect(await end).toBe(protocolVersion === 5 ? 0x95 : "closed");
  });

  test("what is published to a topic that means something else to EMQX is not passed on as it is", async () => {
    const client = await connect({ protocolVersion });
    const end = ending(client);
    const refusal = client.publishAsync("$delayed/1/t", "x", { qos: 1 }).then(
      () => ({}),
      (error: { code?: number }) => error.code,
    );
    expect(await Promise.race([end, refusal])).toBe(protocolVersion === 5 ? 0x87 : "closed");
  });
});

test("the dashboard's user may listen to $SYS, nobody to everything", () => {
  const may = (username: string, topic: string) =>
    isAllowed(
      { ...own, rules: [...packageRules] },
      { username, clientId: "c" },
      { type: "subscribe", qos: 0 },
      topic,
    );
  expect(may("dashboard", "$SYS/#")).toBe(true);
  expect(may("dashboard2", "$SYS/#")).toBe(false);
  expect(may("dashboard", "#")).toBe(false);
});

describe("rules of one's own", () => {
  const rules: EmqxAclRuleArgs[] = [
    { permission: "deny", action: "publish", topics: ["down/#"] },
    { permission: "allow", clientIdPattern: "^d-", topics: ["up/${clientid}/#", "down/${clientid}"] },
  ];
  const denied = { rules: readAcl(renderAcl({ rules })), noMatch: "deny" } as const;
  afterEach(() => void (broker.authorization = { ...own, rules: [...packageRules] }));

  test.each([4, 5] as const)(
    "protocol version %i: what is denied is answered and goes nowhere",
    async (protocolVersion) => {
      broker.authorization = { ...denied, denyAction: "ignore" };
      const client = await connect({ protocolVersion, clientId: "d-1" });
      expect(await granted(client, "up/d-2/#")).toBe(protocolVersion === 5 ? 0x87 : 128);
      expect(await granted(client, "down/d-1")).toBe(1);
      const got: string[] = [];
      const listener = await connect({ clientId: "d-2" });
      listener.on("message", (topic) => got.push(topic));
      await listener.subscribeAsync("up/d-2/#");
      const outcome = (topic: string, qos: 0 | 1 | 2) =>
        client.publishAsync(topic, "x", { qos }).then(
          () => "sent",
          (error: { code?: number }) => error.code,
        );
      const refusal = protocolVersion === 5 ? 0x87 : "sent";
      expect(await outcome("up/d-2/t", 1)).toBe(refusal);
      expect(await outcome("up/d-2/t", 2)).toBe(refusal);
      expect(await outcome("up/d-2/t", 0)).toBe("sent");
      await listener.publishAsync("up/d-2/last", "x", { qos: 1 });
      while (!got.includes("up/d-2/last")) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(got).toEqual(["up/d-2/last"]);
      expect(client.connected).toBe(true);
    },
  );

  test("deny_action = disconnect ends the connection", async () => {
    broker.authorization = { ...denied, denyAction: "disconnect" };
    for (const act of [
      (client: MqttClient) => client.publish("other", "x", { qos: 1 }),
      (client: MqttClient) => client.subscribe("other"),
    ]) {
      const client = await connect({ clientId: "d-1" });
      const end = ending(client);
      act(client);
      expect(await end).toBe(0x87);
    }
  });

  test("a will that is denied is not published", async () => {
    broker.authorization = { ...denied, denyAction: "ignore" };
    const listener = await connect({ clientId: "d-1" });
    await listener.subscribeAsync("up/d-1/#");
    const got: string[] = [];
    listener.on("message", (topic) => got.push(topic));
    const will = { topic: "up/d-1/will", payload: Buffer.from("gone"), qos: 1, retain: false } as const;
    (await connect({ clientId: "d-3", will })).stream.destroy();
    while (!log.includes("client d-3: may not publish to up/d-1/will"))
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(got).toEqual([]);
  });
});

test("a will with a delay comes without that delay's property", async () => {
  const listener = await connect();
  await listener.subscribeAsync("will/#");
  const arrived = new Promise<object>((resolve) =>
    listener.on("message", (_topic, _payload, { properties }) => resolve(properties ?? {})),
  );
  const mortal = await connect({
    properties: { sessionExpiryInterval: 60 },
    clean: true,
    will: {
      topic: "will/t",
      payload: Buffer.from("gone"),
      qos: 1,
      retain: false,
      properties: { willDelayInterval: 1, contentType: "text/plain" },
    },
  });
  mortal.stream.destroy();
  expect(await arrived).toEqual({ contentType: "text/plain" });
});

test("a message larger than its client takes is dropped for that client only", async () => {
  const small = await connect({ properties: { maximumPacketSize: 200 } });
  const large = await connect();
  const got: Record<string, string[]> = { small: [], large: [] };
  small.on("message", (_topic, payload) => got["small"]!.push(String(payload.length)));
  large.on("message", (_topic, payload) => got["large"]!.push(String(payload.length)));
  await Promise.all([small.subscribeAsync("m", { qos: 1 }), large.subscribeAsync("m", { qos: 1 })]);
  const publisher = await connect();
  for (const length of [100, 300, 50]) await publisher.publishAsync("m", Buffer.alloc(length), { qos: 1 });
  while (got["large"]!.length < 3 || got["small"]!.length < 2)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(got).toEqual({ small: ["100", "50"], large: ["100", "300", "50"] });
});

test("a refused filter of a lasting session queues nothing", async () => {
  const lasting = { clientId: "lasting", clean: false, properties: { sessionExpiryInterval: 60 } };
  const client = await connect(lasting);
  await client.subscribeAsync(["#", "keep"], { qos: 1 }).catch(() => undefined);
  await client.endAsync();
  const publisher = await connect();
  await publisher.publishAsync("other", "x", { qos: 1 });
  await publisher.publishAsync("keep", "x", { qos: 1 });
  expect((await broker.release("lasting")).map(({ topic }) => topic)).toEqual(["keep"]);
});

test("2,000 subscriptions of a lasting session cost no more than a few each", async () => {
  const client = await connect({ clientId: "many", clean: false, properties: { sessionExpiryInterval: 60 } });
  const before = process.cpuUsage();
  const topics = Array.from({ length: 2000 }, (_, i) => `many/${i}`);
  await client.subscribeAsync(topics, { qos: 1 });
  const { user } = process.cpuUsage(before);
  expect(user / 1e6).toBeLessThan(5);
  expect(await broker.release("many")).toEqual([]);
});
