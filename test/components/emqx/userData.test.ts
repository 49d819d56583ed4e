import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import { bootScript } from "../../../components/emqx/bootstrap";
import { nodeFiles } from "../../../components/emqx/configuration";
import {
  maxUserDataBytes,
  NodeUserDataArgs,
  packageUrlProblems,
  renderUserData,
  userDataProblems,
} from "../../../components/emqx/userData";
import { nodeArgs } from "./arguments";
import { parseHocon } from "./parseHocon";
import { testWith } from "./tools";

/** Files by path, as cloud-init writes them. */
function filesOf(
  userData: string,
): Record<string, { permissions?: string; owner?: string; content: string }> {
  const config = parse(userData) as {
    write_files: { path: string; permissions?: string; content: string }[];
  };
  expect(Object.keys(config)).toEqual(["write_files"]);
  return Object.fromEntries(config.write_files.map((file) => [file.path, file]));
}

const seeds = (count: number) =>
  Array.from({ length: count }, (_, i) => `192.168.10${i % 9}.${100 + Math.floor(i / 9)}`);
const longest = (count: number): NodeUserDataArgs =>
  nodeArgs({
    nodeNumber: count - 1,
    seeds: seeds(count),
    privateIp: seeds(count)[0]!,
    version: "5.10.12",
    architecture: "x86_64",
    listeners: { ws: true },
    hasLicense: true,
    hasSecretConfig: true,
    region: "ap-southeast-2",
    package: { sha256: "a".repeat(64) },
    parameterPrefix: "/emqx/emqx-aws/production/emqx-deployment-nodes",
  });

test.each([
  [3, 13000],
  [100, maxUserDataBytes - 500],
])("%i nodes fit", (count, limit) => {
  const userData = renderUserData(longest(count));
  expect(userDataProblems(userData)).toEqual([]);
  expect(Buffer.byteLength(userData)).toBeLessThan(limit);
});

test("too much is told in bytes, and what to do", () => {
  // Three bytes in UTF-8 each.
  const userData = renderUserData(nodeArgs({ extraConfig: `# ${"€".repeat(3000)}` }));
  const bytes = Buffer.byteLength(userData);
  expect(userDataProblems(userData)).toEqual([
    `user data has ${bytes} bytes, EC2 allows 16384: shorten extraConfig by ${bytes - 16384} bytes, or use fewer nodes.`,
  ]);
  expect(userDataProblems("#!/bin/bash\n")).toEqual([
    expect.stringContaining('must begin with the line "#cloud-config"'),
  ]);
});

testWith("cloud-init")(
  "cloud-init accepts it",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "user-data-"));
    try {
      for (const args of [
        nodeArgs(),
        longest(3),
        nodeArgs({ clusterPorts: "Package", extraConfig: "mqtt.a = 1" }),
      ]) {
        const file = join(folder, "user-data");
        writeFileSync(file, renderUserData(args));
        const result = spawnSync("cloud-init", ["schema", "-c", file], { encoding: "utf8" });
        expect(result.stdout + result.stderr).toMatch(/^Valid (cloud-config|schema)/);
        expect(result.status).toBe(0);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  60000,
);

test("plain text that a reviewer can read: settings on lines of their own, scripts as they are", () => {
  const userData = renderUserData(nodeArgs());
  expect(userData.startsWith("#cloud-config\n")).toBe(true);
  expect(userData).toContain("\n    NODE_NUMBER='0'\n");
  expect(userData).toContain('\n      static.seeds = [\n      "emqx@192.168.0.10",\n');
  expect(userData).toContain("\n    set -Eeuo pipefail\n");
  expect(userData).not.toMatch(/content: "|base64|gzip|!!binary/);
});

test("the script is the same for every node; settings are in node.env", () => {
  const files = filesOf(renderUserData(nodeArgs()));
  expect(files[nodeFiles.bootScript]).toEqual({
    path: nodeFiles.bootScript,
    permissions: "0755",
    content: bootScript,
  });
  expect(files[nodeFiles.nodeEnvironment]!.content).toBe(
    [
      "NODE_NUMBER='0'",
      "PRIVATE_IP='192.168.0.10'",
      "REGION='eu-west-1'",
      "PARAMETER_PREFIX='/emqx/emqx-aws/dev/emqx-nodes'",
      "VERSION='5.8.9'",
      "PACKAGE_NAME='emqx'",
      "PACKAGE_URL='https://packages.emqx.io/emqx-ce/v5.8.9/emqx-5.8.9-amzn2023-arm64.rpm'",
      "PACKAGE_SHA256=''",
      "MQTT_USERNAME='mqtt'",
      "HAS_LICENSE='false'",
      "COOKIE_VERSION='1'",
      "DISTRIBUTION_PORT='6369'",
      "LOAD_BALANCER_COUNT='1'",
      "READINESS_TIMEOUT_SECONDS='900'",
      "",
    ].join("\n"),
  );
  expect(Object.keys(files)).toEqual([
    nodeFiles.nodeEnvironment,
    nodeFiles.emqxEnvironment,
    nodeFiles.configuration,
    nodeFiles.vmArgs,
    nodeFiles.serviceDropIn,
    nodeFiles.retryService,
    nodeFiles.sysctl,
    nodeFiles.tmpfiles,
    nodeFiles.bootScript,
  ]);
  // No file is owned by a user that the package has yet to make.
  for (const file of Object.values(files)) expect(file.owner).toBeUndefined();
});

function values(userData: string): Record<string, string> {
  const { content } = filesOf(userData)[nodeFiles.nodeEnvironment]!;
  const lines = content.trim().split("\n");
  return Object.fromEntries(
    lines.map((line) => [line.split("=")[0]!, line.slice(line.indexOf("'") + 1, -1)]),
  );
}

test.each([
  [
    { version: "6.2.3", architecture: "x86_64" },
    {
      PACKAGE_NAME: "emqx-enterprise",
      PACKAGE_URL: "https://packages.emqx.io/emqx-ee/6.2.3/emqx-enterprise-6.2.3-amzn2023-amd64.rpm",
    },
  ],
  [
    { package: { url: "https://mirror.example.com/emqx.rpm" } },
    { PACKAGE_URL: "https://mirror.example.com/emqx.rpm" },
  ],
  [{ package: { sha256: "0".repeat(64) } }, { PACKAGE_SHA256: "0".repeat(64) }],
  [{ clusterPorts: "Package" }, { DISTRIBUTION_PORT: "4370" }],
  [{ anonymousAccess: true }, { MQTT_USERNAME: "" }],
  [{ hasLicense: true }, { HAS_LICENSE: "true" }],
] as [Partial<NodeUserDataArgs>, Record<string, string>][])("%j", (changes, expected) => {
  expect(values(renderUserData(nodeArgs(changes)))).toMatchObject(expected);
});

test.each([
  [
    { package: { url: "http://example.com/emqx.rpm" } },
    `package.url: "http://example.com/emqx.rpm" must be an https:// address`,
  ],
  [{ package: { url: "s3://bucket/emqx.rpm" } }, "must be an https:// address"],
  [{ package: { url: "https://example.com/e'; rm -rf /; '.rpm" } }, "must be an https:// address"],
  [{ package: { url: "https://example.com/emqx.rpm?X-Amz-Signature=1" } }, `give package.sha256, too`],
  [{ package: { sha256: "ABC" } }, `package.sha256: "ABC" must be the SHA-256 sum of the package`],
  [{ package: { sha256: "" } }, `package.sha256: "" must be`],
  [{ seeds: ["192.168.0.11"] }, "seeds must contain the node's own address 192.168.0.10"],
  [{ seeds: ["192.168.0.10", "192.168.0.10"] }, "seeds must not repeat an address"],
  [{ seeds: ["192.168.0.10", "host"] }, 'seed "host" must be an IPv4 address'],
  [{ nodeNumber: -1 }, "nodeNumber -1 must be 0 or more"],
  [{ loadBalancerCount: 0.5 }, "loadBalancerCount 0.5 must be 0 or more"],
  [{ readinessTimeoutSeconds: 0 }, "readinessTimeoutSeconds 0 must be a positive number"],
  [{ parameterPrefix: "/emqx/x/" }, 'parameterPrefix "/emqx/x/" must be a path'],
  [{ parameterPrefix: "/emqx/$(id)" }, "must be a path"],
  [{ region: "Ireland" }, 'region "Ireland" must be an AWS region'],
  [{ mqttUsername: "a,b" }, 'mqttUsername "a,b" must be 1 to 64 letters'],
  [{ version: "5.8" }, 'emqxVersion "5.8" is not a version'],
] as [Partial<NodeUserDataArgs>, string][])("%j is refused", (changes, problem) => {
  expect(() => renderUserData(nodeArgs(changes))).toThrow(problem);
});

test("a presigned address is fine with a checksum", () => {
  expect(packageUrlProblems("url", "https://b.s3.amazonaws.com/emqx.rpm?X-Amz-Signature=1%2F")).toEqual([]);
});

test("whatever the settings, the files come back as they were meant", async () => {
  const address = fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `10.0.${a}.${b}`);
  const args = fc
    .record({
      seeds: fc.uniqueArray(address, { minLength: 1, maxLength: 100 }),
      nodeNumber: fc.nat(99),
      clusterPorts: fc.constantFrom("Documented" as const, "Package" as const),
      architecture: fc.constantFrom("arm64" as const, "x86_64" as const),
      version: fc.constantFrom("5.8.2", "5.8.9", "5.8.11", "5.10.4", "6.2.3", "6.3.1"),
      listeners: fc.record({ ws: fc.boolean() }),
      proxyProtocol: fc.boolean(),
      anonymousAccess: fc.boolean(),
      hasLicense: fc.boolean(),
      loadBalancerCount: fc.nat(3),
      readinessTimeoutSeconds: fc.integer({ min: 1, max: 7200 }),
      extraConfig: fc.option(
        fc.string({ unit: "grapheme-composite" }).map((s) => `mqtt.x = ${JSON.stringify(s)}`),
        { nil: undefined },
      ),
    })
    .map((changes) => nodeArgs({ ...changes, privateIp: changes.seeds[0]! }));
  await fc.assert(
    fc.asyncProperty(args, async (random) => {
      const userData = renderUserData(random);
      const files = filesOf(userData);
      expect(files[nodeFiles.bootScript]!.content).toBe(bootScript);
      const conf = await parseHocon(files[nodeFiles.configuration]!.content.split("# extraConfig")[0]!);
      expect(conf).toMatchObject({
        node: { name: `emqx@${random.privateIp}` },
        cluster: { static: { seeds: random.seeds.map((seed) => `emqx@${seed}`) } },
      });
      if (random.extraConfig)
        expect(files[nodeFiles.configuration]!.content).toContain(random.extraConfig.trim());
      expect(files[nodeFiles.vmArgs] !== undefined).toBe(random.clusterPorts === "Documented");
      expect(values(userData)).toMatchObject({
        NODE_NUMBER: String(random.nodeNumber),
        LOAD_BALANCER_COUNT: String(random.loadBalancerCount),
      });
    }),
    { numRuns: 60 },
  );
});
