import type { Message, Preview, State, Step } from "../preview/read";
import { nameOf } from "../preview/read";
import { isUnknown } from "../preview/engine";
import type { Properties } from "../preview/engine";
import { types } from "../types";
import { at, byName, pathSteps, same } from "./values";

export type Operation = "create" | "update" | "replace" | "delete" | "same" | "read" | "forget";

export interface PropertyChange {
  path: string;
  forcesReplacement: boolean;
  before: unknown;
  after: unknown;
}

/** One resource, and what happens to it. */
export interface ResourceChange {
  urn: string;
  name: string;
  type: string;
  operation: Operation;
  custom: boolean;
  /** Its URN so far, when an alias leads from that to the new one. */
  renamedFrom?: string;
  before?: State;
  after?: State;
  properties: PropertyChange[];
}

/** A change of a stack: every resource of it, ordered by name. */
export interface Change {
  resources: ResourceChange[];
  /** What the program only reads: it belongs to somebody else, and the stack changes nothing of it. */
  reads: ResourceChange[];
  byUrn: Map<string, ResourceChange>;
  messages: Message[];
  /** Whether unchanged resources are known too. */
  isWhole: boolean;
  /** Resources of an earlier, interrupted update that are removed on the way. */
  leftovers: string[];
}

export function changeOf(preview: Preview): Change {
  const steps = preview.steps.filter(({ urn }) => !isProvider(urn));
  const leftovers = steps.filter(({ op, before }) => op === "delete" && isLeftover(steps, before?.urn));
  const all = steps
    .filter((step) => !leftovers.includes(step))
    .map(resourceChange)
    .sort((a, b) => byName(a.name, b.name) || byName(a.type, b.type) || byName(a.urn, b.urn));
  const isRead = ({ before, after }: ResourceChange) => (after ?? before)?.external === true;
  const resources = all.filter((resource) => !isRead(resource));
  return {
    resources,
    reads: all.filter(isRead),
    byUrn: new Map(resources.map((resource) => [resource.urn, resource])),
    messages: preview.messages,
    isWhole: preview.isWhole,
    leftovers: leftovers.map(({ urn }) => nameOf(urn)).sort(byName),
  };
}

function isProvider(urn: string): boolean {
  return urn.includes("pulumi:providers:");
}

/** The same URN is deleted and also something else: what an interrupted replacement left behind. */
function isLeftover(steps: Step[], urn: string | undefined): boolean {
  return steps.some((step) => step.urn === urn && step.op !== "delete");
}

const operations: Record<string, Operation> = {
  same: "same",
  create: "create",
  "create-replacement": "replace",
  update: "update",
  replace: "replace",
  delete: "delete",
  "delete-replaced": "replace",
  read: "read",
  "read-replacement": "replace",
  "import-replacement": "replace",
  import: "create",
  refresh: "same",
  discard: "forget",
  "discard-replaced": "forget",
  "remove-pending-replace": "forget",
};

function resourceChange(step: Step): ResourceChange {
  const { urn, before, after } = step;
  const operation = operations[step.op] ?? "update";
  const state = after ?? before;
  const renamed = before !== undefined && before.urn !== urn && operation !== "create";
  return {
    urn,
    name: nameOf(urn),
    type: state?.type ?? typeOf(urn),
    operation,
    custom: state?.custom ?? false,
    ...(renamed && { renamedFrom: before.urn }),
    before: operation === "create" ? undefined : before,
    after: operation === "delete" || operation === "forget" ? undefined : after,
    properties: operation === "update" || operation === "replace" ? propertyChanges(step) : [],
  };
}

function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

/** What the provider said differs; where it said nothing, what differs in the inputs. */
function propertyChanges(step: Step): PropertyChange[] {
  const { before, after, replaceReasons } = step;
  const forcing = new Set(replaceReasons);
  const detailed = Object.entries(step.detailedDiff ?? {}).filter(([path]) => !isInternal(path));
  const paths: [string, boolean][] =
    detailed.length > 0
      ? detailed.map(([path, kind]) => [path, kind.endsWith("-replace") || forcing.has(path)])
      : // Without a reason of its own it is replaced because something that it refers to is.
        differingKeys(step).map((key) => [
          key,
          forcing.has(key) || (step.op === "replace" && forcing.size === 0),
        ]);
  // A property that forces the replacement is shown even if the provider's details leave it out.
  for (const reason of forcing) {
    const named = paths.some(([path]) => path === reason || pathSteps(path)[0] === reason);
    if (!named && !isInternal(reason)) paths.push([reason, true]);
  }
  return paths
    .map(([path, forcesReplacement]) => ({
      path,
      forcesReplacement,
      before: valueAt(before?.inputs, before?.outputs, path),
      after: at(after?.inputs, path),
    }))
    .sort((a, b) => Number(b.forcesReplacement) - Number(a.forcesReplacement) || byName(a.path, b.path));
}

function isInternal(path: string): boolean {
  return (
    path.startsWith("__") || path === "tagsAll" || path.startsWith("tagsAll.") || path.startsWith("tagsAll[")
  );
}

function valueAt(inputs: Properties | undefined, outputs: Properties | undefined, path: string): unknown {
  return at(inputs, path) ?? at(outputs, path);
}

function differingKeys({ before, after, diffReasons, replaceReasons }: Step): string[] {
  const stated = [...replaceReasons, ...diffReasons].filter((key) => !isInternal(key));
  if (stated.length > 0) return [...new Set(stated)];
  const old = before?.inputs ?? {};
  const next = after?.inputs ?? {};
  return [...new Set([...Object.keys(old), ...Object.keys(next)])].filter(
    (key) => !isInternal(key) && !same(old[key], next[key]),
  );
}

/** Whether anything about the resource changes, its name included. */
export function isChanged({ operation, renamedFrom }: ResourceChange): boolean {
  return !["same", "read"].includes(operation) || renamedFrom !== undefined;
}

/** Whether nothing about the resource changes but its tags, or those of its root volume. */
export function isTagsOnly({ operation, properties }: ResourceChange): boolean {
  return operation === "update" && properties.length > 0 && properties.every(({ path }) => isTag(path));
}

function isTag(path: string): boolean {
  return /(^|\.)tags($|[.[])/.test(path);
}

export function isStack({ type }: ResourceChange): boolean {
  return type === types.stack;
}

/** The component a resource belongs to, or undefined at the top. */
export function parentOf(change: Change, resource: ResourceChange): ResourceChange | undefined {
  const parent = (resource.after ?? resource.before)?.parent;
  const found = parent === undefined ? undefined : change.byUrn.get(parent);
  return found && !isStack(found) ? found : undefined;
}

/** The URN of the parent, also where a preview leaves an unchanged component out. */
export function parentUrn(resource: ResourceChange): string | undefined {
  const parent = (resource.after ?? resource.before)?.parent;
  return parent === undefined || parent.includes(`::${types.stack}::`) ? undefined : parent;
}

export function changed(change: Change, type: string, ...among: Operation[]): ResourceChange[] {
  return change.resources.filter(
    (resource) => resource.type === type && (among.length === 0 || among.includes(resource.operation)),
  );
}

export function isKnown(value: unknown): boolean {
  return value !== undefined && value !== null && !isUnknown(value);
}
