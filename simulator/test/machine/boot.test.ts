/** User data read as a machine reads it. */
import { licenseKeyOf } from "../../../test/licenseKey";
import { gzipSync } from "node:zlib";
import { ClusterPorts } from "../../../components/emqx/releases";
import { NodeUserDataArgs, renderUserData } from "../../../components/emqx/userData";
import { runCloudInit } from "../../machine/cloudConfig";
import { readEmqxSettings } from "../../machine/emqxSettings";
import { FileSystem, parseEnvironment } from "../../machine/fileSystem";
import { installedPackage, serviceEnvironment } from "../../machine/packages";

const args: NodeUserDataArgs = {
  nodeNumber: 0,
  privateIp: "192.168.0.10",
  seeds: ["192.168.0.10", "192.168.1.11"],
  version: "5.8.9",
  architecture: "arm64",
  clusterPorts: ClusterPorts.Documented,
  clusterName: "emqxcl",
  cookieVersion: 1,
  listeners: { ws: false },
  proxyProtocol: true,
  anonymousAccess: false,
  mqttUsername: "emqx",
  parameterPrefix: "/emqx/p/s/n",
  hasLicense: false,
  loadBalancerCount: 1,
  region: "eu-west-1",
  readinessTimeoutSeconds: 900,
};

describe("cloud-init", () => {
  const cloudConfig = (yaml: string) => runCloudInit(`#cloud-config\n${yaml}`);

  test("writes files with their permissions, owners and encodings", () => {
    const zipped = gzipSync("zipped").toString("base64");
    const { files } = cloudConfig(`write_files:
- { path: /a, content: plain }
- { path: /b, content: ${Buffer.from("coded").toString("base64")}, encoding: b64, permissions: "0600" }
- { path: /c, content: ${zipped}, encoding: gz+b64, owner: "root:adm" }
- { path: /a, content: " and more", append: true }
`);
    expect(files.get("/a")).toEqual({ content: "plain and more", mode: 0o644, owner: "root:root" });
    expect(files.get("/b")).toMatchObject({ content: "coded", mode: 0o600 });
    expect(files.get("/c")).toMatchObject({ content: "zipped", owner: "root:adm" });
  });

  test("runs executable per-boot scripts by name, then runcmd", () => {
    const folder = "/var/lib/cloud/scripts/per-boot";
    const { commands, log } = cloudConfig(`write_files:
- { path: ${folder}/b, content: "two", permissions: "0755" }
- { path: ${folder}/a, content: "one", permissions: "0755" }
- { path: ${folder}/c, content: "three" }
- { path: /opt/x, content: "four" }
runcmd:
- [bash, /opt/x]
- echo hello
`);
    expect(commands).toEqual([
      { words: [`${folder}/a`], isPerBoot: true },
      { words: [`${folder}/b`], isPerBoot: true },
      { words: ["bash", "/opt/x"], isPerBoot: false },
      { words: ["bash", "-c", "echo hello"], isPerBoot: false },
    ]);
    expect(log.join()).toContain(`skipping ${folder}/c: it is not executable`);
  });

  test.each([
    ["no user data", "", /no user data/],
    ["no cloud-config", "#!/bin/sh\necho", /does not begin with "#cloud-config"/],
    ["broken YAML", "#cloud-config\na: [", /failed loading yaml/],
    [
      "an unknown owner",
      "#cloud-config\nwrite_files: [{path: /a, owner: emqx, content: x}, {path: /b}]",
      /unknown user emqx/,
    ],
    ["an unknown encoding", "#cloud-config\nwrite_files: [{path: /a, encoding: rot13}]", /unknown encoding/],
  ])("with %s writes nothing and says so", (_name, userData, message) => {
    const { files, commands, log } = runCloudInit(userData);
    expect([files.size, commands.length]).toEqual([0, 0]);
    expect(log.join("\n")).toMatch(message);
  });
});

describe("environment files", () => {
  test("are read as systemd and the shell read them", () => {
    expect(parseEnvironment(`A=1\n# B=2\nC='x y'\nD="say \\"hi\\""\nexport E='"quoted"'\n`)).toEqual({
      A: "1",
      C: "x y",
      D: 'say "hi"',
      E: '"quoted"',
    });
  });

  test("a required one that is missing keeps the service from starting, an optional one does not", () => {
    const dropIn = (line: string): FileSystem =>
      new Map([
        [
          "/etc/systemd/system/emqx.service.d/x.conf",
          { content: `[Service]\n${line}\n`, mode: 0o644, owner: "root:root" },
        ],
      ]);
    expect(() => serviceEnvironment(dropIn("EnvironmentFile=/nowhere"))).toThrow(
      /Failed to load environment files/,
    );
    expect(serviceEnvironment(dropIn("EnvironmentFile=-/nowhere"))).toEqual({});
    expect(() => serviceEnvironment(dropIn("LimitNOFILE=2097152"))).toThrow(/more than fs\.nr_open, 1048576/);
  });
});

test("the installed version is the one in the package's name; other processors are refused", () => {
  expect(installedPackage("https://x/emqx-5.8.9-amzn2023-arm64.rpm", "arm64", {})).toBe("5.8.9");
  expect(installedPackage("https://x/emqx-enterprise-6.2.3-amzn2023-amd64.rpm", "x86_64", {})).toBe("6.2.3");
  expect(installedPackage("https://mirror/custom.rpm", "arm64", { VERSION: "5.8.8" })).toBe("5.8.8");
  expect(() => installedPackage("https://x/emqx-5.8.9-amzn2023-amd64.rpm", "arm64", {})).toThrow(
    /incompatible/,
  );
});

describe("EMQX's settings", () => {
  const environment = {
    EMQX_NODE__COOKIE: `C${"0".repeat(32)}`,
    EPMD_ARGS: "-start_epmd true -proto_dist inet_tcp",
  };

  function filesOf(overrides: Partial<NodeUserDataArgs> = {}): FileSystem {
    const { files } = runCloudInit(renderUserData({ ...args, ...overrides }));
    const vmArgs = files.get("/etc/emqx-node/vm.args");
    if (vmArgs !== undefined) {
      files.set("/etc/emqx/vm.args", vmArgs);
    }
    const users = "user_id,password,is_superuser\nemqx,secret,false\n";
    return files.set("/etc/emqx-node/mqtt-users.csv", { content: users, mode: 0o640, owner: "root:emqx" });
  }

  const read = (
    overrides: Partial<NodeUserDataArgs> = {},
    extra: Record<string, string> = {},
    version = "5.8.9",
  ) => readEmqxSettings(filesOf(overrides), { ...environment, ...extra }, version);

  test("follow from the rendered files", async () => {
    const settings = await read();
    expect(settings).toMatchObject({
      nodeName: "emqx@192.168.0.10",
      seeds: ["emqx@192.168.0.10", "emqx@192.168.1.11"],
      cookie: environment.EMQX_NODE__COOKIE,
      ports: { epmd: 4369, distribution: 6369, rpc: 5369 },
      mqtt: { port: 1883, reachable: true, proxyProtocol: true },
      dashboard: { port: 18083, reachable: true },
      retainedOnDisc: true,
      warnings: [],
    });
    expect(settings.ws).toBeUndefined();
    expect([...settings.users!]).toEqual([["emqx", "secret"]]);
  });

  test("have the package's ports with its own profile, and where EPMD_ARGS is not read", async () => {
    const ekka = { distribution: 4370, rpc: 5370 };
    const withoutArgs = { EPMD_ARGS: "-epmd_module ekka_epmd" };
    expect((await read({ clusterPorts: ClusterPorts.Package }, withoutArgs)).ports).toEqual(ekka);
    expect((await read({}, {}, "5.8.1")).ports).toEqual({ distribution: 4370, rpc: 5369 });
    expect(
      (await read({}, { EMQX_NODE__NAME: '"emqx2@192.168.0.10"', EMQX_RPC__PORT_DISCOVERY: "stateless" }))
        .ports.rpc,
    ).toBe(5372);
  });

  test("take EMQX_ variables over the file, as HOCON", async () => {
    const settings = await read(
      {},
      { EMQX_DASHBOARD__DEFAULT_PASSWORD: '"a#b"', EMQX_LISTENERS__TCP__DEFAULT__BIND: "1884" },
    );
    expect(settings.dashboardPassword).toBe("a#b");
    expect(settings.mqtt!.port).toBe(1884);
  });

  test("know no users without authentication, and nobody at all under the hardened profile", async () => {
    expect((await read({ anonymousAccess: true })).users).toBeUndefined();
    const off =
      "authentication = [{ mechanism = password_based, backend = built_in_database, enable = false }]";
    expect((await read({ anonymousAccess: true, extraConfig: off })).users).toBeUndefined();
    expect((await read({ anonymousAccess: true }, { EMQX_SECURITY_PROFILE: "hardened" })).users!.size).toBe(
      0,
    );
  });

  test("need a licence key to cluster from 5.9 on", async () => {
    expect((await read()).licenceProblem).toBeUndefined();
    expect((await read({}, {}, "5.9.0")).licenceProblem).toContain("SINGLE_NODE_LICENSE");
    const keys = { some: licenseKeyOf("20260101"), community: licenseKeyOf("20260101", "2") };
    const withKey = (key: string) => read({}, { EMQX_LICENSE__KEY: `"${key}"` }, "6.2.3");
    expect((await withKey(keys.some)).licenceProblem).toBeUndefined();
    expect((await withKey("evaluation")).licenceProblem).toBeUndefined();
    expect((await withKey(keys.community)).licenceProblem).toContain("SINGLE_NODE_LICENSE");
    for (const key of ["a-key", "a.b", "file:///home/me/x", keys.some.slice(1), keys.some.slice(0, -1)]) {
      await expect(withKey(key)).rejects.toThrow(/failed_to_parse_license|read/);
    }
  });

  test("are refused where EMQX does not know them, in its words; what is unknown at the top is dropped", async () => {
    const misspelt = read({ extraConfig: "mqtt { max_packet_sise = 2MB, max_qos_allowed = 3 }\nmqqt.a = 1" });
    await expect(misspelt).rejects.toThrow(
      /^failed_to_check_schema: emqx_conf_schema\n#\{kind => validation_error,path => "mqtt",reason => unknown_fields,unknown => "max_packet_sise",unmatched => ".*\n.*path => "mqtt.max_qos_allowed"/,
    );
    await expect(read({ extraConfig: "mqqt.a = 1" }, { EMQX_MQTT__NEW: "1" })).resolves.toMatchObject({
      warnings: [],
    });
    const { warnings } = await read({ extraConfig: "mqtt.new = 1" }, {}, "6.9.9");
    expect(warnings).toEqual([expect.stringContaining("the settings of EMQX 6.9.9 are not known")]);
  });

  test("are refused when they are no HOCON or no name", async () => {
    const broken: FileSystem = new Map([
      ["/etc/emqx/emqx.conf", { content: "a = {", mode: 0o644, owner: "root:root" }],
    ]);
    await expect(readEmqxSettings(broken, {}, "5.8.9")).rejects.toThrow(/is not HOCON/);
    await expect(read({}, { EMQX_NODE__NAME: '"nohost"' })).rejects.toThrow(/is not name@host/);
    await expect(readEmqxSettings(new Map(), {}, "5.8.9")).rejects.toThrow(/emqx\.conf is missing/);
  });
});
