/**
 * Pages that show what a command prints: a comment with the command, and a block with its output. After reading the
 * differences: UPDATE_DOCS=1 npx jest <the test>
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@emqx-aws/cli/repository";

/** Compares the block below the comment `<!-- command -->` of a page with what the command prints. */
export function expectBlock(page: string, command: string, output: string): void {
  const comment = `<!-- ${command} -->\n\n`;
  expectPart(page, new RegExp(`(?<=${escaped(comment)}\`\`\`\\n)[^]*?(?=\`\`\`)`), `${output}\n`);
}

/** Compares the last cell of the table row that begins with `first`. */
export function expectCell(page: string, first: string, text: string): void {
  const found = new RegExp(`(?<=^\\| ${escaped(first)} +\\| ).*(?= \\|$)`, "m");
  const width = found.exec(read(page))?.[0].length ?? 0;
  expectPart(page, found, text.padEnd(width));
}

function expectPart(page: string, part: RegExp, text: string): void {
  const content = read(page);
  expect(content).toMatch(part);
  if (process.env.UPDATE_DOCS)
    writeFileSync(
      join(repositoryRoot, page),
      content.replace(part, () => text),
    );
  expect(part.exec(read(page))?.[0]).toBe(text);
}

/** The first cells of a page's table rows that begin like this. */
export function firstCells(page: string, beginning: string): string[] {
  return [...read(page).matchAll(/^\| (.*?) +\|/gm)].flatMap(([, cell = ""]) =>
    cell.startsWith(beginning) ? [cell] : [],
  );
}

function read(page: string): string {
  return readFileSync(join(repositoryRoot, page), "utf8");
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
