/**
 * Node evacuation as EMQX's node_rebalance does it: first the load balancers get time to notice, then clients are sent
 * away at a rate, then they get time to take their sessions along, then the sessions that are left move to other nodes.
 * The node goes on refusing connections until the evacuation is stopped.
 */

export interface EvacuationOptions {
  /** Connections closed per second (`--conn-evict-rate`). Default: 500. */
  connEvictRate?: number;
  /** Sessions moved per second (`--sess-evict-rate`). Default: 500. */
  sessEvictRate?: number;
  /** Seconds before clients are sent away, while load balancers find out (`--wait-health-check`). Default: 60. */
  waitHealthCheck?: number;
  /** Seconds for clients to take their sessions along (`--wait-takeover`). Default: 60. */
  waitTakeover?: number;
  /** Names of the nodes that get the sessions that are left (`--migrate-to`). Default: all running ones. */
  migrateTo?: string[];
}

export type EvacuationState =
  "waiting_health_check" | "evicting_conns" | "waiting_takeover" | "evicting_sessions" | "prohibiting";

/** As `GET /api/v5/load_rebalance/status` answers. */
export type EvacuationStatus =
  | { status: "disabled" }
  | {
      status: "enabled";
      process: "evacuation";
      /** `prohibiting` is the last: nothing is left on the node, and nobody is let in. */
      state: EvacuationState;
      connection_eviction_rate: number;
      session_eviction_rate: number;
      connection_goal: 0;
      session_goal: 0;
      session_recipients: string[];
      stats: {
        initial_connected: number;
        current_connected: number;
        initial_sessions: number;
        current_sessions: number;
      };
    };

/** The node that is evacuated. */
interface EvacuatedNode {
  connections(): number;
  /** Sessions of present and absent clients. */
  sessions(): number;
  /** Whether new connections are refused. */
  turnAway(refuse: boolean): void;
  evictConnections(count: number): Promise<void>;
  /** Moves so many sessions to these nodes. */
  evictSessions(count: number, nodes: string[]): Promise<void>;
  otherNodes(): string[];
  log(line: string): void;
}

type Chosen = Required<Omit<EvacuationOptions, "migrateTo">> & Pick<EvacuationOptions, "migrateTo">;

const defaults = { connEvictRate: 500, sessEvictRate: 500, waitHealthCheck: 60, waitTakeover: 60 };
/** Seconds until it is tried again when no other node runs. */
const withoutNodesSeconds = 30;

/** What is wrong with the options, in the words of `emqx ctl rebalance start`. */
export function evacuationProblems(options: EvacuationOptions): string[] {
  const flags = {
    connEvictRate: "--conn-evict-rate",
    sessEvictRate: "--sess-evict-rate",
    waitHealthCheck: "--wait-health-check",
    waitTakeover: "--wait-takeover",
  } as const;
  return Object.entries(flags)
    .filter(([name]) => {
      const value = options[name as keyof typeof flags];
      return value !== undefined && !(Number.isInteger(value) && value > 0);
    })
    .map(([, flag]) => `invalid ${flag} value`);
}

export class Evacuation {
  private state: EvacuationState;
  private readonly options: Chosen;
  private readonly initial: { connections: number; sessions: number };
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  /** `resumed` when the node was restarted meanwhile: it refuses connections from its first moment. */
  constructor(
    private readonly node: EvacuatedNode,
    options: EvacuationOptions,
    private readonly secondMs: number,
    resumed = false,
  ) {
    this.options = { ...defaults, ...options };
    this.initial = { connections: node.connections(), sessions: node.sessions() };
    if (resumed) {
      this.state = "evicting_conns";
      node.turnAway(true);
      node.log("Node evacuation is enabled. The node will not receive connections.");
      this.after(0);
    } else {
      this.state = "waiting_health_check";
      this.after(this.options.waitHealthCheck);
    }
  }

  status(): EvacuationStatus {
    return {
      status: "enabled",
      process: "evacuation",
      state: this.state,
      connection_eviction_rate: this.options.connEvictRate,
      session_eviction_rate: this.options.sessEvictRate,
      connection_goal: 0,
      session_goal: 0,
      session_recipients: this.recipients(),
      stats: {
        initial_connected: this.initial.connections,
        current_connected: this.node.connections(),
        initial_sessions: this.initial.sessions,
        current_sessions: this.node.sessions(),
      },
    };
  }

  /** Ends it; `letIn` unless the node itself stops, so that new connections are welcome again. */
  stop(letIn: boolean): void {
    this.stopped = true;
    clearTimeout(this.timer);
    if (letIn) {
      this.node.turnAway(false);
    }
  }

  private recipients(): string[] {
    const others = this.node.otherNodes();
    return others.filter((name) => this.options.migrateTo?.includes(name) ?? true);
  }

  private after(seconds: number): void {
    this.timer = setTimeout(() => void this.goOn(), seconds * this.secondMs);
  }

  private async goOn(): Promise<void> {
    let wait: number | undefined = 1;
    try {
      wait = await this.step();
    } catch (error) {
      this.node.log(`evacuation: ${(error as Error).message}`);
    }
    if (wait !== undefined && !this.stopped) {
      this.after(wait);
    }
  }

  /** Does what is to be done now; answers with the seconds until the next step, if there is one. */
  private async step(): Promise<number | undefined> {
    const { node, options } = this;
    switch (this.state) {
      case "waiting_health_check":
        node.turnAway(true);
        this.state = "evicting_conns";
        return 0;
      case "evicting_conns":
        if (node.connections() > 0) {
          await node.evictConnections(options.connEvictRate);
          return 1;
        }
        this.state = "waiting_takeover";
        return options.waitTakeover;
      case "waiting_takeover":
        this.state = "evicting_sessions";
        return 0;
      case "evicting_sessions": {
        if (node.sessions() === 0) {
          this.state = "prohibiting";
          node.log("node evacuation: no connection and no session is left");
          return undefined;
        }
        const nodes = this.recipients();
        if (nodes.length === 0) {
          node.log(`no nodes to evacuate ${node.sessions()} sessions to`);
          return withoutNodesSeconds;
        }
        await node.evictSessions(options.sessEvictRate, nodes);
        return 1;
      }
      case "prohibiting":
        return undefined;
    }
  }
}
