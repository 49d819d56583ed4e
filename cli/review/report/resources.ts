/** The resources of a component as table rows, alike ones together. */
import type { ComponentChange } from "../change/components";
import {
  type Operation,
  type PropertyChange,
  type ResourceChange,
  isKnown,
  isTagsOnly,
} from "../change/change";
import type { Labels } from "../change/labels";
import { shortened } from "../change/notice";
import { hasTextDiff } from "../change/texts";
import { byName, grouped, same, stable } from "../change/values";
import { nameOf } from "../preview/read";
import { secretText } from "../preview/secrets";
import { shortType } from "../types";
import { code, prose, row } from "./text";

export const signs: Record<Operation, string> = {
  create: "➕ create",
  update: "✏️ update",
  replace: "♻️ replace",
  delete: "❌ delete",
  forget: "❌ forget",
  same: "rename",
  read: "rename",
};

/** How bad it looks, for the order of rows. */
const rank: Operation[] = ["delete", "forget", "replace", "update", "create", "same", "read"];

const longestValue = 100;

export function resourceRows({ resources }: ComponentChange, labels: Labels): string[] {
  return [...grouped(resources, groupKey).values()]
    .sort(([a], [b]) => rank.indexOf(a!.operation) - rank.indexOf(b!.operation) || byName(a!.name, b!.name))
    .map((group) => resourceRow(group, labels));
}

/** Resources that differ in their number alone are one row, and so are those of which only tags change alike. */
function groupKey(resource: ResourceChange): string {
  const { operation, type, name, properties, renamedFrom } = resource;
  if (isTagsOnly(resource)) return `tags ${stable(properties)}`;
  const paths = properties.map(({ path, forcesReplacement }) => `${path}${forcesReplacement ? "!" : ""}`);
  return [operation, type, pattern(name), renamedFrom !== undefined, ...paths].join(" ");
}

/** A name without the number of a node and the name of a zone. */
function pattern(name: string): string {
  return name.replace(/\b[a-z]{2}(-[a-z]+)+-\d[a-z]\b/g, "zone").replace(/\d+/g, "#");
}

function resourceRow(group: ResourceChange[], labels: Labels): string {
  const [first] = group as [ResourceChange, ...ResourceChange[]];
  const kinds = [...new Set(group.map(({ type }) => shortType(type)))];
  const renamed = group.filter(({ renamedFrom }) => renamedFrom !== undefined);
  const details = [
    ...(renamed.length > 0
      ? [`was ${shortened(renamed.map(({ renamedFrom }) => oldName(renamedFrom)))}`].map(prose)
      : []),
    ...first.properties.map((property, i) => propertyText(property, i, group, labels)),
  ];
  return row(
    signs[first.operation],
    prose(shortened(group.map(({ name }) => name))),
    kinds.length === 1 ? prose(kinds[0] ?? "") : `${kinds.length} kinds`,
    details.join("<br>"),
  );
}

function oldName(urn: string | undefined): string {
  return urn === undefined ? "" : nameOf(urn);
}

function propertyText(
  property: PropertyChange,
  index: number,
  group: ResourceChange[],
  labels: Labels,
): string {
  const name = property.forcesReplacement ? `**${code(property.path)} forces it**` : code(property.path);
  if (hasTextDiff(property)) return `${name}: see the text below`;
  const others = group.map(({ properties }) => properties[index]);
  const alike = others.every(
    (other) => other && same(other.before, property.before) && same(other.after, property.after),
  );
  const [before, after] = [valueText(property.before, labels), valueText(property.after, labels)];
  if (property.before === secretText && property.after === secretText) return `${name}: another secret`;
  const transition = before === after ? before : `${before} → ${after}`;
  return `${name}: ${transition}${alike ? "" : " and so on"}`;
}

function valueText(value: unknown, labels: Labels): string {
  if (value === undefined || value === null) return "none";
  if (!isKnown(value)) return "*known later*";
  if (value === secretText) return "*secret*";
  const text = labels.apply(typeof value === "string" ? value : stable(hideUnknown(value)));
  return code(
    text.length > longestValue ? `${text.slice(0, longestValue)}… (${text.length} characters)` : text,
  );
}

function hideUnknown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hideUnknown);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !key.startsWith("__"))
        .map(([key, item]) => [key, hideUnknown(item)]),
    );
  }
  return value === null || isKnown(value) ? value : "known later";
}
