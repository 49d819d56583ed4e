/** Behind Pulumi's back: the control endpoint. */
import { names, RegionClient, RegionError, RegionServer } from "..";
import { writeObject } from "../objects";
import { findBucket } from "../services/bucketNames";
import { Engine } from "./doors";
import { furnish, nodeInputs, type Ids } from "./world";

let region: RegionServer;
let engine: Engine;
let client: RegionClient;
let ids: Ids;
const stopped = jest.fn();

beforeAll(async () => {
  region = await RegionServer.start({ onShutdown: stopped });
  engine = new Engine(region.port);
  await engine.configure({ region: "eu-west-1" });
  client = new RegionClient({ controlPort: region.controlPort, token: region.token });
  ids = await furnish(engine);
  ids["instance"] = (
    await engine.create(names.instance, "i", { ...nodeInputs(ids), tags: { Name: "node-0" } })
  ).id;
});
afterAll(async () => {
  engine.close();
  await region.close();
});

test("nobody without the token", async () => {
  const stranger = new RegionClient({ controlPort: region.controlPort, token: "x" });
  await expect(stranger.status()).rejects.toThrow("the token of region.json is needed");
  await expect(client.json("GET", "/nowhere")).rejects.toThrow("there is no GET /nowhere");
});

test("status counts what users made", async () => {
  const status = await client.status();
  expect(status.byRegion).toEqual({ "eu-west-1": 14, global: 2 });
  expect(status.instances).toEqual([
    { id: ids["instance"], region: "eu-west-1", name: "node-0", state: "running", privateIp: "10.0.0.10" },
  ]);
});

test("resources, all or some", async () => {
  expect(await client.resources({ type: "Subnet" })).toHaveLength(3);
  expect(await client.resources({ type: "Subnet", region: undefined })).toHaveLength(3);
  expect(await client.resources({ type: names.vpc, region: "us-east-1" })).toEqual([]);
  const vpc = await client.resource({ id: ids["vpc"]! });
  expect(vpc).toMatchObject({
    type: names.vpc,
    region: "eu-west-1",
    attributes: { cidrBlock: "10.0.0.0/16" },
  });
});

test("secrets stay secret", async () => {
  await engine.create(names.parameter, "p", { name: "/secret", type: "SecureString", value: "hidden" });
  await engine.create(names.parameter, "q", { name: "/plain", type: "String", value: "visible" });
  expect((await client.resource({ id: "/secret" })).attributes["value"]).toBe("[secret]");
  expect((await client.resource({ id: "/plain" })).attributes["value"]).toBe("visible");
});

test("a change behind Pulumi's back is drift that a refresh sees", async () => {
  const before = await engine.create(names.ingressRule, "r", {
    securityGroupId: ids["group"],
    ipProtocol: "tcp",
    fromPort: 1883,
    toPort: 1883,
    cidrIpv4: "10.0.0.0/8",
  });
  await client.modify({ id: before.id }, { cidrIpv4: "0.0.0.0/0", description: "opened by hand" });
  const after = await engine.read(names.ingressRule, "r", before.id, before);
  expect(after.inputs).toMatchObject({
    cidrIpv4: "0.0.0.0/0",
    description: "opened by hand",
    fromPort: 1883,
  });
  const { detailed } = await engine.diff(names.ingressRule, "r", after, before.inputs);
  expect(detailed).toEqual({ cidrIpv4: "UPDATE", description: "DELETE" });
  await client.modify({ id: before.id }, { description: null });
  expect((await client.resource({ id: before.id })).attributes).not.toHaveProperty("description");
  await client.delete({ id: before.id });
  expect((await engine.read(names.ingressRule, "r", before.id, before)).id).toBe("");
});

test("an instance, too", async () => {
  await client.modify({ id: ids["instance"]! }, { tags: { Name: "renamed" }, instanceType: "m7g.xlarge" });
  const { attributes } = await client.resource({ id: ids["instance"]! });
  expect(attributes).toMatchObject({
    instanceType: "m7g.xlarge",
    instanceState: "running",
    tags: { Name: "renamed" },
  });
});

test.each([
  ["an unknown property", (i: Ids) => client.modify({ id: i["vpc"]! }, { cidr: "x" }), /no property "cidr"/],
  [
    "a computed one",
    (i: Ids) => client.modify({ id: i["vpc"]! }, { arn: "x" }),
    /no property "arn" that could be changed/,
  ],
  [
    "what would be another resource",
    (i: Ids) => client.modify({ id: i["vpc"]! }, { cidrBlock: "10.9.0.0/16" }),
    /cannot be changed in place/,
  ],
  [
    "against AWS's rules",
    (i: Ids) => client.modify({ id: i["eni"]! }, { securityGroups: ["sg-0"] }),
    /InvalidGroup.NotFound/,
  ],
  [
    "of the wrong kind",
    (i: Ids) => client.modify({ id: i["vpc"]! }, { enableDnsSupport: "yes" }),
    /is true or false/,
  ],
  ["of nobody", () => client.modify({ id: "vpc-0" }, { tags: {} }), /no resource with the id "vpc-0"/],
  ["deletion of what is needed", (i: Ids) => client.delete({ id: i["vpc"]! }), /DependencyViolation/],
  [
    "an id of several types",
    () => client.resource({ id: "node" }),
    /several resources have the id "node".*say which/,
  ],
  ["a seed of no kind", () => client.addSeed({ kind: "database" }), /certificate, bucket, key, zone, image/],
  ["a seed without a name", () => client.addSeed({ kind: "bucket" }), /"name" is missing/],
  [
    "a seed that exists",
    () => client.addSeed({ kind: "zone", id: "Z0123456789EXAMPLE01", name: "example.com" }),
    /AlreadyExists/,
  ],
])("%s is refused", async (_, ask, message) => {
  const error: unknown = await ask(ids).then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(RegionError);
  expect((error as Error).message).toMatch(message);
});

test("the console of an instance", async () => {
  expect(await client.console(ids["instance"]!)).toContain("not ready: there is no user data");
  await expect(client.console("i-0")).rejects.toThrow("no resource with the id");
});

test("more seeds: a newer image becomes the public parameter, a certificate can be used", async () => {
  const name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64";
  const newest = () => engine.invoke("aws:ssm/getParameter:getParameter", { name });
  const before = await newest();
  await client.addSeed({
    kind: "image",
    region: "eu-west-1",
    release: "2023.13.20261201.0",
    created: "2026-12-01T00:00:00Z",
  });
  expect(await newest()).not.toEqual(before);

  const arn = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-4000-8000-000000000001";
  await client.addSeed({ kind: "certificate", arn, names: ["broker.example.net"] });
  await client.addSeed({ kind: "bucket", name: "my-logs", region: "eu-west-1" });
  await client.addSeed({ kind: "key", arn: "arn:aws:kms:eu-west-1:123456789012:key/1", alias: "alias/mine" });
  await client.addSeed({ kind: "zone", id: "Z1", name: "example.net" });
  await engine.create(names.loadBalancer, "lb", {
    name: "uses-seeds",
    subnets: [ids["subnetB"]],
    listeners: [
      { lbPort: 8883, lbProtocol: "ssl", instancePort: 1883, instanceProtocol: "tcp", sslCertificateId: arn },
    ],
    accessLogs: { bucket: "my-logs" },
  });
  await engine.create(names.record, "r", {
    zoneId: "Z1",
    name: "mqtt",
    type: "A",
    ttl: 60,
    records: ["1.2.3.4"],
  });
  await engine.create(names.volume, "v", {
    availabilityZone: "eu-west-1a",
    size: 1,
    encrypted: true,
    kmsKeyId: "alias/mine",
  });
});

test("a boot that fails on request", async () => {
  expect(await client.failBoot(2, true, "/emqx/a/b/c")).toEqual({ faults: ["failBoot /emqx/a/b/c#2"] });
  expect(await client.failBoot(2, false, "/emqx/a/b/c")).toEqual({ faults: [] });
});

test("shutdown is answered, and then done", async () => {
  await client.shutdown();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(stopped).toHaveBeenCalledTimes(1);
});

test("objects are listed, copied and deleted past every policy", async () => {
  const [from, to] = ["emqx-private-example", "emqx-access-logs-example"];
  const { account } = region.cloud;
  writeObject(account, findBucket(account, from)!, "exports/a", "one");
  await client.copyObject(`s3://${from}/exports/a`, `s3://${to}/exports/b`);
  expect(await client.objects(to)).toEqual([
    { key: "exports/b", size: 3, lastModified: expect.any(String) as string },
  ]);
  expect(await client.emptyBucket(to)).toBe(1);
  expect(await client.objects(to)).toEqual([]);
  expect(await client.objects(from)).toHaveLength(1);
  await expect(client.objects("nowhere")).rejects.toThrow("The specified bucket does not exist: nowhere");
  await expect(client.copyObject(`s3://${from}/b`, `s3://${to}/b`)).rejects.toThrow(
    "The specified key does not exist: b",
  );
  await expect(client.copyObject(from, to)).rejects.toThrow(`"${from}" is not s3://BUCKET/KEY`);
});
