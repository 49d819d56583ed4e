/** More of what account.yaml lists, in an account that exists already. */
import type { Account } from "./account";
import { fail } from "./errors";
import {
  architectures,
  bucketOf,
  certificateOf,
  imageOf,
  keyOf,
  seedTypes,
  zoneOf,
  type BucketSeed,
  type CertificateSeed,
  type ImageSeed,
  type KeySeed,
  type ZoneSeed,
} from "./seeds";
import { bucketNameProblem, findBucket } from "./services/bucketNames";
import * as names from "./services/names";
import type { StoredResource } from "./storedResource";
import type { Props } from "./values";

export function addImage(account: Account, region: string, image: ImageSeed): StoredResource[] {
  account.seeds.region(region);
  return account.transaction(() => architectures.map((a) => account.create(imageOf(image, region, a))));
}

export function addCertificate(account: Account, certificate: CertificateSeed): StoredResource {
  const type = certificate.arn.includes(":server-certificate/")
    ? seedTypes.serverCertificate
    : seedTypes.certificate;
  return account.create(fresh(account, certificateOf(certificate, type)));
}

export function addBucket(account: Account, bucket: BucketSeed): StoredResource {
  account.seeds.region(bucket.region);
  const problem = bucketNameProblem(bucket.name);
  if (problem !== undefined) {
    fail("InvalidBucketName", problem);
  }
  if (findBucket(account, bucket.name)) {
    fail("AlreadyExists", `${bucket.name} exists already`);
  }
  return account.create(bucketOf(bucket));
}

export function addKey(account: Account, key: KeySeed): StoredResource {
  return account.create(fresh(account, keyOf(key)));
}

export function addZone(account: Account, zone: ZoneSeed): StoredResource {
  return account.create(fresh(account, zoneOf(zone)));
}

function fresh(account: Account, resource: StoredResource): StoredResource {
  if (account.get(resource.type, resource.region, resource.id)) {
    fail("AlreadyExists", `${resource.id} exists already`);
  }
  return resource;
}

interface VpcSeed {
  id: string;
  region: string;
  subnets: { id: string; zone: string }[];
}

/** A VPC with a NAT gateway, in which each subnet has 4,096 addresses. */
export function addVpc(account: Account, { id: vpcId, region, subnets }: VpcSeed): void {
  const own = vpcId.slice("vpc-".length);
  const create = (type: string, id: string, attributes: Props, hidden: Props = {}) =>
    account.create({ type, id, region, attributes: { ...attributes, tagsAll: {} }, hidden, implicit: false });
  const addSubnet = (id: string, availabilityZone: string, i: number) =>
    create(names.subnet, id, {
      ...{ vpcId, availabilityZone, cidrBlock: `10.0.${16 * i}.0/20`, mapPublicIpOnLaunch: false },
    });
  const [igw, nat, main, open] = [`igw-${own}`, `nat-${own}`, `rtb-${own}`, `rtb-open-${own}`];
  const everywhere = { destinationCidrBlock: "0.0.0.0/0" };

  create(names.vpc, vpcId, { cidrBlock: "10.0.0.0/16" });
  create(names.internetGateway, igw, { vpcId });
  create(names.routeTable, main, { vpcId }, { main: true });
  create(names.route, `r-${main}`, { ...everywhere, routeTableId: main, natGatewayId: nat });
  create(names.routeTable, open, { vpcId });
  create(names.route, `r-${open}`, { ...everywhere, routeTableId: open, gatewayId: igw });
  const natSubnet = addSubnet(`subnet-nat-${own}`, subnets[0]?.zone ?? `${region}a`, 15);
  create(names.routeTableAssociation, `rtbassoc-${own}`, { subnetId: natSubnet.id, routeTableId: open });
  create(names.natGateway, nat, { subnetId: natSubnet.id, connectivityType: "public" });
  subnets.forEach(({ id, zone }, i) => addSubnet(id, zone, i));
}
