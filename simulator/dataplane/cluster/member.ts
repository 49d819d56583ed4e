/**
 * One node's part in a cluster, over real connections: distribution connections carry membership, the database, retained
 * messages and session hand-over; RPC connections, one in each direction, carry what clients publish.
 */
import { randomUUID } from "node:crypto";
import { Message, SessionState, TakenOver } from "../broker/broker";
import { Change, ClusterData } from "./database";
import { encode, Frame, FrameSocket } from "./frames";
import { Introduction } from "./handshake";
import {
  About,
  clusterStatus,
  ClusterStatus,
  inOneCluster,
  membersAfter,
  membersToClean,
  nodeToJoin,
} from "./membership";
import { ClusterNetwork, NetworkOptions } from "./network";
import { Questions } from "./questions";
import { SessionLocks } from "./sessionLocks";

interface MemberOptions extends NetworkOptions {
  /** Names of the nodes that it looks for, this one's among them (`cluster.static.seeds`). */
  seeds: string[];
  /** Why this node's version and licence forbid it to join others, or undefined. */
  licenceProblem: string | undefined;
  /** The other members, from the node's disc. */
  members: Members;
  /** How long a stopped member stays listed (`cluster.autoclean`); undefined for ever. */
  autocleanMs: number | undefined;
  /** Between two ticks: in a small cluster, and at most. */
  tickMs: number;
  longestTickMs: number;
}

interface MemberEvents {
  deliver(message: Message): Promise<void>;
  retain(message: Message): Promise<void>;
  giveUp(clientId: string): Promise<SessionState | undefined>;
  release(clientId: string): Promise<Message[]>;
  /** Another node is being evacuated: this one takes over a session of an absent client. */
  adopt(clientId: string, from: string): Promise<void>;
  copy(): Promise<ClusterCopy>;
  /** Another node's copy takes the place of the own one. */
  takeCopy(copy: ClusterCopy): Promise<void>;
  data(): Pick<ClusterData, "clusterId" | "version">;
  change(change: Change, version: number): void;
  /** The members are others than before, which the disc has to know. */
  remember(members: Members): void;
  /** The node has joined or left a cluster: EMQX restarts all that serves clients. */
  restart(): Promise<void>;
  /** The node has left its cluster: its data is gone. */
  reset(): void;
}

type Members = Pick<About, "members" | "membersVersion">;

export interface ClusterCopy {
  data: ClusterData;
  retained: Message[];
}

interface Link {
  channel: FrameSocket;
  questions: Questions;
  opener: string;
  lastHeard: number;
  /** How often the other node says that it will be heard. */
  everyMs: number;
  /** What ends the locks that the other node holds here, by their tickets. */
  locks: Map<string, () => void>;
  about?: About;
}

interface Peer {
  /** The distribution connection, while there is one. */
  link?: Link;
  /** Our RPC connection to it. */
  rpc?: FrameSocket;
  /** We have seen each other in one cluster over this link. */
  joined: boolean;
  /** We came back to it and have not got its data yet: a connection that is replaced takes the question with it. */
  behind?: boolean;
  dialing: boolean;
  /** Attempts in a row that nobody answered, and when the next one may be. */
  missed: number;
  dialAt: number;
  dialingRpc: boolean;
  lastProblem?: string;
}

const missedTicks = 4;
/** So much longer for every other node: fifty that tick each other every second and a half take a quarter of a core. */
const tickMsPerPeer = 100;
/** The longest that a node waits before it dials one again that did not answer, in pauses between two attempts. */
const mostPauses = 8;
/** For what was published just before a session moves and is still on its way to its old node. */
const settleMs = 30;

export class ClusterMember {
  private readonly peers = new Map<string, Peer>();
  private readonly network: ClusterNetwork;
  private retryTimer: NodeJS.Timeout | undefined;
  private tickTimer: NodeJS.Timeout | undefined;
  private readonly locks = new SessionLocks();
  private readonly stoppedSince = new Map<string, number>();
  private members: Members;
  private startedAt: number;
  private licenceProblem: string | undefined;
  private discovers: boolean;
  private joining = false;
  private stopped = false;
  private silent = false;

  constructor(
    private readonly options: MemberOptions,
    private readonly events: MemberEvents,
  ) {
    const { name, seeds } = options;
    this.members = options.members;
    this.startedAt = options.startedAt;
    this.licenceProblem = options.licenceProblem;
    this.discovers = seeds.includes(name);
    this.network = new ClusterNetwork(options, {
      refusal: () => this.licenceProblem,
      accepted: (channel, other) => this.adoptLink(channel, other, other.name),
      received: (from, frame) => this.published(from, frame),
    });
    [...seeds, ...this.members.members]
      .filter((other) => other !== name)
      .forEach((other) => this.peer(other));
  }

  async start(): Promise<void> {
    const { name, retryMs, log } = this.options;
    await this.network.listen();
    if (this.licenceProblem !== undefined) {
      log(this.licenceProblem);
    }
    if (!this.discovers) {
      log(`own name ${name} is not among the static seeds: it joins nobody`);
    }
    this.dialMissing();
    this.retryTimer = setInterval(() => this.dialMissing(), retryMs);
    this.tickLater();
  }

  status(): ClusterStatus {
    return clusterStatus(this.options.name, this.about(), this.reached());
  }

  /** Why another node is not joined, by its name: what the last attempt ran into. */
  problems(): Record<string, string> {
    const problems: Record<string, string> = {};
    for (const [name, peer] of this.peers) {
      if ((peer.link === undefined || peer.rpc === undefined) && peer.lastProblem !== undefined) {
        problems[name] = peer.lastProblem;
      }
    }
    return problems;
  }

  /** Another licence has been read. */
  setLicenceProblem(problem: string | undefined): void {
    this.licenceProblem = problem;
    this.dialMissing();
  }

  /** `emqx ctl cluster leave`: the others forget this node, its data is gone, and it looks for no seeds until restarted. */
  async leave(): Promise<void> {
    await this.leaveCluster(false);
  }

  /**
   * `emqx ctl cluster force-leave`: removes another node. A stopped one is forgotten by all; a running one is told to
   * leave, and joins again by itself where its seeds are these nodes.
   */
  async forceLeave(name: string): Promise<"removed" | "ignored"> {
    if (name === this.options.name) {
      return "ignored";
    }
    if (!this.knows(name)) {
      throw new Error("node_not_in_cluster");
    }
    const link = this.joinedLinks().get(name);
    if (link !== undefined) {
      await link.questions.ask({ leavePlease: true });
    } else {
      this.remove(name);
    }
    return "removed";
  }

  publish(message: Message): void {
    if (this.silent) {
      return;
    }
    for (const [name, link] of this.joinedLinks()) {
      if (message.retain) {
        link.channel.send({ retain: message });
      }
      this.peers.get(name)?.rpc?.send({ publish: message });
    }
  }

  /** Tells the running members what has changed in the database; resolves when they have it. */
  async write(change: Change): Promise<void> {
    await this.askAll({ change, version: this.events.data().version });
  }

  /** Writes a retained message at the running members only, without publishing it. */
  async retain(message: Message): Promise<void> {
    await this.askAll({ retain: message });
  }

  /** Does something to a client's session while no other node opens it. */
  async alone<T>(clientId: string, work: () => Promise<T>): Promise<T> {
    const release = await this.lock(clientId);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** Asks all others, or one, to give up a client; answers with its session if one of them held it. */
  async takeOver(clientId: string, from?: string): Promise<TakenOver | undefined> {
    const links = [...this.joinedLinks()].filter(([name]) => name === (from ?? name)).map(([, link]) => link);
    const answers = await Promise.all(links.map(({ questions }) => questions.ask({ giveUp: clientId })));
    const held = answers.findIndex((answer) => answer?.["session"] !== undefined);
    if (held < 0) {
      return undefined;
    }
    return {
      ...(answers[held]!["session"] as SessionState),
      release: async () => {
        await new Promise((resolve) => setTimeout(resolve, settleMs));
        const answer = await links[held]!.questions.ask({ release: clientId });
        return (answer?.["queue"] as Message[] | undefined) ?? [];
      },
    };
  }

  /** Has another node take over a session of an absent client. */
  async handOver(clientId: string, to: string): Promise<boolean> {
    const answer = await this.joinedLinks().get(to)?.questions.ask({ adopt: clientId });
    return answer !== undefined;
  }

  /** Nothing comes in or goes out any more although connections stay open: what a power cut looks like to others. */
  silence(): void {
    this.silent = true;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.retryTimer);
    clearTimeout(this.tickTimer);
    await this.network.stop();
  }

  private peer(name: string): Peer {
    let peer = this.peers.get(name);
    if (peer === undefined) {
      peer = { joined: false, dialing: false, missed: 0, dialAt: 0, dialingRpc: false };
      this.peers.set(name, peer);
    }
    return peer;
  }

  private about(): About {
    const { clusterId, version } = this.events.data();
    return { startedAt: this.startedAt, ...this.members, clusterId, version };
  }

  /** The nodes there is a connection with, in this cluster or not. */
  private reached(): Map<string, About> {
    return new Map(
      [...this.peers].flatMap(([name, { link }]) => (link?.about === undefined ? [] : [[name, link.about]])),
    );
  }

  private joinedLinks(): Map<string, Link> {
    return new Map(
      [...this.peers].flatMap(([name, { link, joined }]) =>
        link === undefined || !joined ? [] : [[name, link]],
      ),
    );
  }

  /** The leader is the running node with the lowest name. */
  private async lock(clientId: string): Promise<() => void> {
    const [leader] = this.status().running;
    const link = this.joinedLinks().get(leader!);
    if (link === undefined) {
      return this.locks.acquire(clientId);
    }
    const ticket = randomUUID();
    await link.questions.ask({ lock: clientId, ticket });
    return () => link.channel.send({ unlock: ticket });
  }

  private async askAll(question: object): Promise<void> {
    if (!this.silent) {
      await Promise.all([...this.joinedLinks().values()].map(({ questions }) => questions.ask(question)));
    }
  }

  private dialMissing(): void {
    if (this.stopped || this.silent || this.licenceProblem !== undefined) {
      return;
    }
    const wanted = new Set([...(this.discovers ? this.options.seeds : []), ...this.members.members]);
    wanted.delete(this.options.name);
    let allJoined = true;
    for (const name of wanted) {
      const peer = this.peer(name);
      allJoined &&= peer.joined;
      if (peer.link === undefined && !peer.dialing && Date.now() >= peer.dialAt) {
        peer.dialing = true;
        void this.dial(name, peer).finally(() => (peer.dialing = false));
      } else if (peer.joined && peer.rpc === undefined && !peer.dialingRpc) {
        peer.dialingRpc = true;
        void this.dialRpc(name, peer).finally(() => (peer.dialingRpc = false));
      }
    }
    if (!allJoined) this.joinOldest();
  }

  private async dial(name: string, peer: Peer): Promise<void> {
    try {
      const { channel, other } = await this.network.dial(name);
      peer.missed = 0;
      this.adoptLink(channel, other, this.options.name);
    } catch (error) {
      // Who comes up dials by itself: fifty nodes that boot would dial each other thousands of times.
      const pauses = Math.min(2 ** peer.missed++, mostPauses);
      peer.dialAt = Date.now() + (pauses - 0.5) * this.options.retryMs;
      this.problem(name, peer, (error as Error).message);
    }
  }

  private async dialRpc(name: string, peer: Peer): Promise<void> {
    try {
      const channel = await this.network.dialRpc(name);
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

  /** Takes a proved distribution connection into use; of two at once, both sides keep the lower name's. */
  private adoptLink(channel: FrameSocket, { name }: Introduction, opener: string): void {
    const peer = this.peer(name);
    if (this.stopped || (peer.link !== undefined && peer.link.opener <= opener)) {
      channel.socket.destroy();
      return;
    }
    const replaced = peer.link;
    const questions = new Questions(channel);
    const everyMs = this.everyMs();
    const link: Link = { channel, questions, opener, lastHeard: Date.now(), everyMs, locks: new Map() };
    if (replaced?.about !== undefined) {
      link.about = replaced.about;
    }
    peer.link = link;
    peer.missed = 0;
    peer.dialAt = 0;
    delete peer.lastProblem;
    replaced?.channel.socket.destroy();
    channel.socket.once("close", () => {
      link.locks.forEach((release) => release());
      if (peer.link === link) {
        delete peer.link;
        peer.rpc?.socket.destroy();
        if (peer.joined) {
          this.options.log(`node ${name} is down or unreachable`);
        }
        peer.joined = false;
      }
    });
    channel.send({ about: this.about(), everyMs });
    channel.listen((frame) => {
      link.lastHeard = Date.now();
      link.everyMs = Number(frame["everyMs"] ?? link.everyMs);
      if (!this.silent && !link.questions.takes(frame)) {
        void this.heard(name, link, frame);
      }
    });
  }

  private async heard(name: string, link: Link, frame: Frame): Promise<void> {
    const { questions } = link;
    if (frame["about"] !== undefined) {
      link.about = frame["about"] as About;
      await this.consider(name, link);
      this.dialMissing();
    } else if (Number(frame["tick"]) < this.members.membersVersion) {
      // It missed a change, which the node that made it could not tell it.
      link.channel.send({ about: this.about() });
    } else if (frame["join"] === true) {
      const copy = await this.events.copy();
      this.change([...this.members.members, name]);
      questions.answer(frame, { ...this.membersFor(name), copy });
    } else if (frame["copyPlease"] === true) {
      questions.answer(frame, { copy: await this.events.copy() });
    } else if (!this.knows(name)) {
      // The rest is between members.
      return;
    } else if (typeof frame["removed"] === "string") {
      // What it said of itself was true before it left: an older node would be joined at once, and its empty data taken.
      if (frame["removed"] === name) delete link.about;
      this.remove(frame["removed"]);
      questions.answer(frame, {});
    } else if (frame["leavePlease"] === true) {
      await this.leaveCluster(this.discovers).catch((error: Error) => this.options.log(error.message));
      questions.answer(frame, {});
    } else if (frame["change"] !== undefined) {
      this.events.change(frame["change"] as Change, Number(frame["version"]));
      questions.answer(frame, {});
    } else if (frame["retain"] !== undefined) {
      await this.events.retain(frame["retain"] as Message);
      questions.answer(frame, {});
    } else if (typeof frame["giveUp"] === "string") {
      questions.answer(frame, { session: await this.events.giveUp(frame["giveUp"]) });
    } else if (typeof frame["release"] === "string") {
      questions.answer(frame, { queue: await this.events.release(frame["release"]) });
    } else if (typeof frame["adopt"] === "string") {
      await this.events.adopt(frame["adopt"], name);
      questions.answer(frame, {});
    } else if (typeof frame["lock"] === "string") {
      link.locks.set(String(frame["ticket"]), await this.locks.acquire(frame["lock"]));
      questions.answer(frame, {});
    } else if (typeof frame["unlock"] === "string") {
      link.locks.get(frame["unlock"])?.();
      link.locks.delete(frame["unlock"]);
    }
  }

  /** Something is new about a node: are we in one cluster, and who has the newer data? */
  private async consider(name: string, link: Link): Promise<void> {
    const peer = this.peer(name);
    const other = link.about;
    if (peer.link !== link || other === undefined) {
      return;
    }
    const before = peer.joined;
    peer.joined = inOneCluster(this.options.name, this.about(), name, other);
    const members = peer.joined ? membersAfter(this.options.name, this.about(), name, other) : undefined;
    if (members !== undefined) {
      this.setMembers(members, members.membersVersion === other.membersVersion);
    }
    if (peer.joined && !before) {
      this.options.log(`node ${name} has joined; running: ${this.status().running.join(", ")}`);
    } else if (before && !peer.joined) {
      peer.rpc?.socket.destroy();
    }
    peer.behind ||= peer.joined && !before && other.startedAt < this.startedAt;
    if (peer.joined && (peer.behind || other.version > this.events.data().version)) {
      await this.copyFrom(peer, link);
    }
  }

  /** A node that was away takes the data as they are by now. */
  private async copyFrom(peer: Peer, link: Link): Promise<void> {
    const answer = await link.questions.ask({ copyPlease: true });
    if (answer !== undefined) {
      peer.behind = false;
      await this.events.takeCopy(answer["copy"] as ClusterCopy);
    }
  }

  private joinOldest(): void {
    if (!this.discovers || this.joining || this.stopped) {
      return;
    }
    const name = nodeToJoin(this.options.name, this.about(), this.options.seeds, this.reached());
    const link = name === undefined ? undefined : this.peers.get(name)?.link;
    if (link !== undefined) {
      this.joining = true;
      void this.join(link).finally(() => {
        this.joining = false;
        this.dialMissing();
      });
    }
  }

  private async join(link: Link): Promise<void> {
    const answer = await link.questions.ask({ join: true });
    if (answer !== undefined && !this.stopped) {
      await this.events.restart();
      await this.events.takeCopy(answer["copy"] as ClusterCopy);
      this.setMembers({
        members: answer["members"] as string[],
        membersVersion: Number(answer["membersVersion"]),
      });
    }
  }

  private knows(name: string): boolean {
    return this.members.members.includes(name);
  }

  /** This node and its members, as another one lists them. */
  private membersFor(name: string): Members {
    const { members, membersVersion } = this.members;
    return { members: [this.options.name, ...members].filter((member) => member !== name), membersVersion };
  }

  private async leaveCluster(discoversAfterwards: boolean): Promise<void> {
    const links = [...this.joinedLinks().values()];
    if (links.length === 0) {
      throw new Error("node_not_in_cluster");
    }
    // Or it would join the first one again that has forgotten it.
    this.discovers = false;
    await Promise.all(links.map(({ questions }) => questions.ask({ removed: this.options.name })));
    this.startedAt = Date.now();
    this.setMembers({ members: [], membersVersion: 0 });
    this.events.reset();
    await this.events.restart();
    this.discovers = discoversAfterwards;
    this.options.log("this node has left the cluster");
  }

  private remove(name: string): void {
    if (this.knows(name)) {
      this.change(this.members.members.filter((member) => member !== name));
    }
  }

  /** Changes the members; the others follow when they hear of it. */
  private change(members: string[]): void {
    this.setMembers({
      members: [...new Set(members)].sort(),
      membersVersion: this.members.membersVersion + 1,
    });
  }

  /**
   * A list of its own it tells everybody. One that was `taken` over the others have from where it comes: then it tells only those that
   * it now lists, or no longer. If everybody told everybody, each node that joins would cost the square of their number.
   */
  private setMembers(members: Members, taken = false): void {
    const before = this.members.members;
    this.members = members;
    this.events.remember(members);
    for (const [name, { link }] of this.peers) {
      if (link !== undefined) {
        if (!taken || before.includes(name) !== this.knows(name)) link.channel.send({ about: this.about() });
        void this.consider(name, link);
      }
    }
    this.dialMissing();
  }

  private published(from: string, frame: Frame): void {
    if (!this.silent && frame["publish"] !== undefined && this.knows(from)) {
      this.events
        .deliver(frame["publish"] as Message)
        .catch((error: Error) =>
          this.options.log(`a message of another node could not be delivered: ${error.message}`),
        );
    }
  }

  private everyMs(): number {
    const { tickMs, longestTickMs } = this.options;
    return Math.max(tickMs, Math.min(longestTickMs, tickMsPerPeer * this.peers.size));
  }

  private tickLater(): void {
    this.tickTimer = setTimeout(() => {
      this.tick();
      this.tickLater();
    }, this.everyMs());
  }

  private tick(): void {
    const { log, autocleanMs } = this.options;
    if (this.silent) {
      return;
    }
    const now = Date.now();
    const frame = encode({ tick: this.members.membersVersion, everyMs: this.everyMs() });
    for (const [name, { link }] of this.peers) {
      if (link === undefined) {
        continue;
      }
      if (now - link.lastHeard > missedTicks * link.everyMs) {
        log(`node ${name} has not answered for ${missedTicks} ticks: taken for down`);
        link.channel.socket.destroy();
      } else {
        link.channel.write(frame);
      }
    }
    this.noteStopped();
    for (const name of membersToClean(this.stoppedSince, now, autocleanMs)) {
      log(`node ${name} is removed from the cluster by cluster.autoclean`);
      this.remove(name);
      this.stoppedSince.delete(name);
    }
  }

  private noteStopped(): void {
    const { stopped } = this.status();
    for (const name of stopped) {
      if (!this.stoppedSince.has(name)) {
        this.stoppedSince.set(name, Date.now());
      }
    }
    for (const name of this.stoppedSince.keys()) {
      if (!stopped.includes(name)) {
        this.stoppedSince.delete(name);
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
