/** The Classic ELB as a proxy: TLS, balancing, timeouts, draining, and changes while it runs. */
import { createServer } from "node:net";
import { connect as tlsConnect, ConnectionOptions, TLSSocket } from "node:tls";
import { MqttClient } from "mqtt";
import {
  certificateArn,
  inbox,
  makeCertificate,
  rule,
  sharedRegion,
  testCertificate,
  TestRegion,
} from "./testRegion";
import { eventually } from "../../../test/waiting";

let region: TestRegion;
const shared = sharedRegion();

async function start(options?: Parameters<typeof shared>[0]): Promise<void> {
  region = await shared(options);
}

function handshake(options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      host: "127.0.0.1",
      port: region.port(8883),
      ca: testCertificate().certificatePem,
      servername: "mqtt.example.org",
      ...options,
    });
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed")));
  });
}

function closed(client: MqttClient): Promise<number> {
  const from = Date.now();
  return new Promise((resolve) => client.once("close", () => resolve(Date.now() - from)));
}

describe("TLS", () => {
  test("ends at the load balancer with the certificate of the listener, TLS 1.2 only", async () => {
    await start();
    const socket = await handshake();
    expect(socket.getPeerCertificate().subject.CN).toBe("mqtt.example.org");
    expect(socket.getProtocol()).toBe("TLSv1.2");
    socket.destroy();
    await expect(handshake({ servername: "other.example.org" })).rejects.toThrow(
      /does not match certificate/,
    );
    await expect(handshake({ ca: makeCertificate("mqtt.example.org").certificatePem })).rejects.toThrow();
    await expect(handshake({ minVersion: "TLSv1.3" })).rejects.toThrow();
    const old: ConnectionOptions = {
      minVersion: "TLSv1.1",
      maxVersion: "TLSv1.1",
      ciphers: "ALL:@SECLEVEL=0",
    };
    await expect(handshake(old)).rejects.toThrow();
    expect(region.plane.loadBalancers()[0]!.counters.tlsFailures).toBeGreaterThanOrEqual(2);
    await region.change((state) => delete state.loadBalancers[0]!.listeners[1]!.tlsPolicy);
    const lenient = await handshake(old);
    expect(lenient.getProtocol()).toBe("TLSv1.1");
    lenient.destroy();
  });

  test("another certificate is served from the next connection on, open ones live", async () => {
    await start();
    const client = await region.client("mqtts");
    const next = makeCertificate("new.example.org");
    await region.change((state) => (state.certificates = [next]));
    await expect(handshake()).rejects.toThrow();
    const socket = await handshake({ ca: next.certificatePem, servername: "new.example.org" });
    socket.destroy();
    await client.publishAsync("still", "there", { qos: 1 });
  });

  test("without its certificate the listener does not answer and says why", async () => {
    await start();
    await region.change((state) => (state.certificates = []));
    expect(() => region.port(8883)).toThrow(/certificate .* does not exist/);
    await region.change((state) => (state.certificates = [testCertificate()]));
    (await handshake()).destroy();
  });

  test("an expired certificate is refused by clients until it is renewed", async () => {
    await start();
    await region.plane.faults.expireCertificate(certificateArn);
    await expect(handshake()).rejects.toThrow();
    const socket = await handshake({ rejectUnauthorized: false });
    expect(new Date(socket.getPeerCertificate().valid_to).getTime()).toBeLessThan(Date.now());
    expect(socket.getPeerCertificate().subject.CN).toBe("mqtt.example.org");
    socket.destroy();
    await region.plane.faults.renewCertificate(certificateArn);
    (await handshake()).destroy();
    await expect(region.plane.faults.expireCertificate("arn:other")).rejects.toThrow(
      /there is no certificate arn:other/,
    );
  });
});

describe("idle timeout", () => {
  test("cuts a client that is silent, not one that pings", async () => {
    await start({ prepare: (test) => (test.loadBalancer.idleTimeoutSeconds = 2) });
    const pinging = await region.client("mqtts", { keepalive: 1 });
    const silent = await region.client("mqtts", { keepalive: 60 });
    const after = await closed(silent);
    expect(after).toBeGreaterThan(1500);
    expect(after).toBeLessThan(3500);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(pinging.connected).toBe(true);
    expect(region.plane.loadBalancers()[0]!.counters.idleTimeouts).toBe(1);
  });

  test("counts what the node sends, too, and changes under open connections", async () => {
    await start();
    const listener = await region.client("mqtt", { keepalive: 60 });
    await listener.subscribeAsync("beat");
    const beating = await region.client("mqtt", { keepalive: 60 });
    await region.change((state) => (state.loadBalancers[0]!.idleTimeoutSeconds = 1));
    for (let beat = 0; beat < 5; beat++) {
      await beating.publishAsync("beat", String(beat));
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    expect(listener.connected).toBe(true);
    expect(inbox(listener)).toHaveLength(5);
    await closed(listener);
  });
});

describe("deregistration", () => {
  test("with draining: open connections go on for the timeout, new ones go elsewhere", async () => {
    // 300 s scaled to 0.6 s.
    await start({ plane: { clocks: { draining: 0.002 } } });
    const clients = [await region.client(), await region.client()];
    const whoCloses = Promise.race(
      clients.map((client, index) => closed(client).then((after) => ({ index, after }))),
    );
    await region.change((state) => (state.loadBalancers[0]!.instanceIds = ["i-1"]));
    await clients[0]!.publishAsync("x", "y", { qos: 1 });
    await clients[1]!.publishAsync("x", "y", { qos: 1 });
    await region.client();
    expect(region.machine(0).emqx!.connections).toBe(1);
    const { index, after } = await whoCloses;
    expect(after).toBeGreaterThan(400);
    expect(clients[1 - index]!.connected).toBe(true);
  });

  test("without draining open connections are cut at once", async () => {
    await start({ prepare: (test) => delete test.loadBalancer.drainingTimeoutSeconds });
    const clients = [await region.client(), await region.client()];
    const cut = Promise.race(clients.map(closed));
    await region.change((state) => (state.loadBalancers[0]!.instanceIds = ["i-1"]));
    expect(await cut).toBeLessThan(500);
  });
});

describe("changes while it runs", () => {
  test("listeners come and go", async () => {
    await start();
    const [tcp, ssl] = region.loadBalancer.listeners;
    const client = await region.client("mqtt");
    const url = region.url("mqtt");
    await region.change((state) => (state.loadBalancers[0]!.listeners = [ssl!]));
    await expect(region.clientAt(url)).rejects.toThrow(/ECONNREFUSED/);
    await client.publishAsync("still", "there", { qos: 1 });
    await region.change((state) => (state.loadBalancers[0]!.listeners = [ssl!, tcp!]));
    expect(region.url("mqtt")).toBe(url);
    await region.clientAt(url);
  });

  test("client CIDRs let in and shut out the next client, not the present one", async () => {
    await start();
    const client = await region.client();
    await region.change(() => (region.group("elb").ingress = [rule(1883, "198.51.100.0/24")]));
    expect(() => region.url("mqtt")).toThrow(/no ingress rule/);
    await client.publishAsync("still", "there", { qos: 1 });
    await region.change(() => (region.group("elb").ingress = [rule(1883, "203.0.113.0/24")]));
    await region.client();
  });

  test("a port that somebody else holds is replaced by a free one, and said", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => {
      // Somebody else may hold it in earnest, for example a region that runs on this machine.
      holder.once("error", () => resolve());
      holder.listen(1883, "127.0.0.1", resolve);
    });
    try {
      await start();
      expect(region.port(1883)).not.toBe(1883);
      expect(region.lines.join("\n")).toContain("port 1883 is not free here");
      await region.client();
    } finally {
      holder.close();
    }
  });

  test("a load balancer that is deleted answers no more", async () => {
    await start();
    const client = await region.client();
    const url = region.url("mqtt");
    const gone = closed(client);
    await region.change((state) => (state.loadBalancers = []));
    await gone;
    await expect(region.clientAt(url)).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe("faults", () => {
  test("a killed machine hangs, is taken out by its checks, and comes back", async () => {
    await start();
    const clients = [await region.client(), await region.client()];
    await clients[0]!.subscribeAsync("x");
    await clients[1]!.subscribeAsync("x");
    await region.plane.faults.killMachine("i-0");
    await eventually("it is out of service", () => region.health.get("i-0")?.state === "OutOfService");
    expect(region.plane.loadBalancers()[0]!.health["i-0"]!.lastProblem).toBe("timed out");
    // Nobody told the clients: both still believe in their connections.
    expect(clients.map((client) => client.connected)).toEqual([true, true]);
    await eventually("the other node misses it", () => region.machine(1).emqx!.stopped.length === 1);
    const cut = Promise.race(clients.map(closed));
    await region.plane.faults.restartMachine("i-0");
    await cut;
    await region.allReady();
    await eventually("they are together again", () => region.machine(1).emqx!.running.length === 2);
  });

  test("a zone that is cut takes its nodes and the load balancer's interface with it", async () => {
    await start();
    await region.plane.faults.cutZone("eu-west-1a");
    await eventually("its node is out of service", () => region.health.get("i-0")?.state === "OutOfService");
    for (let count = 0; count < 3; count++) {
      await region.client();
    }
    expect(region.machine(1).emqx!.connections).toBe(3);
    await region.plane.faults.restoreZone("eu-west-1a");
    await region.allReady();
    await expect(region.plane.faults.cutZone("eu-west-9z")).rejects.toThrow(/no subnet in zone eu-west-9z/);
  });

  test("EMQX stopped on a machine closes its clients, who find the other node", async () => {
    await start();
    const clients = [
      await region.client("mqtt", { protocolVersion: 5 }),
      await region.client("mqtt", { protocolVersion: 5 }),
    ];
    const disconnects: unknown[] = [];
    clients.forEach((client) => client.on("disconnect", (packet) => disconnects.push(packet)));
    const closed = Promise.race(
      clients.map((client) => new Promise<void>((resolve) => client.once("close", resolve))),
    );
    await region.plane.faults.stopEmqx("i-0");
    await closed;
    // EMQX knows the reason code 0x8B, Server shutting down, but sends it nowhere.
    expect(disconnects).toEqual([]);
    await region.client();
    await region.plane.faults.startEmqx("i-0");
    await region.allReady();
  });
});

test("retained messages are on the data volume when the whole cluster stops", async () => {
  await start();
  const client = await region.client();
  await client.publishAsync("kept", "safe", { qos: 1, retain: true });
  await region.change((state) => state.instances.forEach((instance) => (instance.state = "stopped")));
  await Promise.all(["i-0", "i-1"].map((id) => region.plane.shutDown(id)));
  await region.change((state) => state.instances.forEach((instance) => (instance.state = "running")));
  await region.allReady();
  await eventually("clients are served", () =>
    region.state.instances.every(
      (instance) => region.plane.loadBalancers()[0]!.health[instance.id]!.state === "InService",
    ),
  );
  const later = await region.client();
  await later.subscribeAsync("kept");
  await eventually("it is still there", () => inbox(later).length === 1);
});

describe("balancing", () => {
  test("a node that fails its check gets nothing until it is well again", async () => {
    await start();
    await region.plane.faults.breakHealthCheck("i-0", true);
    await eventually("it is out of service", () => region.health.get("i-0")?.state === "OutOfService");
    expect(region.plane.loadBalancers()[0]!.health["i-0"]!.lastProblem).toBe("HTTP status 503");
    for (let count = 0; count < 4; count++) {
      await region.client();
    }
    expect(region.machine(0).emqx!.connections).toBe(0);
    await region.plane.faults.breakHealthCheck("i-0", false);
    await eventually("it is in service", () => region.health.get("i-0")?.state === "InService");
    await region.client();
    await region.client();
    expect(region.machine(0).emqx!.connections).toBeGreaterThan(0);
  });

  test("round robin over the nodes in service, across zones", async () => {
    await start({ nodes: 3, zones: 2 });
    for (let count = 0; count < 9; count++) {
      await region.client();
    }
    expect([0, 1, 2].map((node) => region.machine(node).emqx!.connections)).toEqual([3, 3, 3]);
  });

  test("without cross-zone a zone's interface uses its own zone's nodes only", async () => {
    await start({ nodes: 3, zones: 2, prepare: (test) => (test.loadBalancer.crossZone = false) });
    for (let count = 0; count < 8; count++) {
      await region.client();
    }
    // Node 1 is alone in its zone and gets half of all.
    expect(region.machine(1).emqx!.connections).toBe(4);
  });
});

test("replacing node after node under a steady QoS 1 publisher loses nothing on the way", async () => {
  await start({ nodes: 3, zones: 2 });
  const seen = new Set<number>();
  const steady = { reconnectPeriod: 20, keepalive: 10 };
  // A session in memory ends with its node, so one subscriber alone would miss what comes while it reconnects; of six,
  // some are always connected elsewhere.
  for (let count = 0; count < 6; count++) {
    const subscriber = await region.client("mqtts", steady);
    subscriber.on("message", (_topic, payload) => seen.add(Number(payload.toString())));
    await subscriber.subscribeAsync("steady", { qos: 1 });
  }
  const publisher = await region.client("mqtts", steady);
  let sent = 0;
  let stop = false;
  const publishing = (async () => {
    while (!stop) {
      await publisher.publishAsync("steady", String(sent++), { qos: 1 });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  for (const node of [0, 1, 2]) {
    await region.replace(node);
  }
  await eventually("enough has been sent", () => sent > 20);
  stop = true;
  await publishing;
  const missing = () =>
    Array.from({ length: sent }, (_, number) => number).filter((number) => !seen.has(number));
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(missing()).toEqual([]);
});
