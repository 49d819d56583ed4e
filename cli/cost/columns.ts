/** Rows as lines of text: columns as wide as their widest cell; `l` stands left, `r` right. */
export function columns(rows: readonly string[][], alignment: string): string[] {
  const widths = [...alignment].map((_, column) =>
    Math.max(0, ...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? "";
        return alignment[column] === "r" ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
