/** The phases of a deployment's life under steady clients: what each of them meant for these, and for the cluster. */
import { setTimeout as sleep } from "node:timers/promises";
import Table from "cli-table3";
import type { Traffic } from "@emqx-aws/cli/drill/traffic";
import type { World } from "./world";
import { eventually } from "../waiting";

export interface PhaseCount {
  name: string;
  /** Until all was well again. */
  seconds: number;
  published: number;
  /** Published, and not acknowledged to the end. */
  unacknowledged: number;
  /** Acknowledged or not, no subscriber has them. */
  lostEverywhere: number;
  /** Of these, those of a time when a subscriber was connected. */
  lostWhileHeard: number;
  /** Of the copies for every subscriber, those that it has not. */
  copiesLost: number;
  copies: number;
  disconnections: number;
  /** The longest that a client was away, in milliseconds. */
  longestMs: number;
  newClients: number;
  newClientsRefused: Record<string, number>;
}

/** A client that is longer away than this has a problem of its own. */
const wellWithinSeconds = 60;
/** Until what was sent last has arrived. */
const arrivalMs = 2000;

export class Phases {
  readonly counts: PhaseCount[] = [];

  constructor(
    private readonly world: World,
    private readonly traffic: Traffic,
    private readonly subscribers: number,
  ) {}

  /** Does it, waits until everything and everybody is well again, and counts. */
  async during<T>(name: string, action: () => Promise<T>): Promise<[PhaseCount, T]> {
    const from = performance.now();
    const result = await action();
    await eventually(`${name}: all clients are back`, () => this.traffic.allConnected(), wellWithinSeconds);
    await eventually(`${name}: the cluster is well`, () => isWhole(this.world), wellWithinSeconds);
    const to = performance.now();
    await sleep(arrivalMs);
    const count = this.count(name, from, to);
    this.counts.push(count);
    return [count, result];
  }

  table(): string {
    const table = new Table({
      head: [
        ...["Phase", "Seconds", "QoS 1 messages", "Lost everywhere", "Copies missed"],
        ...["Disconnections", "Longest", "New clients let in"],
      ],
      style: { head: [], border: [], compact: true },
    });
    for (const count of this.counts) {
      const refused = Object.values(count.newClientsRefused).reduce((sum, one) => sum + one, 0);
      table.push([
        count.name,
        count.seconds.toFixed(0),
        count.published,
        count.lostEverywhere,
        `${count.copiesLost} of ${count.copies}`,
        count.disconnections,
        count.disconnections === 0 ? "–" : `${(count.longestMs / 1000).toFixed(2)} s`,
        `${count.newClients - refused} of ${count.newClients}`,
      ]);
    }
    return table.toString();
  }

  private count(name: string, from: number, to: number): PhaseCount {
    const [messages] = this.traffic.count({ from, to });
    if (messages === undefined) throw new Error("nobody publishes");
    const outages = this.traffic
      .lives()
      .flatMap((life) => life.outages)
      .filter((outage) => outage.from >= from && outage.from < to);
    const probes = this.traffic.newConnections().filter(({ at }) => at >= from && at < to);
    const newClientsRefused: Record<string, number> = {};
    for (const { error } of probes) {
      if (error !== undefined) newClientsRefused[error] = (newClientsRefused[error] ?? 0) + 1;
    }
    return {
      name,
      seconds: (to - from) / 1000,
      published: messages.published,
      unacknowledged: messages.unacknowledged,
      lostEverywhere: messages.lostEverywhere,
      lostWhileHeard: messages.lostWhileHeard,
      copiesLost: messages.lost,
      copies: messages.published * this.subscribers,
      disconnections: outages.length,
      longestMs: Math.max(0, ...outages.map((outage) => (outage.to ?? Infinity) - outage.from)),
      newClients: probes.length,
      newClientsRefused,
    };
  }
}

/** In service, in one cluster, and no member of it that is not there. */
async function isWhole(world: World): Promise<boolean> {
  if (!(await world.isWell())) return false;
  return (await world.region.machines()).every(({ emqx }) => emqx?.stopped.length === 0);
}
