/** The account by which a command's clients connect, where it is not the built-in user: the same options for all of them. */
import { readFileSync } from "node:fs";
import { option } from "../command";
import { UserError } from "../console";
import type { Credentials } from "./connection";

export interface AccountOptions {
  username?: string;
  password?: string;
  passwordFile?: string;
}

export const accountOptions = [
  option("--username <name>", "an account of your own authentication, instead of the built-in user"),
  option(
    "--password <text>",
    "the MQTT password, instead of reading it from SSM (others may see it in `ps`)",
  ),
  option("--password-file <file>", "a file with the MQTT password; - is stdin"),
];

export function accountOf({ username, password, passwordFile }: AccountOptions): Credentials {
  return { username, password: passwordFile === undefined ? password : passwordIn(passwordFile) };
}

function passwordIn(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new UserError(`--password-file: ${(error as Error).message}`);
  }
}
