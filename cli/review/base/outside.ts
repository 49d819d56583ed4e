/**
 * What a stack's settings name but do not make: certificates, keys, buckets, zones, images. In a throw-away region they
 * have to exist too; whether they exist in the real account only a real preview can tell.
 */
import { architectureOf } from "../../../components/nodes/instanceTypes";
import { parseAvailabilityZone } from "../../../components/network/availabilityZones";
import { defaultInstanceType } from "../../../components/nodes/defaults";
import type { Account } from "@emqx-aws/simulator/account";
import { seedTypes } from "@emqx-aws/simulator/seeds";
import { addBucket, addCertificate, addKey, addVpc, addZone } from "@emqx-aws/simulator/seedAdditions";
import { list, record, text } from "../change/values";
import type { StackSettings } from "./stackSettings";

const issued = "2026-01-01T00:00:00Z";
const validDays = 3650;

export function provideOutside(account: Account, { values, region }: StackSettings): void {
  provideRegion(account, list(values.availabilityZones).map(text), region);
  for (const provide of [
    provideVpc,
    provideCertificate,
    provideKey,
    provideBucket,
    provideZone,
    provideImage,
  ]) {
    try {
      provide(account, values, region ?? "");
    } catch {
      // Malformed: the program itself will say so, in its own words.
    }
  }
}

/** AWS has more regions than the simulated account knows: what is named is taken to be there. */
function provideRegion(account: Account, zones: (string | undefined)[], region: string | undefined): void {
  const named = zones.flatMap((zone) => parseAvailabilityZone(zone ?? "") ?? []);
  const name = region ?? named[0]?.region;
  if (name === undefined || !named.some((zone) => zone.region === name)) return;
  account.seeds.addRegion(
    name,
    named.filter((zone) => zone.region === name).map((zone) => zone.name),
  );
  if (account.list(seedTypes.image, name).length === 0)
    account.seeds.imagesOf(name).forEach((image) => account.create(image));
}

type Values = StackSettings["values"];

/** The subnets' blocks are anybody's guess: any that hold the nodes. */
function provideVpc(account: Account, values: Values, region: string): void {
  const { vpcId, privateSubnetIds, publicSubnetIds } = record(values.existingVpc);
  const id = text(vpcId);
  if (id === undefined || has(account, id)) return;
  addVpc(account, {
    id,
    region,
    subnets: [privateSubnetIds, publicSubnetIds].flatMap((ids) =>
      list(ids).map((subnet, i) => ({
        id: text(subnet) ?? "",
        zone: text(list(values.availabilityZones)[i]) ?? "",
      })),
    ),
  });
}

function provideCertificate(account: Account, values: Values): void {
  const arn = text(record(values.certificate).arn);
  if (arn === undefined || has(account, arn)) return;
  addCertificate(account, {
    arn,
    names: [text(record(values.dns).hostname) ?? "mqtt.example.com"],
    issued,
    days: validDays,
  });
}

function provideKey(account: Account, values: Values): void {
  const arn = text(values.kmsKeyId);
  if (arn !== undefined && !has(account, arn)) addKey(account, { arn });
}

function provideBucket(account: Account, values: Values, region: string): void {
  const name = text(record(record(values.classicElb).accessLogs).bucket);
  if (name !== undefined && !has(account, name))
    addBucket(account, { name, region, takesLoadBalancerLogs: true });
}

function provideZone(account: Account, values: Values): void {
  const dns = record(values.dns);
  const [id, hostname] = [text(dns.hostedZoneId), text(dns.hostname)];
  if (id === undefined || hostname === undefined || has(account, id)) return;
  addZone(account, { id, name: hostname.split(".").slice(-2).join(".") });
}

/** Any image will do that fits the instance type: nothing is booted from it. */
function provideImage(account: Account, values: Values, region: string): void {
  const id = text(record(values.instance).amiId);
  if (id === undefined || has(account, id)) return;
  const architecture = architectureOf(text(record(values.instance).type) ?? defaultInstanceType);
  const [like] = account
    .list(seedTypes.image, region)
    .filter((image) => image.attributes.architecture === architecture);
  if (!like) return;
  const attributes = { ...like.attributes, id, imageId: id };
  account.create({ type: like.type, id, region, attributes, hidden: like.hidden, implicit: true });
}

function has(account: Account, id: string): boolean {
  return account.all().some((resource) => resource.id === id);
}
