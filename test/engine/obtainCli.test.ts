import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Cli } from "@emqx-aws/cli/engine/findCli";
import type { Sources } from "@emqx-aws/cli/engine/obtainCli";
import { obtainCli } from "@emqx-aws/cli/engine/obtainCli";

let home: string;
let said: string[];
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "emqx-aws-cli-")));
  said = [];
});
afterEach(() => rmSync(home, { recursive: true }));

const speaker = { say: (message: string) => said.push(message), progress: () => {} };
const env = (): NodeJS.ProcessEnv => ({ HOME: home, PATH: `${join(home, "bin")}:/usr/bin:/bin` });
const cached = (version: string) => join(home, ".cache", "emqx-aws", "pulumi", version, "bin", "pulumi");

function executable(file: string, script: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** A program that says it is Pulumi, with its language host unless told otherwise. */
function fakeCli(file: string, version: string, { host = true } = {}): string {
  if (host) executable(join(dirname(file), "pulumi-language-nodejs"), "exit 0");
  return executable(file, `[ "$1" = version ] && echo v${version}`);
}

/** Neither download nor build works, unless a test gives one. */
function sources(given: Partial<Sources> = {}): Sources & { tried: string[] } {
  const tried: string[] = [];
  const download = given.download ?? (() => Promise.resolve(undefined));
  const build = given.build ?? (() => Promise.resolve(undefined));
  return {
    tried,
    download: (...args) => {
      tried.push("download");
      return download(...args);
    },
    build: (...args) => {
      tried.push("build");
      return build(...args);
    },
  };
}

function produce(version: string, options = {}): Promise<Cli> {
  return Promise.resolve({ command: fakeCli(cached(version), version, options), version });
}

test("an installed CLI of the same version is used as it is", async () => {
  const command = fakeCli(join(home, "bin", "pulumi"), "3.248.0");
  const from = sources();
  expect(await obtainCli("3.248.0", env(), speaker, from)).toEqual({ command, version: "3.248.0" });
  expect(from.tried).toEqual([]);
  expect(said).toEqual([]);
});

test.each([
  ["where pulumi keeps versions", [".pulumi", "versions", "3.248.0", "bin", "pulumi"]],
  ["where pulumi installs itself", [".pulumi", "bin", "pulumi"]],
  ["in the cache", [".cache", "emqx-aws", "pulumi", "3.248.0", "bin", "pulumi"]],
])("a CLI %s is found", async (_where, path) => {
  const command = fakeCli(join(home, ...path), "3.248.0");
  expect((await obtainCli("3.248.0", env(), speaker, sources())).command).toBe(command);
});

test("XDG_CACHE_HOME moves the cache", async () => {
  const moved = { ...env(), XDG_CACHE_HOME: join(home, "elsewhere") };
  const command = fakeCli(
    join(home, "elsewhere", "emqx-aws", "pulumi", "3.248.0", "bin", "pulumi"),
    "3.248.0",
  );
  expect((await obtainCli("3.248.0", moved, speaker, sources())).command).toBe(command);
});

test("a CLI of another version is named, and the right one is downloaded", async () => {
  const other = fakeCli(join(home, "bin", "pulumi"), "3.200.0");
  const from = sources({ download: () => produce("3.248.0") });
  expect((await obtainCli("3.248.0", env(), speaker, from)).version).toBe("3.248.0");
  expect(said).toEqual([`${other} is Pulumi 3.200.0; this repository uses 3.248.0.`]);
});

test("without a download a newer CLI is used, and that is said", async () => {
  const other = fakeCli(join(home, "bin", "pulumi"), "3.260.1");
  const from = sources();
  expect((await obtainCli("3.248.0", env(), speaker, from)).command).toBe(other);
  expect(from.tried).toEqual(["download"]);
  expect(said).toContain(`Going on with ${other} (3.260.1), which is newer.`);
});

test.each(["3.200.0", "4.0.0"])(
  "without a download, %s on PATH is not used: the CLI is built",
  async (version) => {
    fakeCli(join(home, "bin", "pulumi"), version);
    const from = sources({ build: () => produce("3.248.0") });
    expect((await obtainCli("3.248.0", env(), speaker, from)).version).toBe("3.248.0");
    expect(from.tried).toEqual(["download", "build"]);
  },
);

test("what was built is found by the next run", async () => {
  await obtainCli("3.248.0", env(), speaker, sources({ build: () => produce("3.248.0") }));
  const next = sources();
  await obtainCli("3.248.0", env(), speaker, next);
  expect(next.tried).toEqual([]);
});

test("two at the same time build once", async () => {
  const from = sources({
    build: async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return produce("3.248.0");
    },
  });
  const both = [1, 2].map(() => obtainCli("3.248.0", env(), speaker, from));
  const [first, second] = await Promise.all(both);
  expect(first).toEqual(second);
  expect(from.tried).toEqual(["download", "build"]);
  expect(said.join()).toMatch(/is getting Pulumi 3.248.0 already; waiting for it/);
});

test("a lock of a process that is gone does not stop anybody", async () => {
  mkdirSync(join(home, ".cache", "emqx-aws", "pulumi"), { recursive: true });
  writeFileSync(join(home, ".cache", "emqx-aws", "pulumi", "3.248.0.lock"), "4194304");
  await obtainCli("3.248.0", env(), speaker, sources({ build: () => produce("3.248.0") }));
  expect(readdirSync(join(home, ".cache", "emqx-aws", "pulumi"))).toEqual(["3.248.0"]);
});

test("a built CLI gets our language host beside it", async () => {
  const build = () => produce("3.248.0", { host: false });
  const { command } = await obtainCli("3.248.0", env(), speaker, sources({ build }));
  expect(existsSync(join(dirname(command), "pulumi-language-nodejs"))).toBe(true);
});

test("an installed CLI without a language host is left alone; a copy in the cache gets ours", async () => {
  fakeCli(join(home, "bin", "pulumi"), "3.248.0", { host: false });
  const { command } = await obtainCli("3.248.0", env(), speaker, sources());
  expect(command).toBe(cached("3.248.0"));
  expect(readdirSync(join(home, "bin"))).toEqual(["pulumi"]);
  expect(readdirSync(dirname(command)).sort()).toEqual(["pulumi", "pulumi-language-nodejs"]);
});

test("where there is nothing, one message says what to install", async () => {
  await expect(obtainCli("3.248.0", env(), speaker, sources())).rejects.toThrow(
    [
      "there is no Pulumi CLI to run. Do one of these:",
      "  - install Pulumi 3.248.0: https://www.pulumi.com/docs/install/versions/ (any folder on PATH will do)",
      "  - install Go 1.25.11 or newer (https://go.dev/dl/), and this command builds Pulumi itself",
      "Then run the same command again.",
    ].join("\n"),
  );
});

test("a program that is not Pulumi is ignored", async () => {
  executable(join(home, "bin", "pulumi"), "echo something else");
  await expect(obtainCli("3.248.0", env(), speaker, sources())).rejects.toThrow(
    "there is no Pulumi CLI to run. Do",
  );
});
