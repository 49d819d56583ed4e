/** State survives: a clean end, a crash, and what somebody else did to the files. */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { certificateMaterial, Cloud, names, newAccount } from "..";
import { addBucket } from "../seedAdditions";
import { seedTypes } from "../seeds";
import { StateError, Store } from "../store";
import type { Props } from "../values";

const scope = { region: "eu-west-1" };
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "region-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const snapshot = () => join(directory, "account.json");
const journal = () => join(directory, "account.journal");

/** A process's view of the directory. */
function open(): { cloud: Cloud; store: Store } {
  const account = newAccount();
  const store = new Store(account, directory);
  store.open();
  return { cloud: new Cloud(account), store };
}

const everything = (cloud: Cloud) =>
  cloud.account.all().map((r) => [r.type, r.region, r.id, r.attributes, r.hidden]);
const vpc = (cloud: Cloud, cidrBlock = "10.0.0.0/16") => create(cloud, names.vpc, { cidrBlock });

async function create(cloud: Cloud, type: string, news: Props): Promise<string> {
  const { inputs } = cloud.check(type, { name: "n", urn: "u", news });
  return (await cloud.create(type, scope, inputs)).id;
}

test("after a clean end", async () => {
  const first = open();
  const id = await vpc(first.cloud);
  first.store.close();
  expect(existsSync(journal())).toBe(false);
  const second = open();
  expect(everything(second.cloud)).toEqual(everything(first.cloud));
  expect(second.cloud.read(names.vpc, scope, id)).toBeDefined();
  // Ids go on where they were.
  expect(await vpc(second.cloud, "10.1.0.0/16")).not.toBe(id);
});

test("after a crash, nothing that was answered is lost", async () => {
  const first = open();
  const id = await vpc(first.cloud);
  await create(first.cloud, names.internetGateway, { vpcId: id });
  const gone = await vpc(first.cloud, "10.1.0.0/16");
  await first.cloud.delete(names.vpc, scope, gone, {});
  // No close: the process is gone.
  const second = open();
  expect(everything(second.cloud)).toEqual(everything(first.cloud));
  expect(second.cloud.read(names.vpc, scope, gone)).toBeUndefined();
});

test("a crash in the middle of a line loses that operation only, and the next start writes on", async () => {
  const first = open();
  const id = await vpc(first.cloud);
  appendFileSync(journal(), '{"counter":99,"resources":[["aws:ec2/vpc:Vpc|eu-w');
  const second = open();
  expect(everything(second.cloud)).toEqual(everything(first.cloud));
  await create(second.cloud, names.internetGateway, { vpcId: id });
  expect(everything(open().cloud)).toEqual(everything(second.cloud));
});

test("what was seeded and changed or deleted stays so; the rest follows account.yaml", async () => {
  const arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1a2b3c4d-5e6f-4a0b-8c1d-9e8f7a6b5c02";
  const first = open();
  await first.cloud.delete(names.certificate, scope, arn, {});
  addBucket(first.cloud.account, { name: "mine", region: "eu-west-1", takesLoadBalancerLogs: true });
  first.store.close();
  const second = open();
  expect(second.cloud.read(names.certificate, scope, arn)).toBeUndefined();
  expect(second.cloud.account.get(seedTypes.bucket, "eu-west-1", "mine")).toBeDefined();
  const { resources } = JSON.parse(readFileSync(snapshot(), "utf8")) as { resources: unknown[] };
  expect(resources).toHaveLength(1);
});

test("a seeded certificate keeps its key", async () => {
  const arn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
  const first = open();
  const [one, same] = await Promise.all(
    [1, 2].map(() => certificateMaterial(first.cloud.account, "eu-west-1", arn)),
  );
  expect(same).toEqual(one);
  const second = open();
  expect(await certificateMaterial(second.cloud.account, "eu-west-1", arn)).toEqual(one);
  await expect(certificateMaterial(second.cloud.account, "us-east-1", arn)).rejects.toThrow(
    "CertificateNotFound",
  );
});

test("the files are the owner's alone: parameters' secrets are in them", async () => {
  const { cloud } = open();
  await vpc(cloud);
  for (const file of [snapshot(), journal()]) {
    expect(statSync(file).mode & 0o777).toBe(0o600);
  }
});

test.each([
  ["damaged", () => writeFileSync(snapshot(), "{"), /account.json is damaged/],
  ["empty", () => writeFileSync(snapshot(), ""), /account.json is damaged/],
  [
    "something else",
    () => writeFileSync(snapshot(), "{}"),
    /has version undefined, this program reads version 1/,
  ],
  ["of another version", () => writeFileSync(snapshot(), '{"version":2}'), /has version 2/],
  ["without resources", () => writeFileSync(snapshot(), '{"version":1}'), /no resources in it/],
  ["gone", () => rmSync(snapshot()), /account.json is missing, but its journal is there/],
  [
    "beside a damaged journal",
    () => writeFileSync(journal(), "{}\nhello\n{}\n"),
    /account.journal is damaged in line 1/,
  ],
])("a snapshot that is %s is said, with what to do", async (_, damage, message) => {
  const { cloud } = open();
  await vpc(cloud);
  damage();
  expect(open).toThrow(StateError);
  expect(open).toThrow(message);
  expect(open).toThrow(`Restore the file, or delete ${directory}`);
});

test("a long life does not grow the journal for ever", () => {
  const { cloud } = open();
  const resource = cloud.account.create({
    type: names.vpc,
    region: "eu-west-1",
    id: "vpc-1",
    attributes: { n: 0 },
  });
  for (let n = 1; n <= 20_000; n++) {
    cloud.account.update(resource, { n });
  }
  expect(readFileSync(journal(), "utf8").split("\n").length).toBeLessThan(100);
  expect(open().cloud.account.get(names.vpc, "eu-west-1", "vpc-1")!.attributes["n"]).toBe(20_000);
});
