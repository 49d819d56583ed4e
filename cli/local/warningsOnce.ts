/** A warning ends its resource's row, or stands below the resource's name under "Diagnostics:". */
const warning = /^(?:( [ ~+-].*\S) +| {4})warning: (.*)$/;
const heading = /^(?:Diagnostics:| {2}\S+ \(.+\):)$/;

/**
 * Pulumi prints each warning in its resource's row and again under "Diagnostics:", at the preview and again at the update.
 * This lets each through once: for a line of its output, the lines to show.
 */
export function warningsOnce(): (line: string) => string[] {
  const seen = new Set<string>();
  /** Headings below which nothing has stood yet. */
  let held: string[] = [];
  return (line) => {
    if (heading.test(line)) {
      held.push(line);
      return [];
    }
    if (line === "" && held.length > 0) {
      held = held.filter((of) => of === "Diagnostics:");
      return [];
    }
    const [, row, text] = warning.exec(line) ?? [];
    const isRepeated = text !== undefined && seen.has(text);
    if (text !== undefined) seen.add(text);
    if (isRepeated) return row === undefined ? [] : [row];
    const shown = line.startsWith("    ") ? [...held, line] : [line];
    held = [];
    return shown;
  };
}
