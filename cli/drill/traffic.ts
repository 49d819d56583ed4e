/** Clients as a deployment has them: publishers and subscribers that come back by themselves, and what they live through. */
import type { MqttClient } from "mqtt";
import { connect } from "mqtt";
import { setTimeout as sleep } from "node:timers/promises";
import type { Credentials, Door } from "../smoke/connection";
import { clientId, clientOptions, Connection, doorUrl, errorText } from "../smoke/connection";

const levels = [0, 1, 2] as const;
export type Qos = (typeof levels)[number];

export interface TrafficOptions {
  publishers?: number;
  subscribers?: number;
  /** Between two messages of one publisher with one QoS. */
  intervalMs?: number;
  keepAliveSeconds?: number;
  /** Which QoS publishers use. */
  qos?: readonly Qos[];
  /** Between two attempts to connect anew, as a further client would; 0 for none. */
  probeMs?: number;
}

/** A client's life: when it lost its connection, and when it was back. */
interface ClientLife {
  name: string;
  id: string;
  outages: { from: number; to?: number }[];
  lastError?: string;
}

export interface LevelCount {
  qos: Qos;
  published: number;
  /** Publishers had no connection and nothing keeps QoS 0. */
  notSent: number;
  /** Sent with QoS above 0 and not acknowledged to the end. */
  unacknowledged: number;
  /** Copies that a subscriber should have had and has not: published × subscribers at most. */
  lost: number;
  /** Messages of which no subscriber has a copy. */
  lostEverywhere: number;
  /**
   * Of these, those that cannot be explained: a subscriber was connected all the while. Else a node that stops takes what it
   * holds with it, sessions too, unless it is evacuated first.
   */
  lostWhileHeard: number;
  duplicates: number;
}

/** Part of a run, by performance.now(). */
interface Period {
  from: number;
  to: number;
}

interface Probe {
  at: number;
  error?: string;
}

/** A message's way, and a subscription after a connection. */
const marginMs = 500;

interface Publisher {
  client: MqttClient;
  life: ClientLife;
}

interface Subscriber {
  client: MqttClient;
  life: ClientLife;
  received: Map<string, number>;
}

export class Traffic {
  private readonly topic = `emqx-aws/drill/${clientId("run")}`;
  private readonly publishers: Publisher[] = [];
  private readonly subscribers: Subscriber[] = [];
  private readonly sent = new Map<string, { qos: Qos; at: number }>();
  private readonly acknowledged = new Map<string, number>();
  private readonly counts = { notSent: { 0: 0, 1: 0, 2: 0 } };
  private readonly probes: Probe[] = [];
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly probing = new Set<Promise<void>>();
  private serial = 0;

  private constructor(
    private readonly door: Door,
    private credentials: Credentials,
    private readonly options: Required<TrafficOptions>,
  ) {}

  /** Connects everybody, then begins to publish. */
  static async start(door: Door, credentials: Credentials, options: TrafficOptions = {}): Promise<Traffic> {
    const traffic = new Traffic(door, credentials, {
      ...{ publishers: 3, subscribers: 3, intervalMs: 200, keepAliveSeconds: 5, qos: levels, probeMs: 500 },
      ...options,
    });
    try {
      await traffic.connectAll();
    } catch (error) {
      await traffic.end();
      throw error;
    }
    traffic.publishSteadily();
    return traffic;
  }

  lives(): ClientLife[] {
    return [...this.publishers, ...this.subscribers].map(({ life }) => life);
  }

  allConnected(): boolean {
    return [...this.publishers, ...this.subscribers].every(({ client }) => client.connected);
  }

  newConnections(): Probe[] {
    return [...this.probes];
  }

  /** From now on everybody who connects does it with these; open connections stay. */
  useCredentials(credentials: Credentials): void {
    this.credentials = credentials;
    for (const { client } of [...this.publishers, ...this.subscribers]) {
      Object.assign(client.options, credentials);
    }
  }

  /** Stops publishing and waits for what is on its way. */
  async settle(patienceMs = 3000): Promise<void> {
    this.timers.forEach(clearInterval);
    this.timers.length = 0;
    await Promise.all(this.probing);
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(100)) {
      if (this.count().every(({ lost, unacknowledged }) => lost + unacknowledged === 0)) return;
    }
  }

  /** What became of the messages so far, or of those that were sent in a period. */
  count({ from, to }: Period = { from: 0, to: Infinity }): LevelCount[] {
    return this.options.qos.map((qos) => {
      const published = [...this.sent]
        .filter(([, sent]) => sent.qos === qos && sent.at >= from && sent.at < to)
        .map(([message]) => message);
      const copies = this.subscribers.flatMap(({ received }) =>
        published.map((message) => received.get(message) ?? 0),
      );
      const nowhere = published.filter((message) =>
        this.subscribers.every(({ received }) => !received.has(message)),
      );
      const unexplained = nowhere.filter((message) =>
        this.subscribers.some((one) => this.heard(one, message)),
      );
      const waiting = qos === 0 ? [] : published.filter((message) => !this.acknowledged.has(message));
      return {
        qos,
        published: published.length,
        notSent: this.counts.notSent[qos],
        unacknowledged: waiting.length,
        lost: copies.filter((count) => count === 0).length,
        lostEverywhere: nowhere.length,
        lostWhileHeard: unexplained.length,
        duplicates: copies.reduce((sum, count) => sum + Math.max(0, count - 1), 0),
      };
    });
  }

  async end(): Promise<void> {
    this.timers.forEach(clearInterval);
    await Promise.all(
      [...this.publishers, ...this.subscribers].map(({ client }) =>
        client.endAsync(true).catch(() => undefined),
      ),
    );
  }

  /** Whether a subscriber was connected while a message was on its way. */
  private heard({ life }: Subscriber, message: string): boolean {
    const [sent, acknowledged = Infinity] = [this.sent.get(message)!.at, this.acknowledged.get(message)];
    return life.outages.every(
      ({ from, to = Infinity }) => acknowledged + marginMs < from || sent - marginMs > to,
    );
  }

  private async connectAll(): Promise<void> {
    const { publishers, subscribers } = this.options;
    for (let index = 0; index < subscribers; index++) {
      const { client, life } = await this.connected(`subscriber ${index + 1}`, false);
      const received = new Map<string, number>();
      this.subscribers.push({ client, life, received });
      client.on("message", (_topic, payload) => {
        const message = payload.toString();
        received.set(message, (received.get(message) ?? 0) + 1);
      });
      await client.subscribeAsync(`${this.topic}/#`, { qos: 2 });
    }
    for (let index = 0; index < publishers; index++) {
      this.publishers.push(await this.connected(`publisher ${index + 1}`, true));
    }
  }

  private connected(name: string, clean: boolean): Promise<Publisher> {
    const id = clientId("emqx-aws-drill");
    const life: ClientLife = { name, id, outages: [] };
    const client = connect(doorUrl(this.door), {
      ...clientOptions(this.door, this.credentials),
      ...{ clientId: id, clean, keepalive: this.options.keepAliveSeconds },
      ...{ reconnectPeriod: 250, connectTimeout: 4000, queueQoSZero: false },
    });
    return new Promise((resolve, reject) => {
      let isFirst = true;
      client.on("connect", () => {
        if (isFirst) resolve({ client, life });
        isFirst = false;
        const outage = life.outages.at(-1);
        if (outage !== undefined) outage.to ??= performance.now();
      });
      client.on("error", (error) => {
        life.lastError = errorText(error);
        if (isFirst) reject(error);
      });
      client.on("close", () => {
        if (isFirst) {
          client.end(true);
          reject(new Error(`${name} cannot connect: ${life.lastError ?? "closed"}`));
          return;
        }
        const outage = life.outages.at(-1);
        const isNew = outage === undefined || outage.to !== undefined;
        if (isNew && !client.disconnecting) life.outages.push({ from: performance.now() });
      });
    });
  }

  private publishSteadily(): void {
    const { intervalMs, qos: used, probeMs } = this.options;
    this.publishers.forEach(({ client }, index) => {
      this.timers.push(
        setInterval(() => used.forEach((qos) => this.publish(client, index, qos)), intervalMs),
      );
    });
    if (probeMs > 0) {
      this.timers.push(
        setInterval(() => {
          const attempt = this.probe().finally(() => this.probing.delete(attempt));
          this.probing.add(attempt);
        }, probeMs),
      );
    }
  }

  private publish(client: MqttClient, publisher: number, qos: Qos): void {
    if (qos === 0 && !client.connected) {
      this.counts.notSent[0]++;
      return;
    }
    const message = `${publisher}-${qos}-${++this.serial}`;
    this.sent.set(message, { qos, at: performance.now() });
    client.publish(`${this.topic}/${publisher}`, message, { qos }, (error) => {
      if (!error) this.acknowledged.set(message, performance.now());
    });
  }

  private async probe(): Promise<void> {
    const at = performance.now();
    try {
      const connection = await Connection.open(this.door, this.credentials);
      await connection.close();
      this.probes.push({ at });
    } catch (error) {
      this.probes.push({ at, error: errorText(error) });
    }
  }
}
