/** A committed stack's whole life: preview, up, nothing more to do, refresh, destroy. */
import { operations, regionOf } from "./deploymentSupport";
import { Engine, engineTimeout, obtainTimeout, prepareCli } from "./harness";

jest.setTimeout(engineTimeout);
let engine: Engine;
beforeAll(prepareCli, obtainTimeout);
beforeEach(() => (engine = new Engine()));
afterEach(() => engine.end());

test.each([
  ["guide", []],
  // The settings say that the data outlives the stack.
  ["prod", Array(3).fill("aws:ebs/volume:Volume")],
])("stack %s", async (name, kept) => {
  const stack = engine.stack(name);
  const preview = await stack.preview();
  const up = await stack.up();
  expect(operations(up)).toEqual(operations(preview));
  expect(up.changes.filter(({ op, failed, ended }) => op !== "create" || failed || !ended)).toEqual([]);
  const resources = { same: up.summary["create"] };

  expect((await stack.preview()).summary).toEqual(resources);
  expect((await stack.up()).summary).toEqual(resources);
  // The nodes have written their readiness by now; that is theirs to write, and no drift.
  // What the stack only reads, its certificate, a refresh counts too.
  const reads = (await stack.resources()).filter(({ external }) => external).length;
  expect((await stack.refresh()).summary).toEqual({ same: resources.same! + reads });

  await stack.destroy();
  expect(await stack.resources()).toEqual([]);
  expect((await regionOf(engine).resources()).map(({ type }) => type)).toEqual(kept);
});
