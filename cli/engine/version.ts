/** The CLI is always of the version of the SDK that the program runs with. */
export function requiredVersion(): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a JSON file of a package, read once
  return (require("@pulumi/pulumi/package.json") as { version: string }).version;
}
