/** A node as far as a proxy sees it, and a client: MQTT 3.1.1's first packets on real connections. */
import { once } from "node:events";
import { createServer as createHttp, type Server as HttpServer } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";

export interface Announced {
  clientId: string;
  /** The PROXY header's version, the client's address in it, and the name of the client's certificate. */
  version: number;
  source: string;
  commonName?: string;
}

export class ProxiedNode {
  /** The clients that have connected, in their order. */
  readonly clients: Announced[] = [];
  healthy = true;
  /** It accepts, and says nothing. */
  hangs = false;
  private readonly mqtt: Server = createServer((socket) => this.serve(socket));
  private readonly status: HttpServer = createHttp((_, response) =>
    response.writeHead(this.healthy ? 200 : 503).end(),
  );

  constructor(readonly address: string) {}

  async start(): Promise<this> {
    this.mqtt.listen(1883, this.address);
    this.status.listen(18083, this.address);
    await Promise.all([once(this.mqtt, "listening"), once(this.status, "listening")]);
    return this;
  }

  stop(): void {
    this.mqtt.close();
    this.status.close();
    this.status.closeAllConnections();
  }

  private serve(socket: Socket): void {
    let data = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      data = Buffer.concat([data, chunk]);
      const announced = announcementOf(data);
      if (announced === undefined || data.length < announced.length + 14) return;
      const packet = data.subarray(announced.length);
      if (packet[0] === 0xc0) socket.write(Buffer.from([0xd0, 0]));
      if (packet[0] !== 0x10 || packet.length < packet[1]! + 2) return;
      if (this.hangs) return;
      const clientId = packet.toString("utf8", 14);
      // A health check has none.
      if (clientId !== "") this.clients.push({ ...announced.said, clientId });
      socket.write(Buffer.from([0x20, 2, 0, 0]));
      // What comes from now on has no header.
      socket.removeAllListeners("data").on("data", () => socket.write(Buffer.from([0xd0, 0])));
    });
  }
}

/** The PROXY protocol's text of HAProxy (doc/proxy-protocol.txt, 2.1 and 2.2), of which a proxy here sends IPv4 only. */
function announcementOf(data: Buffer): { said: Omit<Announced, "clientId">; length: number } | undefined {
  if (data[0] === 0x50) {
    const end = data.indexOf("\r\n");
    if (end < 0) return undefined;
    return { said: { version: 1, source: data.toString("latin1", 0, end).split(" ")[2]! }, length: end + 2 };
  }
  if (data.length < 16 || data.length < 16 + data.readUInt16BE(14)) return undefined;
  const length = 16 + data.readUInt16BE(14);
  const local = (data[12]! & 0xf) === 0;
  // PP2_TYPE_SSL is 0x20, with flags and a result of five bytes before PP2_SUBTYPE_SSL_CN, 0x22.
  const ssl = tlvs(data.subarray(28, length)).get(0x20);
  const commonName = ssl && tlvs(ssl.subarray(5)).get(0x22)?.toString();
  return {
    said: { version: 2, source: local ? "" : [...data.subarray(16, 20)].join("."), commonName },
    length,
  };
}

function tlvs(data: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 3 <= data.length; at += 3 + data.readUInt16BE(at + 1)) {
    found.set(data[at]!, data.subarray(at + 3, at + 3 + data.readUInt16BE(at + 1)));
  }
  return found;
}

export class ProxyClient {
  private constructor(readonly socket: Socket | TLSSocket) {}

  /** Connects and has its CONNACK; what goes wrong is thrown. */
  static async connect(
    host: string,
    port: number,
    clientId: string,
    tls?: ConnectionOptions,
  ): Promise<ProxyClient> {
    const socket = tls ? connectTls({ host, port, servername: "localhost", ...tls }) : connect(port, host);
    const id = Buffer.from(clientId);
    const head = Buffer.from([0x10, 12 + id.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, id.length]);
    socket.write(Buffer.concat([head, id]));
    const client = new ProxyClient(socket);
    await client.answer();
    socket.on("error", () => socket.destroy());
    return client;
  }

  get lives(): boolean {
    return !this.socket.destroyed && this.socket.readable;
  }

  /** A PINGREQ and its answer. */
  async ping(): Promise<void> {
    this.socket.write(Buffer.from([0xc0, 0]));
    await this.answer();
  }

  private async answer(): Promise<void> {
    const data = await Promise.race([
      once(this.socket, "data"),
      once(this.socket, "close").then(() => undefined),
    ]);
    if (data === undefined) throw new Error("the connection was closed");
  }
}
