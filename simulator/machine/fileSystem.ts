/** The files of a simulated machine. */
export interface MachineFile {
  content: string;
  /** As in chmod: 0o644. */
  mode: number;
  /** `user:group`. */
  owner: string;
}

/** Files by their path. */
export interface FileSystem extends Iterable<[string, MachineFile]> {
  /** Undefined for what is not there, and for what may not be read. */
  get(path: string): MachineFile | undefined;
  has(path: string): boolean;
  set(path: string, file: MachineFile): this;
  delete(path: string): boolean;
}

/** `NAME=value` lines as systemd's EnvironmentFile= and a shell's `.` both understand them. */
export function parseEnvironment(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (match !== null) {
      values[match[1]!] = unquote(match[2]!.trim());
    }
  }
  return values;
}

function unquote(value: string): string {
  const quote = value[0];
  if ((quote !== "'" && quote !== '"') || value.length < 2 || !value.endsWith(quote)) {
    return value;
  }
  const inner = value.slice(1, -1);
  return quote === '"' ? inner.replace(/\\(["\\$`])/g, "$1") : inner;
}
