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
import type { StoredResource } from "./storedResource";

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
