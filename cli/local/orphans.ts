import type { ShownResource } from "../../simulator/client";
import type { StackState } from "./stacks";

type Pending = StackState["pendingOperations"][number];

/** What a person calls a resource: its Name tag, or its name. */
export function nameOf(attributes: Record<string, unknown>): string {
  const tags = attributes.tags as Record<string, string> | undefined;
  return tags?.Name ?? (typeof attributes.name === "string" ? attributes.name : "");
}

/**
 * Which resource of the region an interrupted creation made: one that no stack has, of the same type, and of the
 * same name or the only one. Returns pairs of urn and id.
 */
export function findOrphans(
  pending: readonly Pending[],
  region: readonly ShownResource[],
  states: readonly StackState[],
): [string, string][] {
  const known = new Set(states.flatMap(({ resources }) => resources.map(({ type, id }) => `${type} ${id}`)));
  const free = region.filter(({ type, id }) => !known.has(`${type} ${id}`));
  return pending
    .filter(({ type }) => type === "creating")
    .flatMap(({ urn, resourceType }): [string, string][] => {
      const candidates = free.filter(({ type }) => type === resourceType);
      const logicalName = urn.slice(urn.lastIndexOf("::") + 2);
      const sameName = candidates.filter(({ attributes }) => nameOf(attributes) === logicalName);
      const isOnlyOne = pending.filter((other) => other.resourceType === resourceType).length === 1;
      const found = sameName.length > 0 ? sameName : isOnlyOne ? candidates : [];
      return found.length === 1 && found[0] ? [[urn, found[0].id]] : [];
    });
}
