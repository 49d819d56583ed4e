/** Small previews in the engine's own format, for what the components never do. */
import type { DigestStep, EngineState } from "../../review/preview/engine";
import { readPreview } from "../../review/preview/read";
import { reviewOf } from "../../review/review";
import type { Review } from "../../review/review";

export interface Resource {
  type: string;
  name: string;
  inputs?: Record<string, unknown>;
  id?: string;
  parent?: string;
  dependencies?: string[];
  extra?: Partial<EngineState>;
}

export const urnOf = (type: string, name: string) => `urn:pulumi:test::test::${type}::${name}`;

function stateOf({ type, name, inputs = {}, id, parent, dependencies, extra }: Resource): EngineState {
  return {
    urn: urnOf(type, name),
    type,
    custom: true,
    id: id ?? `${name}-id`,
    parent,
    inputs,
    dependencies,
    ...extra,
  };
}

export function step(op: string, before: Resource | undefined, after: Resource | undefined): DigestStep {
  const one = (after ?? before) as Resource;
  return {
    op,
    urn: urnOf(one.type, one.name),
    oldState: before && stateOf(before),
    newState: after && stateOf(after),
  };
}

export const same = (resource: Resource) => step("same", resource, resource);
export const create = (resource: Resource) => step("create", undefined, resource);
export const remove = (resource: Resource) => step("delete", resource, undefined);
export const replace = (resource: Resource, after = resource) =>
  step("replace", resource, { ...after, id: "" });

export function documentOf(...steps: DigestStep[]): string {
  return JSON.stringify({ steps, changeSummary: { same: steps.filter(({ op }) => op === "same").length } });
}

export function reviewed(...steps: DigestStep[]): Review {
  return reviewOf(readPreview(documentOf(...steps), "test"), { stack: "test", base: "before" });
}
