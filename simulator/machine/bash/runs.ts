/** Runs the machine's scripts: real bash below its root, each run a process group of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { CallServer } from "./callServer";
import { hostTools } from "./hostTools";
import type { Answer, Call } from "./call";
import type { Root } from "./root";

export interface RunResult {
  /** 128 and the signal's number for who was killed, as a shell says it. */
  code: number;
  lines: string[];
}

export interface Run {
  done: Promise<RunResult>;
  /** Sends a signal to all its processes. */
  signal(name: "SIGTERM" | "SIGKILL"): void;
  /** Of its first process, once that is there. */
  pid(): number | undefined;
}

const signalNumbers: Record<string, number> = { SIGTERM: 15, SIGKILL: 9 };

export class Runs {
  private readonly running = new Set<Run>();

  constructor(
    private readonly root: Root,
    private readonly answer: (call: Call) => Promise<Answer>,
  ) {}

  /** Runs a command of the machine; `say` gets every line of standard output and error. */
  start([program, ...args]: string[], say: (line: string) => void): Run {
    const lines: string[] = [];
    let child: ChildProcess | undefined;
    let killedBefore: string | undefined;
    const run: Run = {
      pid: () => child?.pid,
      signal: (name) => {
        killedBefore ??= name;
        if (child?.pid !== undefined) {
          signalGroup(child.pid, name);
        }
      },
      done: (async () => {
        const server = await CallServer.get();
        if (killedBefore !== undefined) {
          return { code: 128 + signalNumbers[killedBefore]!, lines };
        }
        const id = randomBytes(12).toString("base64url");
        const stop = server.serve(id, this.answer);
        try {
          child = this.spawn(program!, args, server.port, id);
          const ended = exitCode(child);
          const heard = [child.stdout!, child.stderr!].map(async (stream) => {
            for await (const line of createInterface({ input: stream })) {
              const told = line.replaceAll(this.root.path, "");
              lines.push(told);
              say(told);
            }
          });
          const code = await ended;
          await Promise.all(heard);
          return { code, lines };
        } finally {
          stop();
        }
      })(),
    };
    this.running.add(run);
    const forget = () => this.running.delete(run);
    run.done.then(forget, forget);
    return run;
  }

  /** No process of the machine goes on: the power is gone. */
  kill(): void {
    this.running.forEach((run) => run.signal("SIGKILL"));
  }

  /** Resolves when nothing runs any more. */
  async ended(): Promise<void> {
    await Promise.allSettled([...this.running].map((run) => run.done));
  }

  private spawn(program: string, args: string[], port: number, id: string): ChildProcess {
    const { path } = this.root;
    const tools = hostTools();
    const bash = tools.get("bash")!;
    // Scripts name /bin/bash, which may be older here; commands are in /bin, wherever the system has them.
    const own = this.root.at(program);
    const command =
      existsSync(own) && !program.startsWith("/bin/")
        ? [bash, own]
        : [
            [this.root.at("/bin"), this.root.tools]
              .map((bin) => join(bin, basename(program)))
              .find(existsSync) ?? own,
          ];
    return spawn(command[0]!, [...command.slice(1), ...args], {
      cwd: path,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: `${this.root.at("/bin")}:${this.root.tools}`,
        HOME: this.root.at("/root"),
        LANG: "C.UTF-8",
        TMPDIR: this.root.at("/tmp"),
        EMQX_NODE_ROOT: path,
        BASH_ENV: this.root.at("/bin/.prelude"),
        REGION_PORT: String(port),
        REGION_RUN: id,
        ...Object.fromEntries(
          ["timeout", "find", "stat", "env"].map((name) => [
            `REGION_${name.toUpperCase()}`,
            tools.get(name)!,
          ]),
        ),
      },
    });
  }
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? 128 + (signalNumbers[signal ?? ""] ?? 0)));
  });
}

function signalGroup(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(-pid, name);
  } catch {
    // It is gone already.
  }
}
