/** Compares what a command printed with what its page says. */

const any = "…";
// eslint-disable-next-line no-control-regex
const colour = /\u001b\[[0-9;]*m/g;

/** Pulumi goes on in the same line when something happens. */
const signOfLife = /^@ \w+( \w+)?\.+/;

/**
 * `…` stands for anything: alone in a line for any number of lines, else for any part of the line. Blank lines, spaces at
 * a line's end and Pulumi's signs of life (`@ updating....`) do not count.
 *
 * Returns the first expected line that is not found where it should be, or undefined when all is as it should be.
 */
export function firstMissing(expected: readonly string[], printed: string): string | undefined {
  const wanted = meaningful(expected);
  const actual = meaningful(printed.replaceAll(colour, "").split("\n"))
    .map((line) => `${line}\n`)
    .join("");
  if (wanted.length === 0 || new RegExp(`^${pattern(wanted)}$`).test(actual)) return undefined;
  const fits = (count: number) => new RegExp(`^${pattern(wanted.slice(0, count))}`).test(actual);
  const broken = wanted.findIndex((_line, index) => !fits(index + 1));
  return broken < 0 ? "(nothing more)" : wanted[broken];
}

function meaningful(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(signOfLife, "").trimEnd()).filter((line) => line !== "");
}

function pattern(lines: readonly string[]): string {
  return lines
    .map((line) => (line.trim() === any ? "(?:.*\\n)*?" : `${line.split(any).map(escaped).join(".*")}\\n`))
    .join("");
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
