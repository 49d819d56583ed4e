/** One change at a time on a running deployment: what it replaces, changes, adds and removes. */
import {
  kmsKeyArn,
  nodesDuring,
  otherCertificateArn,
  outline,
  regionOf,
  settings,
  threeNodes,
} from "./deploymentSupport";
import { residentPrograms } from "../run/resident";
import { engineForAll } from "./harness";

jest.setTimeout(180_000);
residentPrograms();
const engine = engineForAll(() => stack.up());
const stack = engine.stack("local", threeNodes);

const nodes = [0, 1, 2];
const ofNode = (n: number) => [
  `Attachment emqx-nodes-${n}-lb-0`,
  `Instance emqx-nodes-${n}`,
  `VolumeAttachment emqx-nodes-${n}-data`,
];
const sorted = (...names: string[]) => names.sort();
const everyInstance = sorted(...nodes.flatMap(ofNode));

/** All that there is of a node and of nothing else. */
const wholeNode = (n: number) =>
  sorted(
    ...ofNode(n),
    `NetworkInterface emqx-nodes-${n}`,
    `Parameter emqx-nodes-${n}-applied`,
    `Parameter emqx-nodes-${n}-ready`,
    `Stash emqx-nodes-${n}-zone`,
    `Volume emqx-nodes-${n}-data`,
  );

/** Who belongs to the cluster: running nodes read it there. */
const members = ["Parameter emqx-nodes-cluster"];

const loadBalancerSettings = {
  certificate: { arn: otherCertificateArn },
  classicElb: {
    tlsPolicy: "ELBSecurityPolicy-TLS-1-1-2017-01",
    accessLogs: { bucket: "emqx-access-logs-example" },
  },
  keepAliveSeconds: 600,
  rollout: { drainingTimeoutSeconds: 60 },
  dns: { hostedZoneId: "Z0123456789EXAMPLE01", hostname: "mqtt.example.com" },
};
const sources = { access: { clientCidrBlocks: ["198.51.100.0/24"], adminCidrBlocks: ["203.0.113.0/24"] } };
const network = { vpc: { natGateways: "PerAvailabilityZone", flowLogs: {} }, dataVolume: { sizeGiB: 30 } };

test("what replaces every instance replaces nothing else: preview", async () => {
  const changes = {
    ...{ emqxVersion: "5.8.8", listeners: ["Mqtt", "Mqtts", "Ws"] },
    ...{ classicElb: { proxyProtocol: true }, anonymousAccess: true },
  };
  const before = stack.config;
  stack.configure(settings(changes));
  try {
    expect(outline(await stack.preview())).toEqual({
      create: [
        "LoadBalancerBackendServerPolicy emqx-elb-proxy-1883",
        "LoadBalancerBackendServerPolicy emqx-elb-proxy-8083",
        "LoadBalancerPolicy emqx-elb-proxy",
        "SecurityGroupEgressRule emqx-sg-lb-to-nodes-8083",
        "SecurityGroupIngressRule emqx-sg-lb-from-0.0.0.0-0-ws",
        "SecurityGroupIngressRule emqx-sg-nodes-from-lb-8083",
      ],
      update: ["LoadBalancer emqx-elb"],
      delete: ["Parameter emqx-nodes-mqtt-password", "RandomPassword emqx-nodes-mqtt-password"],
      replace: everyInstance,
    });
  } finally {
    stack.setConfig(before);
  }
});

const nameOf = (attributes: Record<string, unknown>) => (attributes["tags"] as { Name: string }).Name;
const volumeNames = async () =>
  (await regionOf(engine).resources({ type: "Volume" })).map(({ attributes }) => nameOf(attributes)).sort();
const parameterValues = async (...names: string[]) =>
  Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [
        name,
        await regionOf(engine).parameter(`/emqx/emqx-aws/local/emqx-nodes/${name}`),
      ]),
    ),
  ) as Record<string, string>;

test("tags, and all that replaces no node, in one update: no node notices", async () => {
  stack.configure(settings({ ...loadBalancerSettings, ...sources, ...network, tags: { team: "iot" } }));
  const preview = outline(await stack.preview());
  const before = (await regionOf(engine).resources({ type: "Instance" })).map(({ id }) => id);
  const [{ events, mostOutOfService }, up] = await nodesDuring(engine, () => stack.up());

  expect(outline(up)).toEqual(preview);
  // A policy cannot be changed; it is no part of what clients or nodes hold on to.
  expect(preview["replace"]).toEqual(["LoadBalancerPolicy emqx-elb-tls"]);
  expect(preview["create"]).toEqual(
    sorted(
      "Record emqx-elb-dns",
      "SecurityGroupIngressRule emqx-sg-lb-from-198.51.100.0-24-mqtt",
      "SecurityGroupIngressRule emqx-sg-lb-from-198.51.100.0-24-mqtts",
      "SecurityGroupIngressRule emqx-sg-nodes-from-203.0.113.0-24-18083",
      ...["Eip", "NatGateway"].flatMap((type) => [
        `${type} emqx-vpc-nat-eu-west-1b`,
        `${type} emqx-vpc-nat-eu-west-1c`,
      ]),
      ...["FlowLog", "LogGroup", "Role", "RolePolicy"].map((type) => `${type} emqx-vpc-flow-logs`),
    ),
  );
  expect(preview["delete"]).toEqual([
    "SecurityGroupIngressRule emqx-sg-lb-from-0.0.0.0-0-mqtt",
    "SecurityGroupIngressRule emqx-sg-lb-from-0.0.0.0-0-mqtts",
  ]);
  expect(preview["update"]).toEqual(
    expect.arrayContaining([
      "ListenerPolicy emqx-elb-tls-mqtts",
      "LoadBalancer emqx-elb",
      "Route emqx-vpc-private-eu-west-1b-internet",
      "Route emqx-vpc-private-eu-west-1c-internet",
      ...nodes.flatMap((n) => [`Instance emqx-nodes-${n}`, `Volume emqx-nodes-${n}-data`]),
    ]),
  );
  expect([events, mostOutOfService]).toEqual([[], 0]);
  const after = await regionOf(engine).resources({ type: "Instance" });
  expect(after.map(({ id }) => id)).toEqual(before);
  // Made at the same time, in any order.
  expect(after.map(({ attributes }) => attributes["tags"])).toEqual(
    expect.arrayContaining(nodes.map((n) => ({ Name: `emqx-nodes-${n}`, team: "iot" }))),
  );
});

test("two nodes more: side by side, and the others do not notice", async () => {
  stack.configure(settings({ nodeCount: 5 }));
  const [{ events }, up] = await nodesDuring(engine, () => stack.up());
  expect(outline(up)).toEqual({ create: sorted(...wholeNode(3), ...wholeNode(4)), update: members });
  expect(events.slice().sort()).toEqual(
    sorted(...[3, 4].flatMap((n) => ["created", "attached", "registered", "ready"].map((e) => `${n} ${e}`))),
  );
  expect(events.indexOf("4 created")).toBeLessThan(events.indexOf("3 ready"));
});

test("two fewer: one after the other, the last one first", async () => {
  stack.configure(settings({ nodeCount: 3 }));
  const [{ events }, up] = await nodesDuring(engine, () => stack.up());
  expect(outline(up)).toEqual({ delete: sorted(...wholeNode(3), ...wholeNode(4)), update: members });
  const stops = events.filter((event) => /stopped|detached/.test(event));
  expect(stops).toEqual(["4 stopped", "4 detached", "3 stopped", "3 detached"]);
  // Their data volumes have left the stack, not the account.
  expect(await volumeNames()).toEqual([0, 1, 2, 3, 4].map((n) => `emqx-nodes-${n}-data`));
});

test("two nodes more and a change that rolls: first those that serve, in turn", async () => {
  stack.configure(settings({ nodeCount: 5, extraConfig: "mqtt.max_packet_size = 2MB" }));
  const preview = await stack.preview();
  const [{ events }, up] = await nodesDuring(engine, () => stack.up());
  expect(outline(up)).toEqual(outline(preview));
  const turns = events.filter((event) => /stopped|created|ready/.test(event));
  expect(turns.slice(0, 9)).toEqual(nodes.flatMap((n) => [`${n} stopped`, `${n} created`, `${n} ready`]));
  expect(turns.indexOf("4 created")).toBeLessThan(turns.indexOf("3 ready"));
  stack.configure(settings({ nodeCount: 3 }));
  await stack.up();
});

test("new passwords: running nodes take them up, and `up` waits until all have", async () => {
  const values = () => parameterValues("mqtt-password", "dashboard-password");
  const before = await values();
  stack.configure(settings({ secretVersions: { mqttPassword: 2, dashboardPassword: 2 } }));
  const [{ events, mostOutOfService }, up] = await nodesDuring(engine, () => stack.up());
  expect(outline(up)).toEqual({
    replace: ["RandomPassword emqx-nodes-dashboard-password", "RandomPassword emqx-nodes-mqtt-password"],
    update: ["Parameter emqx-nodes-dashboard-password", "Parameter emqx-nodes-mqtt-password"],
  });
  expect([events, mostOutOfService]).toEqual([[], 0]);
  const after = await values();
  for (const [name, value] of Object.entries(after)) expect(value).not.toBe(before[name]);
  const applied = await parameterValues(...nodes.map((n) => `nodes/${n}/applied`));
  expect(Object.values(applied)).toEqual(nodes.map(() => "dashboard-password=2 mqtt-password=2"));
});

test("`protect` keeps the load balancer and the volumes that would go, until it is taken back", async () => {
  stack.configure(settings({ dataVolume: { retain: false }, protect: true }));
  expect(outline(await stack.up())).toEqual({ update: ["Stash emqx-protection"] });
  const guarded = ["emqx-elb", "emqx-protection", ...nodes.map((n) => `emqx-nodes-${n}-data`)];
  const protectedNames = (await stack.resources())
    .filter(({ protect }) => protect)
    .map(({ urn }) => urn.slice(urn.lastIndexOf("::") + 2));
  expect(protectedNames.sort()).toEqual(guarded.sort());
  const before = await regionOf(engine).resources();
  for (const more of [[], ["--skip-preview"]]) {
    const destroy = await stack.run("destroy", "--yes", ...more);
    expect(destroy.exitCode).not.toBe(0);
    expect(destroy.stdout).toMatch(/cannot be deleted[\s\S]*protect/);
    expect(await regionOf(engine).resources()).toEqual(before);
  }
  // So nothing can be taken out of the state meanwhile, either.
  const { urn } = (await stack.resources()).find(({ urn: one }) =>
    one.endsWith("::emqx-nodes-load-balancers"),
  )!;
  const forget = await engine.pulumi("state", "delete", urn, "--yes", "--stack", stack.name);
  expect([forget.exitCode, forget.stdout + forget.stderr]).toEqual([
    expect.any(Number),
    expect.stringContaining("emqx-protection"),
  ]);
  expect(forget.exitCode).not.toBe(0);

  stack.configure(settings({ nodeCount: 2 }));
  const fewer = await stack.run("up", "--yes");
  expect(fewer.exitCode).not.toBe(0);
  expect(fewer.stdout).toContain("emqx-nodes-2-data");
  expect(await regionOf(engine).resources()).toEqual(before);
  stack.configure(settings({ nodeCount: undefined, dataVolume: { retain: undefined }, protect: undefined }));
  await stack.up();
});

test("an internal load balancer is another load balancer; the nodes stay", async () => {
  stack.configure(settings({ classicElb: { internal: true } }));
  const [{ events }, up] = await nodesDuring(engine, () => stack.up());
  expect(outline(up)["replace"]).toEqual(
    sorted(
      "ListenerPolicy emqx-elb-tls-mqtts",
      "LoadBalancer emqx-elb",
      "LoadBalancerPolicy emqx-elb-tls",
      ...nodes.map((n) => `Attachment emqx-nodes-${n}-lb-0`),
    ),
  );
  // Registered with the new one before the old one goes.
  expect(events).toEqual(
    expect.arrayContaining(nodes.flatMap((n) => [`${n} registered`, `${n} deregistered`])),
  );
  expect(events).toHaveLength(6);
  for (const n of nodes) {
    expect(events.indexOf(`${n} registered`)).toBeLessThan(events.indexOf(`${n} deregistered`));
  }
});

test("another key: volumes and instances anew, one node at a time", async () => {
  stack.configure(settings({ kmsKeyId: kmsKeyArn }));
  const [{ events, mostOutOfService }, up] = await nodesDuring(engine, () => stack.up());
  expect(outline(up)["replace"]).toEqual(
    sorted(...everyInstance, ...nodes.map((n) => `Volume emqx-nodes-${n}-data`)),
  );
  expect(mostOutOfService).toBe(1);
  const terminations = events.filter((event) => /terminated|ready/.test(event));
  expect(terminations).toEqual(nodes.flatMap((n) => [`${n} terminated`, `${n} ready`]));
  const volumes = await regionOf(engine).resources({ type: "Volume" });
  const withKey = volumes.filter(({ attributes }) => attributes["kmsKeyId"] === kmsKeyArn);
  expect(withKey.map(({ attributes }) => nameOf(attributes)).sort()).toEqual(
    nodes.map((n) => `emqx-nodes-${n}-data`),
  );
  // The old ones, and those of the nodes that were removed, are retained.
  expect(volumes).toHaveLength(10);
});

test("another block of addresses is another network, and everything in it is new", async () => {
  const ids = async (type: string) => (await regionOf(engine).resources({ type })).map(({ id }) => id);
  const before = await ids("Instance");
  stack.configure(settings({ vpc: { cidrBlock: "10.0.0.0/16" } }));
  await stack.up();
  expect(await ids("Vpc")).toHaveLength(1);
  expect(await ids("LoadBalancer")).toHaveLength(1);
  const instances = await regionOf(engine).resources({ type: "Instance" });
  expect(instances.map(({ attributes }) => attributes["privateIp"]).sort()).toEqual([
    "10.0.0.10",
    "10.0.1.11",
    "10.0.2.12",
  ]);
  expect(instances.filter(({ id }) => before.includes(id))).toEqual([]);
});
