/** Our Node.js language host, as the literal CLI sees it. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "@emqx-aws/cli/processes";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { parentOf, readIfThere } from "./waiting";
import { fixtureEngine } from "./fixtures";
import type { Engine } from "./harness";
import { engineTimeout, obtainTimeout, prepareCli } from "./harness";
import { eventually } from "../waiting";

jest.setTimeout(engineTimeout);
let engine: Engine;
beforeAll(prepareCli, obtainTimeout);
beforeEach(() => (engine = fixtureEngine()));
afterEach(() => engine.end());

const noThings = { "emqx-aws:things": [] };

test("a program runs with its stack, project, organization and configuration", async () => {
  const stack = engine.stack("local", { ...noThings, "emqx-aws:print": "said by the program" });
  const { diagnostics } = await stack.up();
  expect(diagnostics).toContainEqual(
    expect.objectContaining({ severity: "info", message: "said by the program" }),
  );
  expect(await stack.outputs()).toMatchObject({ identity: "organization/emqx-aws/local", thingIds: [] });
});

test("secret configuration stays secret", async () => {
  const stack = engine.stack("local", noThings);
  await engine.pulumi("config", "set", "--secret", "password", "hush", "--stack", "local");
  expect(readFileSync(stack.file, "utf8")).not.toContain("hush");
  const { stdout } = await stack.up();
  expect(stdout).toContain("password   : [secret]");
  expect(stdout).not.toContain("hush");
  expect(await stack.outputs()).toMatchObject({ password: "hush" });
});

test.each([
  ["RunError", "explained by the program"],
  ["Error", "Error: not foreseen by the program"],
  ["exit", "Program exited with non-zero exit code: 7"],
])("a program that ends by %s", async (failure, message) => {
  const stack = engine.stack("local", { ...noThings, "emqx-aws:failure": failure });
  const { exitCode, diagnostics } = await stack.run("preview");
  expect(exitCode).not.toBe(0);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(errors).toHaveLength(1);
  expect(errors[0]?.message).toContain(message);
});

function setOptions(options: Record<string, unknown>): void {
  const file = join(engine.surroundings.project, "Pulumi.yaml");
  const runtime = { name: "nodejs", options: { tsconfig: "tsconfig.json", ...options } };
  const project = { name: "emqx-aws", main: "index.ts", stackConfigDir: "stacks", runtime };
  writeFileSync(file, JSON.stringify(project));
}

test("nodeargs reach the program's process", async () => {
  setOptions({ nodeargs: "--max-old-space-size=300 --title 'two words'" });
  const stack = engine.stack("local", noThings);
  await stack.up();
  const { nodeOptions } = await stack.outputs();
  expect(nodeOptions).toEqual(expect.arrayContaining(["--max-old-space-size=300", "--title", "two words"]));
});

test.each([
  [{ typescript: "yes" }, 'runtime option typescript in Pulumi.yaml must be a boolean, not "yes"'],
  [{ nodeargs: 3 }, "runtime option nodeargs in Pulumi.yaml must be a string, not 3"],
  [{ nodeargs: "--title 'open" }, "nodeargs has a quote ' that is not closed: --title 'open"],
])("a wrong runtime option is an error: %j", async (options, message) => {
  setOptions(options);
  const { exitCode, diagnostics } = await engine.stack("local", noThings).run("preview");
  expect(exitCode).not.toBe(0);
  expect(diagnostics.map((diagnostic) => diagnostic.message).join()).toContain(message);
});

test("typescript: false runs JavaScript only", async () => {
  setOptions({ typescript: false });
  const file = join(engine.surroundings.project, "Pulumi.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace("index.ts", "plain.js"));
  writeFileSync(
    join(engine.surroundings.project, "plain.js"),
    "exports.loaders = Object.keys(require.extensions);",
  );
  const stack = engine.stack("local", noThings);
  await stack.up();
  expect(await stack.outputs()).toEqual({ loaders: [".js", ".json", ".node"] });
});

test("`pulumi about` names the runtime and its packages", async () => {
  const { stdout } = await engine.pulumi("about", "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    runtime: { language: "nodejs", executable: process.execPath, version: process.version },
  });
});

test("a policy pack runs with the stack's configuration, and its violations stop the deployment", async () => {
  const pack = join(engine.surroundings.project, "pack");
  mkdirSync(pack);
  writeFileSync(
    join(pack, "PulumiPolicy.yaml"),
    "runtime:\n  name: nodejs\n  options:\n    typescript: false\n",
  );
  writeFileSync(
    join(pack, "package.json"),
    JSON.stringify({ name: "pack", version: "1.0.0", main: "index.js" }),
  );
  symlinkSync(join(repositoryRoot, "node_modules"), join(pack, "node_modules"));
  writeFileSync(join(pack, "index.js"), readFileSync(join(__dirname, "fixtures", "policyPack.js")));
  const stack = engine.stack("local", { "emqx-aws:things": [{ name: "allowed" }, { name: "forbidden" }] });
  const { exitCode, stdout } = await stack.run("preview", "--policy-pack", pack);
  expect(stdout).toContain("forbidden is not allowed in organization/emqx-aws/local");
  expect(exitCode).not.toBe(0);
});

test("the program does not outlive a CLI that is killed", async () => {
  const pidFile = join(engine.surroundings.project, "pids");
  writeFileSync(
    join(engine.surroundings.project, "index.ts"),
    `require("node:fs").writeFileSync(${JSON.stringify(pidFile)}, process.pid + " " + process.ppid);
     setTimeout(() => {}, 60_000);`,
  );
  const run = engine.stack("local", noThings).run("up", "--yes", "--skip-preview");
  const [program = 0, host = 0] = (await eventually("the program runs", () => readIfThere(pidFile)))
    .split(" ")
    .map(Number);
  process.kill(parentOf(host), "SIGKILL");
  expect((await run).exitCode).toBe(137);
  await eventually("program and host are gone", () => !isAlive(program) && !isAlive(host));
});
