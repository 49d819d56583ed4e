/** What a review says of what keeps things from being deleted, in both directions. */
import type { EngineState, DigestStep } from "../../review/preview/engine";
import { types } from "../../review/types";
import { create, remove, replace, reviewed, same, step, type Resource } from "./previews";

const volume = (name: string, extra: Partial<EngineState> = {}): Resource => ({
  type: types.volume,
  name,
  inputs: { size: 20 },
  extra,
});
const bucket = (inputs = {}, extra: Partial<EngineState> = {}): Resource => ({
  type: types.bucket,
  name: "exports",
  inputs,
  extra,
});
const balancer: Resource = { type: types.loadBalancer, name: "elb" };
const toggled = (resource: Resource, before: Partial<EngineState>, after: Partial<EngineState>) =>
  step("same", { ...resource, extra: before }, { ...resource, extra: after });

const rows: [string, DigestStep[], string[]][] = [
  [
    "nothing where nothing changes",
    [same(volume("a", { protect: true, retainOnDelete: true })), same(bucket())],
    [],
  ],
  ["nothing of what is new", [create(volume("a", { protect: true, retainOnDelete: true }))], []],
  [
    "protection that comes",
    [toggled(balancer, {}, { protect: true }), toggled(volume("a"), { protect: false }, { protect: true })],
    ["Protected from this update on; the engine refuses to delete: a and elb."],
  ],
  [
    "protection that goes",
    [toggled(balancer, { protect: true }, {})],
    ["Protection is taken away: from this update on, the engine deletes these when told to: elb."],
  ],
  [
    "volumes that are no longer kept",
    [toggled(volume("a"), { retainOnDelete: true }, {})],
    [
      "Data volumes are no longer kept: from this update on, one that leaves the stack is deleted with its data: a.",
    ],
  ],
  [
    "volumes that are kept from now on",
    [toggled(volume("a"), {}, { retainOnDelete: true })],
    ["Data volumes are kept in AWS from this update on when they leave the stack: a."],
  ],
  [
    "a bucket that S3 will keep",
    [remove(bucket())],
    ["Buckets would have to go, which S3 refuses while there is anything in them: exports."],
  ],
  ["nothing of a bucket that outlives the stack", [remove(bucket({}, { retainOnDelete: true }))], []],
  [
    "a bucket that is emptied",
    [replace(bucket({ forceDestroy: true }))],
    ["Buckets are deleted with all that is in them: exports."],
  ],
];

test.each(rows)("tells %s", (_what, steps, expected) => {
  expect(reviewed(...steps).notices.map(({ text }) => text)).toEqual(expected);
});

test("only the bucket that is emptied destroys data, and meets the gate", () => {
  expect(reviewed(remove(bucket())).notices).toEqual([expect.objectContaining({ level: "safe" })]);
  expect(reviewed(remove(bucket({ forceDestroy: true }))).notices).toEqual([
    expect.objectContaining({ level: "destroys-data", gate: "data-loss" }),
  ]);
});
