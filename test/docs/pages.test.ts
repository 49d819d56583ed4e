/** What can be said of all pages without following them; each that can be followed has its file in pages/. */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { readPage } from "./page";

const folder = join(repositoryRoot, "docs");
const names = readdirSync(folder).filter((name) => name.endsWith(".md"));
const pages = names.map((name) => readPage(relative(process.cwd(), join(folder, name))));
const scripts = pages.flatMap(({ file, scripts: blocks }) =>
  blocks.map(({ line, text }): [string, string] => [`${file}:${line}`, text]),
);

test("every page with commands is followed by a file in pages/, and readers are told how", () => {
  const followed = names.filter((_, index) => pages[index]!.commands.length > 0);
  expect(readdirSync(join(__dirname, "pages")).sort()).toEqual(
    followed.map((name) => name.replace(/md$/, "test.ts")).sort(),
  );
  for (const name of followed) {
    const test = readFileSync(join(__dirname, "pages", name.replace(/md$/, "test.ts")), "utf8");
    expect(test).toContain(`testPage("${name}"`);
  }
  expect(readFileSync(join(folder, "simulated-region.md"), "utf8")).toMatch(/^pulumi\(\) \{.*\}$/m);
});

const hasShellcheck = spawnSync("shellcheck", ["--version"]).status === 0;

test.each(scripts)("%s is a script", (_where, text) => {
  execFileSync("bash", ["-n"], { input: text });
  if (hasShellcheck) execFileSync("shellcheck", ["--shell=bash", "--severity=warning", "-"], { input: text });
});
