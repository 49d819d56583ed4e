/** Rules as rows of a table: what breaks one, and what is answered, asked at both doors of the model. */
import type { Cloud } from "..";
import type { Props } from "../values";
import { MocksDoor, Provider } from "./doors";
import { furnish, World, type Door, type Ids } from "./world";

export interface Row {
  rule: string;
  type: string;
  /** What exists before, beside the furniture. */
  given?: (door: Door, ids: Ids) => Promise<unknown>;
  inputs: Props | ((ids: Ids) => Props | Promise<Props>);
  error: string | RegExp;
}

/** One test for each row: a provider refuses it, and the mocks do in the same words. */
export function askAtBothDoors(rows: Row[]): void {
  let provider: Provider;
  beforeEach(async () => {
    provider = await Provider.start();
  });
  afterEach(() => provider.stop());

  test.each(rows.map((row): [string, Row] => [row.rule, row]))("%s", async (_, row) => {
    const atProvider = await refusal(await provider.engine(), provider.cloud, row);
    if (typeof row.error === "string") {
      expect(atProvider).toContain(row.error);
    } else {
      expect(atProvider).toMatch(row.error);
    }
    // Both doors say the same, in the same words.
    const door = new MocksDoor();
    expect(await refusal(door, door.mocks.cloud, row)).toBe(atProvider);
  });
}

async function refusal(door: Door, cloud: Cloud, row: Row): Promise<string> {
  // By no door: to carry the furniture through both was more than half of the time.
  const ids = await furnish(new World(undefined, cloud));
  await row.given?.(door, ids);
  const inputs = typeof row.inputs === "function" ? await row.inputs(ids) : row.inputs;
  return door.create(row.type, "subject", inputs).then(
    () => "(accepted)",
    (error: Error) => error.message,
  );
}
