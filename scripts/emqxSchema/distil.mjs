/**
 * Distils what dump.erl tells of each EMQX version into one table: components/emqx/schema/keys.ts. Usage:
 *
 *     node scripts/emqxSchema/distil.mjs VERSION=dump.json … > components/emqx/schema/keys.ts
 *
 * Facts only: names, types, enums, bounds. A field's type is written once and holds for all versions where its
 * structure exists; where versions differ, it is { "version from which on": type or null }.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import semver from "semver";

const dumps = process.argv
  .slice(2)
  .map((argument) => argument.split("="))
  .sort(([a], [b]) => semver.compare(a, b));

/** Types in one line: `name()` is EMQX's own, `=word` a literal, `&name` a structure, `[T]` an array, `{T}` a map. */
function line(type) {
  switch (type.kind) {
    case "primitive":
      return type.name.replace(/^emqx_[a-z_]*schema[a-z_]*:/, "");
    case "singleton":
      // Structures, whose names alone are dumped (emqx_message_transformation_schema.erl, payload_serde_member_selector/1).
      return type.name.startsWith("payload_serde_") ? "any" : `=${type.name}`;
    case "enum":
      return type.symbols.map((symbol) => `=${symbol}`).join("|");
    case "struct":
      return `&${type.name}`;
    case "array":
      return `[${line(type.elements)}]`;
    case "map":
      return `{${line(type.values)}}`;
    case "union":
      return [...new Set(type.members.map(line))].join("|");
    default:
      return "any";
  }
}

const fields = {};
for (const [version, file] of dumps) {
  for (const { full_name: struct, fields: listed } of JSON.parse(readFileSync(file, "utf8"))) {
    for (const field of listed) {
      const names = [field.name, ...field.aliases].join("|");
      // `~`: EMQX converts the value first, so a text or number may stand for a list or a map.
      const converted =
        field.converter && !["primitive", "singleton", "enum", "struct"].includes(field.type.kind) ? "~" : "";
      // A list of names and values, too (emqx_authn_jwt_schema.erl, verify_claims/1).
      if (field.name === "verify_claims")
        field.type = { kind: "union", members: [field.type, { kind: "array", elements: field.type }] };
      const required = field.required && !("default" in field) ? "!" : "";
      const type = field.deprecated ? "deprecated" : required + converted + line(field.type);
      const root = struct === "Root Config Keys" ? "" : struct;
      ((fields[root] ??= {})[names] ??= {})[version] = type;
    }
  }
}

const versions = dumps.map(([version]) => version);
const structs = {};
for (const struct of Object.keys(fields).sort()) {
  const present = versions.filter((v) => Object.values(fields[struct]).some((history) => v in history));
  structs[struct] = {};
  for (const [names, history] of Object.entries(fields[struct]).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const changes = {};
    let last;
    for (const version of present) {
      const now = history[version] ?? null;
      if (now !== last && (last !== undefined || now !== null)) changes[version] = now;
      if (now !== null || last !== undefined) last = now;
    }
    const all = Object.values(changes);
    structs[struct][names] = all.length === 1 && Object.keys(changes)[0] === present[0] ? all[0] : changes;
  }
}
/** Long types that occur more than once. */
const occurrences = new Map();
const histories = Object.values(structs).flatMap((row) => Object.values(row));
for (const type of histories.flatMap((history) =>
  typeof history === "string" ? [history] : Object.values(history),
)) {
  const union = type?.match(/[&=][^[\]{}]{40,}/)?.[0];
  if (union) occurrences.set(union, (occurrences.get(union) ?? 0) + 1);
}
const types = [...occurrences].filter(([, count]) => count > 1).map(([type]) => type);
const indices = new Map(types.map((type, index) => [type, `@${index}`]));
const short = (type) => type?.replace(/[&=][^[\]{}]{40,}/, (union) => indices.get(union) ?? union) ?? null;
const shorten = (history) =>
  typeof history === "string"
    ? short(history)
    : Object.fromEntries(Object.entries(history).map(([v, t]) => [v, short(t)]));
const rows = Object.entries(structs).map(([name, row]) => {
  const fields = Object.fromEntries(Object.entries(row).map(([names, history]) => [names, shorten(history)]));
  return `${JSON.stringify(name)}:${JSON.stringify(fields)}`;
});
process.stdout.write(
  `/** Made by scripts/emqxSchema: see there. A text, as it is only parsed when a configuration is checked. */\n` +
    `export const keys = String.raw\`{"versions":${JSON.stringify(versions)},\n` +
    `"types":${JSON.stringify(types)},\n"structs":{\n${rows.join(",\n")}\n}}\`;\n`,
);
