/** Many clients of a deployment at once: each is sent to and sends, none may be dropped. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Door } from "../smoke/connection";
import { clientId, ConnectError, Connection } from "../smoke/connection";
import { connectTexts } from "../smoke/explanations";
import { UserError } from "../console";
import type { Credentials } from "../smoke/connection";
import type { Deployment } from "../smoke/deployment";
import { addressesOf } from "../smoke/outputs";
import { credentialsOf, doorOf } from "../smoke/smoke";

interface LoadOptions {
  clients: number;
  /** Messages a second in all: from clients, and as many to clients. */
  rate: number;
  seconds: number;
  /** Instead of the built-in user. */
  account?: Credentials;
  onProgress?: (text: string) => void;
}

export interface LoadReport {
  clients: number;
  connectSeconds: number;
  connectionsPerSecond: number;
  failedConnections: number;
  dropped: number;
  /** From clients to a collector, and from it to single clients. */
  up: Direction;
  down: Direction;
  clientMemoryMiB: number;
}

export interface Direction {
  sent: number;
  arrived: number;
  medianMs: number;
  worstMs: number;
}

const connectingAtOnce = 50;

function explain(error: unknown): never {
  if (!(error instanceof ConnectError)) throw error;
  const { meaning } = connectTexts[error.failure];
  throw new UserError(`no client can connect: ${error.message}. ${meaning} npm run smoke looks further.`);
}

export async function load(deployment: Deployment, options: LoadOptions): Promise<LoadReport> {
  const { clients, rate, seconds, account, onProgress = () => {} } = options;
  const [address] = addressesOf(deployment.outputs);
  if (address === undefined) throw new UserError(`stack ${deployment.stack} has no address for clients`);
  const credentials = await credentialsOf(deployment, account);
  const place = await deployment.inside.locate(address.hostname, address.port);
  const door = await doorOf({ deployment }, address, place);
  const topic = `emqx-aws/load/${clientId("run")}`;
  const crowd = new Crowd(door, credentials, topic);
  try {
    // First, so that a wrong password is told before thousands try it.
    const collector = await Connection.open(door, credentials).catch(explain);
    const started = performance.now();
    await crowd.connect(clients, onProgress);
    const connectSeconds = (performance.now() - started) / 1000;
    await collector.client.subscribeAsync(`${topic}/up`, { qos: 1 });
    const [up, down] = [new Course(), new Course()];
    collector.client.on("message", (_topic, payload) => up.arrived(payload.toString()));
    crowd.onMessage((text) => down.arrived(text));
    const total = rate * seconds;
    for (let turn = 0; turn < total; turn++) {
      const next = sleep(1000 / rate);
      const index = Math.floor((turn / total) * crowd.size);
      up.send((text) => crowd.publish(index, text));
      down.send((text) =>
        collector.client.publish(`${topic}/down/${crowd.size - 1 - index}`, text, { qos: 1 }),
      );
      if (turn % (rate * 10) === 0) onProgress(`${crowd.size} clients, ${Math.round(turn / rate)} s`);
      await next;
    }
    await sleep(2000);
    await collector.close();
    return {
      ...{ clients: crowd.size, connectSeconds, failedConnections: crowd.failed, dropped: crowd.dropped },
      connectionsPerSecond: crowd.size / connectSeconds,
      ...{ up: up.report(), down: down.report() },
      clientMemoryMiB: process.memoryUsage().rss / 2 ** 20,
    };
  } finally {
    await crowd.end();
  }
}

class Crowd {
  failed = 0;
  dropped = 0;
  private readonly connections: Connection[] = [];
  private isOver = false;

  constructor(
    private readonly door: Door,
    private readonly credentials: Credentials,
    private readonly topic: string,
  ) {}

  get size(): number {
    return this.connections.length;
  }

  async connect(count: number, onProgress: (text: string) => void): Promise<void> {
    for (let made = 0; made < count; made += connectingAtOnce) {
      const batch = Math.min(connectingAtOnce, count - made);
      await Promise.all(Array.from({ length: batch }, () => this.add()));
      onProgress(`${this.size} of ${count} clients are connected`);
    }
  }

  publish(index: number, text: string): void {
    this.connections[index]?.client.publish(`${this.topic}/up`, text, { qos: 1 });
  }

  onMessage(listener: (text: string) => void): void {
    this.connections.forEach(({ client }) =>
      client.on("message", (_topic, payload) => listener(payload.toString())),
    );
  }

  async end(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.connections.map((connection) => connection.close()));
  }

  private async add(): Promise<void> {
    try {
      const connection = await Connection.open(this.door, this.credentials, { keepalive: 300 });
      const index = this.connections.push(connection) - 1;
      connection.client.on("close", () => {
        if (!this.isOver) this.dropped++;
      });
      await connection.client.subscribeAsync(`${this.topic}/down/${index}`, { qos: 1 });
    } catch {
      this.failed++;
    }
  }
}

/** Messages one way: when each left and arrived. */
class Course {
  private readonly left = new Map<string, number>();
  private readonly times: number[] = [];

  send(publish: (text: string) => void): void {
    const text = String(this.left.size);
    this.left.set(text, performance.now());
    publish(text);
  }

  arrived(text: string): void {
    this.times.push(performance.now() - (this.left.get(text) ?? NaN));
  }

  report(): Direction {
    const sorted = [...this.times].sort((a, b) => a - b);
    return {
      sent: this.left.size,
      arrived: sorted.length,
      medianMs: sorted[Math.floor(sorted.length / 2)] ?? NaN,
      worstMs: sorted.at(-1) ?? NaN,
    };
  }
}
