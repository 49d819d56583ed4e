/** Changes that replace instances: which, in which order, and how many nodes are out of service at once. */
import {
  namesOf,
  nodesDuring,
  operations,
  regionOf,
  replaced,
  settings,
  threeNodes,
} from "./deploymentSupport";
import { residentPrograms } from "../run/resident";
import { engineForAll } from "./harness";

jest.setTimeout(180_000);
residentPrograms();
const engine = engineForAll();
const stack = engine.stack("local", threeNodes);

const replacement = [
  "deregistered",
  "stopped",
  "detached",
  "terminated",
  "created",
  "attached",
  "registered",
  "ready",
];
const of = (node: number, events: readonly string[]) => events.map((event) => `${node} ${event}`);
const onlyNode = (node: number, events: readonly string[]) =>
  events.filter((event) => event.startsWith(`${node} `));

/** What is replaced with a node: never its interface, its volume, its parameter. */
const parts = (node: number) => [`emqx-nodes-${node}`, `emqx-nodes-${node}-data`, `emqx-nodes-${node}-lb-0`];
const instances = () => regionOf(engine).resources({ type: "Instance" });

test("the first deployment makes all nodes side by side", async () => {
  const preview = await stack.preview();
  const [nodes, up] = await nodesDuring(engine, () => stack.up());
  const creation = ["created", "attached", "registered", "ready"];
  for (const node of [0, 1, 2]) expect(onlyNode(node, nodes.events)).toEqual(of(node, creation));
  expect(nodes.events.indexOf("2 created")).toBeLessThan(nodes.events.indexOf("0 ready"));
  expect(operations(up)).toEqual(operations(preview));
  expect((await stack.up()).changes).toEqual([]);
});

test("a configuration change: node by node, the next one when the one before serves", async () => {
  const before = await regionOf(engine).resources();
  stack.configure(settings({ extraConfig: "mqtt.max_packet_size = 2MB" }));
  const preview = await stack.preview();
  const [nodes, up] = await nodesDuring(engine, () => stack.up());

  expect(nodes.events).toEqual([0, 1, 2].flatMap((node) => of(node, replacement)));
  expect(nodes.mostOutOfService).toBe(1);
  const expected = [0, 1, 2].flatMap(parts).sort();
  expect(replaced(preview)).toEqual(expected);
  expect(namesOf(up.changes)).toEqual(expected);
  const kept = ["NetworkInterface", "Volume", "Parameter", "LoadBalancer"];
  const idsOf = (resources: typeof before) =>
    resources.filter(({ type }) => kept.includes(type.split(":").at(-1)!)).map(({ id }) => id);
  expect(idsOf(await regionOf(engine).resources())).toEqual(idsOf(before));
});

test("a type of another architecture, two nodes at a time", async () => {
  const images = async () => new Set((await instances()).map(({ attributes }) => attributes["ami"]));
  const [before] = await images();
  stack.configure(settings({ instance: { type: "m7i.large" }, rollout: { batchSize: 2 } }));
  const [{ events, mostOutOfService }, up] = await nodesDuring(engine, () => stack.up());

  expect(mostOutOfService).toBe(2);
  expect(onlyNode(0, events)).toEqual(of(0, replacement));
  expect(onlyNode(1, events)).toEqual(of(1, replacement));
  expect(events.slice(-replacement.length)).toEqual(of(2, replacement));
  expect(replaced(up)).toEqual([0, 1, 2].flatMap(parts).sort());
  expect(namesOf(up.changes.filter(({ op }) => op === "create"))).toEqual(["emqx-nodes-image-x86_64"]);
  const [after, ...others] = await images();
  expect(others).toEqual([]);
  expect(after).not.toBe(before);
});

test("a newer Amazon Linux changes nothing until amiId names it", async () => {
  const images = (await regionOf(engine).addSeed({
    kind: "image",
    region: "eu-west-1",
    release: "2023.13.20261123.0",
    kernel: "6.1",
    created: "2026-11-23T00:00:00.000Z",
    rootVolumeGiB: 8,
  })) as { id: string; attributes: Record<string, unknown> }[];
  expect(operations(await stack.preview())).toEqual([]);

  const newest = images.find(({ attributes }) => attributes["architecture"] === "x86_64")!;
  stack.configure(settings({ instance: { amiId: newest.id }, rollout: { batchSize: undefined } }));
  const [nodes, up] = await nodesDuring(engine, () => stack.up());
  expect(nodes.events).toEqual([0, 1, 2].flatMap((node) => of(node, replacement)));
  expect(nodes.mostOutOfService).toBe(1);
  expect(replaced(up)).toEqual([0, 1, 2].flatMap(parts).sort());
  expect(new Set((await instances()).map(({ attributes }) => attributes["ami"]))).toEqual(
    new Set([newest.id]),
  );
});

test.each([
  ["clusterPorts", { clusterPorts: "Package" }, "Documented", "Package"],
  ["clusterName", { clusterName: "iot" }, "emqxcl", "iot"],
  ["secretVersions.cookie", { secretVersions: { cookie: 2 } }, "1", "2"],
])("another %s is refused", async (setting, changes, running, value) => {
  const before = stack.config;
  stack.configure(settings(changes));
  const [nodes, up] = await nodesDuring(engine, () => stack.run("up", "--yes", "--skip-preview"));
  stack.setConfig(before);
  expect(up.exitCode).not.toBe(0);
  expect(up.stdout).toContain(
    `${setting}: the running nodes use ${running}, and nodes with ${value} cannot join them, so this change cannot ` +
      `be rolled out node by node. Keep ${running}, or set rollout.allowFullRestart for this one update`,
  );
  expect(up.stdout).not.toMatch(/^\s+at /m);
  expect(nodes.events).toEqual([]);
});

test("with allowFullRestart all nodes are replaced at once, with new ports, another name and another cookie", async () => {
  const cookie = () => regionOf(engine).parameter("/emqx/emqx-aws/local/emqx-nodes/cookie");
  const before = await cookie();
  stack.configure(
    settings({
      clusterPorts: "Package",
      clusterName: "iot",
      secretVersions: { cookie: 2 },
      rollout: { allowFullRestart: true },
    }),
  );
  const [{ events, mostOutOfService }, up] = await nodesDuring(engine, () => stack.up());
  expect(mostOutOfService).toBe(3);
  for (const node of [0, 1, 2]) expect(onlyNode(node, events)).toEqual(of(node, replacement));
  const memories = ["cluster-name", "cluster-ports", "cookie", "cookie-version"];
  expect(replaced(up)).toEqual(
    [...[0, 1, 2].flatMap(parts), ...memories.map((name) => `emqx-nodes-${name}`)].sort(),
  );
  expect(await cookie()).not.toBe(before);
  const ports = (await regionOf(engine).resources({ type: "SecurityGroupIngressRule" }))
    .filter(({ attributes }) => /from the other nodes$/.test(String(attributes["description"])))
    .map(({ attributes }) => attributes["fromPort"]);
  expect(ports.sort()).toEqual([4370, 5370]);

  stack.configure(settings({ rollout: { allowFullRestart: undefined } }));
  expect(operations(await stack.preview())).toEqual([]);
});
