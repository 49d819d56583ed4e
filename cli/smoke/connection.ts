/** One MQTT client of a deployment, and a word for what went wrong when there is none. */
import type { IClientOptions, IPublishPacket, MqttClient } from "mqtt";
import { connect, ErrorWithReasonCode } from "mqtt";
import type { Address } from "./outputs";
import type { Place } from "./inside";

export interface Credentials {
  username?: string;
  password?: string;
}

/** All that a client needs to know of an address. */
export interface Door {
  address: Address;
  place: Place;
  /** Nothing: the system's CAs. */
  ca?: string;
}

export type ConnectFailure =
  /** CONNACK with a refusal. */
  | "refused"
  /** Closed before CONNACK. */
  | "closed"
  /** Connected, and then silence. */
  | "silence"
  /** TLS did not come about. */
  | "tls"
  /** No TCP connection. */
  | "network";

export class ConnectError extends Error {
  constructor(
    readonly failure: ConnectFailure,
    message: string,
  ) {
    super(message);
  }
}

interface Received {
  topic: string;
  text: string;
  qos: number;
  retain: boolean;
  at: number;
}

const connectTimeoutMs = 6000;

/** MQTT 3.1.1 and 5: bad user name or password, not authorized. */
const refusals: Record<number, string> = {
  4: "bad user name or password",
  5: "not authorized",
  134: "bad user name or password",
  135: "not authorized",
};

let serial = 0;

export function clientId(purpose: string): string {
  return `${purpose}-${process.pid}-${Date.now().toString(36)}-${++serial}`;
}

/** What mqtt.js has to be told to connect through a door; TLS always verified. */
export function clientOptions({ address, place, ca }: Door, credentials: Credentials): IClientOptions {
  const tls = address.usesTls ? { servername: address.hostname, ...(ca === undefined ? {} : { ca }) } : {};
  return {
    ...tls,
    ...(address.path.length > 1
      ? { wsOptions: { ...tls, headers: { host: `${address.hostname}:${place.port}` } } }
      : {}),
    ...credentials,
    protocolVersion: 4,
    reconnectPeriod: 0,
    connectTimeout: connectTimeoutMs,
    keepalive: 60,
    clean: true,
  };
}

export function doorUrl({ address, place }: Door): string {
  const path = address.path.length > 1 ? address.path : "";
  return `${address.scheme}://${place.host}:${place.port}${path}`;
}

export class Connection {
  readonly received: Received[] = [];
  private readonly waiting = new Set<() => void>();

  private constructor(
    readonly client: MqttClient,
    readonly id: string,
  ) {
    client.on("message", (topic, payload, { qos, retain }: IPublishPacket) => {
      this.received.push({ topic, text: payload.toString(), qos, retain, at: performance.now() });
      this.waiting.forEach((look) => look());
    });
  }

  /** Connects, or throws a ConnectError. */
  static open(door: Door, credentials: Credentials, options: IClientOptions = {}): Promise<Connection> {
    const id = options.clientId ?? clientId("emqx-aws-smoke");
    const client = connect(doorUrl(door), {
      ...clientOptions(door, credentials),
      ...options,
      clientId: id,
    });
    return new Promise((resolve, reject) => {
      let hasConnected = false;
      const fail = (failure: ConnectFailure, message: string) => {
        clearTimeout(timer);
        client.end(true);
        reject(new ConnectError(failure, message));
      };
      const timer = setTimeout(
        () => fail("silence", `no answer within ${connectTimeoutMs / 1000} s`),
        connectTimeoutMs,
      );
      client.on("error", (error) => {
        if (hasConnected) return;
        const code = error instanceof ErrorWithReasonCode ? error.code : undefined;
        if (typeof code === "number")
          return fail("refused", refusals[code] ?? `${error.message} (code ${code})`);
        if (/connack timeout/i.test(error.message)) return;
        fail(networkFailure(error), errorText(error));
      });
      client.once("close", () => {
        if (!hasConnected) fail("closed", "the connection was closed before the broker answered");
      });
      client.once("connect", () => {
        hasConnected = true;
        clearTimeout(timer);
        resolve(new Connection(client, id));
      });
    });
  }

  /** Waits for a message; undefined when none like it comes in time. */
  async message(fits: (message: Received) => boolean, withinMs: number): Promise<Received | undefined> {
    const find = () => this.received.find(fits);
    const already = find();
    if (already) return already;
    return new Promise((resolve) => {
      const finish = (message: Received | undefined) => {
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve(message);
      };
      const look = () => {
        const message = find();
        if (message) finish(message);
      };
      const timer = setTimeout(() => finish(undefined), withinMs);
      this.waiting.add(look);
    });
  }

  async close(): Promise<void> {
    await this.client.endAsync(true).catch(() => undefined);
  }
}

function networkFailure(error: Error): ConnectFailure {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (/^(ERR_TLS|ERR_SSL|CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO|HOSTNAME)/.test(code)) return "tls";
  // A listener takes a client and lets it go when it has no instance for it.
  if (code === "ECONNRESET" || /socket hang up|Unexpected server response/.test(error.message))
    return "closed";
  return "network";
}

/** Several attempts at once fail with an AggregateError that has no text of its own. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(errorText).join("; ");
  const { message, code } = error as NodeJS.ErrnoException;
  return message || code || String(error);
}
