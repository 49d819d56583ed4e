/** The literal CLI in our surroundings: stacks, their files, the user's own settings. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixtureEngine } from "./fixtures";
import type { Engine } from "./harness";
import { engineTimeout, obtainTimeout, prepareCli } from "./harness";

jest.setTimeout(engineTimeout);
let engine: Engine;
beforeAll(prepareCli, obtainTimeout);
beforeEach(() => (engine = fixtureEngine()));
afterEach(() => engine.end());

const stackFile = (name: string) => join(engine.surroundings.project, "stacks", `Pulumi.${name}.yaml`);

test("a stack that only has its file is initialised by the first command, and no file changes", async () => {
  const before = readFileSync(stackFile("local"), "utf8");
  const { exitCode } = await engine.pulumi("preview", "--diff", "-s", "local");
  expect(exitCode).toBe(0);
  expect(engine.said[0]).toMatch(/^Initialising stack local in .*backend\.$/);
  await engine.stack("local").up();
  await engine.stack("local").refresh();
  await engine.pulumi("stack", "output", "-s", "local", "--json");
  await engine.pulumi("config", "-s", "local");
  await engine.stack("local").destroy();
  expect(readFileSync(stackFile("local"), "utf8")).toBe(before);
  expect(readdirSync(join(engine.surroundings.project, "stacks"))).toEqual(["Pulumi.local.yaml"]);
});

test("`pulumi stack init` by hand leaves the file without a salt, too", async () => {
  await engine.pulumi("stack", "init", "local");
  expect(readFileSync(stackFile("local"), "utf8")).not.toContain("encryptionsalt");
  expect((await engine.stack("local").up()).summary).toMatchObject({ create: 2 });
});

test("a salt that a crash left in the file is taken out again", async () => {
  const before = readFileSync(stackFile("local"), "utf8");
  await engine.pulumi("stack", "output", "-s", "local");
  const state = join(engine.surroundings.backend, ".pulumi", "stacks", "emqx-aws", "local.json");
  const salt = /"salt":\s*"([^"]+)"/.exec(readFileSync(state, "utf8"))?.[1];
  expect(salt).toMatch(/^v1:/);
  writeFileSync(stackFile("local"), `${before}encryptionsalt: ${salt}\n`);
  await engine.pulumi("stack", "output", "-s", "local");
  expect(readFileSync(stackFile("local"), "utf8")).toBe(before);
});

test("`pulumi config set` changes the stack's file", async () => {
  await engine.pulumi("config", "set", "print", "hello", "-s", "local");
  const text = readFileSync(stackFile("local"), "utf8");
  expect(text).toContain("emqx-aws:print: hello");
  expect(text).toContain("# Comments");
  expect(text).not.toContain("encryptionsalt");
});

test("`pulumi up -c` keeps the setting in the stack's file, as Pulumi does", async () => {
  await engine.stack("local").up("-c", "emqx-aws:print=hello");
  const text = readFileSync(stackFile("local"), "utf8");
  expect(text).toContain("emqx-aws:print: hello");
  expect(text).not.toContain("encryptionsalt");
});

test("a stack file with its owner's encryption is used with the owner's passphrase", async () => {
  Object.assign(engine.session.env, { PULUMI_CONFIG_PASSPHRASE: "the owner's" });
  writeFileSync(stackFile("local"), ownFile);
  const stack = engine.stack("local");
  expect((await stack.up()).summary).toMatchObject({ create: 1 });
  expect(await stack.outputs()).toMatchObject({ password: "hush" });
  expect(readFileSync(stack.file, "utf8")).toBe(ownFile);
});

/** Encrypted with the passphrase "the owner's". */
const ownFile = `encryptionsalt: v1:/LLdNPCfhdE=:v1:BCm5eLTULVxWeP2B:D/2jZ75ezHkkzSauKo3EAjKnu1t2Dw==
config:
  emqx-aws:things: []
  emqx-aws:password:
    secure: v1:LYA+JOFTECLy+rGg:qwG1jRH+UTwB86Ztm3YYHh5yxWA=
`;

test("a stack without a file is Pulumi's business", async () => {
  const { exitCode, stderr } = await engine.pulumi("preview", "-s", "nowhere");
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain("no stack named 'nowhere' found");
});

test("without -s it is the selected stack, else local", async () => {
  writeFileSync(stackFile("other"), "config:\n  emqx-aws:things: []\n");
  expect((await engine.pulumi("stack", "--show-name")).stdout.trim()).toBe("local");
  await engine.pulumi("stack", "select", "other");
  expect((await engine.pulumi("stack", "--show-name")).stdout.trim()).toBe("other");
  expect((await engine.pulumi("stack", "--show-name", "-s", "local")).stdout.trim()).toBe("local");
});

test("the user's own Pulumi and AWS settings do not get in", async () => {
  Object.assign(engine.session.env, {
    PULUMI_BACKEND_URL: "https://pulumi.example.invalid",
    PULUMI_ACCESS_TOKEN: "token",
    PULUMI_CONFIG_PASSPHRASE: "mine",
    PULUMI_HOME: "/nowhere",
    AWS_PROFILE: "production",
    AWS_SECRET_ACCESS_KEY: "key",
  });
  writeFileSync(
    join(engine.surroundings.project, "index.ts"),
    "export const foreign = Object.keys(process.env).filter((name) => /^AWS_|TOKEN$/.test(name));",
  );
  const stack = engine.stack("local");
  await stack.up();
  expect(await stack.outputs()).toEqual({ foreign: [] });
  expect((await engine.pulumi("whoami", "-v")).stdout).toContain("file://");
});

test("exit codes and output are the CLI's", async () => {
  const { exitCode, stderr, stdout } = await engine.pulumi("nonsense");
  expect([exitCode, stdout]).toEqual([1, ""]);
  expect(stderr).toContain('unknown command "nonsense" for "pulumi"');
});

test("another project runs in the same surroundings", async () => {
  const other = join(engine.surroundings.project, "elsewhere");
  mkdirSync(other);
  writeFileSync(join(other, "Pulumi.yaml"), "name: other\nruntime: nodejs\nmain: index.js\n");
  writeFileSync(join(other, "Pulumi.local.yaml"), "config: {}\n");
  writeFileSync(join(other, "index.js"), 'exports.said = "elsewhere";');
  expect((await engine.pulumi("-C", other, "up", "--yes", "-s", "local")).exitCode).toBe(0);
  const { stdout } = await engine.pulumi("-C", other, "stack", "output", "said", "-s", "local");
  expect(stdout.trim()).toBe("elsewhere");
  expect(existsSync(stackFile("local"))).toBe(true);
});
