// The parser has no types. It is not the library's own reader, so it checks that one as well.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const parser = require("@pushcorn/hocon-parser") as (options: {
  text: string;
  strict: boolean;
}) => Promise<unknown>;

/** A HOCON text as plain values. */
export async function parseHocon(text: string): Promise<Record<string, unknown>> {
  return (await parser({ text, strict: true })) as Record<string, unknown>;
}
