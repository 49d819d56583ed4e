/** Which resources of the region are what an interrupted creation made. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { ShownResource } from "@emqx-aws/simulator/client";
import { signatureKey } from "../review/preview/engine";
import type { PendingOperation, StackState } from "./stacks";

/** What a person calls a resource: its Name tag, or its name. */
export function nameOf(attributes: Record<string, unknown>): string {
  const tags = attributes.tags as Record<string, string> | undefined;
  return tags?.Name ?? (typeof attributes.name === "string" ? attributes.name : "");
}

/**
 * Which resource of the region each interrupted creation made: one that no stack has, made since the command began that
 * was interrupted, of the same type, and with all of the inputs that the creation was about. Among several alike, the
 * newest. Where nobody knows when the command began, only one of the very name: anything else that is alike may be older, a
 * retained data volume for instance. Returns them with the urns of the creations.
 */
export function findOrphans(
  pending: readonly PendingOperation[],
  region: readonly ShownResource[],
  states: readonly StackState[],
  since: Date | undefined,
): [string, ShownResource][] {
  const known = new Set(states.flatMap(({ resources }) => resources.map(({ type, id }) => `${type} ${id}`)));
  const free = region
    .filter(({ type, id }) => !known.has(`${type} ${id}`))
    // The fixtures' region does not say when.
    .filter(({ createdAt }) => createdAt === undefined || Date.parse(createdAt) >= (since?.getTime() ?? 0))
    .sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1));
  const taken = new Set<ShownResource>();
  return pending
    .filter(({ type }) => type === "creating")
    .flatMap(({ urn, resourceType, inputs }): [string, ShownResource][] => {
      const candidates = free.filter((one) => !taken.has(one) && one.type === resourceType);
      const found =
        (since && candidates.find(({ attributes }) => hasInputs(attributes, inputs))) ??
        // What it holds may have changed since, but there is only one of the name that it was given.
        candidates.find(({ attributes: { name } }) => name !== undefined && name === inputs.name);
      if (found === undefined) return [];
      taken.add(found);
      return [[urn, found]];
    });
}

/** Whether a resource has these inputs. What AWS adds to them, in whatever depth, and the order of a list do not count. */
function hasInputs(attributes: unknown, inputs: unknown): boolean {
  if (Array.isArray(inputs)) {
    if (!Array.isArray(attributes) || attributes.length !== inputs.length) return false;
    return inputs.every((item) => attributes.some((other) => hasInputs(other, item)));
  }
  if (typeof inputs === "object" && inputs !== null) {
    // The region shows no secrets, and the state encrypts them: there is nothing to compare.
    if (signatureKey in inputs) return true;
    if (typeof attributes !== "object" || attributes === null) return false;
    return Object.entries(inputs)
      .filter(([key]) => key !== "__defaults")
      .every(([key, value]) => {
        const actual = (attributes as Record<string, unknown>)[key];
        // A flag of the provider alone, such as forceDestroy, is no attribute of the resource.
        return actual === undefined || actual === "[secret]" || hasInputs(actual, value);
      });
  }
  return isDeepStrictEqual(attributes, inputs) || sameJson(attributes, inputs);
}

/** Policies come back as AWS writes them. */
function sameJson(one: unknown, other: unknown): boolean {
  if (typeof one !== "string" || typeof other !== "string" || !/^\s*[[{]/.test(other)) return false;
  try {
    return isDeepStrictEqual(JSON.parse(one), JSON.parse(other));
  } catch {
    return false;
  }
}
