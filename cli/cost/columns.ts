/** How wide the terminal is, where there is one or somebody says so (`COLUMNS`). */
export function terminalWidth(): number | undefined {
  return process.stdout.columns ?? (Number(process.env.COLUMNS) || undefined);
}

const gap = 2;

/**
 * Rows as lines of text: columns as wide as their widest cell; `l` stands left, `r` right. Where that does not fit into the
 * terminal, the widest left-hand columns wrap.
 */
export function columns(rows: readonly string[][], alignment: string): string[] {
  const widths = [...alignment].map((_, column) =>
    Math.max(0, ...rows.map((row) => (row[column] ?? "").length)),
  );
  // Every table here is indented by two.
  const limit = (terminalWidth() ?? Infinity) - 2;
  const narrowest = [...alignment].map((kind, column) =>
    kind === "r"
      ? widths[column]!
      : Math.max(0, ...rows.flatMap((row) => (row[column] ?? "").split(" ")).map(({ length }) => length)),
  );
  for (;;) {
    const excess = widths.reduce((sum, width) => sum + width + (width > 0 ? gap : 0), -gap) - limit;
    const wide = Math.max(0, ...widths.filter((width, column) => width > narrowest[column]!));
    if (excess <= 0 || wide === 0) break;
    widths[widths.findLastIndex((width, column) => width === wide && width > narrowest[column]!)] = wide - 1;
  }
  return rows.flatMap((row) => {
    const cells = widths.map((width, column) => wrappedCell(row[column] ?? "", width));
    const height = Math.max(1, ...cells.map(({ length }) => length));
    return Array.from({ length: height }, (_, line) =>
      widths
        .flatMap((width, column) => {
          const cell = cells[column]?.[line] ?? "";
          return width === 0 ? [] : [alignment[column] === "r" ? cell.padStart(width) : cell.padEnd(width)];
        })
        .join(" ".repeat(gap))
        .trimEnd(),
    );
  });
}

function wrappedCell(cell: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of cell.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
