/** One TCP server of this process, to which the stand-ins of all machines speak. A run's token says whose call it is. */
import { type AddressInfo, createServer } from "node:net";
import type { Answer, Call } from "./call";

type Handler = (call: Call) => Promise<Answer>;

export class CallServer {
  private static shared: Promise<CallServer> | undefined;
  private readonly handlers = new Map<string, Handler>();

  private constructor(readonly port: number) {}

  static get(): Promise<CallServer> {
    return (CallServer.shared ??= CallServer.start());
  }

  /** Answers the calls of one run until the function that it returns is called. */
  serve(run: string, handler: Handler): () => void {
    this.handlers.set(run, handler);
    return () => void this.handlers.delete(run);
  }

  private static start(): Promise<CallServer> {
    return new Promise((resolve, reject) => {
      let calls: CallServer;
      const server = createServer({ noDelay: true }, (socket) => {
        const gone = new AbortController();
        let text = "";
        let isAsked = false;
        socket.setEncoding("utf8");
        socket.on("error", () => socket.destroy());
        socket.on("close", () => gone.abort());
        socket.on("data", (chunk: string) => {
          text += chunk;
          const asked = isAsked ? undefined : readCall(text, gone.signal);
          if (asked === undefined) {
            return;
          }
          isAsked = true;
          const handler = calls.handlers.get(asked.run);
          if (handler === undefined) {
            // Without the token of a run nobody gets an answer.
            socket.destroy();
            return;
          }
          handler(asked.call).then(
            ({ code = 0, out = "", err = "" }) => socket.end(`${code}\0${err}\0${out}\0`),
            (error: Error) =>
              socket.end(`125\0${asked.call.program}: in the simulated region: ${error.stack}\n\0\0`),
          );
        });
      });
      server.once("error", reject);
      server.unref();
      server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
        calls = new CallServer((server.address() as AddressInfo).port);
        resolve(calls);
      });
    });
  }
}

/** The words as `stand-in` sends them; undefined while some are missing. */
function readCall(text: string, gone: AbortSignal): { run: string; call: Call } | undefined {
  if (!text.endsWith("\0")) {
    return undefined;
  }
  const words = text.slice(0, -1).split("\0");
  const [run, program, cwd, limit, mask, stdin] = words as [string, string, string, string, string, string];
  const variables = Number(words[6]);
  const count = Number(words[7 + variables]);
  if (!(words.length >= 8 + variables + count)) {
    return undefined;
  }
  const environment = words.slice(7, 7 + variables).map((word) => {
    const equals = word.indexOf("=");
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
  const call: Call = {
    program,
    args: words.slice(8 + variables, 8 + variables + count),
    cwd,
    stdin,
    fileMode: 0o666 & ~parseInt(mask || "22", 8),
    environment: Object.fromEntries(environment) as Record<string, string>,
    ...(limit === "" ? {} : { limit: Number(limit) }),
    gone,
  };
  return { run, call };
}
