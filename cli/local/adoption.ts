/** Putting what an interrupted creation made into the state that `pulumi stack export` gives. Pure. */

export interface ExportedResource {
  [key: string]: unknown;
  urn: string;
  id?: string;
  parent?: string;
  provider?: string;
  dependencies?: string[] | null;
  propertyDependencies?: Record<string, string[] | null> | null;
  deletedWith?: string;
  replaceWith?: string[] | null;
  /** Replaced by another one of the same urn, and still to be deleted. */
  delete?: boolean;
  /** Deleted in order to be replaced by another one of the same urn. */
  pendingReplacement?: boolean;
}

export interface ExportedDeployment {
  [key: string]: unknown;
  resources?: ExportedResource[] | null;
  pending_operations?: { type: string; resource: ExportedResource }[] | null;
}

/**
 * The deployment with the creations done whose resources have these ids, by urn, as the engine would have left it: a
 * resource takes the place of the one that was deleted for it, and one that it replaces stays, to be deleted.
 */
export function withCreated(
  deployment: ExportedDeployment,
  ids: ReadonlyMap<string, string>,
): ExportedDeployment {
  const operations = deployment.pending_operations ?? [];
  const isDone = ({ type, resource }: { type: string; resource: ExportedResource }) =>
    type === "creating" && ids.has(resource.urn);
  let resources = deployment.resources ?? [];
  for (const { resource } of operations.filter(isDone)) {
    // The refresh after this reads its outputs.
    const created = { ...resource, id: ids.get(resource.urn), outputs: resource.inputs };
    const before = resources.find(({ urn, delete: isGoing }) => urn === resource.urn && isGoing !== true);
    const others = resources.filter((one) => one !== before);
    const replaced = before && !before.pendingReplacement ? [{ ...before, delete: true }] : [];
    resources = [...others, created, ...replaced];
  }
  return {
    ...deployment,
    resources: inOrder(resources),
    pending_operations: operations.filter((operation) => !isDone(operation)),
  };
}

/** Every resource after what it needs, which the state has to be, and else in the order that there is. */
export function inOrder(resources: readonly ExportedResource[]): ExportedResource[] {
  const present = new Map(resources.filter((one) => one.delete !== true).map((one) => [one.urn, one]));
  const done = new Set<ExportedResource>();
  const visit = (resource: ExportedResource) => {
    if (done.has(resource)) return;
    done.add(resource);
    for (const urn of needsOf(resource)) {
      const needed = present.get(urn);
      if (needed) visit(needed);
    }
    result.push(resource);
  };
  const result: ExportedResource[] = [];
  // Those that are to be deleted come last: nothing needs them any more.
  for (const resource of resources) if (resource.delete !== true) visit(resource);
  for (const resource of resources) visit(resource);
  return result;
}

/** The urns of what a resource needs; a provider is named by urn and id. */
export function needsOf(resource: ExportedResource): string[] {
  return [
    resource.parent,
    resource.provider?.replace(/::[^:]*$/, ""),
    resource.deletedWith,
    ...(resource.dependencies ?? []),
    ...(resource.replaceWith ?? []),
    ...Object.values(resource.propertyDependencies ?? {}).flatMap((urns) => urns ?? []),
  ].filter((urn): urn is string => Boolean(urn));
}
