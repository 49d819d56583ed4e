/** Compares what a command printed with what its page says. */

const any = "…";
// eslint-disable-next-line no-control-regex
const colour = /\u001b\[[0-9;]*m/g;

/** Pulumi goes on in the same line when something happens. */
const signOfLife = /^@ \w+( \w+)?\.+/;

/** A line of a preview about one resource. What depends on nothing comes in any order. */
const step =
  /^ *\S{1,2} +[\w-]+:\S+ \S+ (create|update|delete|replace|read|import)( replacement| original)?( \[|$)/;

/**
 * `…` stands for anything: alone in a line for any number of lines, else for any part of the line. Blank lines, spaces at
 * a line's end and Pulumi's signs of life (`@ updating....`) do not count, nor does the order of a preview's resources.
 *
 * Returns the first expected line that is not found where it should be, or undefined when all is as it should be.
 */
export function firstMissing(expected: readonly string[], printed: string): string | undefined {
  const wanted = meaningful(expected);
  const shown = meaningful(printed.replaceAll(colour, "").split("\n"));
  if (wanted.length === 0) return undefined;
  const steps = shown.filter(isStep);
  for (const line of wanted.filter(isStep)) {
    const place = steps.findIndex((one) => new RegExp(`^${pattern([line])}$`).test(`${one}\n`));
    if (place < 0) return line;
    steps.splice(place, 1);
  }
  if (steps.length > 0 && !wanted.some(isAnything)) return "(nothing more)";
  return firstMissingInOrder(
    wanted.filter((line) => !isStep(line)),
    shown.filter((line) => !isStep(line)),
  );
}

const isStep = (line: string) => step.test(line);
const isAnything = (line: string) => line.trim() === any;

function firstMissingInOrder(wanted: string[], shown: string[]): string | undefined {
  const actual = shown.map((line) => `${line}\n`).join("");
  if (new RegExp(`^${pattern(wanted)}$`).test(actual)) return undefined;
  const fits = (count: number) => new RegExp(`^${pattern(wanted.slice(0, count))}`).test(actual);
  const broken = wanted.findIndex((_line, index) => !fits(index + 1));
  return broken < 0 ? "(nothing more)" : wanted[broken];
}

function meaningful(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(signOfLife, "").trimEnd()).filter((line) => line !== "");
}

function pattern(lines: readonly string[]): string {
  return lines
    .filter((line, index) => !isAnything(line) || !isAnything(lines[index - 1] ?? ""))
    .map((line) => (isAnything(line) ? "(?:.*\\n)*?" : `${line.split(any).map(escaped).join(".*")}\\n`))
    .join("");
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
