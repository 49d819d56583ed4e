/**
 * What was in the middle when a command was killed, of every type that the program makes: the next `up` finds out what became
 * of it, and ends the work. The state is written as the engine leaves it; what is being created is in orphans.test.ts.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { readState, stateFile } from "@emqx-aws/cli/local/stacks";
import { regionOf, settings, threeNodes } from "./deploymentSupport";
import type { StateResource } from "./harness";
import { engineForAll } from "./harness";

jest.setTimeout(300_000);
const engine = engineForAll(async () => {
  stack.configure(settings(own));
  await stack.up();
});
const all = { monitoring: {}, backup: {}, vpc: { flowLogs: {} }, classicElb: { proxyProtocol: true } };
const own = { certificate: { arn: undefined, selfSigned: {} }, protect: true };
const stack = engine.stack("local", { ...threeNodes, ...settings({ ...all, nodeCount: 1 }) });

interface State {
  checkpoint: { latest: { resources: StateResource[]; pending_operations?: unknown[] } };
}

/** Puts an operation into the state for one resource of every type. */
function interrupt(type: "updating" | "deleting" | "reading"): string[] {
  const file = stateFile(engine.surroundings, "local");
  const state = JSON.parse(readFileSync(file, "utf8")) as State;
  const { latest } = state.checkpoint;
  const one = new Map(
    latest.resources
      .filter(({ id, external, type: of }) => id && !external && !of.startsWith("pulumi:providers:"))
      .map((resource) => [resource.type, resource]),
  );
  latest.pending_operations = [...one.values()].map((resource) => ({ resource, type }));
  writeFileSync(file, JSON.stringify(state));
  return [...one.keys()];
}

test.each(["updating", "deleting", "reading"] as const)("%s", async (type) => {
  const types = interrupt(type);
  expect(types.length).toBeGreaterThan(40);
  expect(readState(engine.surroundings, "local").pendingOperations).toHaveLength(types.length);

  const up = await stack.up();
  // What had not happened is as it was.
  expect(up.changes).toEqual([]);
  expect(readState(engine.surroundings, "local").pendingOperations).toEqual([]);
  const said = engine.said.splice(0).join("\n");
  for (const each of types) expect(said).toContain(`  ${type} ${each} `);
});

test("a replacement whose old resources were deleted already goes on with the new ones", async () => {
  const file = stateFile(engine.surroundings, "local");
  const state = JSON.parse(readFileSync(file, "utf8")) as State;
  const { latest } = state.checkpoint;
  const instance = latest.resources.find(({ type }) => type === "aws:ec2/instance:Instance")!;
  await regionOf(engine).delete({ id: instance.id! });
  // As a refresh leaves it after a kill: without the instance, and without a word of it in what was attached to it.
  const left = latest.resources
    .filter((resource) => resource !== instance)
    .map((resource) => ({
      ...resource,
      ...(/:(VolumeAttachment|Attachment)$/.test(resource.type) && { pendingReplacement: true }),
    }));
  expect(left.filter((resource) => "pendingReplacement" in resource)).toHaveLength(2);
  latest.resources = JSON.parse(JSON.stringify(left), (_, value: unknown) =>
    Array.isArray(value) ? value.filter((item) => item !== instance.urn) : value,
  ) as StateResource[];
  writeFileSync(file, JSON.stringify(state));
  await stack.up();
  expect(await regionOf(engine).resources({ type: "Instance" })).toHaveLength(1);
  expect((await stack.up()).changes).toEqual([]);
});

test("`down` ends, too", async () => {
  stack.configure(settings({ protect: undefined, dataVolume: { retain: false } }));
  await stack.up();
  interrupt("deleting");
  await stack.destroy();
  expect(readState(engine.surroundings, "local").resources.filter(({ id }) => id)).toEqual([]);
});
