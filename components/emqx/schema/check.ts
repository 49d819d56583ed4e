/** Whether EMQX of a version would start on a configuration: the rules of emqx/hocon's src/hocon_tconf.erl. */
import { nearest } from "../../shared/nearest";
import { HoconValue } from "../hocon";
import { Structure, structure } from "./table";
import { primitiveProblem } from "./values";

export interface ConfigurationProblem {
  path: string[];
  kind: "unknown" | "value" | "required";
  /** Without the path: `is no setting of EMQX 5.8.9 (did you mean max_packet_size?)`. */
  says: string;
  /** The names that are allowed in place of an unknown one. */
  known?: string[];
}

type Tree = { [key: string]: HoconValue };

/**
 * Everything that EMQX refuses in a whole configuration. What only its own code decides (a list of servers, a rule's
 * SQL …) is left to it.
 */
export function configurationProblems(tree: Tree, version: string): ConfigurationProblem[] {
  return checkStruct({ version, path: [] }, "", tree);
}

interface Place {
  version: string;
  path: string[];
}

function below(place: Place, key: string): Place {
  return { version: place.version, path: [...place.path, key] };
}

function checkStruct(place: Place, name: string, value: HoconValue): ConfigurationProblem[] {
  const struct = structure(name, place.version);
  if (struct === undefined) return [];
  if (!isTree(value)) return isIndexed(value) ? [] : [wrong(place, value, "an object { … }")];
  const problems: ConfigurationProblem[] = [];
  for (const [key, inner] of Object.entries(value)) {
    const field = struct.fields.get(key);
    if (inner === null) continue;
    if (field === undefined) problems.push(unknown(below(place, key), key, struct));
    else if (field.type !== "deprecated") problems.push(...checkType(below(place, key), field.type, inner));
  }
  for (const { names } of struct.required) {
    if (!names.some((key) => (value[key] ?? null) !== null)) {
      const place_ = below(place, names[0]!);
      problems.push({ path: place_.path, kind: "required", says: "is required" });
    }
  }
  return problems;
}

function checkType(place: Place, type: string, value: HoconValue): ConfigurationProblem[] {
  const members = split(type);
  if (members.length > 1) return checkUnion(place, members, value);
  if (type === "any") return [];
  if (type.startsWith("&")) return checkStruct(place, type.slice(1), value);
  // The only lists of structures where one of them may stand alone are those of authenticators (emqx_authn_schema.erl, ensure_array/2).
  if (type.startsWith("~[") && place.path.at(-1) === "authentication" && isTree(value) && !isIndexed(value)) {
    return checkType(place, type.slice(2, -1), value);
  }
  if (type.startsWith("~")) {
    return typeof value === "object" ? checkType(place, type.slice(1), value) : [];
  }
  if (type.startsWith("=")) {
    return typeof value !== "object" && String(value) === type.slice(1)
      ? []
      : [wrong(place, value, type.slice(1))];
  }
  if (type.startsWith("{")) {
    if (!isTree(value)) return [wrong(place, value, "an object { name { … } }")];
    return Object.entries(value).flatMap(([key, inner]) =>
      inner === null ? [] : checkType(below(place, key), type.slice(1, -1), inner),
    );
  }
  if (type.startsWith("[")) {
    const items = Array.isArray(value)
      ? value.map((item, i) => [String(i + 1), item] as const)
      : indexed(value);
    if (items === undefined) return [wrong(place, value, "a list [ … ]")];
    return items.flatMap(([index, item]) => checkType(below(place, index), type.slice(1, -1), item));
  }
  const allowed = primitiveProblem(type, value);
  return allowed === undefined ? [] : [wrong(place, value, allowed)];
}

/** One member must fit. Of structures, those come into question whose fixed words (`mechanism`, `type` …) are there. */
function checkUnion(place: Place, members: string[], value: HoconValue): ConfigurationProblem[] {
  const tries = members.map((type) => ({ type, problems: checkType(place, type, value) }));
  if (tries.some(({ problems }) => problems.length === 0)) return [];
  const depth = place.path.length;
  const structs = isTree(value) ? tries.filter(({ type }) => /^[&{[]/.test(type)) : [];
  if (structs.length === 0) {
    const words = members.map((type) => (type.startsWith("=") ? type.slice(1) : primitiveProblem(type, {})));
    return [wrong(place, value, [...new Set(words)].filter(Boolean).join(", or "))];
  }
  const misfits = structs.map(({ type, problems }) => {
    const fixed = fixedWords(type, place.version);
    // A member whose fixed words are others is another thing altogether.
    const others = problems.filter(
      ({ kind, path }) => kind === "value" && path.length === depth + 1 && fixed.has(path[depth]!),
    );
    return { problems, others };
  });
  misfits.sort((a, b) => a.others.length - b.others.length || a.problems.length - b.problems.length);
  const { problems, others } = misfits[0]!;
  const key = others[0]?.path[depth];
  const written = key === undefined || !isTree(value) ? undefined : value[key];
  if (key === undefined || written === undefined) return problems;
  const allowed = structs.flatMap(({ type }) => fixedWords(type, place.version).get(key) ?? []);
  return [wrong(below(place, key), written, oneOf([...new Set(allowed)], String(written)))];
}

/** Fields of a structure that can be one word only, or one of a few. */
function fixedWords(type: string, version: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  if (!type.startsWith("&")) return found;
  for (const [name, field] of structure(type.slice(1), version)?.fields ?? []) {
    const words = split(field.type);
    if (words.every((word) => word.startsWith("=")))
      found.set(
        name,
        words.map((word) => word.slice(1)),
      );
  }
  return found;
}

function unknown(place: Place, key: string, struct: Structure): ConfigurationProblem {
  const known = [...struct.fields.keys()];
  const close = nearest(key, known);
  const says = close
    ? `is no setting of EMQX ${place.version}: did you mean ${[...place.path.slice(0, -1), close].join(".")}?`
    : `is no setting of EMQX ${place.version}. Here it knows ${list(known)}.`;
  return { path: place.path, kind: "unknown", says, known };
}

function wrong(place: Place, value: HoconValue, allowed: string): ConfigurationProblem {
  return { path: place.path, kind: "value", says: `cannot be ${shown(value)}: EMQX takes ${allowed}.` };
}

function oneOf(words: string[], written: string): string {
  const close = nearest(written, words);
  return close ? `${close} (or another of ${list(words)})` : list(words);
}

function list(names: string[]): string {
  const most = 20;
  return names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");
}

function shown(value: HoconValue): string {
  if (isTree(value)) return "an object";
  return Array.isArray(value) ? "a list" : JSON.stringify(value);
}

/** `{ 1 = a, 2 = b }` is a list to EMQX. */
function indexed(value: HoconValue): (readonly [string, HoconValue])[] | undefined {
  if (!isIndexed(value)) return undefined;
  return Object.entries(value as Tree);
}

function isIndexed(value: HoconValue): boolean {
  return (
    isTree(value) && Object.keys(value).length > 0 && Object.keys(value).every((key) => /^\d+$/.test(key))
  );
}

function isTree(value: HoconValue | undefined): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const splits = new Map<string, string[]>();

/** The members of a union, which brackets may hold further ones inside. */
function split(type: string): string[] {
  const known = splits.get(type);
  if (known !== undefined) return known;
  const members = [""];
  let open = 0;
  for (const letter of type) {
    if (letter === "[" || letter === "{") open += 1;
    if (letter === "]" || letter === "}") open -= 1;
    if (letter === "|" && open === 0) members.push("");
    else members[members.length - 1] += letter;
  }
  splits.set(type, members);
  return members;
}
