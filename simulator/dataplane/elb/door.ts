/** What load balancers have in common: listeners, the open connections of each instance, interfaces in zones. */
import { NetworkInterface } from "../reachability";
import { InstanceHealth, ListenerFacts } from "../regionView";
import { ProxiedConnection } from "../proxyProtocol";
import { Clocks, ElbCounters, ElbEnvironment, ElbNode } from "./environment";
import { Flow } from "./flow";
import { ElbListener, type Endpoint, type ListenerOwner } from "./listener";

interface DoorFacts {
  name: string;
  /** Its identity here: names are unique in one region only. */
  dnsName: string;
  listeners: ListenerFacts[];
}

export abstract class Door<Facts extends DoorFacts = DoorFacts> implements ListenerOwner {
  readonly counters: ElbCounters = {
    connections: 0,
    refusedByNetwork: 0,
    tlsFailures: 0,
    backendFailures: 0,
    idleTimeouts: 0,
  };
  abstract readonly attempts: number;
  abstract readonly hasZonalAddresses: boolean;
  abstract readonly forgetsSilently: boolean;
  private readonly listeners = new Map<number, ElbListener>();
  private readonly flows = new Map<string, Set<Flow>>();
  private nodeTurn = 0;

  constructor(
    public facts: Facts,
    readonly environment: ElbEnvironment,
  ) {}

  /** Takes over the load balancer's present description; called after every change in the region. */
  abstract update(facts: Facts): Promise<void>;
  abstract health(): Record<string, InstanceHealth & { lastProblem?: string }>;
  /** Instances that a client who enters there may get. */
  protected abstract eligible(node: ElbNode, listener: ListenerFacts): string[];
  abstract nextInstance(
    listener: ListenerFacts,
    node: ElbNode,
    except: ReadonlySet<string>,
  ): string | undefined;
  abstract header(listener: ListenerFacts, connection: ProxiedConnection): string | Buffer | undefined;
  abstract sourceOf(listener: ListenerFacts, node: ElbNode, clientAddress: string): NetworkInterface;
  abstract idleSeconds(listener: ListenerFacts): number;
  missed(_listener: ListenerFacts, _instanceId: string): void {}

  get clocks(): Clocks {
    return this.environment.clocks;
  }

  endpoints(): Endpoint[] {
    return [...this.listeners.values()].map((listener) => listener.endpoint());
  }

  openConnections(): number {
    return this.allFlows().length;
  }

  nodes(): ElbNode[] {
    return this.environment.nodesOf(this.facts);
  }

  /** The interface the next client reaches: its name resolves to all of them in turn that have somebody to serve. */
  nextNode(listener: ListenerFacts): ElbNode | undefined {
    const nodes = this.nodes();
    const serving = nodes.filter((node) => this.eligible(node, listener).length > 0);
    const pool = serving.length > 0 ? serving : nodes;
    return pool[this.nodeTurn++ % Math.max(1, pool.length)];
  }

  adopt(flow: Flow, listener: ListenerFacts): void {
    const flows = this.flows.get(flow.instanceId) ?? new Set<Flow>();
    this.flows.set(flow.instanceId, flows.add(flow));
    flow.onClose(() => {
      flows.delete(flow);
      if (flows.size === 0 && this.flows.get(flow.instanceId) === flows) {
        this.flows.delete(flow.instanceId);
      }
    });
    flow.setIdleTimeout(this.idleSeconds(listener) * 1000 * this.clocks.idle);
  }

  /** The instance has lost its power or its zone: what is open stays open, and nothing moves on it any more. */
  silence(instanceId: string): void {
    this.flowsOf(instanceId).forEach((flow) => flow.silence());
  }

  /** It is back, and knows nothing of the old connections: the next packet on them is answered with a reset. */
  unsilence(instanceId: string): void {
    this.flowsOf(instanceId).forEach((flow) => flow.closeIfSilent());
  }

  async stop(): Promise<void> {
    await Promise.all([...this.listeners.values()].map((listener) => listener.stop()));
    this.allFlows().forEach((flow) => flow.close());
  }

  protected allFlows(): Flow[] {
    return [...this.flows.values()].flatMap((flows) => [...flows]);
  }

  protected flowsOf(instanceId: string): Flow[] {
    return [...(this.flows.get(instanceId) ?? [])];
  }

  protected async updateListeners(): Promise<void> {
    const wanted = new Map(this.facts.listeners.map((listener) => [listener.loadBalancerPort, listener]));
    for (const [port, listener] of this.listeners) {
      if (!wanted.has(port)) {
        this.listeners.delete(port);
        await listener.stop();
      }
    }
    for (const [port, facts] of wanted) {
      let listener = this.listeners.get(port);
      if (listener === undefined) {
        listener = new ElbListener(this, facts);
        this.listeners.set(port, listener);
      }
      await listener.update(facts);
    }
  }
}
