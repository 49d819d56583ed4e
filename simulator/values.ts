/**
 * The plain values that travel between a door (gRPC provider, mocks) and the model.
 *
 * A value that is not known yet (during a preview) is the engine's own sentinel string, so that the model can
 * carry it around like any other value. Secrets never enter the model: a door strips the marks, remembers
 * their paths and puts them back.
 */

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Props = { [key: string]: Value };

export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const resourceSignature = "5cf8f73096256a8f31e491e813e4eb8e";
const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

export type Path = (string | number)[];

export function isUnknown(value: unknown): boolean {
  return value === unknownValue;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function hasUnknown(value: Value | undefined): boolean {
  if (Array.isArray(value)) {
    return value.some(hasUnknown);
  }
  return isObject(value) ? Object.values(value).some((v) => hasUnknown(v)) : isUnknown(value);
}

/** Value equality; the order of keys does not count, the order of lists does. */
export function equal(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) {
    return true;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((v, i) => equal(v, b[i]));
  }
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((k) => k in b && equal(a[k] as Value, b[k] as Value))
    );
  }
  return false;
}

export interface Decoded {
  props: Props;
  /** Where the secrets were. */
  secrets: Path[];
}

/** Strips secret marks and resource references off what came over the wire. Nulls in objects are dropped. */
export function decode(wire: Record<string, unknown>): Decoded {
  const secrets: Path[] = [];
  const walk = (value: unknown, path: Path): Value => {
    if (Array.isArray(value)) {
      return value.map((v, i) => walk(v, [...path, i]));
    }
    if (!isObject(value)) {
      return value === undefined ? null : (value as Value);
    }
    switch (value[signatureKey]) {
      case secretSignature:
        secrets.push(path);
        return walk(value["value"], path);
      case outputSignature:
        if (value["secret"]) {
          secrets.push(path);
        }
        return "value" in value ? walk(value["value"], path) : unknownValue;
      case resourceSignature:
        return walk(value["id"] === "" ? unknownValue : (value["id"] ?? value["urn"]), path);
    }
    const result: Props = {};
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined && item !== null) {
        result[key] = walk(item, [...path, key]);
      }
    }
    return result;
  };
  return { props: walk(wire, []) as Props, secrets };
}

/** Puts secret marks back where they were; a path that no longer exists marks its nearest living ancestor. */
export function encode(props: Props, secrets: Path[]): Props {
  if (secrets.length === 0) {
    return props;
  }
  const result = structuredClone(props);
  for (const path of secrets) {
    markSecret(result, path);
  }
  return result;
}

function markSecret(root: Props, path: Path): void {
  let parent: Value = root;
  for (let i = 0; i < path.length; i++) {
    const key = path[i]!;
    const container = parent as { [key: string | number]: Value };
    const child: Value | undefined = container[key];
    if (child === undefined || isMarked(child)) {
      return;
    }
    const next = path[i + 1];
    const goesOn =
      next !== undefined && typeof child === "object" && child !== null && next in (child as object);
    if (!goesOn) {
      container[key] = { [signatureKey]: secretSignature, value: child };
      return;
    }
    parent = child;
  }
}

function isMarked(value: Value): boolean {
  return isObject(value) && value[signatureKey] === secretSignature;
}

/** `listeners[0].lbPort`, as the engine writes property paths. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") {
      return `${text}[${part}]`;
    }
    if (!/^[A-Za-z_$][\w$]*$/.test(part)) {
      return `${text}["${part.replace(/["\\]/g, "\\$&")}"]`;
    }
    return text === "" ? part : `${text}.${part}`;
  }, "");
}
