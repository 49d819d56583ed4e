/**
 * What was in the middle when a command was killed, of every type that the program makes: the next `up` finds out what became
 * of it, and ends the work. The state is written as the engine leaves it; what is being created is in adoption.test.ts.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { readState, stateFile } from "../../cli/local/stacks";
import { settings, threeNodes } from "./deploymentSupport";
import type { StateResource } from "./harness";
import { Engine, obtainTimeout, prepareCli, type Stack } from "./harness";

jest.setTimeout(300_000);
let engine: Engine;
let stack: Stack;
beforeAll(async () => {
  await prepareCli();
  engine = new Engine();
  const all = { monitoring: true, backup: true, flowLogs: true, proxyProtocol: true };
  const own = { certificateArn: undefined, selfSignedCertificate: true, protect: true };
  stack = engine.stack("local", { ...threeNodes, ...settings({ ...all, nodeCount: 1 }) });
  stack.configure(settings(own));
  await stack.up();
}, obtainTimeout);
afterAll(() => engine.end());

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

test("`down` ends, too", async () => {
  stack.configure(settings({ protect: undefined, retainDataVolumes: false }));
  await stack.up();
  interrupt("deleting");
  await stack.destroy();
  expect(readState(engine.surroundings, "local").resources.filter(({ id }) => id)).toEqual([]);
});
