/** A committed stack's whole life: preview, up, nothing more to do, refresh, destroy. Stack local's is in the pages (docs/connect.md) and in the journey. */
import { operations, regionOf, settings } from "./deploymentSupport";
import { residentPrograms } from "../run/resident";
import { Engine, engineTimeout, obtainTimeout, prepareCli } from "./harness";

jest.setTimeout(engineTimeout);
residentPrograms();
let engine: Engine;
beforeAll(prepareCli, obtainTimeout);
beforeEach(() => (engine = new Engine()));
afterEach(() => engine.end());

test.each([
  ["guide", 2],
  ["prod", 3],
])("stack %s; data volumes that are left: %i", async (name, retained) => {
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

  if (stack.config["emqx-aws:protect"] === true) {
    expect((await stack.run("destroy", "--yes")).exitCode).not.toBe(0);
    expect((await stack.preview()).summary).toEqual(resources);
    stack.configure(settings({ protect: false }));
    await stack.up();
  }
  await stack.destroy();
  expect(await stack.resources()).toEqual([]);
  // The data outlives the stack, where it is to.
  const left = (await regionOf(engine).resources()).map(({ type }) => type);
  expect(left).toEqual(Array(retained).fill("aws:ebs/volume:Volume"));
});
