import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@emqx-aws/cli/repository";
import { mutantsOf } from "./mutate";

const broken = (text: string) =>
  mutantsOf("file.ts", text).map(({ start, end, replacement }) =>
    [text.slice(0, start), replacement, text.slice(end)].join(""),
  );

test.each([
  ["const a = b === 1;", ["const a = b !== 1;", "const a = b === 2;"]],
  ["f(a ? b : c);", ["", "f(a ? c : b);"]],
  ['f({ a: "x", b });', ["", "f({  b });", 'f({ a: "xx", b });', 'f({ a: "x",  });']],
  ["const words = `a sentence`;", []],
  [
    "const script = `#!/bin/bash\n${common}if a; then\n  b || die\nfi\n`;",
    ["const script = `#!/bin/bash\n${common}if a; then\n\nfi\n`;"],
  ],
])("%j", (text, expected) => {
  expect(broken(text).sort()).toEqual(expected.sort());
});

test("docs/testing.md has a table as main.ts prints it, with as many lines as it says", () => {
  const page = readFileSync(join(repositoryRoot, "docs/testing.md"), "utf8");
  const counts = [...page.matchAll(/^Seed \d+: (\d+) of (\d+) were noticed\.$/gm)];
  const sum = (index: number) => counts.reduce((total, match) => total + Number(match[index]), 0);
  const rows = [...page.matchAll(/^\| (components\/\S+\.ts):\d+ +\| `.+` +\| (\S+|the compiler) +\|$/gm)];
  expect(rows).toHaveLength(sum(2));
  expect(rows.filter(([, , by]) => by !== "**nothing**")).toHaveLength(sum(1));
  for (const [, file] of rows) expect([file, existsSync(join(repositoryRoot, file!))]).toEqual([file, true]);
});
