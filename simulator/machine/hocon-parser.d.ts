/** The package comes without types; this is the one function used here. */
declare module "@pushcorn/hocon-parser" {
  export function parse(source: { text: string }): Promise<Record<string, unknown>>;
}
