/** docs/architecture.md names files and folders that there are; packages import what is left of them, and declare what they import. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import ts from "typescript";
import { repositoryRoot } from "@emqx-aws/cli/repository";

const page = readFileSync(join(repositoryRoot, "docs/architecture.md"), "utf8");
const roots = "components|simulator|cli|stacks|test|scripts|docs";
const paths = [...page.matchAll(new RegExp(`(?<!\\w)(?:${roots})/[\\w./]*\\w`, "g"))].map(([path]) => path);

test.each([...new Set(paths)])("%s", (path) => {
  expect(existsSync(join(repositoryRoot, path)) || existsSync(join(repositoryRoot, `${path}.ts`))).toBe(true);
});

/** What the files of a folder import, each with the file. */
function importsOf(folder: string): [file: string, name: string][] {
  const listed = execFileSync(
    "git",
    ["ls-files", "-co", "--exclude-standard", `${folder}/*.ts`, `${folder}/*.mjs`, `${folder}/*.cjs`],
    {
      cwd: repositoryRoot,
      encoding: "utf8",
    },
  );
  return listed
    .split("\n")
    .filter((file) => file !== "" && existsSync(join(repositoryRoot, file)))
    .flatMap((file) =>
      ts
        .preProcessFile(readFileSync(join(repositoryRoot, file), "utf8"), true, file.endsWith(".cjs"))
        .importedFiles.map(({ fileName }): [string, string] => [file, fileName]),
    );
}

describe.each(["simulator", "cli"])("the package in %s/", (folder) => {
  const { dependencies } = JSON.parse(readFileSync(join(repositoryRoot, folder, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const own = importsOf(folder).filter(([file]) => !file.includes("/test/"));
  const packageOf = (name: string) => /^(@[^/]+\/)?[^/]+/.exec(name)![0];

  test("declares what it imports, and nothing else", () => {
    const foreign = own.map(([, name]) => name).filter((name) => !name.startsWith(".") && !isBuiltin(name));
    expect([...new Set(foreign.map(packageOf))].sort()).toEqual(Object.keys(dependencies).sort());
  });
});

test.each([
  ["components", /simulator|cli\/|@emqx-aws/],
  ["simulator", /cli\//],
  ["cli", /\.\.\/simulator/],
])("%s knows only what is left of it, by its name", (folder, foreign) => {
  expect(importsOf(folder).filter(([, name]) => foreign.test(name))).toEqual([]);
});
