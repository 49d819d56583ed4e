/** The real programs, started from rendered files, between clients and nodes. Times that a check or a time-out takes are scaled down. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { renderProxy } from "../../../components/proxy/render";
import type { ProxyArgs } from "../../../components/proxy/settings";
import { testWith, toolEnvironment } from "../emqx/tools";
import { ProxiedNode, ProxyClient } from "./node";
import { guideHaproxy, proxyPrograms, ProxyFolder } from "./programs";

/** Of loopback, and nobody else's: the proxy and its nodes keep the ports that they have in a deployment. */
const network = `127.${100 + (process.pid % 100)}.${Math.floor(process.pid / 100) % 250}`;
const address = `${network}.1`;
const folder = new ProxyFolder();
const nodes = [2, 3, 4].map((last) => new ProxiedNode(`${network}.${last}`));
let running: ChildProcess | undefined;
const clients: ProxyClient[] = [];
const hale = { healthy: true, hangs: false };

beforeAll(() => Promise.all(nodes.map((node) => node.start())));
afterEach(async () => {
  clients.splice(0).forEach(({ socket }) => socket.destroy());
  nodes.forEach((node) => Object.assign(node, hale).clients.splice(0));
  running?.kill("SIGTERM");
  if (running?.exitCode === null) await once(running, "exit");
});
afterAll(() => {
  nodes.forEach((node) => node.stop());
  folder.remove();
});

const args = (more: Partial<ProxyArgs> = {}): ProxyArgs => ({
  nodes: nodes.slice(0, 2).map((node, i) => ({ name: `emqx${i + 1}`, address: node.address })),
  address,
  listeners: ["Mqtt", "Mqtts"],
  tls: { clientAuthoritiesFile: "/etc/emqx-proxy/ca.pem" },
  maxConnections: 2000,
  ...more,
});

/** Checks come every 0.4 s instead of 2 s. */
const scaled = (configuration: string) =>
  folder
    .local(configuration)
    .replaceAll("127.0.0.1:8405", `${address}:8405`)
    .replace("inter 2s", "inter 400ms")
    .replace("slowstart 60s", "");

const file = join(folder.path, "proxy.conf");
const write = (configuration: string) => writeFileSync(file, scaled(configuration));

async function start(program: string, configuration: string): Promise<void> {
  write(configuration);
  const options = program === "haproxy" ? ["-W", "-f", file] : ["-c", file, "-g", "daemon off;"];
  running = spawn(program, options, { env: toolEnvironment, stdio: "ignore" });
  await until(async () => (await health()) === 200);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await holds()); await sleep(20)) {
    if (Date.now() > end) throw new Error(`not so within a minute: ${String(holds)}`);
  }
}

const answer = (port: number, path: string) =>
  new Promise<{ status?: number; text: string }>((resolve) => {
    get({ host: address, port, path, agent: false }, (response) => {
      let text = "";
      response
        .on("data", (chunk) => (text += String(chunk)))
        .on("end", () => resolve({ status: response.statusCode, text }));
    }).on("error", () => resolve({ text: "" }));
  });
const health = async () => (await answer(8404, "/healthz")).status;

/** The first certificate of all, for a client's own. */
const own = readFileSync(folder.certificate, "utf8");
const tls = () => ({ ca: readFileSync(join(folder.path, "etc/emqx-proxy/ca.pem")), cert: own, key: own });

async function connected(ids: string[], secure = false): Promise<ProxyClient[]> {
  const made: ProxyClient[] = [];
  // A few at a time: a handshake has its time limit, also where 200 at once take longer.
  for (let begin = 0; begin < ids.length; begin += 20) {
    const some = ids.slice(begin, begin + 20);
    const options = secure ? tls() : undefined;
    made.push(
      ...(await Promise.all(
        some.map((id) => ProxyClient.connect(address, secure ? 8883 : 1883, id, options)),
      )),
    );
  }
  clients.push(...made);
  return made;
}

const names = (count: number, begin: string) => Array.from({ length: count }, (_, i) => `${begin}-${i}`);
/** The place of the node that each of the clients has reached last. */
const places = () =>
  new Map(nodes.flatMap((node, place) => node.clients.map(({ clientId }) => [clientId, place] as const)));

async function reloaded(program: string): Promise<void> {
  const workers = () =>
    spawnSync("pgrep", ["-P", String(running!.pid)], { encoding: "utf8" })
      .stdout.trim()
      .split("\n");
  const before = workers();
  running!.kill(program === "haproxy" ? "SIGUSR2" : "SIGHUP");
  await until(async () => workers().some((pid) => !before.includes(pid)) && (await health()) === 200);
}

describe.each(Object.values(proxyPrograms))("%s", (program) => {
  const engine = program === "haproxy" ? "Haproxy" : "Nginx";

  testWith(program)(
    "ends TLS, asks for a certificate, tells the node who comes, and refuses who has none",
    async () => {
      await start(program, renderProxy(args({ engine })));
      await connected(["with-tls"], true);
      const [told] = nodes.flatMap((node) => node.clients);
      expect(told).toEqual(
        program === "haproxy"
          ? { clientId: "with-tls", version: 2, source: "127.0.0.1", commonName: "localhost" }
          : { clientId: "with-tls", version: 1, source: "127.0.0.1" },
      );
      await expect(
        ProxyClient.connect(address, 8883, "bare", { ...tls(), cert: undefined, key: undefined }),
      ).rejects.toThrow();
      await expect(
        ProxyClient.connect(address, 8883, "old", { ...tls(), maxVersion: "TLSv1.1" }),
      ).rejects.toThrow();
    },
  );

  testWith(program)("reloads, with another certificate and another node, without a cut", async () => {
    await start(program, renderProxy(args({ engine })));
    const before = await connected(names(200, "stays"), true);
    const seen = ({ socket }: ProxyClient) => (socket as TLSSocket).getPeerCertificate().fingerprint256;
    folder.renewCertificate();
    write(
      renderProxy(
        args({ engine, nodes: nodes.map((node, i) => ({ name: `emqx${i + 1}`, address: node.address })) }),
      ),
    );
    const reloading = reloaded(program);
    const during: ProxyClient[] = [];
    for (const id of names(50, "comes")) during.push(...(await connected([id])));
    await reloading;
    // NGINX's old workers may take a client yet.
    await until(async () => seen((await connected(["after"], true))[0]!) !== seen(before[0]!));
    await Promise.all([...before, ...during].map((client) => client.ping()));
  });

  testWith(program)("lets clients rest for longer than the time-outs of a handshake", async () => {
    const handshakes = /(timeout (?:client|server)|ssl_handshake_timeout|proxy_connect_timeout) \d+s/g;
    await start(program, renderProxy(args({ engine })).replaceAll(handshakes, "$1 1s"));
    const [client] = await connected(["rests"], true);
    await sleep(2500);
    await client!.ping();
  });
});

testWith("haproxy")(
  "a client id has its node, however often it comes; an added node takes a share, and nothing else moves",
  async () => {
    const ids = names(200, "device");
    await start("haproxy", renderProxy(args()));
    await connected(ids);
    const first = places();
    await connected(ids);
    expect(places()).toEqual(first);
    expect(
      Math.min(...[0, 1].map((place) => [...first.values()].filter((at) => at === place).length)),
    ).toBeGreaterThan(40);

    // In another order: as another proxy may know them.
    write(
      renderProxy(
        args({ nodes: [2, 1, 0].map((i) => ({ name: `emqx${i + 1}`, address: nodes[i]!.address })) }),
      ),
    );
    await reloaded("haproxy");
    nodes.forEach((node) => node.clients.splice(0));
    await connected(ids);
    const moved = [...places()].filter(([id, place]) => first.get(id) !== place);
    expect(new Set(moved.map(([, place]) => place))).toEqual(new Set([2]));
    expect(moved.length).toBeGreaterThan(20);
    expect(moved.length).toBeLessThan(130);
  },
);

testWith("haproxy").each<[string, boolean, Partial<ProxiedNode>]>([
  ["whose /status fails", false, { healthy: false }],
  ["whose /status fails, with connectCheck,", true, { healthy: false }],
  ["that accepts and says nothing, with connectCheck,", true, { hangs: true }],
])("a node %s gets no client, and loses those that it has", async (_what, connectCheck, illness) => {
  await start("haproxy", renderProxy(args({ connectCheck })).replace("timeout check 3s", "timeout check 1s"));
  const before = await connected(names(40, "before"));
  const [sick, well] = nodes;
  const lost = sick!.clients.length;
  Object.assign(sick!, illness);
  await until(() => before.filter(({ lives }) => lives).length === before.length - lost);
  nodes.forEach((node) => node.clients.splice(0));
  await connected(names(40, "after"));
  expect([sick!.clients.length, well!.clients.length]).toEqual([0, 40]);
  expect((await answer(8405, "/metrics")).text).toContain(
    'haproxy_server_status{proxy="emqx_mqtt",server="emqx1",state="DOWN"} 1',
  );
  expect((await answer(8405, "/else")).status).toBe(403);

  well!.healthy = false;
  await until(async () => (await health()) === 503);
  Object.assign(sick!, hale);
  await until(async () => (await health()) === 200);
  await connected(["again"]);
  expect(sick!.clients).toHaveLength(1);
});

testWith("haproxy")("the guide's sample, its 50 s scaled to 1 s, cuts a client that rests", async () => {
  const sample = guideHaproxy(folder, "1s")
    .replace("*:8883 ssl", `${address}:8883 ssl`)
    .replaceAll("192.168.0", network);
  expect(sample).toContain(`server emqx1 ${network}.2:1883`);
  await start(
    "haproxy",
    `${sample}\nfrontend health\n  mode http\n  bind ${address}:8404\n  monitor-uri /healthz\n  timeout client 5s\n`,
  );
  // It sends no PROXY header, for which these nodes wait: a client is cut all the same.
  const socket = connectTls({
    host: address,
    port: 8883,
    ...tls(),
    servername: "localhost",
  });
  const begun = Date.now();
  await once(socket.resume(), "close");
  expect(Date.now() - begun).toBeLessThan(20_000);
});
