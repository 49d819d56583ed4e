/** A year of a deployment in minutes: what its operator does and what happens to it, under clients that stay. */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Traffic } from "@emqx-aws/cli/drill/traffic";
import { startTraffic } from "@emqx-aws/cli/drill/drill";
import { ensureRegion } from "@emqx-aws/cli/local/regionProcess";
import { createFolders } from "@emqx-aws/cli/local/surroundings";
import type { Connection } from "@emqx-aws/cli/smoke/connection";
import { credentialsOf } from "@emqx-aws/cli/smoke/smoke";
import type { NodesLife } from "../engine/deploymentSupport";
import { regionOf } from "../engine/deploymentSupport";
import { obtainTimeout, prepareCli } from "../engine/harness";
import { residentPrograms } from "../run/resident";
import type { PhaseCount } from "./phases";
import { Phases } from "./phases";
import { failures, World } from "./world";
import { withChanges } from "../settings";

jest.setTimeout(240_000);

const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
let settings: Record<string, unknown> = {
  availabilityZones: zones,
  certificate: { selfSigned: {} },
  rollout: { readinessTimeoutSeconds: 180 },
  dataVolume: { retain: true },
};
/** Official, of a medium customer, for 1,000 days and 10,000 connections; only EMQX itself checks the signature. */
const license = ["220111", "1", "1", "Example", "ops@example.com", "prod", "20260101", "1000", "10000"];
const licenseKey = `${Buffer.from(license.join("\n")).toString("base64")}.c2lnbmF0dXJl`;
const subscribers = 4;
/** Without evacuation clients come back by themselves, after 0.25 s; a loaded machine takes its time. */
const backWithinMs = 5000;
/** One and a half times the keep-alive of 2 s, and the way back. */
const backFromSilenceMs = 12_000;

let world: World;
residentPrograms();
let traffic: Traffic;
let phases: Phases;
/** What the account had before the first deployment. */
let seeds: string[];

const ids = async () =>
  (await regionOf(world.engine).resources()).map(({ type, id }) => `${type} ${id}`).sort();
const replacement = "deregistered stopped detached terminated created attached registered ready".split(" ");
const of = (node: number, events: readonly string[]) => events.map((event) => `${node} ${event}`);
/** What became of each of these nodes, whatever the others did meanwhile. */
const lives = (nodes: number[], events: readonly string[]) =>
  nodes.map((node) => events.filter((event) => event.startsWith(`${node} `)));

/** Settings changed under the clients. */
async function change(name: string, changed: Record<string, unknown>): Promise<[PhaseCount, NodesLife]> {
  settings = withChanges(settings, changed);
  return phases.during(name, () => world.change(settings));
}

/** Nobody was away for long, and whoever was connected has what was acknowledged. */
function expectKept(count: PhaseCount): void {
  expect(count).toMatchObject({ lostWhileHeard: 0, unacknowledged: 0 });
  expect(count.longestMs).toBeLessThan(backWithinMs);
}

/** The cluster's alarms that have begun. */
async function alarms(): Promise<string[]> {
  const all = await world.region.alarms();
  return all
    .filter(({ state }) => state === "ALARM")
    .map(({ name }) => name.slice(name.lastIndexOf("/") + 1));
}

/** An operation on the first node, which is the one that exports. */
async function operate(operation: string, ...args: string[]): Promise<void> {
  const { exitCode, lines } = await world.region.operate(world.instance(0), operation, args);
  if (exitCode !== 0) throw new Error(lines.join("\n"));
}

/** A further client, for as long as `use` takes. */
async function withClient<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await world.connect();
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

const retain = (topic: string, text: string) =>
  withClient(({ client }) => client.publishAsync(topic, text, { qos: 1, retain: true }));
/** What a new subscriber gets; a node may have it from another one a moment later. */
const retained = (topic: string) =>
  withClient(async (connection) => {
    await connection.client.subscribeAsync(topic, { qos: 1 });
    return (await connection.message((message) => message.topic === topic, 2000))?.text;
  });

beforeAll(async () => {
  await prepareCli();
  world = new World({ ...settings, emqxVersion: "5.8.8" });
  createFolders(world.session.surroundings);
  await ensureRegion(world.session.surroundings, world.session.speaker);
  seeds = await ids();
  Object.assign(settings, { emqxVersion: "5.8.8" });
  expect(await world.up()).toBe(0);
  traffic = await startTraffic(world.deployment, {
    ...{ qos: [1], subscribers, keepAliveSeconds: 2, probeMs: 500 },
  });
  phases = new Phases(world, traffic, subscribers);
}, obtainTimeout);

afterAll(async () => {
  // jest silences the console.
  if (phases !== undefined) writeSync(2, `\n${phases.table()}\n`);
  await traffic?.end();
  await world?.end();
});

test("two nodes more, side by side: nobody notices", async () => {
  const [count, { events, mostOutOfService }] = await change("scale to five", { nodeCount: 5 });
  const creation = ["created", "attached", "registered", "ready"];
  expect(lives([3, 4], events)).toEqual([3, 4].map((node) => of(node, creation)));
  expect(events).toHaveLength(2 * creation.length);
  expect(events.indexOf("4 created")).toBeLessThan(events.indexOf("3 ready"));
  expect(mostOutOfService).toBe(0);
  expect(count).toMatchObject({ lostEverywhere: 0, copiesLost: 0, disconnections: 0, newClientsRefused: {} });
});

test("monitoring and backups on: nodes take them up while they run", async () => {
  const [count, { events }] = await change("monitoring, backups on", { monitoring: {}, backup: {} });
  expect(events).toEqual([]);
  expect(count).toMatchObject({ lostEverywhere: 0, copiesLost: 0, disconnections: 0, newClientsRefused: {} });
  expect(await alarms()).toEqual([]);
});

test("a patch release: one node after the other", async () => {
  const [count, { events, mostOutOfService }] = await change("5.8.8 to 5.8.9", { emqxVersion: "5.8.9" });
  expect(events).toEqual([0, 1, 2, 3, 4].flatMap((node) => of(node, replacement)));
  expect(mostOutOfService).toBe(1);
  expectKept(count);
  expect(count.newClientsRefused).toEqual({});
});

test("5.8 to 6.x, version and licence in one update", async () => {
  const [count, { events, mostOutOfService }] = await change("5.8.9 to 6.2.3", {
    emqxVersion: "6.2.3",
    licenseKey,
  });
  expect(events).toEqual([0, 1, 2, 3, 4].flatMap((node) => of(node, replacement)));
  expect(mostOutOfService).toBe(1);
  expectKept(count);
  const machines = await world.region.machines();
  expect(machines.map(({ emqx }) => emqx?.version)).toEqual(Array(5).fill("6.2.3"));
});

test("another configuration in 6.x, where nodes are evacuated", async () => {
  const [count, { mostOutOfService }] = await change("configuration, 6.2.3", {
    extraConfig: "mqtt.max_packet_size = 2MB",
  });
  expect(mostOutOfService).toBe(1);
  expectKept(count);
  // Sessions move before their node stops.
  expect(count.lostEverywhere).toBe(0);
});

test("new passwords: no node is replaced, connected clients stay", async () => {
  const before = world.deployment.outputs.instanceIds;
  const old = await credentialsOf(world.deployment);
  const [count, { events }] = await change("new passwords", {
    secretVersions: { mqttPassword: 2, dashboardPassword: 2 },
  });
  expect(world.deployment.outputs.instanceIds).toEqual(before);
  expect(events).toEqual([]);
  expect(count).toMatchObject({ lostEverywhere: 0, copiesLost: 0, disconnections: 0 });
  const renewed = await credentialsOf(world.deployment);
  expect(renewed.password).not.toBe(old.password);
  traffic.useCredentials(renewed);
  // Among others: the new password opens, another one does not.
  expect(failures(await world.smoke())).toEqual([]);
});

test("a new certificate of the stack's own authority: clients trust it as before", async () => {
  const [count, { events }] = await change("new certificate", {
    certificate: { selfSigned: { version: 2 } },
  });
  expect(events).toEqual([]);
  expect(count).toMatchObject({ lostEverywhere: 0, copiesLost: 0, disconnections: 0, newClientsRefused: {} });
});

test("a zone is lost, and comes back", async () => {
  const zone = zones[1]!;
  const [lost, raised] = await phases.during("zone lost and back", async () => {
    await world.region.drill("cut-zone", { zone });
    await sleep(6000);
    const meanwhile = await alarms();
    await world.region.drill("restore-zone", { zone });
    return meanwhile;
  });
  expect(lost.disconnections).toBeGreaterThan(0);
  // What is on its way to a subscriber behind the cut is lost before anybody notices that there is one.
  expect(lost.unacknowledged).toBe(0);
  expect(lost.longestMs).toBeLessThan(backFromSilenceMs);
  expect(raised).toEqual(expect.arrayContaining(["1-system-check", "healthy-hosts"]));
  expect(await alarms()).toEqual([]);
});

test("deleted by mistake, and back from an export: connected clients stay", async () => {
  const [topic, text] = ["plant/line1", "running"];
  await retain(topic, text);
  await operate("sync");
  await operate("backup");
  await retain(topic, "");
  expect(await retained(topic)).toBeUndefined();
  const [count] = await phases.during("restored from an export", async () => {
    await operate("restore", "latest");
    await sleep(3000);
  });
  expect(count).toMatchObject({ lostEverywhere: 0, copiesLost: 0, disconnections: 0, newClientsRefused: {} });
  expect(await retained(topic)).toBe(text);
});

test("back to three nodes: each leaves the load balancer, then the cluster, then goes", async () => {
  const [count, { events }] = await change("scale to three", { nodeCount: 3 });
  const removal = ["deregistered", "stopped", "detached", "terminated"];
  expect(lives([4, 3], events)).toEqual([4, 3].map((node) => of(node, removal)));
  expect(events).toHaveLength(2 * removal.length);
  expect(events.indexOf("4 detached")).toBeLessThan(events.indexOf("3 stopped"));
  expectKept(count);
  const machines = await world.region.machines();
  expect(machines.map(({ emqx }) => emqx?.running.length)).toEqual([3, 3, 3]);
});

test("a new cookie: all nodes at once, knowingly", async () => {
  const [count, { mostOutOfService }] = await change("new cookie, full restart", {
    secretVersions: { cookie: 2 },
    rollout: { allowFullRestart: true },
  });
  expect(mostOutOfService).toBe(3);
  expect(count.disconnections).toBeGreaterThanOrEqual(traffic.lives().length);
  // Publishers keep what they have to say; subscribers' sessions are gone.
  expect(count.unacknowledged).toBe(0);
  expect(failures(await world.smoke())).toEqual([]);
});

test("destroyed, once the exports are deleted: the data volumes are left, and with them nothing", async () => {
  await traffic.end();
  const [bucket] = await world.region.resources({ type: "Bucket" });
  await world.region.emptyBucket(bucket!.id);
  await world.pulumi("destroy");
  const left = (await ids()).filter((one) => !seeds.includes(one));
  const volumes = await regionOf(world.engine).resources({ type: "Volume" });
  expect(left).toEqual(volumes.map(({ type, id }) => `${type} ${id}`).sort());
  expect(
    volumes.map(({ attributes }) => (attributes["tags"] as Record<string, string>)["emqx:data"]),
  ).toEqual(Array(5).fill("/emqx/emqx-aws/local/emqx-nodes"));
  for (const { id } of volumes) await regionOf(world.engine).delete({ id, type: "Volume" });
  expect(await ids()).toEqual(seeds);
});
