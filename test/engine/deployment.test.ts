/** The repository's own program, deployed by the literal CLI into the simulated region. */
import { describeSteps } from "./events";
import { Engine, engineTimeout, obtainTimeout, prepareCli } from "./harness";

jest.setTimeout(engineTimeout);
let engine: Engine;
beforeAll(prepareCli, obtainTimeout);
beforeEach(() => (engine = new Engine()));
afterEach(() => engine.end());

test.each(["local", "guide"])(
  "stack %s: up does what preview says, up again nothing, destroy leaves nothing",
  async (name) => {
    const stack = engine.stack(name);
    const preview = await stack.preview();
    const up = await stack.up();
    expect(describeSteps(up.changes).sort()).toEqual(describeSteps(preview.changes).sort());
    expect(up.changes.every(({ failed, ended }) => !failed && ended !== undefined)).toBe(true);
    expect((await stack.up()).changes).toEqual([]);
    expect((await stack.refresh()).summary).toEqual({ same: up.summary.create });
    await stack.destroy();
    expect(await stack.resources()).toEqual([]);
  },
);
