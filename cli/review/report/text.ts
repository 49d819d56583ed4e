/** Text that is safe inside Markdown: what a stack's author wrote must not become markup, a mention or a broken table. */

/** Outside of code. Keeps code spans as they are. */
export function prose(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part, i) => (i % 2 === 1 ? part : escaped(part)))
    .join("");
}

function escaped(text: string): string {
  return text
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/([*_|[\]\\])/g, "\\$1")
    .replace(/@/g, "&#64;")
    .replace(/\s*\n\s*/g, " ");
}

/** A code span, also for text that has backticks itself. */
export function code(text: string): string {
  const flat = text.replace(/\s*\n\s*/g, " ");
  const longest = Math.max(0, ...[...flat.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const padding = longest > 0 || flat.trim() === "" ? " " : "";
  return `${fence}${padding}${flat}${padding}${fence}`;
}

/** A cell of a table: a pipe would end it, even inside code. */
function cell(markdown: string): string {
  return markdown.replace(/\|/g, "\\|").replace(/\\\\\|/g, "\\|");
}

export function row(...cells: string[]): string {
  return `| ${cells.map(cell).join(" | ")} |`;
}

/** A fence that no line of the content can close. */
export function fenceFor(lines: string[]): string {
  const longest = Math.max(
    2,
    ...lines.flatMap((line) => [...line.matchAll(/`+/g)].map(([run]) => run.length)),
  );
  return "`".repeat(longest + 1);
}
