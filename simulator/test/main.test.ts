/** The process: found by its file, ended cleanly, one for a directory. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { names, readRegionFile, RegionClient } from "..";
import { Engine } from "./doors";

const entry = join(__dirname, "../../simulator/main.ts");
let directory: string;
const processes: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "region-"));
});
afterEach(() => {
  processes.splice(0).forEach((p) => p.kill("SIGKILL"));
  rmSync(directory, { recursive: true, force: true });
});

interface Run {
  process: ChildProcess;
  ended: Promise<number | null>;
  errors: () => string;
}

function start(...more: string[]): Run {
  const child = spawn(
    process.execPath,
    ["--require", "@emqx-aws/simulator/typescript.cjs", entry, "--directory", directory, ...more],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  processes.push(child);
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.resume();
  return {
    process: child,
    ended: once(child, "exit").then(([code]) => code as number | null),
    errors: () => errors,
  };
}

async function started(run: Run) {
  for (;;) {
    const file = readRegionFile(directory);
    if (file?.pid === run.process.pid && file !== undefined) {
      return file;
    }
    if (run.process.exitCode !== null) {
      throw new Error(run.errors());
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

test("a life: started, used, killed, found again, asked to end", async () => {
  const first = start();
  const file = await started(first);
  expect(statSync(join(directory, "region.json")).mode & 0o777).toBe(0o600);
  const engine = new Engine(file.port);
  await engine.configure({ region: "eu-west-1" });
  const vpc = await engine.create(names.vpc, "v", { cidrBlock: "10.0.0.0/16" });
  engine.close();
  first.process.kill("SIGKILL");
  await first.ended;
  // The file of a process that is gone is no obstacle.
  expect(existsSync(join(directory, "region.json"))).toBe(true);
  const second = start();
  const client = new RegionClient(await started(second));
  expect((await client.resource({ id: vpc.id })).type).toBe(names.vpc);
  await client.shutdown();
  expect(await second.ended).toBe(0);
  expect(existsSync(join(directory, "region.json"))).toBe(false);
  expect(existsSync(join(directory, "account.journal"))).toBe(false);
}, 30_000);

test("SIGTERM ends it cleanly; a second process for the directory is refused", async () => {
  const first = start();
  const { pid, port } = await started(first);
  const second = start();
  expect(await second.ended).toBe(3);
  expect(second.errors()).toContain(`process ${pid} already serves ${directory} on port ${port}`);
  first.process.kill("SIGTERM");
  expect(await first.ended).toBe(0);
  expect(existsSync(join(directory, "region.json"))).toBe(false);
}, 30_000);

test("state that cannot be read is said, and left alone", async () => {
  writeFileSync(join(directory, "account.json"), '{"version":7}');
  const run = start();
  expect(await run.ended).toBe(4);
  expect(run.errors()).toContain("has version 7, this program reads version 1");
  expect(existsSync(join(directory, "region.json"))).toBe(false);
}, 30_000);

test("a port in use is an error", async () => {
  const first = start();
  const { port } = await started(first);
  const other = mkdtempSync(join(tmpdir(), "region-"));
  const second = start("--directory", other, "--port", String(port));
  expect(await second.ended).toBe(1);
  expect(second.errors()).toContain(String(port));
  rmSync(other, { recursive: true });
}, 30_000);
