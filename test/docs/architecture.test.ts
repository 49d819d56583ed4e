/** docs/architecture.md names files and folders that there are. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../cli/repository";

const page = readFileSync(join(repositoryRoot, "docs/architecture.md"), "utf8");
const roots = "components|simulator|cli|stacks|test|scripts|docs";
const paths = [...page.matchAll(new RegExp(`(?<!\\w)(?:${roots})/[\\w./]*\\w`, "g"))].map(([path]) => path);

test.each([...new Set(paths)])("%s", (path) => {
  expect(existsSync(join(repositoryRoot, path)) || existsSync(join(repositoryRoot, `${path}.ts`))).toBe(true);
});
