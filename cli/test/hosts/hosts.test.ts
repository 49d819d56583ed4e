/** `hosts` in one process, with the real programs as judges. */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { repositoryRoot } from "../../repository";
import type { HostsArgs } from "../../../components/hosts/settings";
import { checkHosts } from "../../hosts/check";
import { renderInto } from "../../hosts/render";

const folder = mkdtempSync(join(tmpdir(), "emqx-hosts-"));
const out = join(folder, "out");
const example = parse(readFileSync(join(repositoryRoot, "examples/hosts/hosts.yaml"), "utf8")) as HostsArgs;

beforeAll(() => {
  const curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1";
  const made = `req -x509 ${curve} -nodes -days 30 -subj /CN=localhost -keyout key.pem -out ca.pem`.split(
    " ",
  );
  expect(spawnSync("openssl", made, { cwd: folder }).status).toBe(0);
  writeFileSync(join(folder, "emqx.pem"), read("ca.pem") + read("key.pem"));
});
beforeEach(() => rmSync(out, { recursive: true, force: true }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (path: string) => readFileSync(join(folder, path), "utf8");

function render(args: object = example): string {
  writeFileSync(join(folder, "hosts.yaml"), stringify(args));
  return renderInto(join(folder, "hosts.yaml"), out).text!();
}

interface Checked {
  checks: { file: string; program: string; result: string; says?: string }[];
}
const checks = () => (checkHosts(out).facts as Checked).checks;

const cloud: Partial<HostsArgs> = {
  balancers: [],
  floatingAddress: undefined,
  certificate: undefined,
  access: { loadBalancerCidrBlocks: ["192.168.0.0/24", "192.168.0.0/25"] },
};
const nginx: Partial<HostsArgs> = {
  listeners: ["Mqtt", "Mqtts", "Ws", "Wss"],
  clusterPorts: "Package",
  certificate: { file: "emqx.pem", clientAuthoritiesFile: "ca.pem", oldest: "TLSv1.3" },
  proxy: { engine: "Nginx", maxConnections: 1000 },
  package: { url: "https://mirror.example.com/emqx.rpm", sha256: "0".repeat(64) },
};

/** The example as it is: test/docs/pages/hosts.test.ts. */
test.each<[string, Partial<HostsArgs>]>([
  ["behind NGINX with clients' certificates", nginx],
  ["behind a cloud's load balancer", cloud],
])("the real programs take every file: %s", (_what, more) => {
  render({ ...example, ...more });
  const found = checks();
  expect(found.filter(({ result }) => result === "refused")).toEqual([]);
  // .ci/tools installs them.
  if (process.env.CI === "true") expect(found.filter(({ result }) => result !== "fine")).toEqual([]);
  expect(found.length).toBeGreaterThanOrEqual(8);
});

test("a damaged file is refused by the program that reads it", () => {
  const damages: [file: string, program: string, damage: string][] = [
    ["lb1/files/etc/haproxy/haproxy.cfg", "haproxy", "\nbackend b\n  nonsense\n"],
    [
      "lb1/files/etc/keepalived/keepalived.conf",
      "keepalived",
      "\nvrrp_instance other {\n  virtual_router_id 300\n}\n",
    ],
    ["lb1/files/etc/emqx-node/firewall.nft", "nft", "\ntable inet other { nonsense }\n"],
    ["emqx2/install.sh", "bash", "\nif\n"],
    ["emqx2/install.sh", "shellcheck", "\necho $undefined_here\n"],
    ["emqx2/files/etc/systemd/system/emqx.service", "systemd-analyze", "\nLimitNOFIL=3\n"],
  ];
  render();
  for (const other of ["emqx1", "lb2"]) rmSync(join(out, other), { recursive: true });
  for (const [file, program, damage] of damages) {
    appendFileSync(join(out, program === "systemd-analyze" ? `${file}.d/node.conf` : file), damage);
  }
  const { facts, exitCode } = checkHosts(out);
  expect(exitCode).toBe(1);
  for (const [file, program] of damages) {
    const found = (facts as Checked).checks.find((one) => one.file === file && one.program === program);
    if (found?.result === "not checked" && process.env.CI !== "true") continue;
    expect(found).toMatchObject({ file, result: "refused", says: expect.stringMatching(/./) });
  }
});

test("secrets are made once, are nobody else's to read, and are not printed", () => {
  const printed = render();
  const secrets = JSON.parse(read("out/secrets.json")) as Record<string, string>;
  expect(Object.keys(secrets)).toEqual(["cookie", "dashboardPassword", "mqttPassword"]);
  for (const node of ["emqx1", "emqx2"]) {
    expect(read(`out/${node}/files/etc/emqx-node/secrets.env`)).toBe(
      `EMQX_NODE__COOKIE=${secrets["cookie"]}\nEMQX_DASHBOARD__DEFAULT_PASSWORD='"${secrets["dashboardPassword"]}"'\n`,
    );
  }
  const key = read("key.pem").split("\n")[1]!;
  for (const entry of readdirSync(out, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  )) {
    const path = join(entry.parentPath, entry.name);
    const text = readFileSync(path, "utf8");
    const isSecret = [...Object.values(secrets), key].some((secret) => text.includes(secret));
    expect([path, statSync(path).mode & 0o777]).toEqual([
      path,
      isSecret ? 0o600 : entry.name === "install.sh" ? 0o755 : 0o644,
    ]);
  }
  for (const secret of Object.values(secrets)) expect(printed).not.toContain(secret);
});

test("rendered again, nothing changes; what is no longer needed goes", () => {
  render();
  const at = statSync(join(out, "emqx1/files/etc/emqx/emqx.conf")).mtimeMs;
  expect(render()).toMatch(/^Nothing is new\.\n/);
  expect(statSync(join(out, "emqx1/files/etc/emqx/emqx.conf")).mtimeMs).toBe(at);
  const said = render({ ...example, clusterPorts: "Package", nodes: example.nodes.slice(0, 1) });
  expect(said).toContain("emqx2 is no host of");
  expect(readdirSync(join(out, "emqx1/files/etc/emqx-node"))).not.toContain("vm.args");
});

test("cluster ports are the other nodes', MQTT the balancers', TLS the clients', the dashboard the administrators'", () => {
  render({ ...example, access: { clientCidrBlocks: ["10.0.0.0/8"], adminCidrBlocks: ["192.168.9.0/24"] } });
  const rules = (host: string) =>
    [
      ...read(`out/${host}/files/etc/emqx-node/firewall.nft`).matchAll(
        /^ {4}((?:ip saddr|tcp|ip protocol).*)$/gm,
      ),
    ].map(([, rule]) => rule);
  expect(rules("emqx1")).toEqual([
    "ip saddr 192.168.0.3 tcp dport { 4369, 5369, 6369 } accept",
    "ip saddr 192.168.0.4 tcp dport { 1883, 8083 } accept",
    "ip saddr 192.168.0.5 tcp dport { 1883, 8083 } accept",
    "ip saddr 192.168.0.4 tcp dport { 18083 } accept",
    "ip saddr 192.168.0.5 tcp dport { 18083 } accept",
    "ip saddr 192.168.9.0/24 tcp dport { 18083 } accept",
    "tcp dport { 4369, 5369, 6369, 1883, 8083, 18083 } drop",
  ]);
  expect(rules("lb1")).toEqual([
    "ip saddr 10.0.0.0/8 tcp dport { 8883, 8084 } accept",
    "ip saddr 192.168.0.5 tcp dport { 8404 } accept",
    "ip saddr 192.168.9.0/24 tcp dport { 8404 } accept",
    "tcp dport { 8883, 8084, 8404 } drop",
    "ip saddr { 192.168.0.5 } ip protocol vrrp accept",
    "ip protocol vrrp drop",
  ]);
});

test("nodes expect a PROXY header when something in front sends one", () => {
  const expects = (args: object) => {
    render({ ...example, ...args });
    return /proxy_protocol = (\w+)/.exec(read("out/emqx1/files/etc/emqx/emqx.conf"))?.[1];
  };
  expect(expects({})).toBe("true");
  expect(read("out/lb1/files/etc/haproxy/haproxy.cfg")).toContain("send-proxy-v2-ssl-cn");
  expect(expects({ proxy: { proxyProtocol: false } })).toBe("false");
  expect(expects(cloud)).toBe("false");
  expect(expects({ ...cloud, proxy: { proxyProtocol: true } })).toBe("true");
});

test.each<[string, object, string]>([
  [
    "an unknown setting",
    { access: { nobody: [] } },
    "access.nobody: there is no such setting; there are clientCidrBlocks,",
  ],
  ["no nodes", { nodes: [] }, "nodes: none given; name at least one"],
  [
    "a balancer on a node",
    { balancers: [{ name: "lb1", address: "192.168.0.2" }], floatingAddress: undefined },
    "nodes and balancers.address:",
  ],
  [
    "one balancer for a floating address",
    { balancers: example.balancers!.slice(0, 1) },
    "floatingAddress: it moves between",
  ],
  [
    "a floating address of a host's own",
    { floatingAddress: { address: "192.168.0.2", interface: "e" } },
    "floatingAddress.address:",
  ],
  [
    "no certificate",
    { certificate: undefined },
    "certificate: missing; balancers with Mqtts or Wss need one",
  ],
  ["a key without its certificate", { certificate: { file: "key.pem" } }, "certificate.file: has not both"],
  [
    "a certificate that is not there",
    { certificate: { file: "none.pem" } },
    "none.pem cannot be read (ENOENT)",
  ],
  ["nobody who ends TLS", { ...cloud, access: {} }, "listeners: Mqtts and Wss need somebody who ends TLS"],
  [
    "client ids with NGINX",
    { proxy: { engine: "Nginx", stickiness: "ClientId" } },
    "proxy.stickiness: ClientId reads MQTT",
  ],
  [
    "more clients than ports",
    { proxy: { maxConnections: 200_000 } },
    "proxy.maxConnections: 200000 is more than",
  ],
  ["a release that needs a licence", { emqxVersion: "5.10.4" }, "needs licenseKeyFile for 2 nodes"],
  ["EMQX's configuration", { extraConfig: "node.name = x" }, "extraConfig line 1 sets node.name"],
])("refused, before anything is written: %s", (_what, args, problem) => {
  expect(() => render({ ...example, ...args })).toThrow(problem);
  expect(() => statSync(out)).toThrow();
});
