import { spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import type { Cli } from "../engine/findCli";

export interface RunOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** What is read instead of being shown. */
  capture?: "nothing" | "stdout" | "all";
  /** What becomes of a line on its way to a standard output that is no terminal. */
  shown?: (line: string) => string[];
}

export interface RunResult {
  exitCode: number;
  /** The user asked it to stop. */
  interrupted: boolean;
  stdout: string;
  stderr: string;
}

/** One key press may reach us more than once: from the terminal, and again from npm. */
const samePress = 300;

/**
 * Runs the literal CLI to its end. It gets a process group of its own, so that a Ctrl-C reaches it exactly once:
 * the first lets it finish what it has begun, the second ends it at once (its own rule), the third kills it.
 */
export function runLiteralCli(
  cli: Cli,
  args: readonly string[],
  { cwd, env, capture = "nothing", shown }: RunOptions,
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const stdin = capture === "all" ? "ignore" : "inherit";
    const passes = capture === "nothing" && shown !== undefined && !process.stdout.isTTY;
    const stdout = capture === "nothing" && !passes ? "inherit" : "pipe";
    const stderr = capture === "all" ? "pipe" : "inherit";
    const child = spawn(cli.command, args, { cwd, env, detached: true, stdio: [stdin, stdout, stderr] });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    if (passes && child.stdout) {
      createInterface(child.stdout).on("line", (line) => {
        shown(line).forEach((text) => process.stdout.write(`${text}\n`));
      });
    } else child.stdout?.on("data", (data: Buffer) => output.push(data));
    child.stderr?.on("data", (data: Buffer) => errors.push(data));

    let presses = 0;
    let lastPress = 0;
    const forward = () => {
      if (Date.now() - lastPress < samePress) return;
      lastPress = Date.now();
      presses++;
      child.kill(presses < 3 ? "SIGINT" : "SIGKILL");
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
    for (const signal of signals) process.on(signal, forward);
    const done = () => signals.forEach((signal) => process.off(signal, forward));

    child.once("error", (error) => {
      done();
      reject(error);
    });
    child.once("close", (code, signal) => {
      done();
      const exitCode = code ?? 128 + (signal === null ? 1 : constants.signals[signal]);
      resolve({
        exitCode,
        interrupted: presses > 0,
        stdout: Buffer.concat(output).toString(),
        stderr: Buffer.concat(errors).toString(),
      });
    });
  });
}
