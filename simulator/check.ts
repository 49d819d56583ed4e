import { createHash, randomBytes } from "crypto";
import { Problems, type Problem } from "./errors";
import { propertiesOf, type InvokeType, type Property, type ResourceType } from "./schema";
import { hasUnknown, isObject, isUnknown, pathText, type Path, type Props, type Value } from "./values";

/** How the engine asked for automatic names (`pulumi:autonaming`). */
export interface AutoNaming {
  mode: "propose" | "enforce" | "disable";
  proposed: string;
}

interface CheckRequest {
  type: ResourceType;
  /** The resource's logical name. */
  name: string;
  urn: string;
  /** Inputs of the existing resource, so that automatic names stay. */
  olds?: Props;
  news: Props;
  randomSeed?: Uint8Array;
  autoNaming?: AutoNaming;
}

export interface Checked {
  inputs: Props;
  problems: Problem[];
}

/** The names of properties that the provider filled in, as the real bridge records them. */
export const defaultsKey = "__defaults";

/** Kinds, required and unknown properties, defaults, automatic names, and the type's own validation. */
export function checkInputs(request: CheckRequest): Checked {
  const { type, news } = request;
  const problems = new Problems();
  const properties = propertiesOf(type);
  const given: Props = {};
  for (const [key, value] of Object.entries(news)) {
    if (key !== defaultsKey) {
      given[key] = value;
    }
  }
  const inputs = checkFields(type.token, properties, given, [], problems);
  const defaults: string[] = [];
  for (const [key, property] of Object.entries(properties)) {
    if (inputs[key] === undefined && property.default !== undefined) {
      inputs[key] = property.default;
      defaults.push(key);
    }
  }
  if (type.autoName) {
    const { property = "name" } = type.autoName;
    if (inputs[property] === undefined && inputs[`${property}Prefix`] === undefined) {
      const name = automaticName(request, type.autoName, property, problems);
      if (name !== undefined) {
        inputs[property] = name;
        defaults.push(property);
      }
    }
  }
  if (problems.found.length === 0) {
    type.validate?.(withoutUnknown(inputs), problems, new Set(Object.keys(inputs)));
  }
  inputs[defaultsKey] = defaults.sort();
  return { inputs, problems: problems.found };
}

/** Arguments of an invoke: the same strictness, no automatic names. */
export function checkArguments(invoke: InvokeType, args: Props): Checked {
  const problems = new Problems();
  const inputs = checkFields(invoke.token, invoke.properties, args, [], problems);
  for (const [key, property] of Object.entries(invoke.properties)) {
    if (inputs[key] === undefined && property.default !== undefined) {
      inputs[key] = property.default;
    }
  }
  return { inputs, problems: problems.found };
}

function checkFields(
  token: string,
  fields: Record<string, Property>,
  given: Props,
  path: Path,
  problems: Problems,
): Props {
  const result: Props = {};
  for (const [key, value] of Object.entries(given)) {
    const at = [...path, key];
    const property = fields[key];
    if (value === null) {
      continue;
    }
    if (!property || property.output) {
      const hint = nearest(
        key,
        Object.keys(fields).filter((k) => !fields[k]!.output),
      );
      problems.add(
        pathText(at),
        hint
          ? `${token} has no input "${pathText(at)}"; did you mean "${hint}"?`
          : `${token} has no input "${pathText(at)}" in the simulated region, which models what the components use`,
      );
    } else {
      result[key] = checkValue(token, property, value, at, problems);
    }
  }
  for (const [key, property] of Object.entries(fields)) {
    if (property.required && result[key] === undefined) {
      const at = pathText([...path, key]);
      problems.add(path.length === 0 ? "" : pathText(path), `Missing required property '${at}'`);
    }
    if (path.length > 0 && property.default !== undefined && result[key] === undefined) {
      result[key] = property.default;
    }
  }
  return result;
}

const kindNames: Record<Property["kind"], string> = {
  string: "a string",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  json: "a JSON document (text or an object)",
  list: "a list",
  set: "a list",
  map: "a map",
  object: "an object",
};

function checkValue(token: string, property: Property, value: Value, path: Path, problems: Problems): Value {
  if (isUnknown(value)) {
    return value;
  }
  const wrong = () => {
    problems.add(
      pathText(path),
      `"${pathText(path)}" of ${token} is ${kindNames[property.kind]}, got ${shown(value, property.sensitive)}`,
    );
    return value;
  };
  let checked: Value = value;
  switch (property.kind) {
    case "string":
      if (typeof value !== "string") {
        return wrong();
      }
      break;
    case "number":
      if (typeof value !== "number") {
        return wrong();
      }
      break;
    case "integer":
      if (typeof value !== "number" || !Number.isInteger(value)) {
        return wrong();
      }
      break;
    case "boolean":
      if (typeof value !== "boolean") {
        return wrong();
      }
      break;
    case "json":
      if (isObject(value)) {
        checked = hasUnknown(value) ? value : JSON.stringify(value);
      } else if (typeof value !== "string") {
        return wrong();
      } else if (!isJson(value)) {
        problems.add(
          pathText(path),
          `"${pathText(path)}" contains an invalid JSON policy: ${value.slice(0, 60)}`,
        );
        return value;
      }
      break;
    case "list":
    case "set":
      if (!Array.isArray(value)) {
        return wrong();
      }
      checked = value.map((v, i) => checkValue(token, property.item!, v, [...path, i], problems));
      break;
    case "map":
      if (!isObject(value)) {
        return wrong();
      }
      checked = Object.fromEntries(
        Object.entries(value).map(([k, v]) => [
          k,
          checkValue(token, property.item!, v, [...path, k], problems),
        ]),
      );
      break;
    case "object":
      if (!isObject(value)) {
        return wrong();
      }
      checked = checkFields(token, property.fields!, value, path, problems);
      break;
  }
  const reason = hasUnknown(checked) ? undefined : property.check?.(checked as never);
  if (reason !== undefined) {
    problems.add(pathText(path), reason);
  }
  return checked;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function shown(value: Value, sensitive = false): string {
  return sensitive ? `a ${Array.isArray(value) ? "list" : typeof value}` : JSON.stringify(value).slice(0, 80);
}

/** Validation looks at what is known; the rest is looked at when it is. */
function withoutUnknown(inputs: Props): Props {
  return Object.fromEntries(Object.entries(inputs).filter(([, value]) => !isUnknown(value)));
}

function automaticName(
  request: CheckRequest,
  auto: NonNullable<ResourceType["autoName"]>,
  property: string,
  problems: Problems,
): string | undefined {
  const { olds, autoNaming } = request;
  const old = olds?.[property];
  const oldDefaults = olds?.[defaultsKey];
  if (typeof old === "string" && Array.isArray(oldDefaults) && oldDefaults.includes(property)) {
    return old;
  }
  if (autoNaming?.mode === "enforce") {
    return autoNaming.proposed;
  }
  if (autoNaming?.mode === "disable") {
    problems.add(property, "automatic naming is disabled but no explicit name was given");
    return undefined;
  }
  const transform = auto.transform ?? ((name) => name);
  if (autoNaming) {
    return transform(autoNaming.proposed).slice(0, auto.maxLength);
  }
  const prefix = `${transform(request.name)}-`;
  if (prefix.length + 7 > auto.maxLength) {
    problems.add(
      property,
      `name '${prefix}' plus 7 random chars is longer than maximum length ${auto.maxLength}; give a shorter name`,
    );
    return undefined;
  }
  const seed = request.randomSeed?.length ? request.randomSeed : randomBytes(32);
  return prefix + createHash("sha256").update(seed).update(request.urn).digest("hex").slice(0, 7);
}

/** The closest known word, if it is close enough to be a typing error. */
export function nearest(word: string, known: string[]): string | undefined {
  const scored = known.map((k) => ({ k, d: distance(word.toLowerCase(), k.toLowerCase()) }));
  const best = scored.sort((a, b) => a.d - b.d)[0];
  return best && best.d <= Math.max(1, Math.floor(word.length / 4)) ? best.k : undefined;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + same);
    }
    row = next;
  }
  return row[b.length]!;
}
