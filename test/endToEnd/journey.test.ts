/** The shortest way through everything: a deployment is made, used, changed under its clients and taken away. */
import { nodesDuring, regionOf } from "../engine/deploymentSupport";
import { obtainTimeout, prepareCli } from "../engine/harness";
import { startTraffic } from "@emqx-aws/cli/drill/drill";
import { failures, World } from "./world";

const settings = {
  availabilityZones: ["eu-west-1a", "eu-west-1b"],
  nodeCount: 2,
  certificate: { selfSigned: {} },
  rollout: { readinessTimeoutSeconds: 300 },
  dataVolume: { retain: true },
};
let world: World;

beforeAll(async () => {
  await prepareCli();
  world = new World(settings);
}, obtainTimeout);
afterAll(() => world?.end());

test("up: two nodes, and every check of smoke is green", async () => {
  expect(await world.up()).toBe(0);
  expect(failures(await world.smoke())).toEqual([]);
});

test("up again changes nothing", async () => {
  const before = await regionOf(world.engine).resources();
  await world.pulumi("up", "--expect-no-changes");
  expect(await regionOf(world.engine).resources()).toEqual(before);
});

test("another configuration rolls through the nodes, one at a time, and every client comes back", async () => {
  const before = world.deployment.outputs.instanceIds!;
  const traffic = await startTraffic(world.deployment, { qos: [1], intervalMs: 100 });
  try {
    const { events, mostOutOfService } = await world.change({ extraConfig: "mqtt.max_packet_size = 2MB" });
    await traffic.settle();
    const [counts] = traffic.count();
    expect(mostOutOfService).toBe(1);
    expect(events.filter((event) => /terminated|ready/.test(event))).toEqual([
      ...["0 terminated", "0 ready", "1 terminated", "1 ready"],
    ]);
    expect(world.deployment.outputs.instanceIds!.filter((id) => before.includes(id))).toEqual([]);
    // For a moment all clients are at the same node: what is published before a subscriber is back is nobody's.
    expect(counts).toMatchObject({ unacknowledged: 0 });
    expect(counts!.published).toBeGreaterThan(20);
    const outages = traffic.lives().flatMap((life) => life.outages);
    expect(outages.length).toBeGreaterThan(0);
    expect(outages.filter(({ to }) => to === undefined)).toEqual([]);
  } finally {
    await traffic.end();
  }
  expect(failures(await world.smoke())).toEqual([]);
});

test("destroy leaves the data volumes, and nothing else", async () => {
  const [{ events }] = await nodesDuring(world.engine, () => world.pulumi("destroy"));
  expect(events.filter((event) => event.endsWith("terminated")).sort()).toEqual([
    "0 terminated",
    "1 terminated",
  ]);
  expect((await regionOf(world.engine).resources()).map(({ type }) => type)).toEqual(
    Array(2).fill("aws:ebs/volume:Volume"),
  );
});
