/**
 * A page of the documentation, as far as it can be followed:
 *
 * - In a block marked `console`, lines beginning with `$ ` are commands (a line that ends in a backslash goes on in the
 *   next, which begins with `> `); the lines after a command are what it prints. A command whose comment says
 *   `# exit code N` is meant to end with it.
 * - Nothing is done that readers do not see: a command in a comment is an error.
 * - A block marked `sh` needs AWS itself; it is only checked for its syntax.
 */
import { readFileSync } from "node:fs";

export interface Command {
  /** Where it stands, from 1. */
  line: number;
  text: string;
  exitCode: number;
  /** What is expected to be printed; empty where the page says nothing of it. */
  output: string[];
}

export interface Block {
  line: number;
  text: string;
}

export interface Page {
  file: string;
  commands: Command[];
  /** Blocks that are checked, not executed. */
  scripts: Block[];
}

export function readPage(file: string): Page {
  return parsePage(file, readFileSync(file, "utf8"));
}

export function parsePage(file: string, text: string): Page {
  const page: Page = { file, commands: [], scripts: [] };
  let language: string | undefined;
  let indent = 0;
  let block: string[] = [];
  text.split("\n").forEach((content, index) => {
    const line = index + 1;
    const fence = /^(\s*)```(\w*)/.exec(content);
    if (fence !== null && language === undefined) {
      indent = fence[1]?.length ?? 0;
      language = fence[2] ?? "";
      block = [];
    } else if (fence !== null) {
      if (language === "console") page.commands.push(...parseConsole(block, line - block.length));
      if (language === "sh") page.scripts.push({ line: line - block.length, text: block.join("\n") });
      language = undefined;
    } else if (language !== undefined) {
      // A block in a list is indented with it.
      block.push(content.slice(Math.min(indent, content.search(/\S|$/))));
    } else {
      if (/^\s*<!--\s*\$/.test(content)) throw new Error(`line ${line}: a command that readers do not see`);
    }
  });
  return page;
}

function parseConsole(lines: string[], firstLine: number): Command[] {
  const commands: Command[] = [];
  lines.forEach((content, index) => {
    const current = commands.at(-1);
    if (content.startsWith("$ ")) {
      commands.push(command(content.slice(2), firstLine + index));
    } else if (content.startsWith("> ") && current?.text.endsWith("\\") && current.output.length === 0) {
      commands[commands.length - 1] = command(`${current.text}\n${content.slice(2)}`, current.line);
    } else if (current === undefined) {
      throw new Error(`line ${firstLine + index}: a console block begins with a command, "$ …"`);
    } else {
      current.output.push(content);
    }
  });
  return commands;
}

function command(text: string, line: number): Command {
  return { line, text, exitCode: Number(/#.*\bexit code (\d+)/.exec(text)?.[1] ?? 0), output: [] };
}
