/** Resources grouped by the component that they belong to. */
import type { Change, Operation, ResourceChange } from "./change";
import { isChanged, isStack, parentOf, parentUrn } from "./change";
import { nameOf } from "../preview/read";
import { types } from "../types";
import { byName, grouped } from "./values";

export interface ComponentChange {
  /** Names from the outermost component inward; empty for the program itself. */
  path: string[];
  type: string;
  operation: Operation;
  renamedFrom?: string;
  /** Those that change, ordered by name. */
  resources: ResourceChange[];
  unchanged: number;
}

/** Every component with something that changes. */
export function componentsOf(change: Change): ComponentChange[] {
  // A component stands at the head of its own group, not in its parent's.
  const ownerOf = (resource: ResourceChange) =>
    resource.custom || resource.type === types.stash ? (parentUrn(resource) ?? "") : resource.urn;
  const resources = change.resources.filter((resource) => !isStack(resource));
  return [...grouped(resources, ownerOf)]
    .map(([urn, resources]) => componentOf(change, urn, resources))
    .filter(
      ({ resources, operation, renamedFrom }) => resources.length > 0 || operation !== "same" || renamedFrom,
    )
    .sort((a, b) => byName(a.path.join("\0"), b.path.join("\0")));
}

function componentOf(change: Change, urn: string, all: ResourceChange[]): ComponentChange {
  const component = change.byUrn.get(urn);
  const resources = all.filter((resource) => resource !== component);
  return {
    path: urn === "" ? [] : pathOf(change, urn),
    type: component?.type ?? urn.split("::")[2]?.split("$").at(-1) ?? "",
    operation: component?.operation === "update" ? "same" : (component?.operation ?? "same"),
    ...(component?.renamedFrom && { renamedFrom: nameOf(component.renamedFrom) }),
    resources: resources.filter(isChanged),
    unchanged: resources.filter((resource) => !isChanged(resource)).length,
  };
}

function pathOf(change: Change, urn: string): string[] {
  const component = change.byUrn.get(urn);
  const parent = component && parentOf(change, component);
  return [...(parent ? pathOf(change, parent.urn) : []), nameOf(urn)];
}
