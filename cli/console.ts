import pc from "picocolors";

/**
 * What the command line itself says, always on stderr: stdout belongs to the Pulumi CLI, whose JSON other
 * programs read.
 */
export interface Speaker {
  say(message: string): void;
  /** Replaces the last line on a terminal; elsewhere a line now and then, so that logs stay short. */
  progress(message: string): void;
}

const quietInterval = 30_000;

export function speaker(stream: NodeJS.WriteStream = process.stderr): Speaker {
  let lineIsOpen = false;
  let lastProgress = 0;
  return {
    say(message) {
      if (lineIsOpen) stream.write("\n");
      lineIsOpen = false;
      stream.write(`${message}\n`);
    },
    progress(message) {
      if (stream.isTTY) {
        stream.write(`\r\u001b[K${message}`);
        lineIsOpen = true;
      } else if (Date.now() - lastProgress >= quietInterval) {
        lastProgress = Date.now();
        stream.write(`${message}\n`);
      }
    },
  };
}

/** An error whose message is all that the user needs; no stack is shown. */
export class UserError extends Error {
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}

export function reportError(error: unknown): number {
  if (error instanceof UserError) {
    process.stderr.write(`${pc.red("error:")} ${error.message}\n`);
    return error.exitCode;
  }
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}
