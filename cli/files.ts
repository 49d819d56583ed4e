import { readFileSync } from "node:fs";
import { UserError } from "./console";

/** A file's content in the form it has to have; in one sentence, what is wrong with it and what to do. */
export function readParsed<T>(
  file: string,
  parse: (text: string) => unknown,
  isRight: (value: unknown) => value is T,
  remedy: string,
): T {
  let problem = "does not hold what it should";
  try {
    const value = parse(readFileSync(file, "utf8"));
    if (isRight(value)) return value;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    problem = code?.startsWith("E") ? `cannot be read (${code})` : `is damaged (${firstLine(message)})`;
  }
  throw new UserError(`${file} ${problem}. ${remedy}`);
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").replace(/:$/, "");
}
