/** A machine's time, shortened. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Clock } from "../../machine/bash/clock";

const folder = mkdtempSync(join(tmpdir(), "emqx-clock-"));
afterAll(() => rmSync(folder, { recursive: true }));

const off = new AbortController();
/** A minute is 60 ms; a rest is 700 ms. */
const clock = () => new Clock(0.001, join(folder, "uptime"), () => undefined, 700);

async function took(what: Promise<void>): Promise<number> {
  const started = performance.now();
  await what;
  return performance.now() - started;
}

test("who looks every minute rests where nothing has changed, and its minute has passed", async () => {
  const own = clock();
  expect(await took(own.rest(60, own.changes, off.signal))).toBeGreaterThan(650);
  expect(own.uptime).toBeGreaterThanOrEqual(60);
});

test("it looks after its minute where something has changed before it rests, and at once while it rests", async () => {
  const own = clock();
  const seen = own.changes;
  own.stir();
  expect(await took(own.rest(60, seen, off.signal))).toBeLessThan(400);
  const resting = took(own.rest(60, own.changes, off.signal));
  setTimeout(() => own.stir(), 150);
  expect(await resting).toBeLessThan(500);
});

test("a machine that is switched off does not wait for the end of its rest", async () => {
  const power = new AbortController();
  const resting = clock().rest(60, 0, power.signal);
  setTimeout(() => power.abort(), 150);
  await expect(resting).rejects.toThrow("switched off");
});
