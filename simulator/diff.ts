import { defaultsKey } from "./check";
import { propertiesOf, type Property, type ResourceType } from "./schema";
import { equal, hasUnknown, isObject, pathText, type Path, type Props, type Value } from "./values";

type DiffKind = "add" | "delete" | "update";

export interface PropertyChange {
  kind: DiffKind;
  replace: boolean;
  /** The inputs differ (otherwise only the state does: drift). */
  input: boolean;
}

export interface Difference {
  /** Top-level properties that differ, sorted. */
  changed: string[];
  replaces: string[];
  /** By property path, down to list and map elements. */
  detailed: Map<string, PropertyChange>;
  deleteBeforeReplace: boolean;
}

/** What the program asks for (`news`) against what is there (`olds`), by the type's table. */
export function difference(
  type: ResourceType,
  olds: Props,
  news: Props,
  oldInputs: Props | undefined,
  region: string,
): Difference {
  const changed: string[] = [];
  const replaces: string[] = [];
  const detailed: Difference["detailed"] = new Map();
  const properties = propertiesOf(type);
  for (const [key, property] of Object.entries(properties)) {
    if (property.output || property.suppressed?.(news)) {
      continue;
    }
    let wanted = news[key];
    if (key === "region" && wanted === undefined && !type.global) {
      wanted = region;
    }
    const changes: Found[] = [];
    compare(property, olds[key], wanted, [key], changes);
    if (changes.length === 0) {
      continue;
    }
    changed.push(key);
    const replace =
      changes.some((c) => replaceAsked(c.property, news, olds)) || replaceAsked(property, news, olds);
    if (replace) {
      replaces.push(key);
    }
    for (const change of changes) {
      detailed.set(pathText(change.path), {
        kind: change.kind,
        replace,
        input: oldInputs !== undefined && !equal(at(oldInputs, change.path), at(news, change.path)),
      });
    }
  }
  return {
    changed: changed.sort(),
    replaces: replaces.sort(),
    detailed,
    deleteBeforeReplace: replaces.length > 0 && keepsItsName(type, olds, news),
  };
}

/** Two resources of one name cannot exist side by side, unless the name was made up and is made up anew. */
function keepsItsName(type: ResourceType, olds: Props, news: Props): boolean {
  if (!type.autoName) {
    return false;
  }
  const { property = "name" } = type.autoName;
  const made = news[defaultsKey];
  return !(Array.isArray(made) && made.includes(property)) && equal(olds[property], news[property]);
}

interface Found {
  path: Path;
  kind: DiffKind;
  property: Property;
}

function replaceAsked(property: Property, news: Props, olds: Props): boolean {
  return typeof property.forceNew === "function" ? property.forceNew(news, olds) : property.forceNew === true;
}

function compare(
  property: Property,
  old: Value | undefined,
  wanted: Value | undefined,
  path: Path,
  found: Found[],
) {
  if (wanted === undefined || wanted === null) {
    if (!property.computed && !isEmpty(old)) {
      found.push({ path, kind: "delete", property });
    }
    return;
  }
  if (old === undefined || old === null) {
    if (!isEmpty(wanted)) {
      found.push({ path, kind: "add", property });
    }
    return;
  }
  switch (property.kind) {
    case "object":
      if (isObject(old) && isObject(wanted)) {
        for (const [key, field] of Object.entries(property.fields!)) {
          if (!field.output) {
            compare(field, old[key], wanted[key], [...path, key], found);
          }
        }
        return;
      }
      break;
    case "map":
      if (isObject(old) && isObject(wanted)) {
        for (const key of new Set([...Object.keys(old), ...Object.keys(wanted)])) {
          const before = old[key];
          const after = wanted[key];
          if (before === undefined || after === undefined) {
            found.push({ path: [...path, key], kind: before === undefined ? "add" : "delete", property });
          } else if (!equal(before, after)) {
            found.push({ path: [...path, key], kind: "update", property });
          }
        }
        return;
      }
      break;
    case "list":
      if (Array.isArray(old) && Array.isArray(wanted)) {
        for (let i = 0; i < Math.max(old.length, wanted.length); i++) {
          const before = old[i];
          const after = wanted[i];
          if (before === undefined || after === undefined) {
            found.push({ path: [...path, i], kind: before === undefined ? "add" : "delete", property });
          } else {
            compare(property.item!, before, after, [...path, i], found);
          }
        }
        return;
      }
      break;
    case "set":
      if (Array.isArray(old) && Array.isArray(wanted)) {
        compareSets(property, old, wanted, path, found);
        return;
      }
      break;
    case "boolean":
    case "integer":
    case "json":
    case "number":
    case "string":
      if (sameScalar(property, old, wanted)) {
        return;
      }
  }
  found.push({ path, kind: "update", property });
}

/** Elements have no order: those without a partner are added or deleted; at the same index they are an update. */
function compareSets(property: Property, old: Value[], wanted: Value[], path: Path, found: Found[]): void {
  const item = property.item!;
  const unmatched = new Set(old.keys());
  const added: number[] = [];
  wanted.forEach((value, i) => {
    const partner = hasUnknown(value) ? undefined : [...unmatched].find((j) => same(item, old[j]!, value));
    if (partner === undefined) {
      added.push(i);
    } else {
      unmatched.delete(partner);
    }
  });
  for (const i of added) {
    if (unmatched.has(i)) {
      unmatched.delete(i);
      const inner: Found[] = [];
      compare(item, old[i], wanted[i], [...path, i], inner);
      found.push(...inner);
    } else {
      found.push({ path: [...path, i], kind: "add", property });
    }
  }
  for (const i of unmatched) {
    found.push({ path: [...path, i], kind: "delete", property });
  }
}

/** Whether a change would be found between two values of a property. */
export function same(property: Property, old: Value, wanted: Value): boolean {
  const found: Found[] = [];
  compare(property, old, wanted, [], found);
  return found.length === 0;
}

function sameScalar(property: Property, old: Value, wanted: Value): boolean {
  if (hasUnknown(wanted)) {
    return false;
  }
  if (property.kind === "json") {
    return equal(parsed(old), parsed(wanted));
  }
  const normal = property.normalise ?? ((v: Value) => v);
  return equal(normal(old), normal(wanted));
}

function parsed(value: Value): Value {
  try {
    return typeof value === "string" ? (JSON.parse(value) as Value) : value;
  } catch {
    return value;
  }
}

/** Absent, null, "", [] and {} are the same to the provider; so are false and 0 where nothing was. */
function isEmpty(value: Value | undefined): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) {
    return true;
  }
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}

function at(props: Props, path: Path): Value | undefined {
  let value: Value | undefined = props;
  for (const part of path) {
    value = (value as { [key: string | number]: Value } | undefined)?.[part];
    if (value === null || value === undefined) {
      return undefined;
    }
  }
  return value;
}
