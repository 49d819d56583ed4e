import fc from "fast-check";
import {
  nodeFiles,
  openFiles,
  renderConfiguration,
  renderEmqxEnvironment,
  renderServiceDropIn,
  renderVmArgs,
} from "../../../components/emqx/configuration";
import { readHocon } from "../../../components/emqx/hocon";
import { renderSysctl, renderTmpfiles } from "../../../components/emqx/kernel";
import { clusterPortList, clusterPortNumbers, ports } from "../../../components/emqx/ports";
import { ClusterPorts } from "../../../components/emqx/releases";
import { nodeArgs } from "./arguments";
import { parseHocon } from "./parseHocon";

const flags = [false, true];
const cases = ["5.8.9", "5.10.4", "6.2.3"].flatMap((version) =>
  Object.values(ClusterPorts).flatMap((clusterPorts) =>
    flags.flatMap((ws) =>
      flags.flatMap((proxyProtocol) =>
        flags.flatMap((anonymousAccess) =>
          flags.map((hasLicense) =>
            nodeArgs({
              version,
              clusterPorts,
              listeners: { ws },
              proxyProtocol,
              anonymousAccess,
              hasLicense,
            }),
          ),
        ),
      ),
    ),
  ),
);

test.each(
  cases.map(
    (args) =>
      [
        `${args.version} ${args.clusterPorts} ws=${args.listeners.ws} proxy=${args.proxyProtocol} anonymous=${args.anonymousAccess} licence=${args.hasLicense}`,
        args,
      ] as const,
  ),
)("emqx.conf says what the port table says: %s", async (_, args) => {
  const text = renderConfiguration(args);
  const listener = (port: number) => ({
    bind: `0.0.0.0:${port}`,
    acceptors: 64,
    max_connections: 1024000,
    proxy_protocol: args.proxyProtocol,
    tcp_options: { keepalive: "180,30,3" },
  });
  expect(await parseHocon(text)).toEqual({
    node: {
      name: "emqx@192.168.0.10",
      data_dir: "/var/lib/emqx",
      max_ports: 1048576,
      dist_buffer_size: 32768,
    },
    cluster: {
      name: "emqxcl",
      discovery_strategy: "static",
      static: { seeds: ["emqx@192.168.0.10", "emqx@192.168.0.11", "emqx@192.168.0.12"] },
      autoclean: "24h",
      autoheal: true,
    },
    rpc:
      args.clusterPorts === "Documented"
        ? { port_discovery: "manual", server_port: clusterPortNumbers("Documented").rpc }
        : { port_discovery: "stateless" },
    listeners: {
      tcp: { default: listener(ports.mqtt) },
      ws: {
        default: args.listeners.ws
          ? {
              ...listener(ports.ws),
              websocket: { mqtt_path: "/mqtt", proxy_address_header: "", proxy_port_header: "" },
            }
          : { enable: false },
      },
      ssl: { default: { enable: false } },
      wss: { default: { enable: false } },
    },
    dashboard: { listeners: { http: { bind: `0.0.0.0:${ports.dashboard}` } } },
    ...(args.anonymousAccess
      ? {}
      : {
          authentication: [
            {
              mechanism: "password_based",
              backend: "built_in_database",
              user_id_type: "username",
              bootstrap_file: nodeFiles.mqttUsers,
              bootstrap_type: "plain",
            },
          ],
        }),
    authorization: { no_match: "deny" },
    retainer: { backend: { type: "built_in_database", storage_type: "disc" } },
    telemetry: { enable: false },
    ...(args.hasLicense ? { license: { key: `file://${nodeFiles.license}` } } : {}),
  });
  // EMQX's own dialect, which is narrower.
  expect(readHocon(text).length).toBeGreaterThan(20);
});

test("extraConfig comes last and wins where it may", async () => {
  const merged = await parseHocon(
    renderConfiguration(
      nodeArgs({ extraConfig: "  retainer.backend.storage_type = ram\r\nmqtt { max_qos_allowed = 1 }\n\n" }),
    ),
  );
  expect(merged).toMatchObject({
    retainer: { backend: { type: "built_in_database", storage_type: "ram" } },
    mqtt: { max_qos_allowed: 1 },
  });
});

test("a seed more is one line more", () => {
  const three = renderConfiguration(nodeArgs()).split("\n");
  const four = renderConfiguration(nodeArgs({ seeds: [...nodeArgs().seeds, "192.168.0.13"] })).split("\n");
  expect(four.filter((line) => !three.includes(line))).toEqual([`  "emqx@192.168.0.13",`]);
  expect(four.length).toBe(three.length + 1);
});

test.each([
  ["5.8.9", "Documented", false, `LANG="C.UTF-8"\nEPMD_ARGS="-start_epmd true -proto_dist inet_tcp"\n`],
  ["5.8.9", "Package", false, `LANG="C.UTF-8"\n`],
  ["6.1.4", "Package", false, `LANG="C.UTF-8"\n`],
  ["6.2.3", "Package", false, `LANG="C.UTF-8"\nEMQX_SECURITY_PROFILE="hardened"\n`],
  ["6.2.3", "Package", true, `LANG="C.UTF-8"\nEMQX_SECURITY_PROFILE="legacy"\n`],
] as const)(
  "environment of EMQX %s, %s, anonymous %s",
  (version, clusterPorts, anonymousAccess, expected) => {
    expect(renderEmqxEnvironment({ version, clusterPorts, anonymousAccess })).toBe(expected);
  },
);

test("the distribution's port goes to vm.args, not to EPMD_ARGS", () => {
  expect(renderVmArgs("Documented")).toBe(
    "-kernel inet_dist_listen_min 6369\n-kernel inet_dist_listen_max 6369\n",
  );
  expect(renderVmArgs("Package")).toBeUndefined();
});

test("the service starts on the mounted volume, with secrets, within the kernel's limit", () => {
  const dropIn = renderServiceDropIn();
  expect(dropIn).toContain("\nRequiresMountsFor=/var/lib/emqx\n");
  expect(dropIn).toContain(`\nEnvironmentFile=${nodeFiles.secrets}\n`);
  const limit = Number(/LimitNOFILE=(\d+)/.exec(dropIn)?.[1]);
  const nrOpen = Number(/fs\.nr_open = (\d+)/.exec(renderSysctl("Documented"))?.[1]);
  expect(limit).toBeLessThanOrEqual(nrOpen);
  expect(openFiles.maxPorts).toBeLessThanOrEqual(limit);
});

test.each([
  ["Documented", "1883,4369,5369,6369,8083,18083"],
  ["Package", "1883,4370,5370,8083,18083"],
] as const)("no outgoing connection takes a port of EMQX: %s", (clusterPorts, reserved) => {
  const sysctl = renderSysctl(clusterPorts);
  expect(sysctl).toContain(`net.ipv4.ip_local_reserved_ports = ${reserved}\n`);
  for (const { port } of clusterPortList(clusterPorts)) expect(reserved.split(",")).toContain(String(port));
  for (const line of sysctl.trim().split("\n")) expect(line).toMatch(/^[a-z0-9_.]+ = [0-9, ]+$/);
  expect(sysctl).not.toMatch(/conntrack/);
});

test("the kernel's settings are those of EMQX's tuning guide", () => {
  expect(renderSysctl("Documented").split("\n").slice(0, 14)).toEqual([
    "fs.nr_open = 2097152",
    "net.core.somaxconn = 32768",
    "net.core.netdev_max_backlog = 16384",
    "net.core.optmem_max = 16777216",
    "net.core.rmem_default = 262144",
    "net.core.rmem_max = 16777216",
    "net.core.wmem_default = 262144",
    "net.core.wmem_max = 16777216",
    "net.ipv4.tcp_rmem = 4096 4096 16777216",
    "net.ipv4.tcp_wmem = 4096 4096 16777216",
    "net.ipv4.tcp_max_syn_backlog = 16384",
    "net.ipv4.tcp_max_tw_buckets = 1048576",
    "net.ipv4.tcp_fin_timeout = 15",
    "net.ipv4.ip_local_port_range = 1024 65535",
  ]);
});

test("transparent huge pages are off at every boot", () => {
  expect(renderTmpfiles()).toBe(
    "w /sys/kernel/mm/transparent_hugepage/enabled - - - - never\n" +
      "w /sys/kernel/mm/transparent_hugepage/defrag - - - - never\n",
  );
});

test("rendering is a pure function of its arguments", () => {
  fc.assert(
    fc.property(fc.constantFrom(...cases), (args) => {
      expect(renderConfiguration(args)).toBe(renderConfiguration(structuredClone(args)));
    }),
    { numRuns: 20 },
  );
});
