/** docs/outputs.md says every output of every component, in the words of the components themselves. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@emqx-aws/cli/repository";

interface Schema {
  resources: Record<string, { properties?: Record<string, { description?: string }> }>;
}

const file = join(repositoryRoot, "docs/outputs.md");
const schema = JSON.parse(
  readFileSync(join(repositoryRoot, "test/components/schema.json"), "utf8"),
) as Schema;

function tables(): string {
  const components = Object.entries(schema.resources).map(([token, { properties = {} }]) => {
    const rows = Object.entries(properties).map(
      ([name, { description = "" }]) => `| \`${name}\` | ${description.trim().replaceAll(/\s+/g, " ")} |`,
    );
    return [`## ${token.split(":").at(-1)}`, "", "| Output | Meaning |", "| --- | --- |", ...rows].join("\n");
  });
  return components.sort().join("\n\n");
}

/** Without the padding of prettier's tables. */
const unpadded = (text: string) => text.replaceAll(/ +\|/g, " |").replaceAll(/-{3,}/g, "---");

test("docs/outputs.md (UPDATE_DOCS=1 rewrites it; then npm run format)", () => {
  const [head = ""] = readFileSync(file, "utf8").split("\n## ");
  const page = `${head.trim()}\n\n${tables()}\n`;
  if (process.env["UPDATE_DOCS"]) writeFileSync(file, page);
  expect(unpadded(readFileSync(file, "utf8"))).toBe(page);
});

test("no output is without its meaning", () => {
  const silent = Object.entries(schema.resources).flatMap(([token, { properties = {} }]) =>
    Object.entries(properties).flatMap(([name, { description }]) =>
      description ? [] : [`${token} ${name}`],
    ),
  );
  expect(silent).toEqual([]);
});
