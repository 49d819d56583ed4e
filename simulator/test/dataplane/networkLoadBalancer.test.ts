/** The Network Load Balancer: where it differs from the Classic ELB, and a node that is stopped behind it. */
import { connect as tlsConnect, ConnectionOptions } from "node:tls";
import { connect as connectMqtt, MqttClient } from "mqtt";
import { licenseKeyOf } from "../../../test/licenseKey";
import { eventually } from "../../../test/waiting";
import {
  certificateArn,
  inbox,
  makeCertificate,
  mqttPassword,
  prefix,
  rule,
  sharedRegion,
  testCertificate,
  TestRegion,
  type TestRegionOptions,
} from "./testRegion";

let region: TestRegion;
const shared = sharedRegion();
/** A machine keeps its time from its boot on: one that drains has some to see what becomes of its check on a busy computer, too. */
const quick = { healthChecks: 0.005, draining: 0.005, idle: 1, boot: 0.1 };

async function start(options: Pick<TestRegionOptions, "prepare" | "plane"> = {}): Promise<void> {
  region = await shared({
    nodes: 3,
    zones: 2,
    userData: (args) => ({ ...args, version: "6.2.3", hasLicense: true, loadBalancerCount: 0 }),
    prepare(test) {
      test.parameters.set(`${prefix}/license-key`, licenseKeyOf("20260101"));
      test.networkFront();
      options.prepare?.(test);
    },
    plane: { clocks: { ...quick, ...options.plane?.clocks } },
  });
}

const connections = () => [0, 1, 2].map((node) => region.machine(node).emqx!.connections);
const closed = (client: MqttClient) => new Promise<void>((resolve) => client.once("close", () => resolve()));
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const clients = (count: number) => Promise.all(Array.from({ length: count }, () => region.client()));

/** The protocol that was agreed on. */
function handshake(options: ConnectionOptions = {}): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const where = { host: "127.0.0.1", port: region.port(8883), servername: "mqtt.example.org" };
    const socket = tlsConnect({ ...where, ca: testCertificate().certificatePem, ...options });
    socket.once("secureConnect", () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

test("TLS 1.3 ends at it, with the certificate of the name that is asked for", async () => {
  const other = makeCertificate("other.example.org", `${certificateArn}2`);
  await start({
    prepare(test) {
      test.state.certificates.push(other);
      test.network.listeners[1]!.furtherCertificateArns = [other.arn];
    },
  });
  expect(await handshake()).toBe("TLSv1.3");
  expect(await handshake({ maxVersion: "TLSv1.2" })).toBe("TLSv1.2");
  await handshake({ ca: other.certificatePem, servername: "other.example.org" });
  const older: ConnectionOptions = {
    minVersion: "TLSv1.1",
    maxVersion: "TLSv1.1",
    ciphers: "ALL:@SECLEVEL=0",
  };
  await expect(handshake(older)).rejects.toThrow();
  await region.plane.faults.expireCertificate(certificateArn);
  await expect(handshake()).rejects.toThrow();
  await region.plane.faults.renewCertificate(certificateArn);
});

test("forgets what is idle: a TCP client learns it at its next packet, a TLS listener's 350 seconds are its own", async () => {
  await start({
    prepare: (test) => test.network.listeners.forEach((listener) => (listener.idleTimeoutSeconds = 100)),
    plane: { clocks: { idle: 0.005 } },
  });
  const plain = await region.client("mqtt", { keepalive: 0 });
  const secure = await region.client("mqtts", { keepalive: 0 });
  const since = Date.now();
  const ended = closed(secure).then(() => Date.now() - since);
  await pause(1000);
  expect([plain.connected, secure.connected]).toEqual([true, true]);
  const cut = closed(plain);
  plain.publish("late", "word");
  await cut;
  const after = await ended;
  expect(after).toBeGreaterThan(1500);
});

test("goes on with a target that is deregistered, for two minutes with new clients, and leaves it the old ones", async () => {
  await start();
  const before = await clients(3);
  expect(connections()).toEqual([1, 1, 1]);
  await region.change(() => region.targetGroup.instanceIds.pop());
  expect(region.targetHealth(2)).toBe("draining");
  await clients(3);
  expect(connections()).toEqual([2, 2, 2]);
  await pause(700);
  await clients(2);
  expect(connections()).toEqual([3, 3, 2]);
  await eventually("the delay is over", () => region.targetHealth(2) === undefined);
  await Promise.all(before.map((client) => client.publishAsync("still", "there", { qos: 1 })));
  await region.change(() => {
    region.targetGroup.terminatesDeregistered = true;
    region.targetGroup.instanceIds.pop();
  });
  await eventually("the delay is over", () => region.targetHealth(1) === undefined);
  const cut = Promise.race(before.map(closed));
  before.forEach((client) => client.publish("too", "late"));
  await cut;
});

test("sends new clients elsewhere some time after a target is found unhealthy, to all when all are", async () => {
  await start();
  const { breakHealthCheck } = region.plane.faults;
  const before = await clients(3);
  await breakHealthCheck("i-0", true);
  await eventually("it is unhealthy", () => region.targetHealth(0) === "unhealthy");
  await pause(400);
  await clients(2);
  expect(connections()).toEqual([1, 2, 2]);
  await Promise.all(before.map((client) => client.publishAsync("still", "there", { qos: 1 })));
  await breakHealthCheck("i-1", true);
  await breakHealthCheck("i-2", true);
  await eventually("all are", () => [0, 1, 2].every((node) => region.targetHealth(node) === "unhealthy"));
  await pause(400);
  await clients(3);
  expect(connections()).toEqual([2, 3, 3]);
  for (const id of ["i-0", "i-1", "i-2"]) await breakHealthCheck(id, false);
  await eventually("it is well", () => region.targetHealth(0) === "healthy");
  // Unless it is told to cut what is open to an unhealthy one, as AWS does by itself.
  await region.change(() => (region.targetGroup.unhealthyTerminationSeconds = 0));
  await breakHealthCheck("i-0", true);
  await eventually("it is unhealthy", () => region.targetHealth(0) === "unhealthy");
  await eventually("its clients are cut", () => {
    before.forEach((client) => client.connected && client.publish("are", "you there"));
    return before.some((client) => !client.connected);
  });
  await breakHealthCheck("i-0", false);
});

test("keeps to a zone where it is told so, and has an address in each", async () => {
  await start({ prepare: (test) => (test.network.crossZone = false) });
  await clients(4);
  // Node 1 is alone in its zone.
  expect(connections()).toEqual([1, 2, 1]);
  const { zonal } = region.plane.endpoints().find(({ loadBalancerPort }) => loadBalancerPort === 1883)!;
  for (let count = 0; count < 3; count++) await region.clientAt(`mqtt://${zonal!["eu-west-1b"]}:1883`);
  expect(connections()).toEqual([1, 5, 1]);
  await region.plane.faults.cutZone("eu-west-1b");
  await clients(2);
  expect(region.plane.machines().map(({ emqx }) => emqx?.connections)).toEqual([2, 0, 2]);
  await region.plane.faults.restoreZone("eu-west-1b");
});

test("keeps a client's address, which the nodes' groups see", async () => {
  await start();
  const open = region.group("nodes").ingress;
  const only = (source: string) =>
    region.change(
      () =>
        (region.group("nodes").ingress = [...open.filter((r) => r.fromPort !== 1883), rule(1883, source)]),
    );
  await only("203.0.113.0/24");
  await region.client();
  await only("192.168.0.0/16");
  await expect(region.client()).rejects.toThrow();
});

test("a node that is stopped loses no new client at 50 a second, and no message", async () => {
  const slower = { healthChecks: 0.05, draining: 0.05 };
  await start({
    plane: { clocks: slower },
    prepare(test) {
      const members = test.parameters.get(`${prefix}/cluster`)!;
      test.parameters.set(`${prefix}/cluster`, members.replace("DRAIN_SECONDS='4'", "DRAIN_SECONDS='60'"));
    },
  });
  const steady = { reconnectPeriod: 20, clean: false, properties: { sessionExpiryInterval: 3600 } };
  const subscribers = await Promise.all(
    ["a", "b", "c"].map((clientId) => region.client("mqtt", { ...steady, protocolVersion: 5, clientId })),
  );
  await Promise.all(subscribers.map((client) => client.subscribeAsync("steady", { qos: 1 })));
  const publisher = await region.client("mqtt", { reconnectPeriod: 20 });
  const refused: string[] = [];
  let [sent, came, stop] = [0, 0, false];
  const newClient = () =>
    new Promise<void>((resolve) => {
      const [began, options] = [Date.now(), { username: "emqx", password: mqttPassword, reconnectPeriod: 0 }];
      const client = connectMqtt(region.url("mqtt"), { ...options, connectTimeout: 5000 });
      const end = (problem?: string) => {
        client.removeAllListeners("close");
        if (problem !== undefined) refused.push(`${problem} ${began}`);
        came++;
        client.end(true);
        resolve();
      };
      client.once("connect", () => end());
      client.once("error", ({ message }) => end(message));
      client.once("close", () => end("closed"));
    });
  const coming: Promise<void>[] = [];
  const traffic = (async () => {
    for (; !stop; await pause(20)) {
      coming.push(newClient());
      coming.push(publisher.publishAsync("steady", String(sent++), { qos: 1 }).then(() => undefined));
    }
  })();
  const node = region.instance(1);
  await region.change(() => (node.state = "stopped"));
  await region.plane.shutDown(node.id);
  const without = came;
  await eventually("more have come", () => came > without + 20);
  await region.change(() => (node.state = "running"));
  await region.ready(1);
  expect(region.targetHealth(1)).toBe("healthy");
  const back = came;
  await eventually("more have come", () => came > back + 20);
  stop = true;
  await traffic;
  await Promise.all(coming);
  if (refused.length > 0) throw new Error([...refused, region.console(1)].join("\n"));
  const expected = Array.from({ length: sent }, (_, number) => String(number));
  for (const client of subscribers) {
    const missing = () => {
      const seen = new Set(inbox(client).map(({ text }) => text));
      return expected.filter((text) => !seen.has(text));
    };
    await eventually("all has arrived", () => missing().length === 0, 10).catch(() => undefined);
    expect(missing()).toEqual([]);
  }
});
