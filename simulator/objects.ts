/** Objects in buckets: part of the account, but nothing that a program registers. */
import type { Account } from "./account";
import type { StoredResource } from "./storedResource";

const objectType = "aws:s3/object";

export interface StoredObject {
  key: string;
  size: number;
  /** ISO 8601 */
  lastModified: string;
}

export function writeObject(
  account: Account,
  bucket: StoredResource,
  key: string,
  content: Buffer | string,
): void {
  const id = `${bucket.id}/${key}`;
  const attributes = {
    bucket: bucket.id,
    key,
    content: Buffer.from(content).toString("base64"),
    lastModified: account.now().toISOString(),
  };
  const present = account.get(objectType, bucket.region, id);
  if (present) {
    account.update(present, attributes);
  } else {
    account.create({ type: objectType, region: bucket.region, id, attributes, implicit: true });
  }
}

export function readObject(account: Account, bucket: StoredResource, key: string): Buffer | undefined {
  const stored = account.get(objectType, bucket.region, `${bucket.id}/${key}`);
  return stored && contentOf(stored);
}

/** Every object of a bucket, by key. */
export function objectsIn(account: Account, bucket: string): StoredResource[] {
  return account
    .list(objectType)
    .filter(({ attributes }) => attributes["bucket"] === bucket)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

export function describeObject(stored: StoredResource): StoredObject {
  const { attributes } = stored;
  return {
    key: attributes["key"] as string,
    size: contentOf(stored).length,
    lastModified: attributes["lastModified"] as string,
  };
}

function contentOf({ attributes }: StoredResource): Buffer {
  return Buffer.from(attributes["content"] as string, "base64");
}
