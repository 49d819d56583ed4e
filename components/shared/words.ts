/** Words for wrong values. Without the SDK, which takes longer to load than most commands take. */

/** Whether a value comes from another resource: `pulumi.Output.isInstance` (pulumi/pulumi@v3.248.0:sdk/nodejs/output.ts), or a promise. */
export function isLater(value: unknown): boolean {
  return value instanceof Promise || (value as { __pulumiOutput?: unknown } | null)?.__pulumiOutput === true;
}

/** A value as it was given, short enough for a message, whatever it is. */
export function shown(value: unknown): string {
  if (isLater(value)) {
    return "an output";
  }
  if (typeof value === "number" || typeof value === "bigint" || value === undefined) {
    return String(value);
  }
  if (typeof value === "function" || typeof value === "symbol") {
    return `a ${typeof value}`;
  }
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = "an object";
  }
  const { length } = typeof value === "string" ? value : text;
  return text.length <= 256 ? text : `${text.slice(0, 256)}… (${length} characters)`;
}

/** What is wrong with a whole number, in words. */
export function wholeNumberProblems(
  input: string,
  value: unknown,
  minimum: number,
  maximum: number,
  unit: string,
): string[] {
  if (value === undefined || (Number.isInteger(value) && between(value as number, minimum, maximum))) {
    return [];
  }
  return [`${input}: ${shown(value)} is not a whole number of ${unit} from ${minimum} to ${maximum}`];
}

const between = (value: number, minimum: number, maximum: number) => value >= minimum && value <= maximum;

/** What is wrong with the choice of one of some values. */
export function choiceProblems(
  input: string,
  value: unknown,
  allowed: Record<string, unknown> | unknown[],
): string[] {
  const values = Object.values(allowed);
  return value === undefined || values.includes(value)
    ? []
    : [`${input}: ${shown(value)} is not one of ${values.join(", ")}`];
}
