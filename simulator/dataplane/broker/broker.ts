/**
 * The MQTT broker of one simulated node: aedes with EMQX's manners (refusal codes, session take-over across nodes,
 * kicks that say why) and the doors a cluster needs.
 */
import { Duplex, Readable } from "node:stream";
import { Aedes, AedesPublishPacket, AuthenticateError, Client, Subscription } from "aedes";
import { generate } from "mqtt-packet";
import { type Action, type Asking, type Authorization, isAllowed } from "./authorization";
import { isBeyondThisBroker, isTopicFilter, isTopicName, topicMatches } from "./topics";

/** A message on its way from one node to another, with everything MQTT 5 lets a publisher attach. */
export interface Message {
  topic: string;
  payload: Buffer;
  qos: 0 | 1 | 2;
  retain: boolean;
  properties?: Record<string, unknown>;
  /** When it lapses (milliseconds since 1970), if its publisher said so. */
  messageExpiry?: number;
  /** Which message it is, on all nodes: two copies in one queue are one message. */
  brokerId?: string;
  brokerCounter?: number;
}

/** A persistent session that another node is to have. */
export interface SessionState {
  subscriptions: Subscription[];
  /** Seconds that it outlives its connection (MQTT 5); undefined when it does not lapse. */
  expiryInterval?: number;
}

/** A session held by another node, which goes on queueing for it until it is released. */
export interface TakenOver extends SessionState {
  /** Ends it there; answers with what has been queued. */
  release(): Promise<Message[]>;
}

/** What EMQX's configuration says to its broker. */
export interface BrokerLimits {
  /** Bytes (`mqtt.max_packet_size`, 1MB). */
  maxPacketSize: number;
  /** `mqtt.max_topic_levels`, 128. */
  maxTopicLevels: number;
  /** What clients may do, to begin with. */
  authorization: Authorization;
}

/** Who was let in, and until when (milliseconds since 1970). A superuser may do anything. */
export type LoginResult = { isSuperuser?: boolean; expiresAt?: number } | "bad-password" | "unknown-user";
export type Login = (
  username: string | undefined,
  password: string | undefined,
  clientId: string,
) => LoginResult | Promise<LoginResult>;

interface BrokerEvents {
  /** A client of this node published (or left a will): the cluster wants to know. */
  published(message: Message): void;
  /**
   * A session is to be opened here: whoever else serves the client, or only the node `from`, cuts its connection and
   * hands its session over.
   */
  takeOver(clientId: string, from?: string): Promise<TakenOver | undefined>;
  /** Does something to a session while no other node opens it. */
  alone(clientId: string, work: () => Promise<void>): Promise<void>;
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

type QueuedPacket = Message & { cmd: string };

interface QueueEntry {
  clientId: string;
  qos: 0 | 1 | 2;
}

interface AedesInside {
  clients: Record<string, Client | undefined>;
  persistence: SessionStore;
  clearSessionExpiry(clientId: string): void;
  clearDelayedWill(clientId: string): void;
  scheduleSessionExpiry(client: { id: string; version: number; sessionExpiryInterval: number }): void;
}

/** The part of a client that aedes' types leave out. */
interface ClientState {
  conn: Duplex;
  version: number;
  clean: boolean;
  sessionExpiryInterval: number;
  /** What the client takes at most (MQTT 5). */
  maximumPacketSize: number | undefined;
}

const returnCodes = { "bad-password": 4, "unknown-user": 5 } as const;
const sessionTakenOver = 0x8e;
const useAnotherServer = 0x9c;
const notAuthorized = 0x87;
const topicFilterInvalid = 0x8f;
const topicNameInvalid = 0x90;
/** CONNACKs of a node that is being evacuated: Use another server (0x9C); 3.1.1 has only Server unavailable (3). */
const turnedAway = {
  mqtt5: Buffer.from([0x20, 3, 0, useAnotherServer, 0]),
  mqtt3: Buffer.from([0x20, 2, 0, 3]),
};

/** Marks what came from another node, so that it is not sent back. */
const fromPeer = Symbol("from peer");

export class Broker {
  private readonly inside: AedesInside;
  private readonly wantsCleanStart = new WeakMap<Client, boolean>();
  private readonly asking = new WeakMap<object, Asking>();
  private readonly peers = new WeakMap<Duplex, { commonName: string | undefined; admitted: boolean }>();
  /** What clients may do; sessions keep the subscriptions that they have. */
  authorization: Authorization;
  /** Sessions whose client is away, with the seconds that they last. */
  private readonly absent = new Map<string, number | undefined>();
  /** No new connection is let in: the node is being evacuated. */
  turnsAway = false;
  private stamped = 0;
  /** Messages that the client has acknowledged before their turn in its queue. */
  private readonly answered = new WeakSet<object>();

  private constructor(
    private readonly aedes: Aedes,
    /** Names this life of this node in the identity of messages. */
    private readonly stamp: string,
    private readonly login: Login,
    private readonly events: BrokerEvents,
    private readonly limits: BrokerLimits,
  ) {
    this.inside = aedes as unknown as AedesInside;
    this.authorization = limits.authorization;
  }

  static async start(
    nodeName: string,
    login: Login,
    events: BrokerEvents,
    limits: BrokerLimits,
  ): Promise<Broker> {
    const aedes = await Aedes.createBroker({
      id: nodeName,
      concurrency: 10_000,
      topicAliasMaximum: 65535,
      queueLimit: 1000,
      maximumPacketSize: limits.maxPacketSize,
      maxTopicLevels: limits.maxTopicLevels,
    });
    const broker = new Broker(aedes, `${nodeName} since ${Date.now()}`, login, events, limits);
    broker.install();
    return broker;
  }

  get connections(): number {
    return this.aedes.connectedClients;
  }

  clientIds(): string[] {
    return Object.keys(this.inside.clients);
  }

  /** Serves one client connection. A name that its certificate has proven takes the place of what the client says. */
  handle(stream: Duplex, peer?: { commonName: string | undefined; admitted: boolean }): void {
    if (peer !== undefined) this.peers.set(stream, peer);
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

  /** Takes these retained messages in place of all others. */
  async replaceRetained(messages: Message[]): Promise<void> {
    const kept = new Set(messages.map(({ topic }) => topic));
    const dropped = (await this.retained()).filter(({ topic }) => !kept.has(topic));
    // Without waiting between them, so that nothing that is published meanwhile is overwritten.
    await Promise.all([
      ...dropped.map((message) => this.storeRetained({ ...message, payload: Buffer.alloc(0) })),
      ...messages.map((message) => this.storeRetained(message)),
    ]);
  }

  /**
   * Gives up a client: closes its connection. Its session, which is the answer if there is one, goes on queueing until
   * `release`. Undefined when this node knew nothing of it.
   */
  async giveUp(clientId: string): Promise<SessionState | undefined> {
    const client = this.inside.clients[clientId];
    const ends = client !== undefined && stateOf(client).clean;
    const expiryInterval = client === undefined ? this.absent.get(clientId) : expiryOf(client);
    const subscriptions = await this.inside.persistence.subscriptionsByClient({ id: clientId });
    if (client !== undefined) {
      this.events.log(`session of client ${clientId} is taken over by another node`);
      await disconnect(client, sessionTakenOver);
    }
    this.inside.clearDelayedWill(clientId);
    if (ends || (subscriptions.length === 0 && (await this.queued(clientId)).length === 0)) {
      await this.release(clientId);
      return undefined;
    }
    return { subscriptions, ...(expiryInterval === undefined ? {} : { expiryInterval }) };
  }

  /** Forgets a session; answers with what was queued for it. */
  async release(clientId: string): Promise<Message[]> {
    this.inside.clearSessionExpiry(clientId);
    this.absent.delete(clientId);
    await this.inside.persistence.cleanSubscriptions({ id: clientId });
    return this.takeQueue(clientId);
  }

  /** Takes over a session of an absent client from another node. */
  adopt(clientId: string, from: string): Promise<void> {
    return this.events.alone(clientId, () => this.adoptAlone(clientId, from));
  }

  private async adoptAlone(clientId: string, from: string): Promise<void> {
    const session = await this.events.takeOver(clientId, from);
    if (session === undefined) {
      return;
    }
    await this.resume(clientId, session);
    if (this.inside.clients[clientId] !== undefined) {
      return;
    }
    this.absent.set(clientId, session.expiryInterval);
    if (session.expiryInterval !== undefined) {
      const { expiryInterval } = session;
      this.inside.scheduleSessionExpiry({ id: clientId, version: 5, sessionExpiryInterval: expiryInterval });
    }
  }

  /** Sessions whose client is away. */
  absentSessions(): string[] {
    return [...this.absent.keys()];
  }

  /** Sends so many clients to another node. */
  async evict(count: number): Promise<void> {
    const clients = this.connected().slice(0, count);
    await Promise.all(clients.map((client) => disconnect(client, useAnotherServer)));
  }

  /** Drops connections and sessions, as when the application restarts. */
  async drop(): Promise<void> {
    await Promise.all(this.connected().map(close));
    await Promise.all(this.absentSessions().map((clientId) => this.release(clientId)));
  }

  /** Closes every connection and forgets all sessions. EMQX sends no DISCONNECT when it stops. */
  async stop(): Promise<void> {
    await Promise.all(this.connected().map(close));
    await new Promise<void>((resolve) => this.aedes.close(() => resolve()));
  }

  private connected(): Client[] {
    return Object.values(this.inside.clients).filter((client) => client !== undefined);
  }

  private install(): void {
    // aedes' own maps are plain objects; a client may call itself "constructor".
    this.inside.clients = Object.create(null) as Record<string, Client | undefined>;
    this.lowerQosOfQueuedMessages();
    this.tellReleasesApart();
    this.skipAnsweredMessages();
    this.storeOnlyWhatIsGranted();
    this.aedes.preConnect = (client, packet, done) => {
      if (this.turnsAway) {
        const refusal = packet.protocolVersion === 5 ? turnedAway.mqtt5 : turnedAway.mqtt3;
        const why = new Error(
          `client ${packet.clientId} is sent to another node: this one is being evacuated`,
        );
        stateOf(client).conn.end(refusal, () => done(why, false));
        return;
      }
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
    this.aedes.authorizeSubscribe = (client, subscription, done) => {
      const { topic } = subscription;
      if (!isTopicFilter(topic, this.limits.maxTopicLevels)) {
        // emqx/emqx@v5.8.9:apps/emqx/src/emqx_channel.erl handle_in(?SUBSCRIBE_PACKET …): the connection ends.
        this.events.log(`client ${client?.id}: invalid topic filter ${JSON.stringify(topic)}`);
        void disconnect(client, topicFilterInvalid).then(() => done(null, null));
        return;
      }
      const isGranted = this.grants(client, subscription);
      if (!isGranted && !isBeyondThisBroker(topic)) {
        this.events.log(`client ${client.id}: may not subscribe to ${topic}`);
        if (this.authorization.denyAction === "disconnect") {
          void disconnect(client, notAuthorized).then(() => done(null, null));
          return;
        }
      }
      done(null, isGranted ? subscription : null);
    };
    this.aedes.authorizeForward = (client, packet) =>
      this.answered.has(packet) || isTooLarge(client, packet) ? null : lowerToSubscription(client, packet);
    // aedes acknowledges a QoS 1 message before it publishes it. Whoever has the acknowledgement must be able to trust
    // that the message is on its way, even if this node stops now: so the other nodes get it first.
    this.aedes.authorizePublish = (client, packet, done) => {
      if (packet.topic.startsWith("$SYS/")) {
        done(new Error("$SYS/ is the broker's own"));
        return;
      }
      if (isBeyondThisBroker(packet.topic)) {
        done(
          new Error(`${packet.topic}: ${packet.topic.split("/")[0]} topics are not acted out in this region`),
        );
        return;
      }
      if (client !== null && !isTopicName(packet.topic, this.limits.maxTopicLevels)) {
        this.events.log(`client ${client.id}: invalid topic ${JSON.stringify(packet.topic)}`);
        void disconnect(client, topicNameInvalid);
        return;
      }
      if (
        client !== null &&
        !this.may(client, { type: "publish", qos: packet.qos, retain: packet.retain }, packet.topic)
      ) {
        this.events.log(`client ${client.id}: may not publish to ${packet.topic}`);
        this.answerDenied(client, packet, done);
        return;
      }
      withoutWillDelay(packet);
      Object.assign(packet, { brokerId: this.stamp, brokerCounter: ++this.stamped });
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
    this.aedes.on("client", (client) => this.absent.delete(client.id));
    this.aedes.on("clientDisconnect", (client) => {
      if (!stateOf(client).clean) {
        this.absent.set(client.id, expiryOf(client));
      }
    });
    this.aedes.on("sessionExpired", (client) => this.absent.delete(client.id));
    this.aedes.on("clientError", (client, error) => this.events.log(`client ${client.id}: ${error.message}`));
    this.aedes.on("connectionError", (_client, error) =>
      this.events.log(`connection refused: ${error.message}`),
    );
  }

  private async letIn(client: Client, said: string | undefined, password: Buffer | undefined): Promise<void> {
    const peer = this.peers.get(stateOf(client).conn);
    const username = peer?.commonName ?? said;
    const result = peer?.admitted ? {} : await this.login(username, password?.toString(), client.id);
    if (result === "bad-password" || result === "unknown-user") {
      const error = new Error(result === "bad-password" ? "bad user name or password" : "not authorized");
      throw Object.assign(error, { returnCode: returnCodes[result] });
    }
    const { isSuperuser = false, expiresAt } = result;
    this.asking.set(client, { username, clientId: client.id, isSuperuser });
    if (expiresAt !== undefined) disconnectAt(client, expiresAt);
    const discard = this.wantsCleanStart.get(client) ?? true;
    await this.events.alone(client.id, async () => {
      const session = await this.events.takeOver(client.id);
      if (discard) {
        await session?.release();
      } else if (session !== undefined) {
        await this.resume(client.id, session);
      }
    });
  }

  /**
   * Goes on with another node's session. This node queues for it from here on, and the other one until it releases it:
   * a message that both have got is one.
   */
  private async resume(clientId: string, session: TakenOver): Promise<void> {
    const store = this.inside.persistence;
    await store.addSubscriptions({ id: clientId }, session.subscriptions);
    const earlier = await session.release();
    const known = new Set(earlier.map(identity));
    const since = (await this.takeQueue(clientId)).filter((message) => !known.has(identity(message)));
    for (const message of [...earlier, ...since]) {
      await store.outgoingEnqueue({ clientId }, message);
    }
  }

  /** Whether a client may have this subscription: EMQX's rules, and what this broker can do. */
  private grants(client: object | null, { topic, qos }: Pick<Subscription, "topic" | "qos">): boolean {
    return !isBeyondThisBroker(topic) && this.may(client, { type: "subscribe", qos }, topic);
  }

  /** What comes from another node was asked for there. */
  private may(client: object | null, action: Action, topic: string): boolean {
    const asking = client === null ? undefined : this.asking.get(client);
    return asking === undefined || isAllowed(this.authorization, asking, action, topic);
  }

  /** emqx/emqx@v5.8.9: apps/emqx/src/emqx_channel.erl, process_publish/2: an answer as if, with a reason from MQTT 5 on. */
  private answerDenied(client: Client, packet: object, done: (error?: Error | null) => void): void {
    const { cmd, qos, messageId } = packet as { cmd?: string; qos: number; messageId?: number };
    // A will has nobody to answer.
    if (cmd !== "publish") {
      done(new Error("not authorized"));
      return;
    }
    Object.assign(packet, { _notAuthorized: true });
    if (this.authorization.denyAction === "disconnect") {
      void disconnect(client, notAuthorized);
      done();
      return;
    }
    const { version: protocolVersion, conn } = stateOf(client);
    if (qos === 0) {
      done();
      return;
    }
    const reason = protocolVersion === 5 ? { reasonCode: notAuthorized } : {};
    const ack = { cmd: qos === 1 ? "puback" : "pubrec", messageId, ...reason };
    conn.write(generate(ack as Parameters<typeof generate>[0], { protocolVersion }), () => done());
  }

  /**
   * aedes stores all subscriptions of a packet for each of them: those that are refused, too, and with n of them n² of
   * them. Here they are stored once.
   */
  private storeOnlyWhatIsGranted(): void {
    const store = this.inside.persistence;
    const add = store.addSubscriptions.bind(store);
    const stored = new WeakMap<Subscription[], Promise<void>>();
    store.addSubscriptions = (client, subscriptions) => {
      let done = stored.get(subscriptions);
      if (done === undefined) {
        done = add(
          client,
          subscriptions.filter((each) => this.grants(client, each)),
        );
        stored.set(subscriptions, done);
      }
      return done;
    };
  }

  private async queued(clientId: string): Promise<QueuedPacket[]> {
    const packets: QueuedPacket[] = [];
    for await (const packet of this.inside.persistence.outgoingStream({ id: clientId })) {
      packets.push(packet as QueuedPacket);
    }
    return packets;
  }

  /** Empties a session's queue; what comes in meanwhile stays in it. */
  private async takeQueue(clientId: string): Promise<Message[]> {
    const packets = await this.queued(clientId);
    for (const packet of packets) {
      await this.inside.persistence.outgoingClearMessageId({ id: clientId }, packet);
    }
    return packets.filter(({ cmd }) => cmd === "publish").map(messageOf);
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

  /**
   * A client that comes back is sent its queue while new messages go to it already. One of these may be in the queue too,
   * and answered by the time its turn comes: aedes would cut the connection, as the store no longer knows it.
   */
  private skipAnsweredMessages(): void {
    const store = this.inside.persistence;
    const update = store.outgoingUpdate.bind(store);
    store.outgoingUpdate = async (client, packet) => {
      try {
        await update(client, packet);
      } catch (error) {
        if ((packet as { cmd: string }).cmd !== "publish") {
          throw error;
        }
        this.answered.add(packet);
      }
    };
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

/** A Will Delay Interval is between the client and the broker: subscribers that got it would see a malformed packet. */
function withoutWillDelay(packet: { properties?: object }): void {
  if (packet.properties !== undefined && "willDelayInterval" in packet.properties) {
    packet.properties = { ...packet.properties };
    delete (packet.properties as { willDelayInterval?: number }).willDelayInterval;
  }
}

/** A message that is larger than its client takes is dropped for that client (MQTT 5, 3.1.2.11.4). */
function isTooLarge(client: Client, packet: AedesPublishPacket): boolean {
  const { maximumPacketSize, version } = stateOf(client);
  if (maximumPacketSize === undefined) {
    return false;
  }
  const { topic, payload, qos, retain, properties } = packet;
  const bytes = generate(
    {
      cmd: "publish",
      messageId: 1,
      dup: false,
      topic,
      payload,
      qos,
      retain,
      ...(properties && { properties }),
    },
    { protocolVersion: version },
  ).length;
  return bytes > maximumPacketSize;
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
    ...(packet.brokerId === undefined ? {} : { brokerId: packet.brokerId }),
    ...(packet.brokerCounter === undefined ? {} : { brokerCounter: packet.brokerCounter }),
  };
}

function identity({ brokerId, brokerCounter }: Message): string {
  return `${brokerCounter} ${brokerId}`;
}

function stateOf(client: Client): ClientState {
  return client;
}

function expiryOf(client: Client): number | undefined {
  const { version, sessionExpiryInterval } = stateOf(client);
  return version === 5 ? sessionExpiryInterval : undefined;
}

/** MQTT 5 clients are told why. */
function disconnect(client: Client, reasonCode: number): Promise<void> {
  return new Promise((resolve) => client.disconnect({ reasonCode }, () => resolve()));
}

/** EMQX cuts a client whose authentication has expired (emqx/emqx@v5.8.9:apps/emqx/src/emqx_channel.erl, connection_auth_expire). */
function disconnectAt(client: Client, time: number): void {
  const longest = 2 ** 31 - 1;
  const timer = setTimeout(
    () => void disconnect(client, notAuthorized),
    Math.min(time - Date.now(), longest),
  );
  stateOf(client).conn.once("close", () => clearTimeout(timer));
}

function close(client: Client): Promise<void> {
  return new Promise((resolve) => client.close(() => resolve()));
}
