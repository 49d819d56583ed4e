/** `review` as it is typed: files, exit codes, and the whole way from a git revision to a report. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareWithBase } from "../../review/base/compare";
import { markdownOf } from "../../review/report/markdown";
import { reviewOf } from "../../review/review";
import { types } from "../../review/types";
import { repositoryRoot } from "../../repository";

import { changes } from "./changes";
import { stack, writeProgram, writeSettings } from "./harness";
import { create, documentOf, replace, same, urnOf, type Resource } from "./previews";
import { eventually } from "../../../test/waiting";

const speaker = { say: () => undefined, progress: () => undefined };
let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "emqx-aws-command-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function command(...args: string[]) {
  const main = join(repositoryRoot, "cli", "main.ts");
  const started = Date.now();
  const result = spawnSync(
    process.execPath,
    ["--require", "@emqx-aws/simulator/typescript.cjs", main, "review", ...args],
    {
      cwd: repositoryRoot,
      encoding: "utf8",
    },
  );
  return { ...result, milliseconds: Date.now() - started };
}

function file(text: string): string {
  const path = join(folder, "preview.json");
  writeFileSync(path, text);
  return path;
}

const vpc: Resource = { type: types.vpc, name: "vpc", inputs: { cidrBlock: "10.0.0.0/16" } };
const volume: Resource = { type: types.volume, name: "n-0-data", inputs: { size: 20 } };

describe("exit codes", () => {
  it.each([
    ["nothing to object to", documentOf(same(vpc)), "data-loss", 0, ""],
    ["a gate that is met", documentOf(replace(volume)), "exposure,data-loss", 3, "--fail-on data-loss:"],
    ["a gate that is not wanted", documentOf(replace(volume)), "parallel-restart", 0, ""],
    ["no gates at all", documentOf(replace(volume)), "", 0, ""],
    [
      "a gate that does not exist",
      documentOf(same(vpc)),
      "dataloss",
      1,
      "there is no dataloss; the gates are",
    ],
    ["a file that is no preview", "{}", "", 1, "no document of"],
    [
      "a preview that failed",
      JSON.stringify({
        diagnostics: [{ severity: "error", message: "error: nodeCount: 0 is not a number" }],
      }),
      "",
      1,
      "The preview fails",
    ],
  ])(
    "%s",
    (_what, text, gates, code, said) => {
      const { status, stderr } = command("--preview", file(text), "--fail-on", gates);
      expect({ status, said: stderr.includes(said) }).toEqual({ status: code, said: true });
    },
    30_000,
  );

  it("is 1 without a source, or with two", () => {
    expect(command().stderr).toContain("review needs one of --base <git ref> and --preview <file>");
    expect(command("--base", "HEAD", "--preview", "x").status).toBe(1);
  }, 30_000);
});

test("the review for machines has the verdict, the gates and a version", () => {
  const { stdout } = command("--preview", file(documentOf(replace(volume))), "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    version: 2,
    stack: "test",
    verdict: { level: "destroys-data" },
    gates: ["data-loss", "interruption"],
  });
}, 30_000);

/** Nodes that are replaced one after the other, each with user data of its own. */
function rollingPreview(count: number): string {
  const userData = (i: number, version: string) =>
    Array.from(
      { length: 300 },
      (_, line) => `line ${line} of node ${i}, ${line % 50 === 0 ? version : "as it was"}`,
    ).join("\n");
  const steps = Array.from({ length: count }, (_, i) => {
    const instance: Resource = {
      type: types.instance,
      name: `n-${i}`,
      inputs: { instanceType: "m7g.large", userData: userData(i, "5.8.8") },
      dependencies: i === 0 ? [] : [urnOf(types.volumeAttachment, `n-${i - 1}-data`)],
    };
    const next = { ...instance, inputs: { ...instance.inputs, userData: userData(i, "5.8.9") } };
    const attachment: Resource = {
      type: types.volumeAttachment,
      name: `n-${i}-data`,
      dependencies: [urnOf(types.instance, instance.name)],
    };
    return [
      { ...replace(instance, next), replaceReasons: ["userData"] },
      replace(attachment),
      same({ ...volume, name: `v-${i}` }),
    ];
  }).flat();
  return documentOf(same(vpc), ...steps);
}

test("a report of 100 nodes fits into a comment and takes at most three times the time of one of 3", () => {
  const [small, large] = [rollingPreview(3), rollingPreview(100)].map((text) =>
    command("--preview", file(text)),
  );
  expect(large?.stdout).toContain("100 of 100 nodes are replaced, 1 at a time, in 100 turns");
  expect(Buffer.byteLength(large?.stdout ?? "")).toBeLessThanOrEqual(65_536);
  expect(large!.milliseconds / small!.milliseconds).toBeLessThanOrEqual(3);
}, 60_000);

describe("from a git revision", () => {
  const git = (...args: string[]) => execFileSync("git", ["-C", folder, ...args], { encoding: "utf8" });
  const where = () => ({ repository: folder, env: process.env, speaker });

  function commitBase(): void {
    writeProgram(folder, {});
    writeFileSync(join(folder, ".gitignore"), "node_modules\n");
    git("init", "--quiet", "--initial-branch=main");
    git("add", ".");
    git("-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message=base");
  }

  it("gives the same report as a preview of the same change, and leaves nothing behind", async () => {
    commitBase();
    writeSettings(folder, changes["one-node-more"] ?? {});
    const status = git("status", "--porcelain");
    const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith("emqx-aws-review-"));
    const before = left();
    const { preview, base } = await compareWithBase(where(), stack, "main");
    expect(base).toMatch(/^main \([0-9a-f]{9}\)$/);
    const golden = readFileSync(join(__dirname, "golden", "one-node-more.md"), "utf8");
    expect(markdownOf(reviewOf(preview, { stack, base: "main" }))).toBe(golden);
    expect(git("status", "--porcelain")).toBe(status);
    expect(git("worktree", "list").trim().split("\n")).toHaveLength(1);
    // Folders of reviews that other tests run meanwhile go as these end.
    await eventually("nothing is left", () => left().every((name) => before.includes(name)), 60);
  }, 180_000);

  it("tells of settings that cannot work before anything is deployed", async () => {
    commitBase();
    writeSettings(folder, changes["bad-settings"] ?? {});
    const said: string[] = [];
    const { preview } = await compareWithBase(
      { ...where(), speaker: { ...speaker, say: (text: string) => said.push(text) } },
      stack,
      "main",
    );
    const golden = readFileSync(join(__dirname, "golden", "bad-settings.md"), "utf8");
    expect(markdownOf(reviewOf(preview, { stack, base: "main" }))).toBe(golden);
    expect(said).toEqual([]);
  }, 30_000);

  it("takes a revision without the stack for an empty one", async () => {
    commitBase();
    git("rm", "--quiet", "--cached", join("stacks", `Pulumi.${stack}.yaml`));
    git("-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message=none");
    const { preview, base } = await compareWithBase(where(), stack, "HEAD");
    expect(base).toMatch(/, which has no stack test$/);
    // The certificate of the settings exists already and is only read.
    expect(new Set(preview.steps.map(({ op }) => op))).toEqual(new Set(["create", "read"]));
  }, 120_000);

  it("says which revision it does not know, and which stack", async () => {
    commitBase();
    await expect(compareWithBase(where(), stack, "nowhere")).rejects.toThrow(
      "--base nowhere: there is no such revision",
    );
    await expect(compareWithBase(where(), "nothing", "main")).rejects.toThrow("--stack nothing: there is no");
  }, 30_000);
});

test("a secret in a stack file is not needed, and its change shows as one", async () => {
  const { readProject, readStackSettings } = await import("../../review/base/stackSettings");
  writeProgram(folder, {});
  const read = (cipher: string) => {
    const text = `encryptionsalt: v1:abc\nconfig:\n  emqx-aws:licenseKey:\n    secure: ${cipher}\n  emqx-aws:nodeCount: 3\n`;
    writeFileSync(join(folder, "stacks", `Pulumi.${stack}.yaml`), text);
    return readStackSettings(readProject(folder)!, stack)!;
  };
  const [one, again, other] = [read("v1:AAA"), read("v1:AAA"), read("v1:BBB")];
  expect(one.file).toBe(again.file);
  expect(one.file).not.toBe(other.file);
  expect(one.file).not.toMatch(/AAA|encryptionsalt|secure/);
  expect(one.placeholders).toHaveLength(1);
});

test("nothing is drawn where there is nothing to draw", () => {
  const { stdout } = command("--preview", file(documentOf(create(volume))));
  expect(stdout).not.toContain("mermaid");
}, 30_000);
