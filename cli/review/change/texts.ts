/** Long texts that change (user data, policies, configuration), as unified diffs. */
import { structuredPatch } from "diff";
import { isUnknown } from "../preview/engine";
import type { Change, PropertyChange, ResourceChange } from "./change";
import type { Labels } from "./labels";
import { byName } from "./values";

export interface TextChange {
  property: string;
  /** Resources whose text changes in this same way. */
  resources: string[];
  /** Lines that begin with a space, + or -, or with @@ where lines are left out. */
  lines: string[];
  added: number;
  removed: number;
}

const longerThan = 120;

/** Whether a value is better read as a diff of its own than in a table. */
function isText(value: unknown): value is string {
  return (
    typeof value === "string" && !isUnknown(value) && (value.includes("\n") || value.length > longerThan)
  );
}

export function hasTextDiff({ before, after }: PropertyChange): boolean {
  return (
    typeof before === "string" &&
    typeof after === "string" &&
    !isUnknown(after) &&
    (isText(before) || isText(after))
  );
}

export function textChangesOf(change: Change, labels: Labels): TextChange[] {
  const groups = new Map<string, TextChange>();
  for (const resource of change.resources) {
    for (const property of resource.properties.filter(hasTextDiff)) {
      const found = textChange(resource, property, labels);
      if (!found) continue;
      const marked = found.lines.filter((line) => line.startsWith("+") || line.startsWith("-"));
      const key = [property.path, resource.type, ...marked].join("\n");
      const group = groups.get(key);
      if (group) group.resources.push(resource.name);
      else groups.set(key, found);
    }
  }
  return [...groups.values()].sort(
    (a, b) => byName(a.resources[0] ?? "", b.resources[0] ?? "") || byName(a.property, b.property),
  );
}

function textChange(
  resource: ResourceChange,
  property: PropertyChange,
  labels: Labels,
): TextChange | undefined {
  const old = readable(property.path, property.before);
  const next = readable(property.path, property.after);
  const { hunks } = structuredPatch("", "", old, next, "", "", { context: 2 });
  const lines = hunks.flatMap((hunk, i) => [
    ...(i > 0 || hunk.oldStart > 1 ? [`@@ line ${hunk.newStart} @@`] : []),
    ...hunk.lines.filter((line) => !line.startsWith("\\")).map((line) => labels.apply(line)),
  ]);
  if (lines.length === 0) return undefined;
  return {
    property: property.path,
    resources: [resource.name],
    lines,
    added: lines.filter((line) => line.startsWith("+")).length,
    removed: lines.filter((line) => line.startsWith("-")).length,
  };
}

/** JSON with one value a line, Base64 decoded; everything else as it is. */
function readable(path: string, value: unknown): string {
  const plain = String(value);
  const decoded = /base64/i.test(path) ? Buffer.from(plain, "base64").toString() : plain;
  if (!/^\s*[[{]/.test(decoded)) return decoded;
  try {
    return JSON.stringify(JSON.parse(decoded), undefined, 2);
  } catch {
    return decoded;
  }
}
