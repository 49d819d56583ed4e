/** One call of a command by a script on a machine. */
export interface Call {
  program: string;
  args: string[];
  /** The working folder. */
  cwd: string;
  /** What came in on standard input, if an argument says that it is read. */
  stdin: string;
  /** Of the files that it makes, by its umask. */
  fileMode: number;
  /** Variables AWS_… of its environment. */
  environment: Record<string, string>;
  /** Seconds that a `timeout` in front of it allows. */
  limit?: number;
  /** Aborted when the caller has gone: killed, or its machine without power. */
  gone: AbortSignal;
}

export interface Answer {
  /** Exit code; 0 unless given. */
  code?: number;
  /** Standard output and standard error. */
  out?: string;
  err?: string;
}
