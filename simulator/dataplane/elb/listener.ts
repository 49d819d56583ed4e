/** One listener of a Classic ELB: takes clients, ends their TLS, finds them an instance. */
import { connect, createServer, Server, Socket } from "node:net";
import { connect as tlsConnect, createSecureContext, SecureContext, TLSSocket } from "node:tls";
import { proxyV1Header } from "../proxyProtocol";
import { CertificateFacts, ListenerFacts, LoadBalancerFacts } from "../regionView";
import { ElbCounters, ElbEnvironment, ElbNode } from "./environment";
import { Flow } from "./flow";
import { tlsSettings } from "./tlsPolicies";

const host = "127.0.0.1";
const backendConnectTimeoutMs = 5000;
const handshakeTimeoutMs = 60_000;
/** An instance that does not answer is passed over once, as AWS does. */
const backendAttempts = 2;

export interface Endpoint {
  loadBalancer: string;
  dnsName: string;
  loadBalancerPort: number;
  protocol: ListenerFacts["protocol"];
  host: string;
  /** Where it answers on this machine; differs from the load balancer's port when that one is taken. */
  port: number;
  /** For a listener whose certificate is missing, port that nobody may enter, …: why it does not answer. */
  problem?: string;
}

/** The load balancer, as its listeners see it. */
interface Owner {
  readonly facts: LoadBalancerFacts;
  readonly environment: ElbEnvironment;
  readonly counters: ElbCounters;
  certificate(listener: ListenerFacts): CertificateFacts | undefined;
  nodes(): ElbNode[];
  nextNode(): ElbNode | undefined;
  nextInstance(node: ElbNode, except: ReadonlySet<string>): string | undefined;
  adopt(flow: Flow): void;
}

export class ElbListener {
  private server: Server | undefined;
  private port = 0;
  private problem: string | undefined;
  private secureContext: SecureContext | undefined;
  private secureContextKey = "";

  constructor(
    private readonly owner: Owner,
    private facts: ListenerFacts,
  ) {}

  /** Opens, closes or changes what is listening so that it fits the facts and the network. */
  async update(facts: ListenerFacts): Promise<void> {
    this.facts = facts;
    this.problem = this.refreshTls() ?? this.whyNobodyEnters();
    if (this.problem !== undefined) {
      await this.close();
    } else if (this.server === undefined) {
      await this.open();
    }
  }

  endpoint(): Endpoint {
    const { name, dnsName } = this.owner.facts;
    return {
      loadBalancer: name,
      dnsName,
      loadBalancerPort: this.facts.loadBalancerPort,
      protocol: this.facts.protocol,
      host,
      port: this.port,
      ...(this.problem === undefined ? {} : { problem: this.problem }),
    };
  }

  stop(): Promise<void> {
    return this.close();
  }

  private get endsTls(): boolean {
    return this.facts.protocol === "SSL" || this.facts.protocol === "HTTPS";
  }

  private refreshTls(): string | undefined {
    if (!this.endsTls) {
      return undefined;
    }
    const certificate = this.owner.certificate(this.facts);
    if (certificate === undefined) {
      return `the certificate ${this.facts.certificateArn ?? "(none)"} does not exist`;
    }
    const key = [this.facts.tlsPolicy, certificate.certificatePem, certificate.chainPem].join("\n");
    if (key !== this.secureContextKey) {
      try {
        this.secureContext = createSecureContext({
          cert: [certificate.certificatePem, certificate.chainPem ?? ""].join("\n"),
          key: certificate.privateKeyPem,
          honorCipherOrder: true,
          ...tlsSettings(this.facts.tlsPolicy),
        });
        this.secureContextKey = key;
      } catch (error) {
        return `the certificate ${certificate.arn} cannot be used: ${(error as Error).message}`;
      }
    }
    return undefined;
  }

  /**
   * AWS drops what a security group does not admit. Where no client on this machine may enter, nothing listens, so that
   * a connection is refused; where some may, the others are reset.
   */
  private whyNobodyEnters(): string | undefined {
    const { environment } = this.owner;
    const nodes = this.owner.nodes();
    let reason = "it has no interface in a zone that works";
    for (const client of environment.clientHosts()) {
      for (const node of nodes) {
        const verdict = environment.network().judge(client, node.interface, this.facts.loadBalancerPort);
        if (verdict.allowed) {
          return undefined;
        }
        reason = verdict.reason;
      }
    }
    return reason;
  }

  private async open(): Promise<void> {
    const { environment } = this.owner;
    const { rememberedPorts } = environment;
    const key = `${this.owner.facts.dnsName}:${this.facts.loadBalancerPort}`;
    const server = createServer(
      { allowHalfOpen: !this.endsTls, noDelay: true },
      (socket) => void this.serve(socket),
    );
    const wanted = [rememberedPorts.get(key), this.facts.loadBalancerPort, 0];
    for (const port of wanted) {
      if (port !== undefined && (await listens(server, port))) {
        break;
      }
    }
    const address = server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    this.server = server;
    rememberedPorts.set(key, this.port);
    const where =
      this.port === this.facts.loadBalancerPort
        ? ""
        : `; port ${this.facts.loadBalancerPort} is not free here`;
    environment.log(
      `${this.owner.facts.name}: listener ${this.facts.protocol} ${this.facts.loadBalancerPort} at ${host}:${this.port}${where}`,
    );
  }

  private close(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    // Open connections live on; only `close` of the listening socket is waited for.
    server?.close();
    return Promise.resolve();
  }

  private async serve(raw: Socket): Promise<void> {
    const { counters, environment } = this.owner;
    raw.on("error", () => raw.destroy());
    const source = environment.hostBehind(raw.remoteAddress ?? "");
    const node = this.owner.nextNode();
    const verdict =
      node === undefined
        ? { allowed: false as const, reason: "no interface in a zone that works" }
        : environment.network().judge(source, node.interface, this.facts.loadBalancerPort);
    if (node === undefined || !verdict.allowed) {
      counters.refusedByNetwork++;
      environment.log(`${this.owner.facts.name}: dropped a client: ${verdict.allowed ? "" : verdict.reason}`);
      raw.resetAndDestroy();
      return;
    }
    counters.connections++;
    const client = await this.secured(raw);
    if (client === undefined) {
      return;
    }
    const header = proxyV1Header({
      sourceAddress: source.address,
      sourcePort: raw.remotePort ?? 0,
      destinationAddress: node.interface.address,
      destinationPort: this.facts.loadBalancerPort,
    });
    await this.forward(client, node, header);
  }

  private secured(raw: Socket): Promise<Socket | undefined> {
    const { secureContext } = this;
    if (!this.endsTls || secureContext === undefined) {
      return Promise.resolve(raw);
    }
    return new Promise((resolve) => {
      const client = new TLSSocket(raw, { isServer: true, secureContext });
      const fail = () => {
        this.owner.counters.tlsFailures++;
        client.destroy();
        raw.destroy();
        resolve(undefined);
      };
      client.setTimeout(handshakeTimeoutMs, fail);
      client.once("error", fail);
      client.once("close", fail);
      client.once("secure", () => {
        client.removeListener("error", fail);
        client.removeListener("close", fail);
        client.removeListener("timeout", fail);
        client.on("error", () => client.destroy());
        resolve(client);
      });
    });
  }

  private async forward(client: Socket, node: ElbNode, header: string): Promise<void> {
    const { counters, environment, facts } = this.owner;
    const failed = new Set<string>();
    for (let attempt = 0; attempt < backendAttempts && !client.destroyed; attempt++) {
      const instanceId = this.owner.nextInstance(node, failed);
      if (instanceId === undefined) {
        break;
      }
      const backend = await this.connectBackend(instanceId, node);
      if (backend === undefined) {
        counters.backendFailures++;
        failed.add(instanceId);
        continue;
      }
      if (client.destroyed) {
        backend.destroy();
        return;
      }
      if (facts.proxyProtocolPorts.includes(this.facts.instancePort)) {
        backend.write(header);
      }
      this.owner.adopt(new Flow(instanceId, client, backend, () => counters.idleTimeouts++));
      return;
    }
    const why =
      failed.size > 0 ? `${[...failed].join(", ")} did not take the connection` : "no instance is in service";
    environment.log(`${facts.name}: closed a client of listener ${this.facts.loadBalancerPort}: ${why}`);
    client.destroy();
  }

  private connectBackend(instanceId: string, node: ElbNode): Promise<Socket | undefined> {
    const { environment } = this.owner;
    const instance = environment.instance(instanceId);
    if (instance === undefined) {
      return Promise.resolve(undefined);
    }
    if (!environment.network().judge(node.interface, instance.interface, this.facts.instancePort).allowed) {
      return Promise.resolve(undefined);
    }
    if (instance.silent) {
      return new Promise((resolve) => setTimeout(() => resolve(undefined), backendConnectTimeoutMs).unref());
    }
    const plain = connect({
      host: instance.loopback,
      port: this.facts.instancePort,
      localAddress: node.loopback,
      allowHalfOpen: !this.endsTls,
      noDelay: true,
    });
    const secure = this.facts.instanceProtocol === "SSL" || this.facts.instanceProtocol === "HTTPS";
    const backend = secure ? tlsConnect({ socket: plain, rejectUnauthorized: false }) : plain;
    return new Promise((resolve) => {
      const fail = () => {
        clearTimeout(timer);
        backend.destroy();
        plain.destroy();
        resolve(undefined);
      };
      const timer = setTimeout(fail, backendConnectTimeoutMs);
      backend.on("error", fail);
      plain.on("error", fail);
      backend.once(secure ? "secureConnect" : "connect", () => {
        clearTimeout(timer);
        backend.removeListener("error", fail);
        plain.removeListener("error", fail);
        resolve(backend);
      });
    });
  }
}

function listens(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const fail = () => {
      server.removeListener("error", fail);
      resolve(false);
    };
    server.once("error", fail);
    server.listen({ port, host, backlog: 4096 }, () => {
      server.removeListener("error", fail);
      resolve(true);
    });
  });
}
