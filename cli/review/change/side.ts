import { isUnknown } from "../preview/engine";
import type { State } from "../preview/read";
import type { Change, ResourceChange } from "./change";
import { at, list, text } from "./values";

/** Something that exists on one side of a change; `key` is the same on both sides. */
export interface Existing extends State {
  key: string;
}

/** A reference to a resource of the stack, or to something outside of it. */
type Target = { key: string; resource?: Existing };

/**
 * The resources as they are before, or will be after a change, and who refers to whom. References that are known are
 * ids; those that are not are found by what the engine says about dependencies, or by what they were so far.
 */
export class Side {
  readonly resources: Existing[];
  private readonly byKey: Map<string, Existing>;
  private readonly byId = new Map<string, Existing>();

  constructor(
    change: Change,
    which: "before" | "after",
    private readonly other?: Side,
  ) {
    this.resources = change.resources.flatMap((resource) => {
      const state = existing(resource, which);
      return state ? [{ ...state, key: resource.urn }] : [];
    });
    this.byKey = new Map(this.resources.map((resource) => [resource.key, resource]));
    for (const resource of this.resources) {
      if (resource.id !== undefined) this.byId.set(`${resource.type} ${resource.id}`, resource);
    }
  }

  ofType(...wanted: string[]): Existing[] {
    return this.resources.filter(({ type }) => wanted.includes(type));
  }

  get(key: string): Existing | undefined {
    return this.byKey.get(key);
  }

  /** What the property of a resource refers to. */
  targets(from: Existing, path: string, ...wanted: string[]): Target[] {
    const values = list(at(from.inputs, path) ?? at(from.outputs, path));
    const known = values.flatMap((value): Target[] => {
      const id = text(value);
      if (id === undefined || isUnknown(id)) return [];
      const resource = wanted.map((type) => this.byId.get(`${type} ${id}`)).find((found) => found);
      return [resource ? { key: resource.key, resource } : { key: id }];
    });
    const missing = values.filter(isUnknown).length;
    if (missing === 0) return known;
    const found = this.unknownTargets(from, path, wanted).filter(
      ({ key }) => !known.some((k) => k.key === key),
    );
    return [...known, ...found];
  }

  target(from: Existing, path: string, ...wanted: string[]): Target | undefined {
    return this.targets(from, path, ...wanted)[0];
  }

  private unknownTargets(from: Existing, path: string, wanted: string[]): Target[] {
    const property = path.split(/[.[]/)[0] ?? path;
    const depends = (from.propertyDependencies?.[property] ?? [])
      .map((urn) => this.byKey.get(urn))
      .filter((resource) => resource !== undefined && wanted.includes(resource.type)) as Existing[];
    if (depends.length > 0) return depends.map((resource) => ({ key: resource.key, resource }));
    const earlier = this.other?.get(from.key);
    if (earlier && this.other) {
      const still = this.other
        .targets(earlier, path, ...wanted)
        .map(({ key }) => this.byKey.get(key))
        .filter((resource) => resource !== undefined);
      if (still.length > 0) return still.map((resource) => ({ key: resource.key, resource }));
    }
    return [];
  }
}

function existing(resource: ResourceChange, which: "before" | "after"): State | undefined {
  if (resource.operation === "forget") return undefined;
  if (which === "before") return resource.before;
  const { after, before, operation } = resource;
  if (!after) return undefined;
  const stays = operation === "same" || operation === "update" || operation === "read";
  if (!stays || !before) return { ...after, id: operation === "replace" ? undefined : after.id };
  // What is computed stays what it was.
  return { ...after, id: after.id ?? before.id, outputs: { ...before.outputs, ...after.outputs } };
}
