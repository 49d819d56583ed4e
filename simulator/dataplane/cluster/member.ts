/**
 * One node's part in a cluster, over real connections: epmd (when the profile has it) tells where the distribution
 * listens; distribution connections carry membership, retained messages and session hand-over; RPC connections, one in
 * each direction, carry what clients publish. A port that a security group closes is missed in exactly its part.
 */
import { connect, createServer, Server, Socket } from "node:net";
import { Message, SessionState } from "../broker/broker";
import { Frame, FrameSocket } from "./frames";
import { closedWithoutWord, HandshakeRules, Introduction, introduce, receive } from "./handshake";

export interface MemberOptions {
  name: string;
  /** Names of all nodes, this one's among them (`cluster.static.seeds`). */
  seeds: string[];
  cookie: string;
  ports: { epmd?: number; distribution: number; rpc: number };
  /** Why this node's version and licence forbid it to join others, or undefined. */
  licenceProblem?: string;
  startedAt: number;
  /** Where this node listens and from where it dials. */
  address: string;
  /** Where the host of another node's name is reached. */
  addressOf(host: string): string | undefined;
  /** Lets a connection in, or closes it and answers false. */
  guard(socket: Socket, port: number): boolean;
  retryMs: number;
  tickMs: number;
  log(line: string): void;
}

export interface MemberEvents {
  deliver(message: Message): Promise<void>;
  retain(message: Message): Promise<void>;
  retained(): Promise<Message[]>;
  giveUp(clientId: string): Promise<SessionState | undefined>;
}

interface Peer {
  /** The distribution connection, while there is one. */
  link?: { channel: FrameSocket; opener: string; introduction: Introduction; lastHeard: number };
  /** Our RPC connection to it. */
  rpc?: FrameSocket;
  dialing: boolean;
  dialingRpc: boolean;
  /** Has been in the cluster since we started. */
  known: boolean;
  lastProblem?: string;
}

const missedTicks = 4;
const answerTimeoutMs = 2000;

export interface ClusterStatus {
  running: string[];
  stopped: string[];
}

export class ClusterMember {
  private readonly peers = new Map<string, Peer>();
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly questions = new Map<number, (answer: Frame) => void>();
  private readonly timers: NodeJS.Timeout[] = [];
  private nextQuestion = 1;
  private stopped = false;
  private silent = false;

  constructor(
    private readonly options: MemberOptions,
    private readonly events: MemberEvents,
  ) {
    for (const seed of options.seeds) {
      if (seed !== options.name) {
        this.peers.set(seed, { dialing: false, dialingRpc: false, known: false });
      }
    }
  }

  async start(): Promise<void> {
    const { epmd, distribution, rpc } = this.options.ports;
    if (epmd !== undefined) {
      await this.listen(epmd, (socket) => this.answerEpmd(socket));
    }
    await this.listen(distribution, (socket) => void this.accept(socket, "distribution"));
    await this.listen(rpc, (socket) => void this.accept(socket, "rpc"));
    if (this.options.licenceProblem !== undefined) {
      this.options.log(this.options.licenceProblem);
      return;
    }
    if (!this.options.seeds.includes(this.options.name)) {
      this.options.log(`own name ${this.options.name} is not among the static seeds: it joins nobody`);
      return;
    }
    this.dialMissing();
    this.timers.push(setInterval(() => this.dialMissing(), this.options.retryMs));
    this.timers.push(setInterval(() => this.tick(), this.options.tickMs));
  }

  status(): ClusterStatus {
    const running = [this.options.name];
    const stopped: string[] = [];
    for (const [name, peer] of this.peers) {
      if (peer.link !== undefined) {
        running.push(name);
      } else if (peer.known) {
        stopped.push(name);
      }
    }
    return { running: running.sort(), stopped: stopped.sort() };
  }

  /** Why a seed is not joined, by its name: what its last attempt ran into. */
  problems(): Record<string, string> {
    const problems: Record<string, string> = {};
    for (const [name, peer] of this.peers) {
      if ((peer.link === undefined || peer.rpc === undefined) && peer.lastProblem !== undefined) {
        problems[name] = peer.lastProblem;
      }
    }
    return problems;
  }

  publish(message: Message): void {
    if (this.silent) {
      return;
    }
    for (const peer of this.peers.values()) {
      if (peer.link !== undefined) {
        if (message.retain) {
          peer.link.channel.send({ retain: message });
        }
        peer.rpc?.send({ publish: message });
      }
    }
  }

  /** Asks all others to give up a client; answers with its session if one of them held it. */
  async takeOver(clientId: string): Promise<SessionState | undefined> {
    const links = [...this.peers.values()].flatMap((peer) =>
      peer.link === undefined ? [] : [peer.link.channel],
    );
    const answers = await Promise.all(links.map((channel) => this.ask(channel, { giveUp: clientId })));
    return answers
      .map((answer) => answer?.["session"] as SessionState | undefined)
      .find((found) => found !== undefined);
  }

  /** Nothing comes in or goes out any more although connections stay open: what a power cut looks like to others. */
  silence(): void {
    this.silent = true;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.timers.forEach((timer) => clearInterval(timer));
    const ended = this.servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const socket of this.sockets) {
      socket.end();
      setTimeout(() => socket.destroy(), 50).unref();
    }
    await Promise.all(ended);
  }

  private listen(port: number, serve: (socket: Socket) => void): Promise<void> {
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
    const { name, startedAt, cookie, seeds, licenceProblem } = this.options;
    return {
      self: { name, startedAt, channel: kind },
      cookie,
      timeoutMs: 5000,
      refuses: (other) => {
        if (licenceProblem !== undefined) {
          return `${name} does not join: ${licenceProblem}`;
        }
        if (!seeds.includes(other.name)) {
          return `${other.name} is not among the seeds of ${name}`;
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
        this.adopt(channel, other, other.name);
      } else {
        channel.listen((frame) => this.published(frame));
      }
    } catch (error) {
      const { message } = error as Error;
      if (message !== closedWithoutWord) {
        this.options.log(`${kind} connection from ${socket.remoteAddress}: ${message}`);
      }
    }
  }

  private dialMissing(): void {
    if (this.stopped || this.silent) {
      return;
    }
    for (const [name, peer] of this.peers) {
      if (peer.link === undefined) {
        if (!peer.dialing) {
          peer.dialing = true;
          void this.dial(name, peer).finally(() => (peer.dialing = false));
        }
      } else if (peer.rpc === undefined && !peer.dialingRpc) {
        peer.dialingRpc = true;
        void this.dialRpc(name, peer).finally(() => (peer.dialingRpc = false));
      }
    }
  }

  private async dial(name: string, peer: Peer): Promise<void> {
    try {
      const [short = "", host = ""] = name.split("@");
      let port = this.options.ports.distribution;
      if (this.options.ports.epmd !== undefined) {
        port = await this.lookUp(short, host, this.options.ports.epmd);
      }
      const channel = new FrameSocket(await this.open(host, port, "distribution"));
      const other = await introduce(channel, this.rules("distribution"));
      if (other.name !== name) {
        throw new Error(`${host}:${port} is ${other.name}, not ${name}`);
      }
      this.adopt(channel, other, this.options.name);
    } catch (error) {
      this.problem(name, peer, (error as Error).message);
    }
  }

  private async dialRpc(name: string, peer: Peer): Promise<void> {
    try {
      const [, host = ""] = name.split("@");
      const channel = new FrameSocket(await this.open(host, this.options.ports.rpc, "rpc"));
      await introduce(channel, this.rules("rpc"));
      peer.rpc = channel;
      delete peer.lastProblem;
      channel.socket.once("close", () => {
        if (peer.rpc === channel) {
          delete peer.rpc;
        }
      });
      if (channel.socket.destroyed) {
        delete peer.rpc;
      }
    } catch (error) {
      this.problem(name, peer, (error as Error).message);
    }
  }

  private async lookUp(short: string, host: string, port: number): Promise<number> {
    const socket = await this.open(host, port, "epmd");
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

  private open(host: string, port: number, purpose: string): Promise<Socket> {
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

  /** Takes a proved distribution connection into use; of two at once, both sides keep the lower name's. */
  private adopt(channel: FrameSocket, introduction: Introduction, opener: string): void {
    const peer = this.peers.get(introduction.name);
    if (peer === undefined || this.stopped) {
      channel.socket.destroy();
      return;
    }
    if (peer.link !== undefined && peer.link.opener <= opener) {
      channel.socket.destroy();
      return;
    }
    const replaced = peer.link?.channel;
    const link = { channel, opener, introduction, lastHeard: Date.now() };
    peer.link = link;
    peer.known = true;
    delete peer.lastProblem;
    replaced?.socket.destroy();
    channel.socket.once("close", () => {
      if (peer.link === link) {
        delete peer.link;
        peer.rpc?.socket.destroy();
        this.options.log(`node ${introduction.name} is down or unreachable`);
      }
    });
    channel.listen((frame) => {
      link.lastHeard = Date.now();
      if (!this.silent) {
        void this.heard(channel, frame);
      }
    });
    if (replaced === undefined) {
      this.options.log(`node ${introduction.name} has joined; running: ${this.status().running.join(", ")}`);
    }
    if (introduction.startedAt < this.options.startedAt) {
      void this.copyRetained(channel);
    }
    this.dialMissing();
  }

  private async copyRetained(channel: FrameSocket): Promise<void> {
    const answer = await this.ask(channel, { retainedPlease: true });
    for (const message of (answer?.["retained"] as Message[] | undefined) ?? []) {
      await this.events.retain(message);
    }
  }

  private async heard(channel: FrameSocket, frame: Frame): Promise<void> {
    if (typeof frame["answerTo"] === "number") {
      this.questions.get(frame["answerTo"])?.(frame);
    } else if (typeof frame["giveUp"] === "string") {
      channel.send({ answerTo: frame["question"], session: await this.events.giveUp(frame["giveUp"]) });
    } else if (frame["retainedPlease"] === true) {
      channel.send({ answerTo: frame["question"], retained: await this.events.retained() });
    } else if (frame["retain"] !== undefined) {
      await this.events.retain(frame["retain"] as Message);
    }
  }

  private published(frame: Frame): void {
    if (!this.silent && frame["publish"] !== undefined) {
      this.events
        .deliver(frame["publish"] as Message)
        .catch((error: Error) =>
          this.options.log(`a message of another node could not be delivered: ${error.message}`),
        );
    }
  }

  private ask(channel: FrameSocket, question: object): Promise<Frame | undefined> {
    const id = this.nextQuestion++;
    return new Promise((resolve) => {
      const finish = (answer: Frame | undefined) => {
        clearTimeout(timer);
        channel.socket.off("close", gone);
        this.questions.delete(id);
        resolve(answer);
      };
      const gone = () => finish(undefined);
      const timer = setTimeout(gone, answerTimeoutMs);
      channel.socket.on("close", gone);
      this.questions.set(id, finish);
      channel.send({ ...question, question: id });
    });
  }

  private tick(): void {
    for (const [name, peer] of this.peers) {
      if (peer.link === undefined || this.silent) {
        continue;
      }
      if (Date.now() - peer.link.lastHeard > missedTicks * this.options.tickMs) {
        this.options.log(`node ${name} has not answered for ${missedTicks} ticks: taken for down`);
        peer.link.channel.socket.destroy();
      } else {
        peer.link.channel.send({ tick: true });
      }
    }
  }

  private problem(name: string, peer: Peer, text: string): void {
    if (!this.stopped && peer.lastProblem !== text) {
      peer.lastProblem = text;
      this.options.log(`not joined with ${name}: ${text}`);
    }
  }
}
