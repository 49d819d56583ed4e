import type { StoredResource } from "./storedResource";
import type { Cloud } from "./cloud";
import { AwsError } from "./errors";
import { nearest } from "./check";
import { same } from "./diff";
import { propertiesOf } from "./schema";
import { resourceTypes } from "./services";
import type { Props } from "./values";

/** Names a resource in the account; the region may be left out when the id is unique. */
export interface ResourceName {
  type?: string;
  region?: string;
  id: string;
}

/** What a person at the AWS console could do behind Pulumi's back. */

export function listResources(
  cloud: Cloud,
  filter: { type?: string; region?: string } = {},
): StoredResource[] {
  return cloud.account
    .all()
    .filter(
      (r) =>
        !r.implicit &&
        (filter.type === undefined || shortType(r.type) === shortType(filter.type)) &&
        (filter.region === undefined || r.region === filter.region),
    );
}

export function findResource(cloud: Cloud, name: ResourceName): StoredResource {
  const found = cloud.account
    .all()
    .filter(
      (r) =>
        r.id === name.id &&
        resourceTypes.has(r.type) &&
        (name.type === undefined || shortType(r.type) === shortType(name.type)) &&
        (name.region === undefined || r.region === name.region),
    );
  if (found.length !== 1) {
    throw new AwsError(
      found.length === 0 ? "NotFound" : "Ambiguous",
      found.length === 0
        ? `there is no resource with the id "${name.id}"${name.type ? ` and type ${name.type}` : ""} in the simulated account`
        : `several resources have the id "${name.id}": ${found.map((r) => `${r.type} in ${r.region}`).join(", ")}; say which type or region`,
    );
  }
  return found[0]!;
}

/** `Vpc`, `aws:ec2:Vpc` and `aws:ec2/vpc:Vpc` name the same type. */
function shortType(type: string): string {
  return type.split(":").pop()!.toLowerCase();
}

/** Changes inputs of a resource; the same rules apply as if its owner did. `null` removes a property. */
export async function modifyResource(
  cloud: Cloud,
  name: ResourceName,
  changes: Props,
): Promise<StoredResource> {
  const stored = findResource(cloud, name);
  const type = cloud.type(stored.type);
  const properties = propertiesOf(type);
  const outputs = cloud.outputs(stored);
  const news = cloud.inputsOf(stored.type, outputs);
  for (const [key, value] of Object.entries(changes)) {
    const property = properties[key];
    if (!property || property.output) {
      const hint = nearest(key, Object.keys(properties));
      throw new AwsError(
        "InvalidProperty",
        `${stored.type} has no property "${key}" that could be changed${hint ? `; did you mean "${hint}"?` : ""}`,
      );
    }
    if (
      replaces(property.forceNew, news, outputs) &&
      outputs[key] !== undefined &&
      !same(property, outputs[key], value)
    ) {
      throw new AwsError("InvalidProperty", `"${key}" of ${stored.type} cannot be changed in place`);
    }
    if (value === null) {
      delete news[key];
    } else {
      news[key] = value;
    }
  }
  const scope = { region: stored.region };
  const { problems } = cloud.check(stored.type, { name: stored.id, urn: stored.id, news });
  if (problems.length > 0) {
    throw new AwsError("InvalidParameterValue", problems.map((p) => p.reason).join("; "));
  }
  await cloud.update(stored.type, scope, stored.id, outputs, news);
  return findResource(cloud, { type: stored.type, region: stored.region, id: stored.id });
}

function replaces(forceNew: unknown, news: Props, olds: Props): boolean {
  return typeof forceNew === "function"
    ? (forceNew as (n: Props, o: Props) => boolean)(news, olds)
    : forceNew === true;
}

/** Deletes a resource, if AWS lets go of it. */
export async function deleteResource(cloud: Cloud, name: ResourceName): Promise<StoredResource> {
  const stored = findResource(cloud, name);
  const { region } = stored;
  await cloud.delete(stored.type, { region }, stored.id, { region });
  return stored;
}
