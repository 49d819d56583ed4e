/** `--query` and `--output text` of the AWS CLI: the part of JMESPath that picks fields and lists, and the CLI's text form. */

/** Fields, `[n]`, `[]`, `[a, b]`; anything else of JMESPath is refused. */
export function query(value: unknown, expression: string): unknown {
  const tokens = expression.match(/[A-Za-z_]\w*|-?\d+|[.[\],]/g) ?? [];
  if (tokens.join("") !== expression.replace(/\s/g, "")) {
    throw new Error(`--query "${expression}": the simulated aws knows only fields and lists of JMESPath`);
  }
  return evaluate(value, tokens);
}

function evaluate(value: unknown, tokens: string[]): unknown {
  const [token, next] = tokens;
  if (token === undefined) {
    return value;
  }
  if (value === null || value === undefined) {
    return null;
  }
  if (token === ".") {
    return evaluate(value, tokens.slice(1));
  }
  if (token !== "[") {
    return evaluate((value as Record<string, unknown>)[token] ?? null, tokens.slice(1));
  }
  if (next === "]") {
    return Array.isArray(value) ? value.map((item) => evaluate(item, tokens.slice(2))) : null;
  }
  const end = closing(tokens);
  const inner = tokens.slice(1, end);
  if (inner.length === 1 && /^-?\d+$/.test(inner[0]!)) {
    return evaluate(
      Array.isArray(value) ? (value.at(Number(inner[0])) ?? null) : null,
      tokens.slice(end + 1),
    );
  }
  const parts = split(inner).map((part) => evaluate(value, part));
  return evaluate(parts, tokens.slice(end + 1));
}

function closing(tokens: string[]): number {
  let depth = 0;
  const end = tokens.findIndex((token) => {
    depth += token === "[" ? 1 : token === "]" ? -1 : 0;
    return depth === 0;
  });
  if (end < 0) {
    throw new Error("--query: a bracket is not closed");
  }
  return end;
}

function split(tokens: string[]): string[][] {
  const parts: string[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    depth += token === "[" ? 1 : token === "]" ? -1 : 0;
    if (token === "," && depth === 0) {
      parts.push([]);
    } else {
      parts.at(-1)!.push(token);
    }
  }
  return parts;
}

/** A line for each list of scalars, fields parted by tabs; nothing is `None`, an empty list is no line. */
export function textOf(value: unknown): string {
  if (!Array.isArray(value)) {
    return `${scalar(value)}\n`;
  }
  const isFlat = value.every((item) => !Array.isArray(item));
  if (isFlat) {
    return value.length === 0 ? "" : `${value.map(scalar).join("\t")}\n`;
  }
  return value.map(textOf).join("");
}

function scalar(value: unknown): string {
  if (value === null || value === undefined) {
    return "None";
  }
  return typeof value === "boolean"
    ? value
      ? "True"
      : "False"
    : typeof value === "object"
      ? JSON.stringify(value)
      : String(value);
}
