/**
 * A reader for HOCON as EMQX reads it. It answers two questions without opening a file or a connection: would EMQX
 * read this text, and which keys does it set? (The npm parsers resolve `include` while they parse, even over the
 * network, and they are asynchronous: no use before a program has registered anything.)
 *
 * EMQX's dialect (github.com/emqx/hocon, hocon_scanner.xrl) is narrower than HOCON: no `+=`, unquoted text is one
 * word, a quoted key stands alone. Left out on purpose, each with an error that says so, is what would make the
 * second answer depend on something outside the text or surprise the reader of it: `include`, `${substitution}`s
 * outside quotes, braces around the whole text, values that EMQX would join, settings that share a line without a
 * comma. So what is accepted here means the same to EMQX; not everything that EMQX reads is accepted.
 */

/** One `key = value` or `key { … }` of the text, with the keys around it. */
export interface Assignment {
  /** Every segment of the key. Dots count as separators inside quotes as well: nothing hides in a quoted key. */
  path: string[];
  /** The value is an object, so its inner assignments follow in the list. */
  isObject: boolean;
  /** What is assigned, if it is no object. Unquoted words are texts, but for true, false, null and numbers. */
  value?: HoconValue;
  line: number;
}

export type HoconValue = string | number | boolean | null | HoconValue[] | { [key: string]: HoconValue };

export class HoconError extends Error {
  constructor(
    readonly line: number,
    problem: string,
  ) {
    super(`line ${line}: ${problem}`);
  }
}

/** All assignments of a HOCON text in their order. Throws a HoconError where it is not HOCON. */
export function readHocon(text: string): Assignment[] {
  const reader = new Reader(text);
  reader.fields([], undefined);
  return reader.assignments;
}

/** What assignments amount to: later ones win, objects are merged. */
export function hoconTree(assignments: Assignment[]): { [key: string]: HoconValue } {
  const tree = emptyObject();
  for (const { path, isObject, value } of assignments) {
    let at = tree;
    for (const key of path.slice(0, -1)) at = objectAt(at, key);
    if (isObject) objectAt(at, path.at(-1)!);
    else at[path.at(-1)!] = value!;
  }
  return tree;
}

function objectAt(tree: { [key: string]: HoconValue }, key: string): { [key: string]: HoconValue } {
  const there = tree[key];
  if (typeof there === "object" && there !== null && !Array.isArray(there)) return there;
  return (tree[key] = emptyObject());
}

/** Without a prototype: a setting may be called "constructor". */
function emptyObject(): { [key: string]: HoconValue } {
  return Object.create(null) as { [key: string]: HoconValue };
}

const word = /[A-Za-z][A-Za-z0-9_.@%|-]*/y;
// A word, or an integer, a float, or a number with a unit: percent, bytes, duration.
const unquoted = new RegExp(
  "(?!include(?![A-Za-z0-9_.@%|-]))(?:[A-Za-z][A-Za-z0-9_.@%|-]*|[+-]?[0-9]*\\.[0-9]+(?:[eE][+-]?[0-9]+)?|[+-]?[0-9]+" +
    "|[0-9]+(?:%|b|B|kb|KB|mb|MB|gb|GB|d|D|h|H|m|M|s|S|ms|MS))(?![A-Za-z0-9_.@%|-])",
  "y",
);

/**
 * Words that mean something else than their letters to EMQX (emqx/hocon:src/hocon_scanner.xrl), and those that HOCON keeps
 * beside them: switches, and what may follow an include.
 */
const reserved = new Set(["include", "true", "false", "null"]);
const keptByHocon = new Set([
  ...reserved,
  "on",
  "off",
  "yes",
  "no",
  "required",
  "url",
  "file",
  "classpath",
  "undefined",
]);

/** Whether an unquoted value would be taken for something else than a text. */
export function isReservedWord(word: string): boolean {
  return keptByHocon.has(word);
}

class Reader {
  readonly assignments: Assignment[] = [];
  private at = 0;
  private line = 1;

  constructor(private readonly text: string) {}

  /** The fields of an object, up to `}` or to the end of the text. */
  fields(parent: string[], opened: number | undefined): void {
    for (;;) {
      this.skip(true);
      const next = this.peek();
      if (next === "") {
        if (opened !== undefined) throw new HoconError(opened, `"{" is never closed`);
        return;
      }
      if (next === "}") {
        if (opened === undefined) throw this.error(`"}" without a "{"`);
        this.take();
        return;
      }
      this.field(parent);
      this.separator("}");
    }
  }

  private field(parent: string[]): void {
    const line = this.line;
    if (this.peek() === "{") throw this.error("write the settings without braces around them");
    const path = [...parent, ...this.key()];
    this.skip(false);
    if (this.text.startsWith("+=", this.at)) throw this.error("EMQX does not know +=: write the whole value");
    if (this.peek() === "=" || this.peek() === ":") {
      this.take();
      this.skip(true);
    } else if (this.peek() !== "{") {
      throw this.error(`after ${path.join(".")} there must be =, : or {, not ${this.shown()}`);
    }
    const isObject = this.peek() === "{";
    const assignment: Assignment = { path, isObject, line };
    this.assignments.push(assignment);
    const value = this.value(path);
    if (!isObject) assignment.value = value;
  }

  private key(): string[] {
    const quoted = this.peek() === '"';
    const key = quoted ? this.quoted() : this.match(word);
    if (!quoted && key === "include")
      throw this.error("include is not possible: write the settings themselves");
    if (key === undefined) throw this.error(`here the name of a setting must begin, not ${this.shown()}`);
    const segments = key.split(".");
    if (segments.includes("") || (!quoted && reserved.has(key)))
      throw this.error(`"${key}" is not the name of a setting`);
    return segments;
  }

  private value(path: string[]): HoconValue {
    const next = this.peek();
    if (next === "{") {
      const opened = this.line;
      const before = this.assignments.length;
      this.take();
      this.fields(path, opened);
      const inner = this.assignments.slice(before);
      return hoconTree(
        inner.map((assignment) => ({ ...assignment, path: assignment.path.slice(path.length) })),
      );
    }
    if (next === "[") return this.array(path);
    if (next === '"') return this.quoted();
    if (this.text.startsWith("${", this.at)) {
      throw this.error(
        "substitutions are not possible: write the value itself, or quote a ${…} meant for EMQX",
      );
    }
    const text = this.match(unquoted);
    if (text === undefined) {
      if (next === "" || next === "," || next === "}" || next === "]") {
        throw this.error(`the value of ${path.join(".")} is missing`);
      }
      throw this.error(`the value of ${path.join(".")} must be inside double quotes`);
    }
    if (text === "null") return null;
    if (text === "true" || text === "false") return text === "true";
    return Number.isNaN(Number(text)) ? text : Number(text);
  }

  private array(path: string[]): HoconValue[] {
    const opened = this.line;
    const items: HoconValue[] = [];
    this.take();
    for (;;) {
      this.skip(true);
      if (this.peek() === "") throw new HoconError(opened, `"[" is never closed`);
      if (this.peek() === "]") {
        this.take();
        return items;
      }
      // Keys inside an array element belong to the array, which is set as a whole: they are no assignments.
      const before = this.assignments.length;
      items.push(this.value(path));
      this.assignments.length = before;
      this.separator("]");
    }
  }

  /** A comma, a line break, or the end of what is being read. */
  private separator(close: string): void {
    this.skip(false);
    const next = this.peek();
    if (next === "\n" || next === "" || next === close) return;
    if (next !== ",") {
      throw this.error(
        `${this.shown()} does not belong here: put a text inside double quotes, the next setting in a new line`,
      );
    }
    this.take();
    this.skip(true);
    if (this.peek() === ",") throw this.error("two commas in a row");
    if (this.peek() === "") throw this.error("nothing comes after the last comma");
  }

  private quoted(): string {
    const opened = this.line;
    if (this.text.startsWith('"""', this.at)) {
      const end = this.text.indexOf('"""', this.at + 3);
      if (end < 0) throw new HoconError(opened, `""" is never closed`);
      const content = this.text.slice(this.at + 3, end);
      this.line += content.split("\n").length - 1;
      this.at = end + 3;
      if (this.peek() === '"' || content.endsWith("\\")) {
        throw this.error(`a text in """ cannot end in a quote or backslash`);
      }
      return content;
    }
    const from = this.at;
    this.take();
    for (;;) {
      const next = this.take();
      if (next === "\\") this.take();
      else if (next === '"') break;
      else if (next === "" || next === "\n") throw new HoconError(opened, "a quoted string is never closed");
    }
    const literal = this.text.slice(from, this.at);
    let content: string;
    try {
      // Before another sign EMQX leaves a backslash as it is, as in the pattern "\d+".
      const escaped = literal.replace(/\\(["\\bfnrtu])|\\/g, (whole, known) => (known ? whole : "\\\\"));
      content = JSON.parse(escaped.replaceAll("\t", "\\t")) as string;
    } catch {
      throw new HoconError(opened, `the string ${literal} has a \\u without four digits after it`);
    }
    // EMQX would take the quote for an escaped one and read on.
    if (literal.endsWith('\\"'))
      throw new HoconError(opened, `the string ${literal} must not end in a backslash`);
    return content;
  }

  private skip(lines: boolean): void {
    for (;;) {
      const next = this.peek();
      if (next === " " || next === "\t" || next === "\r" || (lines && next === "\n")) this.take();
      else if (this.atComment()) while (this.peek() !== "" && this.peek() !== "\n") this.take();
      else return;
    }
  }

  private atComment(): boolean {
    return this.peek() === "#" || this.text.startsWith("//", this.at);
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text)?.[0];
    this.at += match?.length ?? 0;
    return match;
  }

  private peek(): string {
    return this.text.charAt(this.at);
  }

  private take(): string {
    const next = this.peek();
    this.at += next.length;
    if (next === "\n") this.line += 1;
    return next;
  }

  private shown(): string {
    const next = this.peek();
    return next === "" ? "the end" : next === "\n" ? "the end of the line" : `"${next}"`;
  }

  private error(problem: string): HoconError {
    return new HoconError(this.line, problem);
  }
}
