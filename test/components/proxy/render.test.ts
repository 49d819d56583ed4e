/** Every configuration that the settings allow, as the real programs see it; what they do with clients is in proxying.test.ts. */
import * as fc from "fast-check";
import { renderProxy } from "../../../components/proxy/render";
import {
  OldestTls,
  proxyProblems,
  ProxyEngine,
  Stickiness,
  type ProxyArgs,
} from "../../../components/proxy/settings";
import { Listener, usesTls } from "../../../components/shared/listeners";
import { testWith } from "../emqx/tools";
import { guideHaproxy, proxyPrograms, ProxyFolder } from "./programs";

const folder = new ProxyFolder();
afterAll(() => folder.remove());

/** The deployment guide's. */
const nodes = [
  { name: "emqx1", address: "192.168.0.2" },
  { name: "emqx2", address: "192.168.0.3" },
];
const plain: ProxyArgs = { nodes, listeners: ["Mqtt"] };

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const addresses = (least: number) =>
  fc.uniqueArray(
    fc.ipV4().filter((address) => !address.startsWith("0.")),
    { minLength: least, maxLength: 4 },
  );
const settings = (engine: ProxyEngine): fc.Arbitrary<ProxyArgs> =>
  fc
    .record({
      addresses: addresses(1),
      listeners: fc.uniqueArray(fc.constantFrom(...Object.values(Listener)), { minLength: 1 }),
      keepAliveSeconds: optional(fc.integer({ min: 1, max: 65535 })),
      stickiness: optional(fc.constantFrom(...Object.values(Stickiness))),
      proxyProtocol: optional(fc.boolean()),
      acceptProxy: optional(fc.boolean()),
      maxConnections: optional(fc.integer({ min: 1, max: 50_000 })),
      sourceAddresses: optional(addresses(1)),
      connectCheck: optional(fc.boolean()),
      oldest: optional(fc.constantFrom(...Object.values(OldestTls))),
      mutual: fc.boolean(),
    })
    .map(({ addresses, oldest, mutual, ...args }) => ({
      ...args,
      engine,
      ...(engine === ProxyEngine.Nginx ? { stickiness: Stickiness.None, connectCheck: false } : {}),
      nodes: addresses.map((address, i) => ({ name: `emqx${i + 1}`, address })),
      ...(usesTls(args.listeners)
        ? { tls: { oldest, ...(mutual ? { clientAuthoritiesFile: "/etc/emqx-proxy/emqx.pem" } : {}) } }
        : {}),
    }));

describe.each(Object.values(ProxyEngine))("%s", (engine) => {
  testWith(proxyPrograms[engine])("loads whatever the settings allow, without a warning", () => {
    fc.assert(
      fc.property(settings(engine), (args) => {
        expect(proxyProblems(args)).toEqual([]);
        expect(folder.refusal(proxyPrograms[engine], folder.local(renderProxy(args)))).toBe("");
      }),
      { numRuns: 15 },
    );
  });
});

/** Section "NGINX Plus -> EMQX" of the guide. */
const guideNginx = `
stream {
  upstream stream_backend {
    zone tcp_servers 64k;
    hash $remote_addr;
    server 192.168.0.2:1883 max_fails=2 fail_timeout=30s;
    server 192.168.0.3:1883 max_fails=2 fail_timeout=30s;
  }
  server {
    listen 8883 ssl;
    status_zone tcp_server;
    proxy_pass stream_backend;
    proxy_buffer_size 4k;
    ssl_handshake_timeout 15s;
    ssl_certificate     /etc/emqx/certs/cert.pem;
    ssl_certificate_key /etc/emqx/certs/key.pem;
  }
}
`;

describe("the guide's own samples", () => {
  testWith("haproxy")("HAProxy's lacks a timeout, and cuts whoever says nothing for 50 s", () => {
    expect(folder.refusal("haproxy", guideHaproxy(folder, "50s"))).toContain("missing timeouts for backend");
    // What holds for both directions of a connection is the server's timeout; the rendered one outlives the keep-alive by far.
    expect(guideHaproxy(folder, "50s")).not.toContain("timeout tunnel");
    const [, tunnel] = /timeout tunnel (\d+)s/.exec(renderProxy(plain))!;
    expect(Number(tunnel)).toBe(480);
  });

  testWith("nginx")("NGINX's does not load: stream is a module, status_zone is of NGINX Plus", () => {
    const events = "events {}\n";
    const withModule = `include /etc/nginx/modules-enabled/*.conf;\n${events}`;
    expect(folder.refusal("nginx", `${events}${guideNginx}`)).toContain('unknown directive "stream"');
    expect(folder.refusal("nginx", `${withModule}${guideNginx}`)).toContain(
      'unknown directive "status_zone"',
    );
  });
});

test.each<[string, Partial<ProxyArgs>, string]>([
  ["no nodes", { nodes: [] }, "nodes: none given; name at least one"],
  [
    "a node twice",
    { nodes: [nodes[0]!, { ...nodes[0]!, name: "emqx3" }] },
    'nodes.address: "192.168.0.2" is there twice; give each its own',
  ],
  ["no address", { nodes: [{ name: "a", address: "b" }] }, 'nodes[0].address: "b" is not an IPv4 address'],
  [
    "a name with a space",
    { nodes: [{ name: "a b", address: "10.0.0.1" }] },
    'nodes[0].name: "a b" is not a name',
  ],
  ["TLS without a certificate", { listeners: ["Mqtts"] }, "tls: missing; Mqtts and Wss need a certificate"],
  ["a certificate without TLS", { tls: {} }, "tls: given, but no TLS listener is on"],
  [
    "a path with a blank",
    { listeners: ["Wss"], tls: { certificateFile: "/a b" } },
    'tls.certificateFile: "/a b" is not',
  ],
  [
    "a keep-alive",
    { keepAliveSeconds: 0 },
    "keepAliveSeconds: 0 is not a whole number of seconds from 1 to 65535",
  ],
  [
    "more clients than ports",
    { maxConnections: 128_001 },
    "maxConnections: 128001 is more than the 128000 ports",
  ],
  [
    "client ids with NGINX",
    { engine: "Nginx", stickiness: "ClientId" },
    "stickiness: ClientId reads MQTT, which open",
  ],
  [
    "CONNECT with NGINX",
    { engine: "Nginx", connectCheck: true },
    "connectCheck: asks nodes actively, which open",
  ],
])("refused by its path: %s", (_what, args, problem) => {
  expect(proxyProblems({ ...plain, ...args })).toEqual([expect.stringContaining(problem)]);
  expect(() => renderProxy({ ...plain, ...args })).toThrow(problem);
});

test("proxies agree about a client's node, in whatever order they know the nodes, and when one is added", () => {
  const ids = (args: ProxyArgs) =>
    Object.fromEntries(
      [...renderProxy(args).matchAll(/server (\w+) .* id (\d+)/g)].map(([, name, id]) => [name, id]),
    );
  const two = ids(plain);
  expect(ids({ ...plain, nodes: [...nodes].reverse() })).toEqual(two);
  expect(ids({ ...plain, nodes: [{ name: "emqx3", address: "192.168.0.4" }, ...nodes] })).toMatchObject(two);
});
