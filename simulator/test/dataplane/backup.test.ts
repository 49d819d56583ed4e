/** Backups of one cluster, as its clients see them come back: in the same cluster, and in another one that began empty. */
import * as pulumi from "@pulumi/pulumi";
import { connectAsync, type MqttClient } from "mqtt";
import { EmqxDeployment } from "../../../components";
import { EmqxBackup } from "../../../components/backup/emqxBackup";
import { RegionMocks } from "../..";
import { DataPlane } from "../../dataplane";
import { runMachines } from "../../dataplane/regionHost";
import { describeObject, objectsIn, readObject, writeObject } from "../../objects";
import { findBucket } from "../../services/bucketNames";
import * as names from "../../services/names";
import { eventually } from "../../../test/waiting";

const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
const kmsKeyId = "arn:aws:kms:eu-west-1:123456789012:key/0b1d3f5a-7c9e-4a2b-8d6f-1e3c5a7b9d0f";

let mocks: RegionMocks;
let plane: DataPlane;
const clients: MqttClient[] = [];

async function program(create: () => unknown): Promise<void> {
  await pulumi.runtime.setMocks(mocks, "emqx-aws", "test", false);
  create();
  await pulumi.runtime.disconnect();
}

/** A deployment of two nodes, ready and told of its backups; what it is called begins with `name`. */
async function deploy(name: string): Promise<void> {
  await program(
    () =>
      new EmqxDeployment(name, {
        availabilityZones: ["eu-west-1a", "eu-west-1b"],
        nodeCount: 2,
        certificate: { arn: certificateArn },
      }),
  );
  await program(
    () =>
      new EmqxBackup(`${name}-backup`, {
        parameterPrefix: prefixOf(name),
        roleName: mocks.named(`${name}-nodes`, "aws:iam/role:Role").id!,
        kmsKeyId,
      }),
  );
  await eventually(`${name} is ready`, () => machinesOf(name).every(({ phase }) => phase === "ready"), 30);
  for (const node of [0, 1]) {
    expect((await operate(name, node, "sync")).exitCode).toBe(0);
  }
}

const prefixOf = (name: string) => `/emqx/emqx-aws/test/${name}-nodes`;
const bucketOf = (name: string) => mocks.named(`${name}-backup`, "aws:s3/bucket:Bucket").id!;
const machinesOf = (name: string) =>
  plane
    .machines()
    .filter((machine) => machine.name.startsWith(`${name}-nodes-`))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
const operate = (name: string, node: number, operation: string, ...args: string[]) =>
  plane.operate(machinesOf(name)[node]!.instanceId, operation, args);
const objectsOf = (name: string) => objectsIn(mocks.cloud.account, bucketOf(name)).map(describeObject);

const exportFailed = (name: string) =>
  mocks.cloud.metrics.get("eu-west-1", "EMQX ExportFailed", { Cluster: prefixOf(name) });

function parameter(path: string): string {
  return mocks.cloud.account.get(names.parameter, "eu-west-1", path)!.attributes["value"] as string;
}

/** A client of a deployment's load balancer. */
async function client(name: string, password = parameter(`${prefixOf(name)}/mqtt-password`)) {
  const dnsName = mocks.named(`${name}-elb`, "aws:elb/loadBalancer:LoadBalancer").outputs!["dnsName"];
  const endpoint = plane
    .endpoints()
    .find((candidate) => candidate.dnsName === dnsName && candidate.loadBalancerPort === 1883)!;
  const connected = await connectAsync(`mqtt://${endpoint.host}:${endpoint.port}`, {
    username: "mqtt",
    password,
    reconnectPeriod: 0,
  });
  clients.push(connected);
  return connected;
}

/** What a new subscriber gets of what is retained, by topic. */
async function retained(name: string): Promise<Record<string, string>> {
  const reader = await client(name);
  const got: Record<string, string> = {};
  reader.on("message", (topic, payload) => (got[topic] = payload.toString()));
  await reader.subscribeAsync("devices/#", { qos: 1 });
  await new Promise((resolve) => setTimeout(resolve, 200));
  await reader.endAsync();
  return got;
}

const devices = { "devices/1/state": "on", "devices/2/state": "off", "devices/3/state": "größer" };

beforeAll(async () => {
  mocks = new RegionMocks();
  const running = runMachines(mocks.cloud, {
    clocks: { healthChecks: 0.01, boot: 0.01, cluster: 0.02, draining: 0.01 },
  });
  mocks.cloud.machines.attach(running.host);
  plane = running.plane;
  await deploy("first");
  const publisher = await client("first");
  for (const [topic, payload] of Object.entries(devices)) {
    await publisher.publishAsync(topic, payload, { retain: true, qos: 1 });
  }
}, 90_000);

afterAll(async () => {
  await Promise.all(clients.map((each) => each.endAsync(true)));
  await mocks.cloud.machines.dispose();
});

test("the first node by name exports, the other does not", async () => {
  const [first] = machinesOf("first");
  expect((await operate("first", 1, "backup")).lines).toEqual([
    "emqx-node: asking which node exports",
    `emqx-node: ${first!.emqx!.nodeName} does; nothing to do on this node`,
  ]);
  expect(objectsOf("first")).toEqual([]);

  const { exitCode, lines } = await operate("first", 0, "backup");
  const [object] = objectsOf("first");
  expect([exitCode, lines.at(-1)]).toEqual([
    0,
    `emqx-node: stored s3://${bucketOf("first")}/${object!.key}, ${object!.size} bytes`,
  ]);
  expect(exportFailed("first")?.value).toBe(0);
  expect(object!.key).toMatch(/^exports\/emqx-export-\d{4}(-\d\d){5}\.\d{3}\.tar\.gz$/);
});

test("what clients deleted and overwrote afterwards is back after a restore, and what is newer stays", async () => {
  const publisher = await client("first");
  const publish = (topic: string, payload: string) =>
    publisher.publishAsync(topic, payload, { retain: true, qos: 1 });
  await publish("devices/1/state", "");
  await publish("devices/2/state", "broken");
  await publish("devices/4/state", "new");
  expect(await retained("first")).toEqual({
    "devices/2/state": "broken",
    "devices/3/state": "größer",
    "devices/4/state": "new",
  });
  const { exitCode, lines } = await operate("first", 1, "restore", "latest");
  expect([exitCode, lines[4]?.trim()]).toEqual([
    0,
    "emqx-node: it holds the configuration and emqx_admin emqx_authn_mnesia emqx_retainer_message",
  ]);
  // Whichever node the load balancer chooses.
  for (let attempt = 0; attempt < 4; attempt++) {
    expect(await retained("first")).toEqual({ ...devices, "devices/4/state": "new" });
  }
});

test("restore says what there is when it is not told which", async () => {
  const { exitCode, lines } = await operate("first", 0, "restore");
  const [object] = objectsOf("first");
  expect([exitCode, lines]).toEqual([
    1,
    [
      "emqx-node: looking for backups",
      `emqx-node: the newest in s3://${bucketOf("first")}/exports/:`,
      `  ${object!.key.slice("exports/".length)}`,
      "emqx-node: NODE 0 FAILED while looking for backups: no name is none of them: name one, or latest",
    ],
  ]);
});

test("another cluster, which began empty, has them after a restore, under its own password", async () => {
  await deploy("second");
  expect(await retained("second")).toEqual({});
  expect((await operate("second", 0, "restore", "latest")).lines.at(-1)).toMatch(/: there is none in s3:/);

  const { account } = mocks.cloud;
  const { key } = objectsOf("first")[0]!;
  const content = readObject(account, findBucket(account, bucketOf("first"))!, key)!;
  writeObject(account, findBucket(account, bucketOf("second"))!, key, content);
  const { exitCode, lines } = await operate("second", 0, "restore", key);
  expect(exitCode).toBe(0);
  // The users came, too.
  expect(lines).toEqual(
    expect.arrayContaining([
      "emqx-node: setting this cluster's own passwords again",
      "emqx-node: taking up the passwords",
    ]),
  );
  expect(await retained("second")).toEqual(devices);
  await expect(client("second", parameter(`${prefixOf("first")}/mqtt-password`))).rejects.toThrow(
    /Not authorized|Bad User/i,
  );
}, 60_000);

test("without its permission, its key's or a way to S3, a node says what is missing", async () => {
  const { account } = mocks.cloud;
  const policy = mocks.named("first-backup", "aws:iam/rolePolicy:RolePolicy");
  const stored = account.list(names.rolePolicy).find(({ id }) => id === policy.id)!;
  const document = JSON.parse(stored.attributes["policy"] as string) as { Statement: { Sid: string }[] };
  const allow = (...sids: string[]) =>
    account.update(stored, {
      policy: JSON.stringify({
        ...document,
        Statement: document.Statement.filter(({ Sid }) => sids.includes(Sid)),
      }),
    });
  allow("StoreAndFetchExports", "WriteMetrics");
  const noKey = await operate("first", 0, "backup");
  expect(exportFailed("first")?.value).toBe(1);
  expect(noKey.lines.at(-1)).toMatch(/FAILED while uploading \S+: .*AccessDenied.* kms:GenerateDataKey/);
  expect(noKey.exitCode).toBe(1);
  expect((await operate("first", 0, "restore", "latest")).lines.at(-1)).toMatch(
    /FAILED while looking for backups: .*not authorized to perform: s3:ListBucket/,
  );
  allow("UseExportsKey");
  expect((await operate("first", 0, "backup")).lines.join("\n")).toMatch(
    /not authorized to perform: s3:PutObject/,
  );
  // An export that CloudWatch does not hear of is one all the same.
  allow("StoreAndFetchExports", "UseExportsKey", "ListExports");
  const unheard = await operate("first", 0, "backup");
  expect([unheard.exitCode, unheard.lines.slice(-2)]).toEqual([
    0,
    [
      expect.stringMatching(/not authorized to perform: cloudwatch:PutMetricData on resource: \*/),
      "emqx-node: CloudWatch was not told",
    ],
  ]);
  expect(exportFailed("first")?.value).toBe(1);
}, 240_000);
