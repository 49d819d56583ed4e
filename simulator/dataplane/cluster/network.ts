/**
 * A node's connections to others: epmd (when the profile has it) tells where the distribution listens; distribution and
 * RPC connections open with the handshake. A port that a security group closes is missed in exactly its part.
 */
import { connect, createServer, Server, Socket } from "node:net";
import { Frame, FrameSocket } from "./frames";
import { closedWithoutWord, HandshakeRules, Introduction, introduce, receive } from "./handshake";

export interface NetworkOptions {
  name: string;
  cookie: string;
  ports: { epmd?: number; distribution: number; rpc: number };
  startedAt: number;
  /** Where this node listens and from where it dials. */
  address: string;
  /** Where the host of another node's name is reached. */
  addressOf(host: string): string | undefined;
  /** Lets a connection in, or closes it and answers false. */
  guard(socket: Socket, port: number): boolean;
  retryMs: number;
  log(line: string): void;
}

interface NetworkEvents {
  /** Why this node wants nobody to connect, or undefined. */
  refusal(): string | undefined;
  /** Another node has opened a distribution connection. */
  accepted(channel: FrameSocket, other: Introduction): void;
  /** Something has come over another node's RPC connection. */
  received(name: string, frame: Frame): void;
}

const handshakeMs = 5000;

export class ClusterNetwork {
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();

  constructor(
    private readonly options: NetworkOptions,
    private readonly events: NetworkEvents,
  ) {}

  async listen(): Promise<void> {
    const { epmd, distribution, rpc } = this.options.ports;
    if (epmd !== undefined) {
      await this.open(epmd, (socket) => this.answerEpmd(socket));
    }
    await this.open(distribution, (socket) => void this.accept(socket, "distribution"));
    await this.open(rpc, (socket) => void this.accept(socket, "rpc"));
  }

  /** Opens a distribution connection to a node. */
  async dial(name: string): Promise<{ channel: FrameSocket; other: Introduction }> {
    const [short = "", host = ""] = name.split("@");
    let port = this.options.ports.distribution;
    if (this.options.ports.epmd !== undefined) {
      port = await this.lookUp(short, host, this.options.ports.epmd);
    }
    const channel = new FrameSocket(await this.connect(host, port, "distribution"));
    const other = await introduce(channel, this.rules("distribution"));
    if (other.name !== name) {
      throw new Error(`${host}:${port} is ${other.name}, not ${name}`);
    }
    return { channel, other };
  }

  /** Opens an RPC connection to a node. */
  async dialRpc(name: string): Promise<FrameSocket> {
    const [, host = ""] = name.split("@");
    const channel = new FrameSocket(await this.connect(host, this.options.ports.rpc, "rpc"));
    await introduce(channel, this.rules("rpc"));
    return channel;
  }

  async stop(): Promise<void> {
    const ended = this.servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const socket of this.sockets) {
      socket.end();
      setTimeout(() => socket.destroy(), 50).unref();
    }
    await Promise.all(ended);
  }

  private open(port: number, serve: (socket: Socket) => void): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => {
      this.track(socket);
      if (this.options.guard(socket, port)) {
        serve(socket);
      }
    });
    this.servers.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, this.options.address, () => resolve());
    });
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.sockets.delete(socket));
  }

  private answerEpmd(socket: Socket): void {
    const channel = new FrameSocket(socket);
    channel.listen((frame) => {
      const [short] = this.options.name.split("@");
      channel.send(frame["port_please"] === short ? { port: this.options.ports.distribution } : { port: 0 });
      socket.end();
    });
  }

  private rules(kind: Introduction["channel"]): HandshakeRules {
    const { name, startedAt, cookie } = this.options;
    return {
      self: { name, startedAt, channel: kind },
      cookie,
      timeoutMs: handshakeMs,
      refuses: (other) => {
        const refusal = this.events.refusal();
        if (refusal !== undefined) {
          return `${name} does not join: ${refusal}`;
        }
        return other.channel === kind
          ? undefined
          : `${other.name} spoke ${other.channel} on a port for ${kind}`;
      },
    };
  }

  private async accept(socket: Socket, kind: Introduction["channel"]): Promise<void> {
    const channel = new FrameSocket(socket);
    try {
      const other = await receive(channel, this.rules(kind));
      if (kind === "distribution") {
        this.events.accepted(channel, other);
      } else {
        channel.listen((frame) => this.events.received(other.name, frame));
      }
    } catch (error) {
      const { message } = error as Error;
      if (message !== closedWithoutWord) {
        this.options.log(`${kind} connection from ${socket.remoteAddress}: ${message}`);
      }
    }
  }

  private async lookUp(short: string, host: string, port: number): Promise<number> {
    const socket = await this.connect(host, port, "epmd");
    const channel = new FrameSocket(socket);
    const answer = await new Promise<Frame>((resolve, reject) => {
      socket.once("close", () =>
        reject(new Error(`epmd at ${host}:${port} closed the connection without an answer`)),
      );
      channel.listen(resolve);
      channel.send({ port_please: short });
    });
    socket.destroy();
    if (typeof answer["port"] !== "number" || answer["port"] === 0) {
      throw new Error(`epmd at ${host}:${port} knows no node "${short}"`);
    }
    return answer["port"];
  }

  private connect(host: string, port: number, purpose: string): Promise<Socket> {
    const address = this.options.addressOf(host);
    if (address === undefined) {
      return Promise.reject(new Error(`there is no host ${host} in the VPC`));
    }
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address, port, localAddress: this.options.address, noDelay: true });
      this.track(socket);
      const fail = (why: string) => {
        clearTimeout(timer);
        socket.destroy();
        reject(new Error(`cannot reach ${host}:${port} (${purpose}): ${why}`));
      };
      const timer = setTimeout(() => fail("timed out"), this.options.retryMs);
      socket.once("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
      socket.once("connect", () => {
        clearTimeout(timer);
        resolve(socket);
      });
    });
  }
}
