/** EMQX running on one machine: its broker, its listeners, its management port, its part in the cluster. */
import {
  createServer as createHttpServer,
  IncomingMessage,
  Server as HttpServer,
  ServerResponse,
} from "node:http";
import { createServer, Server, Socket } from "node:net";
import { createWebSocketStream, WebSocketServer } from "ws";
import { Broker, LoginResult, Message } from "../dataplane/broker/broker";
import { ClusterMember, ClusterStatus } from "../dataplane/cluster/member";
import { takeProxyHeader } from "../dataplane/proxyProtocol";
import { EmqxSettings, ListenerSettings } from "./emqxSettings";
import { managementAnswer } from "./management";

export interface NodeSurroundings {
  /** The loopback address that stands for this machine's private one. */
  address: string;
  addressOf(host: string): string | undefined;
  /** Lets a connection in, or closes it and answers false. */
  guard(socket: Socket, port: number): boolean;
  /** Retained messages from an earlier life on the same data volume. */
  retained: Message[];
  retryMs: number;
  tickMs: number;
  log(line: string): void;
}

/** EMQX waits this long for a PROXY header (`proxy_protocol_timeout`). */
const proxyHeaderTimeoutMs = 3000;

export class EmqxNode {
  readonly startedAt = Date.now();
  /** What `/status` answers, `running` unless a drill says otherwise. */
  health: "running" | "broken" = "running";
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  private silent = false;

  private constructor(
    readonly settings: EmqxSettings,
    private readonly surroundings: NodeSurroundings,
    private readonly broker: Broker,
    private readonly member: ClusterMember,
  ) {}

  static async start(settings: EmqxSettings, surroundings: NodeSurroundings): Promise<EmqxNode> {
    const { log } = surroundings;
    const broker = await Broker.start(
      settings.nodeName,
      (name, password) => logIn(settings, name, password),
      {
        published: (message) => member.publish(message),
        takeOver: (clientId) => member.takeOver(clientId),
        log,
      },
    );
    for (const message of surroundings.retained) {
      await broker.storeRetained(message);
    }
    const member: ClusterMember = new ClusterMember(
      {
        name: settings.nodeName,
        seeds: settings.seeds,
        cookie: settings.cookie,
        ports: settings.ports,
        ...(settings.licenceProblem === undefined ? {} : { licenceProblem: settings.licenceProblem }),
        startedAt: Date.now(),
        address: surroundings.address,
        addressOf: surroundings.addressOf,
        guard: surroundings.guard,
        retryMs: surroundings.retryMs,
        tickMs: surroundings.tickMs,
        log,
      },
      {
        deliver: (message) => broker.deliver(message),
        retain: (message) => broker.storeRetained(message),
        retained: () => broker.retained(),
        giveUp: (clientId) => broker.giveUp(clientId),
      },
    );
    const node = new EmqxNode(settings, surroundings, broker, member);
    try {
      await node.listen();
      await member.start();
    } catch (error) {
      await node.stop();
      throw error;
    }
    return node;
  }

  cluster(): ClusterStatus {
    return this.member.status();
  }

  clusterProblems(): Record<string, string> {
    return this.member.problems();
  }

  get connections(): number {
    return this.broker.connections;
  }

  clientIds(): string[] {
    return this.broker.clientIds();
  }

  retained(): Promise<Message[]> {
    return this.broker.retained();
  }

  /** Nothing is answered any more and nothing is sent, but no connection is closed: the power is gone. */
  silence(): void {
    this.silent = true;
    this.member.silence();
  }

  /** A clean stop, as `systemctl stop emqx`: listeners first, then clients, then the cluster. */
  async stop(): Promise<void> {
    const closed = this.servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    await this.broker.stop();
    await this.member.stop();
    this.sockets.forEach((socket) => socket.destroy());
    await Promise.all(closed);
  }

  private async listen(): Promise<void> {
    const { mqtt, ws, dashboard } = this.settings;
    if (mqtt?.reachable) {
      await this.open(mqtt.port, mqtt, (socket) => this.broker.handle(socket));
    }
    if (ws?.reachable) {
      const server = this.webSockets(ws.path);
      await this.open(ws.port, ws, (socket) => server.emit("connection", socket));
    }
    if (dashboard?.reachable) {
      const server = createHttpServer((request, response) => void this.answer(request, response));
      await this.open(dashboard.port, undefined, (socket) => server.emit("connection", socket));
    }
  }

  private open(
    port: number,
    listener: ListenerSettings | undefined,
    serve: (socket: Socket) => void,
  ): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
      socket.on("error", () => socket.destroy());
      if (this.silent || !this.surroundings.guard(socket, port)) {
        return;
      }
      if (listener?.proxyProtocol !== true) {
        serve(socket);
        return;
      }
      takeProxyHeader(socket, proxyHeaderTimeoutMs).then(
        () => serve(socket),
        (error: Error) => {
          this.surroundings.log(`port ${port}: connection dropped: ${error.message}`);
          socket.destroy();
        },
      );
    });
    this.servers.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", (error) => reject(new Error(`cannot listen on port ${port}: ${error.message}`)));
      server.listen({ port, host: this.surroundings.address, backlog: 4096 }, () => resolve());
    });
  }

  private webSockets(path: string): HttpServer {
    const server = createHttpServer((_request, response) => response.writeHead(404).end());
    const sockets = new WebSocketServer({
      noServer: true,
      handleProtocols: (offered) =>
        offered.has("mqtt") ? "mqtt" : offered.has("mqttv3.1") ? "mqttv3.1" : false,
    });
    server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      if (request.url?.split("?")[0] !== path) {
        socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
        return;
      }
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.broker.handle(createWebSocketStream(webSocket));
      });
    });
    return server;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await managementAnswer(request, {
      settings: this.settings,
      broken: this.health === "broken",
      connections: this.connections,
      cluster: this.cluster(),
    });
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }
}

function logIn(
  settings: EmqxSettings,
  username: string | undefined,
  password: string | undefined,
): LoginResult {
  const { users } = settings;
  if (users === undefined) {
    return "accepted";
  }
  const expected = username === undefined ? undefined : users.get(username);
  if (expected === undefined) {
    return "unknown-user";
  }
  return password === expected ? "accepted" : "bad-password";
}
