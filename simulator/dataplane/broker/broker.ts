/**
 * The MQTT broker of one simulated node: aedes with EMQX's manners (refusal codes, session take-over across nodes,
 * kicks that say why) and the doors a cluster needs.
 */
import { Duplex, Readable } from "node:stream";
import { Aedes, AedesPublishPacket, AuthenticateError, Client, Subscription } from "aedes";
import { topicMatches } from "./topics";

/** A message on its way from one node to another, with everything MQTT 5 lets a publisher attach. */
export interface Message {
  topic: string;
  payload: Buffer;
  qos: 0 | 1 | 2;
  retain: boolean;
  properties?: Record<string, unknown>;
  /** When it lapses (milliseconds since 1970), if its publisher said so. */
  messageExpiry?: number;
}

/** A persistent session on its way from one node to another. */
export interface SessionState {
  subscriptions: Subscription[];
  queue: Message[];
}

export type LoginResult = "accepted" | "bad-password" | "unknown-user";

export interface BrokerEvents {
  /** A client of this node published (or left a will): the cluster wants to know. */
  published(message: Message): void;
  /** A client with this id has been let in: whoever else serves it hands over, or forgets it if `discard`. */
  takeOver(clientId: string, discard: boolean): Promise<SessionState | undefined>;
  log(line: string): void;
}

/** The part of aedes' in-memory store that its types leave out. */
interface SessionStore {
  storeRetained(message: Message): Promise<void>;
  createRetainedStream(pattern: string): Readable;
  subscriptionsByClient(client: { id: string }): Promise<Subscription[]>;
  addSubscriptions(client: { id: string }, subscriptions: Subscription[]): Promise<void>;
  cleanSubscriptions(client: { id: string }): Promise<void>;
  outgoingStream(client: { id: string }): Readable;
  outgoingEnqueue(subscription: { clientId: string }, message: Message): Promise<void>;
  outgoingEnqueueCombi(subscriptions: QueueEntry[], message: Message): Promise<void>;
  outgoingUpdate(client: { id: string }, packet: object): Promise<void>;
  outgoingClearMessageId(client: { id: string }, message: object): Promise<unknown>;
}

interface QueueEntry {
  clientId: string;
  qos: 0 | 1 | 2;
}

interface AedesInside {
  clients: Record<string, Client | undefined>;
  persistence: SessionStore;
  clearSessionExpiry(clientId: string): void;
  clearDelayedWill(clientId: string): void;
}

const returnCodes = { "bad-password": 4, "unknown-user": 5 } as const;
const sessionTakenOver = 0x8e;

/** Marks what came from another node, so that it is not sent back. */
const fromPeer = Symbol("from peer");

export class Broker {
  private readonly inside: AedesInside;
  private readonly wantsCleanStart = new WeakMap<Client, boolean>();

  private constructor(
    private readonly aedes: Aedes,
    private readonly login: (username: string | undefined, password: string | undefined) => LoginResult,
    private readonly events: BrokerEvents,
  ) {
    this.inside = aedes as unknown as AedesInside;
  }

  static async start(
    nodeName: string,
    login: (username: string | undefined, password: string | undefined) => LoginResult,
    events: BrokerEvents,
  ): Promise<Broker> {
    const aedes = await Aedes.createBroker({
      id: nodeName,
      concurrency: 10_000,
      topicAliasMaximum: 65535,
      queueLimit: 1000,
    });
    const broker = new Broker(aedes, login, events);
    broker.install();
    return broker;
  }

  get connections(): number {
    return this.aedes.connectedClients;
  }

  clientIds(): string[] {
    return Object.keys(this.inside.clients);
  }

  /** Serves one client connection. */
  handle(stream: Duplex): void {
    this.aedes.handle(stream);
  }

  /** Delivers what another node's client published to this node's subscribers. */
  deliver(message: Message): Promise<void> {
    const packet = { cmd: "publish" as const, dup: false, ...message, [fromPeer]: true };
    return new Promise((resolve, reject) => {
      this.aedes.publish(packet, (error) => (error ? reject(error) : resolve()));
    });
  }

  async storeRetained(message: Message): Promise<void> {
    await this.inside.persistence.storeRetained({ ...message, retain: true });
  }

  async retained(): Promise<Message[]> {
    const stream = this.inside.persistence.createRetainedStream("#");
    const messages: Message[] = [];
    for await (const packet of stream) {
      messages.push(messageOf(packet as Message));
    }
    return messages;
  }

  /**
   * Gives up a client: closes its connection and forgets its session, which is the answer if there was one.
   * Undefined when this node knew nothing of it.
   */
  async giveUp(clientId: string): Promise<SessionState | undefined> {
    const store = this.inside.persistence;
    const id = { id: clientId };
    const subscriptions = await store.subscriptionsByClient(id);
    const queue: Message[] = [];
    for await (const packet of store.outgoingStream(id)) {
      if ((packet as { cmd: string }).cmd === "publish") {
        queue.push(messageOf(packet as Message));
      }
    }
    const client = this.inside.clients[clientId];
    if (client !== undefined) {
      this.events.log(`session of client ${clientId} is taken over by another node`);
      await new Promise<void>((resolve) =>
        client.disconnect({ reasonCode: sessionTakenOver }, () => resolve()),
      );
    }
    this.inside.clearSessionExpiry(clientId);
    this.inside.clearDelayedWill(clientId);
    await store.cleanSubscriptions(id);
    for await (const packet of store.outgoingStream(id)) {
      await store.outgoingClearMessageId(id, packet as object);
    }
    return subscriptions.length > 0 || queue.length > 0 ? { subscriptions, queue } : undefined;
  }

  /** Closes every connection (MQTT 5 clients are told that the server shuts down) and forgets all sessions. */
  stop(): Promise<void> {
    return new Promise((resolve) => this.aedes.close(() => resolve()));
  }

  private install(): void {
    // aedes' own maps are plain objects; a client may call itself "constructor".
    this.inside.clients = Object.create(null) as Record<string, Client | undefined>;
    this.lowerQosOfQueuedMessages();
    this.tellReleasesApart();
    this.aedes.preConnect = (client, packet, done) => {
      this.wantsCleanStart.set(client, packet.clean === true);
      recogniseRepetitions(client);
      done(null, true);
    };
    this.aedes.authenticate = (client, username, password, done) => {
      this.letIn(client, username, password).then(
        () => done(null, true),
        (error: AuthenticateError) => done(error, false),
      );
    };
    this.aedes.authorizeSubscribe = (_client, subscription, done) => {
      // Shared subscriptions are beyond this broker; refusing them beats accepting a filter nothing ever matches.
      done(null, subscription.topic.startsWith("$share/") ? null : subscription);
    };
    this.aedes.authorizeForward = (client, packet) => lowerToSubscription(client, packet);
    // aedes acknowledges a QoS 1 message before it publishes it. Whoever has the acknowledgement must be able to trust
    // that the message is on its way, even if this node stops now: so the other nodes get it first.
    this.aedes.authorizePublish = (client, packet, done) => {
      if (packet.topic.startsWith("$SYS/")) {
        done(new Error("$SYS/ is the broker's own"));
        return;
      }
      if (packet.qos === 1 && client !== null) {
        this.events.published(messageOf(packet as unknown as Message));
      }
      done();
    };
    this.aedes.published = (packet, client: Client | null, done) => {
      const told = packet.qos === 1 && client !== null;
      if (!told && !packet.topic.startsWith("$SYS/") && !(fromPeer in packet)) {
        this.events.published(messageOf(packet as unknown as Message));
      }
      done();
    };
    this.aedes.on("clientError", (client, error) => this.events.log(`client ${client.id}: ${error.message}`));
    this.aedes.on("connectionError", (_client, error) =>
      this.events.log(`connection refused: ${error.message}`),
    );
  }

  private async letIn(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<void> {
    const result = this.login(username, password?.toString());
    if (result !== "accepted") {
      const error = new Error(result === "bad-password" ? "bad user name or password" : "not authorized");
      throw Object.assign(error, { returnCode: returnCodes[result] });
    }
    const discard = this.wantsCleanStart.get(client) ?? true;
    const session = await this.events.takeOver(client.id, discard);
    if (session !== undefined && !discard) {
      await this.inside.persistence.addSubscriptions(client, session.subscriptions);
      for (const message of session.queue) {
        await this.inside.persistence.outgoingEnqueue({ clientId: client.id }, asPacket(message, this.aedes));
      }
    }
  }

  /**
   * The store takes any two PUBRELs of a session for the same packet, as neither has a broker's name or number, and
   * gives the first the second's packet identifier: a QoS 2 message would never be released.
   */
  private tellReleasesApart(): void {
    const store = this.inside.persistence;
    const update = store.outgoingUpdate.bind(store);
    store.outgoingUpdate = (client, packet) =>
      update(
        client,
        (packet as { cmd: string }).cmd === "pubrel" ? { ...packet, brokerId: Symbol("release") } : packet,
      );
  }

  /** aedes queues a message for an absent client at the publisher's QoS; MQTT wants the lower of the two. */
  private lowerQosOfQueuedMessages(): void {
    const store = this.inside.persistence;
    store.outgoingEnqueueCombi = async (subscriptions, message) => {
      const best = new Map<string, 0 | 1 | 2>();
      for (const { clientId, qos } of subscriptions) {
        best.set(clientId, Math.max(best.get(clientId) ?? 0, qos) as 0 | 1 | 2);
      }
      for (const [clientId, qos] of best) {
        await store.outgoingEnqueue(
          { clientId },
          { ...message, qos: Math.min(qos, message.qos) as 0 | 1 | 2 },
        );
      }
    };
  }
}

interface ClientInside {
  duplicates: object;
  deliver0: Deliver;
  deliverQoS: Deliver;
}

type Deliver = (packet: { brokerId: string; brokerCounter: number; qos: number }, done: () => void) => void;

/** Repetitions come from filters that overlap, so right after one another. */
const remembered = 256;

/**
 * aedes gives a message once to a client whose filters overlap, and knows repetitions by a number that is not higher
 * than the last one's. So it drops a message that a later one has overtaken, as QoS 0 overtakes QoS 1 and 2 on their
 * way through the store. Here they are known one by one.
 */
function recogniseRepetitions(client: Client): void {
  const inside = client as unknown as ClientInside;
  const seen = new Set<string>();
  const once =
    (deliver: Deliver): Deliver =>
    (packet, done) => {
      const identity = `${packet.brokerCounter} ${packet.brokerId}`;
      if (seen.has(identity)) {
        setImmediate(done);
        return;
      }
      seen.add(identity);
      if (seen.size > remembered) {
        seen.delete(seen.values().next().value!);
      }
      inside.duplicates = {};
      deliver(packet, done);
    };
  const plain = once(inside.deliver0);
  const assured = once(inside.deliverQoS);
  inside.deliver0 = plain;
  inside.deliverQoS = (packet, done) => (packet.qos === 0 ? plain : assured)(packet, done);
}

/** Delivery never exceeds the QoS the client subscribed with; aedes looks only at filters equal to the topic. */
function lowerToSubscription(client: Client, packet: AedesPublishPacket): AedesPublishPacket {
  if (packet.qos === 0) {
    return packet;
  }
  const { subscriptions } = client as unknown as { subscriptions: Record<string, { qos: number }> };
  let best: number | undefined;
  for (const filter in subscriptions) {
    if (topicMatches(filter, packet.topic)) {
      best = Math.max(best ?? 0, subscriptions[filter]?.qos ?? 0);
    }
  }
  return best === undefined || best >= packet.qos
    ? packet
    : Object.assign(Object.create(Object.getPrototypeOf(packet) as object) as AedesPublishPacket, packet, {
        qos: best,
      });
}

function messageOf(packet: Message): Message {
  return {
    topic: packet.topic,
    payload: Buffer.from(packet.payload),
    qos: packet.qos,
    retain: packet.retain,
    ...(packet.properties === undefined ? {} : { properties: packet.properties }),
    ...(packet.messageExpiry === undefined ? {} : { messageExpiry: packet.messageExpiry }),
  };
}

let queued = 0;

/** A queued message needs an identity that this node has not used, or the store takes two for one. */
function asPacket(message: Message, aedes: Aedes): Message & { brokerId: string; brokerCounter: number } {
  return { ...message, brokerId: `${aedes.id}/moved`, brokerCounter: ++queued };
}
