/** One listener of a load balancer: takes clients, ends their TLS, finds them an instance. */
import { X509Certificate } from "node:crypto";
import { connect, createServer, Server, Socket } from "node:net";
import { connect as tlsConnect, createSecureContext, SecureContext, TLSSocket } from "node:tls";
import { ProxiedConnection } from "../proxyProtocol";
import { NetworkInterface } from "../reachability";
import { CertificateFacts, ListenerFacts } from "../regionView";
import { ElbCounters, ElbEnvironment, ElbNode } from "./environment";
import { Flow } from "./flow";
import { tlsSettings } from "./tlsPolicies";

const host = "127.0.0.1";
const backendConnectTimeoutMs = 5000;
const handshakeTimeoutMs = 60_000;
export interface Endpoint {
  loadBalancer: string;
  dnsName: string;
  loadBalancerPort: number;
  protocol: ListenerFacts["protocol"];
  host: string;
  /** Where it answers on this machine; differs from the load balancer's port when that one is taken. */
  port: number;
  idleTimeoutSeconds: number;
  certificateArn?: string;
  /** The address of each zone's interface here, with the load balancer's own port, where clients know those addresses. */
  zonal?: Record<string, string>;
  /** For a listener whose certificate is missing, port that nobody may enter, …: why it does not answer. */
  problem?: string;
}

/** What a TLS listener presents to who asks for one of its names. */
interface Presented {
  context: SecureContext;
  certificate: X509Certificate;
}

/** What a listener asks of its load balancer. */
export interface ListenerOwner {
  readonly facts: { name: string; dnsName: string };
  readonly counters: ElbCounters;
  readonly environment: ElbEnvironment;
  /** How many instances a client is tried with. */
  readonly attempts: number;
  /** Whether each zone's interface has an address that clients know. */
  readonly hasZonalAddresses: boolean;
  /** Whether a connection that was idle for too long shows that at its next packet only. */
  readonly forgetsSilently: boolean;
  /** This load balancer's interfaces, one in each zone that is not cut off. */
  nodes(): ElbNode[];
  /** The interface the next client reaches. */
  nextNode(listener: ListenerFacts): ElbNode | undefined;
  /** The instance for the next connection that entered at `node`, leaving out those that just failed. */
  nextInstance(listener: ListenerFacts, node: ElbNode, except: ReadonlySet<string>): string | undefined;
  /** What is written before a client's bytes. */
  header(listener: ListenerFacts, connection: ProxiedConnection): string | Buffer | undefined;
  /** Who comes to the instance, as its security groups see it. */
  sourceOf(listener: ListenerFacts, node: ElbNode, clientAddress: string): NetworkInterface;
  idleSeconds(listener: ListenerFacts): number;
  /** An instance did not take a connection. */
  missed(listener: ListenerFacts, instanceId: string): void;
  adopt(flow: Flow, listener: ListenerFacts): void;
}

export class ElbListener {
  private server: Server | undefined;
  private readonly zonal = new Map<ElbNode["loopback"], { server: Server; zone: string }>();
  private port = 0;
  private problem: string | undefined;
  /** The default one first. */
  private presented: Presented[] = [];
  private presentedKey = "";

  constructor(
    private readonly owner: ListenerOwner,
    private facts: ListenerFacts,
  ) {}

  /** Opens, closes or changes what is listening so that it fits the facts and the network. */
  async update(facts: ListenerFacts): Promise<void> {
    this.facts = facts;
    this.problem = this.refreshTls() ?? this.whyNobodyEnters();
    if (this.problem !== undefined) {
      await this.close();
    } else {
      if (this.server === undefined) await this.open();
      if (this.owner.hasZonalAddresses) await this.openZonal();
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
      idleTimeoutSeconds: this.owner.idleSeconds(this.facts),
      ...(this.facts.certificateArn === undefined ? {} : { certificateArn: this.facts.certificateArn }),
      ...(this.zonal.size === 0
        ? {}
        : { zonal: Object.fromEntries([...this.zonal].map(([address, { zone }]) => [zone, address])) }),
      ...(this.problem === undefined ? {} : { problem: this.problem }),
    };
  }

  stop(): Promise<void> {
    return this.close();
  }

  private get endsTls(): boolean {
    return ["SSL", "HTTPS", "TLS"].includes(this.facts.protocol);
  }

  private refreshTls(): string | undefined {
    if (!this.endsTls) {
      return undefined;
    }
    const { certificateArn, furtherCertificateArns = [], tlsPolicy } = this.facts;
    const [first, ...further] = [certificateArn ?? "", ...furtherCertificateArns].map((arn) =>
      this.owner.environment.certificate(arn),
    );
    if (first === undefined) {
      return `the certificate ${certificateArn ?? "(none)"} does not exist`;
    }
    const all = [first, ...further.filter((certificate) => certificate !== undefined)];
    const key = [tlsPolicy, ...all.flatMap((each) => [each.certificatePem, each.chainPem])].join("\n");
    if (key !== this.presentedKey) {
      try {
        this.presented = all.map((each) => presented(each, tlsPolicy));
        this.presentedKey = key;
      } catch (error) {
        return `the certificate ${certificateArn} cannot be used: ${(error as Error).message}`;
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

  /** Each interface's own address is one of this machine's, so that its ports are free. */
  private async openZonal(): Promise<void> {
    const nodes = new Map(this.owner.nodes().map((node) => [node.loopback, node]));
    for (const [address, { server }] of this.zonal) {
      if (!nodes.has(address)) {
        this.zonal.delete(address);
        server.close();
      }
    }
    for (const [address, node] of nodes) {
      if (this.zonal.has(address)) continue;
      const server = createServer(
        { allowHalfOpen: !this.endsTls, noDelay: true },
        (socket) => void this.serve(socket, node),
      );
      this.zonal.set(address, { server, zone: node.zone });
      await listens(server, this.facts.loadBalancerPort, address);
    }
  }

  private close(): Promise<void> {
    // Open connections live on; only `close` of the listening socket is waited for.
    this.server?.close();
    this.server = undefined;
    this.zonal.forEach(({ server }) => server.close());
    this.zonal.clear();
    return Promise.resolve();
  }

  private async serve(raw: Socket, entered?: ElbNode): Promise<void> {
    const { counters, environment } = this.owner;
    raw.on("error", () => raw.destroy());
    const source = environment.hostBehind(raw.remoteAddress ?? "");
    const node = entered ?? this.owner.nextNode(this.facts);
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
    const header = this.owner.header(this.facts, {
      sourceAddress: source.address,
      sourcePort: raw.remotePort ?? 0,
      destinationAddress: node.interface.address,
      destinationPort: this.facts.loadBalancerPort,
    });
    await this.forward(client, node, source.address, header);
  }

  private secured(raw: Socket): Promise<Socket | undefined> {
    const [first] = this.presented;
    if (!this.endsTls || first === undefined) {
      return Promise.resolve(raw);
    }
    const { presented } = this;
    return new Promise((resolve) => {
      const client = new TLSSocket(raw, {
        isServer: true,
        secureContext: first.context,
        SNICallback: (name, chosen) =>
          chosen(
            null,
            presented.find(({ certificate }) => certificate.checkHost(name) !== undefined)?.context ??
              first.context,
          ),
      });
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

  private async forward(
    client: Socket,
    node: ElbNode,
    clientAddress: string,
    header: string | Buffer | undefined,
  ): Promise<void> {
    const { counters, environment, facts } = this.owner;
    const failed = new Set<string>();
    for (let attempt = 0; attempt < this.owner.attempts && !client.destroyed; attempt++) {
      const instanceId = this.owner.nextInstance(this.facts, node, failed);
      if (instanceId === undefined) {
        break;
      }
      const backend = await this.connectBackend(instanceId, node, clientAddress);
      if (backend === undefined) {
        counters.backendFailures++;
        failed.add(instanceId);
        this.owner.missed(this.facts, instanceId);
        continue;
      }
      if (client.destroyed) {
        backend.destroy();
        return;
      }
      if (header !== undefined) {
        backend.write(header);
      }
      const idle = () => counters.idleTimeouts++;
      this.owner.adopt(
        new Flow(
          instanceId,
          this.facts.instancePort,
          client,
          backend,
          idle,
          this.owner.forgetsSilently && !this.endsTls,
        ),
        this.facts,
      );
      return;
    }
    const why =
      failed.size > 0 ? `${[...failed].join(", ")} did not take the connection` : "no instance is in service";
    environment.log(`${facts.name}: closed a client of listener ${this.facts.loadBalancerPort}: ${why}`);
    client.destroy();
  }

  private connectBackend(
    instanceId: string,
    node: ElbNode,
    clientAddress: string,
  ): Promise<Socket | undefined> {
    const { environment } = this.owner;
    const instance = environment.instance(instanceId);
    if (instance === undefined) {
      return Promise.resolve(undefined);
    }
    const source = this.owner.sourceOf(this.facts, node, clientAddress);
    if (!environment.network().judge(source, instance.interface, this.facts.instancePort).allowed) {
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
    const secure = ["SSL", "HTTPS", "TLS"].includes(this.facts.instanceProtocol);
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

function presented(certificate: CertificateFacts, tlsPolicy: string | undefined): Presented {
  return {
    context: createSecureContext({
      cert: [certificate.certificatePem, certificate.chainPem ?? ""].join("\n"),
      key: certificate.privateKeyPem,
      honorCipherOrder: true,
      ...tlsSettings(tlsPolicy),
    }),
    certificate: new X509Certificate(certificate.certificatePem),
  };
}

function listens(server: Server, port: number, address = host): Promise<boolean> {
  return new Promise((resolve) => {
    const fail = () => {
      server.removeListener("error", fail);
      resolve(false);
    };
    server.once("error", fail);
    server.listen({ port, host: address, backlog: 4096 }, () => {
      server.removeListener("error", fail);
      resolve(true);
    });
  });
}
