/** EMQX running on one machine: its broker, its listeners, its management port, its part in the cluster. */
import {
  createServer as createHttpServer,
  IncomingMessage,
  Server as HttpServer,
  ServerResponse,
} from "node:http";
import { randomBytes } from "node:crypto";
import { createServer, Server, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { createWebSocketStream, WebSocketServer } from "ws";
import { Broker, LoginResult } from "../dataplane/broker/broker";
import { authenticate, type BackEndRequest, type BackEndAnswer } from "./authentication";
import {
  applyChange,
  Bootstrap,
  bootstrapChange,
  Change,
  dashboardPasswordProblem,
  Database,
  databaseOn,
  dashboardUserRecord,
  defaultDashboardUser,
  DiscContents,
  isEmptyChange,
  passwordFits,
  takeCopy,
  type UserRecord,
  userRecord,
  wipe,
} from "../dataplane/cluster/database";
import { DataExport, exportOf, importProblem, retainedOf } from "../dataplane/cluster/dataBackup";
import {
  Evacuation,
  EvacuationOptions,
  evacuationProblems,
  EvacuationStatus,
} from "../dataplane/cluster/evacuation";
import { ClusterCopy, ClusterMember } from "../dataplane/cluster/member";
import { ClusterStatus } from "../dataplane/cluster/membership";
import { takeProxyHeader } from "../dataplane/proxyProtocol";
import { edition, hasEvacuation } from "./editions";
import {
  EmqxSettings,
  licenceProblem,
  ListenerSettings,
  readLicence,
  type TlsListenerSettings,
} from "./emqxSettings";
import { FileSystem } from "./fileSystem";
import { unreadable } from "./licences";
import { managementAnswer } from "./management";
import { type Peer, TlsListener } from "./tlsListener";

interface NodeSurroundings {
  /** The loopback address that stands for this machine's private one. */
  address: string;
  addressOf(host: string): string | undefined;
  /** Lets a connection in, or closes it and answers false. */
  guard(socket: Socket, port: number): boolean;
  /** What is on the data volume; written as the node goes. */
  disc: DiscContents;
  /** The machine's files as user emqx sees them; EMQX reads the licence again now and then. */
  files: FileSystem;
  /** Asks a back end; throws where it cannot be reached or does not answer. */
  ask(request: BackEndRequest): Promise<BackEndAnswer>;
  /** How many milliseconds here are one of EMQX's seconds. */
  secondMs: number;
  /** Reads emqx.conf again, without the environment, or throws what EMQX says against it. */
  reread(): Promise<EmqxSettings>;
  log(line: string): void;
}

/** EMQX waits this long for a PROXY header (`proxy_protocol_timeout`). */
const proxyHeaderTimeoutMs = 3000;
const retrySeconds = 5;
const tickSeconds = 15;
const licenceRefreshSeconds = 120;
const pemCheckSeconds = 120;
const shortestIntervalMs = 50;
const reloadedFirst = ["connectors", "actions", "sources", "bridges", "rule_engine"];
const reloadedNever = ["node", "rpc", "cluster"];

export class EmqxNode {
  readonly startedAt = Date.now();
  /** What `/status` answers, `running` unless a drill says otherwise. */
  health: "running" | "broken" = "running";
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly tokens = new Map<string, string>();
  private readonly member: ClusterMember;
  private evacuation: Evacuation | undefined;
  private licence: EmqxSettings["licence"];
  private licenceTimer: NodeJS.Timeout | undefined;
  private readonly tls: TlsListener[] = [];
  private pemTimer: NodeJS.Timeout | undefined;
  private silent = false;

  private constructor(
    readonly settings: EmqxSettings,
    private readonly surroundings: NodeSurroundings,
    private readonly database: Database,
    private readonly broker: Broker,
    memberOf: (node: EmqxNode) => ClusterMember,
  ) {
    this.licence = settings.licence;
    this.member = memberOf(this);
  }

  static async start(settings: EmqxSettings, surroundings: NodeSurroundings): Promise<EmqxNode> {
    const { log } = surroundings;
    const database = databaseOn(surroundings.disc, settings.nodeName);
    applyChange(database, bootstrapChange(database, bootstrapOf(settings)));
    const broker = await Broker.start(
      settings.nodeName,
      (username, password, clientId) =>
        settings.users === undefined
          ? {}
          : authenticate(
              settings.authenticators,
              { username, password, clientId },
              {
                ownUser: (credential) => logIn(database, credential.username, credential.password),
                ask: surroundings.ask,
                log,
              },
            ),
      {
        published: (message) => node.member.publish(message),
        takeOver: (clientId, from) => node.member.takeOver(clientId, from),
        alone: (clientId, work) => node.member.alone(clientId, work),
        log,
      },
      settings.limits,
    );
    if (settings.retainedOnDisc) {
      await broker.replaceRetained(database.retained);
    }
    const node: EmqxNode = new EmqxNode(settings, surroundings, database, broker, (self) =>
      self.makeMember(),
    );
    try {
      await node.listen();
      await node.member.start();
    } catch (error) {
      await node.stop();
      throw error;
    }
    node.resumeEvacuation();
    node.pemTimer = setInterval(() => node.cleanPemCache(), node.interval(pemCheckSeconds));
    node.licenceTimer = setInterval(() => node.reloadLicense(), node.interval(licenceRefreshSeconds));
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

  /** `connections.count` of `emqx ctl broker stats`: present clients, and absent ones whose sessions are kept here. */
  get channels(): number {
    return this.broker.clientIds().length + this.broker.absentSessions().length;
  }

  clientIds(): string[] {
    return this.broker.clientIds();
  }

  /** `emqx ctl cluster leave`. Fails with `node_not_in_cluster` when no other member runs. */
  leaveCluster(): Promise<void> {
    return this.member.leave();
  }

  /** `emqx ctl cluster force-leave NODE`; ignored for the node itself, fails with `node_not_in_cluster`. */
  forceLeave(nodeName: string): Promise<"removed" | "ignored"> {
    return this.member.forceLeave(nodeName);
  }

  /**
   * Changes an MQTT user in the whole cluster, as the REST API does. Clients that are connected stay. Answers whether the user is a
   * superuser.
   */
  async setUserPassword(username: string, password: string, isSuperuser?: boolean): Promise<boolean> {
    const { isSuperuser: before } = this.user(username);
    await this.write({ users: { [username]: userRecord(password, isSuperuser ?? before) } });
    return isSuperuser ?? before;
  }

  /** Whether the user was not there before. */
  async addUser(username: string, password: string, isSuperuser: boolean): Promise<boolean> {
    this.requireUsers();
    if (ownRecord(this.database.users, username) !== undefined) return false;
    await this.write({ users: { [username]: userRecord(password, isSuperuser) } });
    return true;
  }

  async deleteUser(username: string): Promise<void> {
    this.user(username);
    await this.write({ users: { [username]: null } });
  }

  private requireUsers(): void {
    if (this.settings.users === undefined) {
      throw new Error("Authenticator 'password_based:built_in_database' does not exist");
    }
  }

  private user(username: string): UserRecord {
    this.requireUsers();
    const user = ownRecord(this.database.users, username);
    if (user === undefined) {
      throw new Error("User not found");
    }
    return user;
  }

  /** Whether the dashboard's first user gets in with this password. */
  logsIn(password: string): boolean {
    return this.token(defaultDashboardUser, password) !== undefined;
  }

  /** `emqx ctl admins passwd admin PASSWORD`: 8 to 64 characters of two kinds. Everybody has to log in again. */
  async setDashboardPassword(password: string): Promise<void> {
    const problem = dashboardPasswordProblem(password);
    if (problem !== undefined) {
      throw new Error(problem);
    }
    await this.write({ dashboardUsers: { [defaultDashboardUser]: dashboardUserRecord(password) } });
  }

  /** `emqx ctl data export`, as plain JSON. */
  async exportData(): Promise<DataExport> {
    return exportOf(this.meta(), this.database, await this.broker.retained());
  }

  /** `emqx ctl data import` of what `exportData` gave, for the whole cluster. */
  async importData(data: unknown): Promise<void> {
    const problem = importProblem(data, this.meta());
    if (problem !== undefined) {
      throw new Error(problem);
    }
    const given = data as DataExport;
    await this.write({ users: given.users, dashboardUsers: given.dashboardUsers });
    for (const message of retainedOf(given)) {
      await this.broker.storeRetained(message);
      await this.member.retain(message);
    }
  }

  /** `emqx ctl rebalance start --evacuation`. Fails on the open source edition and when one is under way. */
  startEvacuation(options: EvacuationOptions = {}): void {
    this.requireEvacuation();
    const problems = evacuationProblems(options);
    if (problems.length > 0) {
      throw new Error(`Rebalance start error: ${problems.join(", ")}`);
    }
    if (this.evacuation !== undefined) {
      throw new Error("Rebalance is already enabled");
    }
    this.database.evacuation = { ...options };
    this.evacuation = new Evacuation(this.evacuated(), options, this.surroundings.secondMs);
  }

  evacuationStatus(): EvacuationStatus {
    this.requireEvacuation();
    return this.evacuation?.status() ?? { status: "disabled" };
  }

  /** `emqx ctl rebalance stop`: the node lets clients in again. */
  stopEvacuation(): void {
    this.requireEvacuation();
    if (this.evacuation === undefined) {
      throw new Error("Rebalance is already disabled");
    }
    delete this.database.evacuation;
    this.evacuation.stop(true);
    this.evacuation = undefined;
  }

  /**
   * `emqx ctl conf reload`: the roots that it has loaded again, in the order of to_sorted_list/1 of emqx_conf_cli.erl. Of what is acted
   * out here, what clients may do changes by it while EMQX runs.
   */
  async reload(): Promise<string[]> {
    const { roots, limits } = await this.surroundings.reread();
    this.broker.authorization = limits.authorization;
    return [
      ...reloadedFirst.filter((root) => roots.includes(root)),
      ...roots.filter((root) => ![...reloadedFirst, ...reloadedNever].includes(root)).sort(),
    ];
  }

  /** `emqx ctl pem_cache clean`: handshakes from here on go by what is on the disk. */
  cleanPemCache(): void {
    this.tls.forEach((listener) => listener.refresh());
  }

  /** Reads the licence file again, as EMQX does by itself every two minutes. A file that is gone or empty changes nothing. */
  reloadLicense(): void {
    const { version } = this.settings;
    const licence = readLicence(this.settings.licence.source, this.surroundings.files);
    if (edition(version) === "ce" || licence.key === this.licence.key) {
      return;
    }
    if (licence.key === undefined || licence.key === "") {
      this.surroundings.log(
        `[error] license_refresh_failed: ${licence.source} cannot be read; the old one holds`,
      );
      return;
    }
    const problem = unreadable(licence.key);
    if (problem !== undefined) {
      this.surroundings.log(`[error] license_refresh_failed: ${problem}; the old one holds`);
      return;
    }
    this.licence = licence;
    this.surroundings.log("new_license_loaded");
    this.member.setLicenceProblem(licenceProblem(licence.key, version));
  }

  /** Nothing is answered any more and nothing is sent, but no connection is closed: the power is gone. */
  async silence(): Promise<void> {
    this.silent = true;
    this.member.silence();
    this.evacuation?.stop(false);
    await this.saveRetained();
  }

  /** A clean stop, as `systemctl stop emqx`: listeners first, then clients, then the cluster. */
  async stop(): Promise<void> {
    clearInterval(this.licenceTimer);
    clearInterval(this.pemTimer);
    this.evacuation?.stop(false);
    await this.saveRetained();
    const closed = this.servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    await this.broker.stop();
    await this.member.stop();
    this.sockets.forEach((socket) => socket.destroy());
    await Promise.all(closed);
  }

  private async listen(): Promise<void> {
    const { mqtt, ws, ssl, wss, dashboard } = this.settings;
    if (mqtt?.reachable) {
      await this.open(mqtt.port, mqtt, (socket) => this.broker.handle(socket));
    }
    if (ws?.reachable) {
      const server = this.webSockets(ws.path);
      await this.open(ws.port, ws, (socket) => server.emit("connection", socket));
    }
    if (ssl?.reachable) {
      const listener = this.secure("ssl:default", ssl, (socket, peer) => this.broker.handle(socket, peer));
      await this.open(ssl.port, ssl, (socket) => listener.take(socket));
    }
    if (wss?.reachable) {
      const server = this.webSockets(wss.path);
      const listener = this.secure("wss:default", wss, (socket, peer) => {
        this.peers.set(socket, peer);
        server.emit("connection", socket);
      });
      await this.open(wss.port, wss, (socket) => listener.take(socket));
    }
    if (dashboard?.reachable) {
      const server = createHttpServer((request, response) => void this.answer(request, response));
      await this.open(dashboard.port, undefined, (socket) => server.emit("connection", socket));
    }
  }

  private readonly peers = new WeakMap<object, Peer>();

  private secure(
    name: string,
    { tls, asks }: TlsListenerSettings,
    serve: (socket: TLSSocket, peer: Peer) => void,
  ): TlsListener {
    const { files, log } = this.surroundings;
    const listener = new TlsListener(name, tls, files, log, (socket) => {
      socket.on("error", () => socket.destroy());
      // Without a common name, EMQX takes the user name that the client gives (set_peercert_infos/3 of emqx_channel.erl).
      const commonName = this.settings.commonNames ? socket.getPeerCertificate().subject?.CN : undefined;
      serve(socket, { commonName: [commonName].flat()[0], admitted: !asks });
    });
    this.tls.push(listener);
    return listener;
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
      if (!this.surroundings.guard(socket, port) || this.silent) {
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
        this.broker.handle(createWebSocketStream(webSocket), this.peers.get(socket));
      });
    });
    return server;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await managementAnswer(request, {
      settings: this.settings,
      broken: this.health === "broken",
      connections: this.connections,
      cluster: () => this.cluster(),
      evacuating: this.evacuation !== undefined,
      logIn: (username, password) => this.token(username, password),
      tokenIsValid: (token) => this.tokens.has(token),
      setUserPassword: (...user) => this.setUserPassword(...user),
      addUser: (...user) => this.addUser(...user),
      deleteUser: (username) => this.deleteUser(username),
    });
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  private interval(seconds: number): number {
    return Math.max(shortestIntervalMs, seconds * this.surroundings.secondMs);
  }

  private meta(): DataExport["meta"] {
    const { version } = this.settings;
    return { version, edition: edition(version) };
  }

  private makeMember(): ClusterMember {
    const { settings, surroundings, database, broker } = this;
    const { nodeName, seeds, cookie, ports, autocleanSeconds } = settings;
    const { address, addressOf, guard, log, secondMs } = surroundings;
    return new ClusterMember(
      {
        name: nodeName,
        seeds,
        cookie,
        ports,
        members: { members: database.members, membersVersion: database.membersVersion },
        licenceProblem: settings.licenceProblem,
        autocleanMs: autocleanSeconds === undefined ? undefined : autocleanSeconds * secondMs,
        startedAt: this.startedAt,
        address,
        addressOf,
        guard,
        retryMs: this.interval(retrySeconds),
        tickMs: this.interval(tickSeconds),
        longestTickMs: tickSeconds * 1000,
        log,
      },
      {
        deliver: (message) => broker.deliver(message),
        retain: (message) => broker.storeRetained(message),
        giveUp: (clientId) => broker.giveUp(clientId),
        release: (clientId) => broker.release(clientId),
        adopt: (clientId, from) => broker.adopt(clientId, from),
        copy: async () => ({ data: database, retained: await broker.retained() }),
        takeCopy: (copy) => this.takeCopy(copy),
        data: () => database,
        change: (change, version) => this.apply(change, version),
        remember: (members) => void Object.assign(database, members),
        restart: () => broker.drop(),
        reset: () => this.reset(),
      },
    );
  }

  /** A change by this node, for all. */
  private async write(change: Change): Promise<void> {
    this.apply(change, this.database.version + 1);
    await this.member.write(change);
  }

  private apply(change: Change, version: number): void {
    applyChange(this.database, change);
    this.database.version = Math.max(this.database.version, version);
    for (const [token, username] of this.tokens) {
      if (Object.hasOwn(change.dashboardUsers ?? {}, username)) {
        this.tokens.delete(token);
      }
    }
  }

  /** The cluster's data in place of the own; users that only this node's files know are added to it. */
  private async takeCopy({ data, retained }: ClusterCopy): Promise<void> {
    takeCopy(this.database, data);
    this.tokens.clear();
    await this.broker.replaceRetained(retained);
    const missing = bootstrapChange(this.database, bootstrapOf(this.settings));
    if (!isEmptyChange(missing)) {
      await this.write(missing);
    }
  }

  private reset(): void {
    wipe(this.database);
    this.tokens.clear();
    applyChange(this.database, bootstrapChange(this.database, bootstrapOf(this.settings)));
    void this.broker.replaceRetained([]);
  }

  private token(username: string, password: string): string | undefined {
    const record = ownRecord(this.database.dashboardUsers, username);
    if (record === undefined || !passwordFits(record, password)) {
      return undefined;
    }
    const token = randomBytes(24).toString("base64url");
    this.tokens.set(token, username);
    return token;
  }

  private requireEvacuation(): void {
    if (!hasEvacuation(this.settings.version)) {
      // `rebalance` is no command of the open source edition.
      throw new Error("{error,cmd_not_found}");
    }
  }

  private resumeEvacuation(): void {
    const { evacuation } = this.database;
    if (evacuation !== undefined && hasEvacuation(this.settings.version)) {
      this.evacuation = new Evacuation(this.evacuated(), evacuation, this.surroundings.secondMs, true);
    }
  }

  private evacuated() {
    const { broker, member, settings } = this;
    return {
      connections: () => broker.connections,
      sessions: () => this.channels,
      turnAway: (refuse: boolean) => void (broker.turnsAway = refuse),
      evictConnections: (count: number) => broker.evict(count),
      evictSessions: async (count: number, nodes: string[]) => {
        for (const clientId of broker.absentSessions().slice(0, count)) {
          await member.handOver(clientId, nodes[Math.floor(Math.random() * nodes.length)]!);
        }
      },
      otherNodes: () => member.status().running.filter((name) => name !== settings.nodeName),
      log: (line: string) => this.surroundings.log(line),
    };
  }

  /** What is retained goes with the disc, where the settings say so. */
  private async saveRetained(): Promise<void> {
    this.database.retained = this.settings.retainedOnDisc ? await this.broker.retained() : [];
  }
}

function bootstrapOf({ users, dashboardPassword }: EmqxSettings): Bootstrap {
  return { users, dashboardPassword };
}

function ownRecord<T>(records: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(records, name) ? records[name] : undefined;
}

function logIn(database: Database, username: string | undefined, password: string | undefined): LoginResult {
  const user = username === undefined ? undefined : ownRecord(database.users, username);
  if (user === undefined) {
    return "unknown-user";
  }
  return passwordFits(user, password) ? { isSuperuser: user.isSuperuser } : "bad-password";
}
