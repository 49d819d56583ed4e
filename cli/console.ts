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

/** Says what is being done, and every ten seconds since when: nobody knows beforehand how long a computer takes. */
export async function during<T>(speaker: Speaker, what: string, work: Promise<T>): Promise<T> {
  const started = Date.now();
  speaker.say(`${what} …`);
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const timer = setInterval(() => speaker.progress(`${what}: ${seconds()} s so far`), 10_000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
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
