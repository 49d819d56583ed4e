/** Every page that can be followed is followed, word for word, in a simulated region of its own. */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { repositoryRoot } from "../../cli/repository";
import { obtainTimeout, prepareCli } from "../engine/harness";
import { readPage } from "./page";
import { Workplace } from "./workplace";

jest.setTimeout(600_000);

const folder = join(repositoryRoot, "docs");
const pages = readdirSync(folder)
  .filter((name) => name.endsWith(".md"))
  .map((name) => readPage(relative(process.cwd(), join(folder, name))));
const followed = pages.filter(({ commands }) => commands.length > 0);
const scripts = pages.flatMap(({ file, scripts: blocks }) =>
  blocks.map(({ line, text }): [string, string] => [`${file}:${line}`, text]),
);

/** What docs/simulated-region.md tells readers to type before they follow a page. */
const prelude = /^pulumi\(\) \{.*\}$/m.exec(readFileSync(join(folder, "simulated-region.md"), "utf8"))?.[0];

beforeAll(prepareCli, obtainTimeout);

test("there are pages to follow, and readers are told how", () => {
  expect(followed.length).toBeGreaterThan(0);
  expect(prelude).toBeDefined();
});

test.each(followed.map((page): [string, (typeof pages)[number]] => [page.file, page]))(
  "%s",
  async (_file, page) => {
    const workplace = new Workplace(prelude ?? "");
    try {
      await workplace.follow(page);
    } finally {
      await workplace.end();
    }
  },
);

const hasShellcheck = spawnSync("shellcheck", ["--version"]).status === 0;

test.each(scripts)("%s is a script", (_where, text) => {
  execFileSync("bash", ["-n"], { input: text });
  if (hasShellcheck) execFileSync("shellcheck", ["--shell=bash", "--severity=warning", "-"], { input: text });
});
