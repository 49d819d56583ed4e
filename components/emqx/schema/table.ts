/**
 * The settings that each EMQX version knows: keys.ts, made by scripts/emqxSchema from EMQX's own schema modules
 * (emqx/emqx, tags v5.8.0 to 6.2.2, fields of every importance, hidden ones too).
 */
import * as semver from "semver";
import { keys } from "./keys";

export interface Structure {
  fields: Map<string, { names: string[]; type: string }>;
  required: { names: string[]; type: string }[];
}

type History = string | Record<string, string | null>;

interface Table {
  versions: string[];
  types: string[];
  structs: Record<string, Record<string, History> | undefined>;
}

let table: Table | undefined;
const read = new Map<string, Structure | undefined>();

function parsed(): Table {
  return (table ??= JSON.parse(keys) as Table);
}

/** The version whose settings are known, closest to this one: itself, or the newest before it. */
export function knownVersion(version: string): string {
  const { versions } = parsed();
  if (!semver.valid(version)) return versions.at(-1)!;
  return versions.filter((known) => semver.lte(known, version)).at(-1) ?? versions[0]!;
}

/** What a structure is in a version; `""` is the whole configuration. Undefined when that version has none such. */
export function structure(name: string, version: string): Structure | undefined {
  const key = `${version} ${name}`;
  if (!read.has(key)) read.set(key, readStructure(name, version));
  return read.get(key);
}

function readStructure(name: string, version: string): Structure | undefined {
  const struct: Structure = { fields: new Map(), required: [] };
  for (const [written, history] of Object.entries(parsed().structs[name] ?? {})) {
    const type = typeAt(history, version);
    if (type === null) continue;
    const names = written.split("|");
    const field = { names, type: type.startsWith("!") ? type.slice(1) : type };
    names.forEach((each) => struct.fields.set(each, field));
    if (type.startsWith("!")) struct.required.push(field);
  }
  return struct.fields.size === 0 ? undefined : struct;
}

function typeAt(history: History, version: string): string | null {
  if (typeof history === "string") return resolve(history);
  let type: string | null = null;
  for (const [since, changed] of Object.entries(history)) {
    if (semver.lte(since, version)) type = changed;
  }
  return type === null ? null : resolve(type);
}

/** Long types that several fields share are written once: `@7`. */
function resolve(type: string): string {
  return type.replace(/@(\d+)/g, (_, index: string) => parsed().types[Number(index)]!);
}
