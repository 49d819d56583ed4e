/** The region's process: found, started once, repaired, stopped. */
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureRegion, regionStatus, stopRegion } from "@emqx-aws/cli/local/regionProcess";
import type { Surroundings } from "@emqx-aws/cli/local/surroundings";
import { createFolders, surroundingsOf } from "@emqx-aws/cli/local/surroundings";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { isAlive } from "@emqx-aws/cli/processes";
import { eventually } from "../waiting";

let surroundings: Surroundings;
let said: string[];
const speaker = { say: (message: string) => said.push(message), progress: () => {} };

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "emqx-aws-region-"));
  // A copy of the region's code that a test may age or break.
  const code = join(folder, "code");
  mkdirSync(code);
  symlinkSync(join(repositoryRoot, "node_modules"), join(code, "node_modules"));
  cpSync(join(__dirname, "fixtures", "region.ts"), join(code, "main.ts"));
  surroundings = { ...surroundingsOf(folder), regionMain: join(code, "main.ts") };
  createFolders(surroundings);
  said = [];
});
afterEach(async () => {
  await stopRegion(surroundings);
  rmSync(surroundings.project, { recursive: true });
});

test("starts once, however many ask", async () => {
  expect((await regionStatus(surroundings)).kind).toBe("stopped");
  const regions = await Promise.all([1, 2, 3].map(() => ensureRegion(surroundings, speaker)));
  expect(new Set(regions.map(({ pid }) => pid)).size).toBe(1);
  // The others say what they wait for, where that takes long.
  expect(said.filter((line) => !line.endsWith("; waiting for it …"))).toEqual([
    "Starting the simulated region.",
  ]);
  expect((await regionStatus(surroundings)).kind).toBe("running");
});

test("a region whose process is gone is started again, and that is said", async () => {
  const { pid } = await ensureRegion(surroundings, speaker);
  process.kill(pid, "SIGKILL");
  await eventually("the region is gone", () => !isAlive(pid));
  expect((await regionStatus(surroundings)).kind).toBe("dead");
  const again = await ensureRegion(surroundings, speaker);
  expect(again.pid).not.toBe(pid);
  expect(said[1]).toBe(`The simulated region (process ${pid}) is gone; starting it again with its state.`);
});

test("a region that does not answer is restarted", async () => {
  const { pid } = await ensureRegion(surroundings, speaker);
  const file = join(surroundings.region, "region.json");
  const region = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...region, controlPort: 1 }));
  expect((await regionStatus(surroundings)).kind).toBe("silent");
  await ensureRegion(surroundings, speaker);
  expect(isAlive(pid)).toBe(false);
  expect(said[1]).toBe(`The simulated region (process ${pid}) does not answer; restarting it.`);
});

test("a region with older code is restarted, unless somebody deploys", async () => {
  const { pid } = await ensureRegion(surroundings, speaker);
  const soon = new Date(Date.now() + 1000);
  utimesSync(surroundings.regionMain, soon, soon);
  expect(await regionStatus(surroundings)).toMatchObject({ kind: "running", isOutdated: true });
  expect((await ensureRegion(surroundings, speaker, { mayRestart: false })).pid).toBe(pid);
  expect((await ensureRegion(surroundings, speaker)).pid).not.toBe(pid);
  expect(said).toContain("The simulated region runs older code than this repository has; restarting it.");
});

test("a region that does not start says why, and where its log is", async () => {
  writeFileSync(surroundings.regionMain, 'console.error("account.json cannot be read"); process.exit(4);');
  await expect(ensureRegion(surroundings, speaker)).rejects.toThrow(
    `the simulated region did not start (exit code 4)\naccount.json cannot be read\nIts log: ${surroundings.regionLog}`,
  );
});

test("only the last start's output is shown", async () => {
  appendFileSync(surroundings.regionLog, "an old complaint\n");
  writeFileSync(surroundings.regionMain, 'console.error("a new one"); process.exit(1);');
  await expect(ensureRegion(surroundings, speaker)).rejects.toThrow(
    /did not start \(exit code 1\)\na new one\n/,
  );
});

test("stopping says whether it ran", async () => {
  const { pid } = await ensureRegion(surroundings, speaker);
  expect(await stopRegion(surroundings)).toBe(true);
  expect(isAlive(pid)).toBe(false);
  expect(await stopRegion(surroundings)).toBe(false);
});
