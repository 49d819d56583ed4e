/**
 * MQTT 5, feature by feature, as somebody else's client sees it: Paho for Python, at the region's broker. What is not as in
 * EMQX (emqx/emqx@v5.8.9:apps/emqx/src/emqx_channel.erl, emqx_session_mem.erl) is in the table of docs/simulated-region.md.
 */
import { spawnSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { AddressInfo, createServer, Server } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { packageRules } from "../../dataplane/broker/authorization";
import { Broker } from "../../dataplane/broker/broker";
import { skipped } from "../../../test/components/emqx/tools";

const asInEmqx: Record<string, unknown> = {
  "topic alias": [true, ["named", "by alias"]],
  // Present, with what was queued; gone a second after a DISCONNECT that said so.
  "session expiry": [true, ["queued"], false],
  "clean start": false,
  // Not before its time, and not when the client is back by then.
  "will delay": [[], ["gone"]],
  "request and response": ["response", "correlated", "text/plain", 1],
  "user properties": true,
  "subscription identifier": [11],
  "no local": ["other's"],
  "retain handling": { "0": [["kept"], ["kept"]], "1": [["kept"], []], "2": [[], []] },
  "retain as published": { "published/yes": true, "published/no": false },
  "message expiry": [["long"], true],
  // The server's, mqtt.max_packet_size; and what a client takes that says 100.
  "maximum packet size": [1024 ** 2, ["small"]],
  "request problem information": "[]",
  // Only where mqtt.server_keepalive is set.
  "server keep alive": false,
  "assigned client identifier": true,
  "reason codes": {
    "CONNACK bad password": 0x86,
    "SUBACK not authorized": [0x87],
    "UNSUBACK no subscription": [0x11],
  },
};

/** What comes here instead, and what the table says of it. */
const otherwise: Record<string, [seen: unknown, row: string]> = {
  "receive maximum": [["a", "b", "c", "d"], "a client's Receive Maximum"],
  "order of user properties": [["a", "a", "b"], "User Properties in the publisher's order"],
  "overlapping identifiers": [[1], "overlapping filters with different Subscription Identifiers"],
  "shared subscription": [[0, [0x9e]], "shared subscriptions"],
  "no matching subscribers": [0, "PUBACK and PUBREC 0x10"],
};

const { status } = spawnSync("python3", ["-c", "import paho.mqtt"]);
const withPaho =
  process.env.CI === "true" || status === 0
    ? describe
    : (skipped("paho-mqtt is not installed: its tests are skipped (.ci/tools installs it)"), describe.skip);

withPaho("Paho sees", () => {
  const seen = new Map<string, unknown>();
  let broker: Broker;
  let server: Server;
  beforeAll(async () => {
    broker = await Broker.start(
      "emqx@127.0.0.1",
      (_user, password) => (password === "right" ? {} : "bad-password"),
      {
        published: () => undefined,
        takeOver: () => Promise.resolve(undefined),
        alone: (_clientId, work) => work(),
        log: () => undefined,
      },
      {
        maxPacketSize: 1024 ** 2,
        maxTopicLevels: 128,
        authorization: { rules: packageRules, noMatch: "allow", denyAction: "ignore" },
      },
    );
    server = createServer((socket) => broker.handle(socket.on("error", () => socket.destroy())));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const client = spawn("python3", [join(__dirname, "mqtt5.py"), String(port)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    for (const line of (await text(client.stdout)).trim().split("\n")) {
      const [feature, what] = JSON.parse(line) as [string, unknown];
      seen.set(feature, what);
    }
  }, 120_000);
  afterAll(async () => {
    await broker.stop();
    server.close();
  });

  test.each(Object.entries(asInEmqx))("%s as in EMQX", (feature, expected) => {
    expect(seen.get(feature)).toEqual(expected);
  });

  test.each(Object.entries(otherwise))("%s as the docs' table says", (feature, [expected, row]) => {
    expect(seen.get(feature)).toEqual(expected);
    const page = readFileSync(join(__dirname, "../../../docs/simulated-region.md"), "utf8");
    expect(page).toContain(`| ${row}`);
  });

  test("nothing that nobody looks at", () => {
    expect([...seen.keys()].sort()).toEqual([...Object.keys(asInEmqx), ...Object.keys(otherwise)].sort());
  });
});
