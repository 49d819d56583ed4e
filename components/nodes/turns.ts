/**
 * Who waits for whom while nodes are created and replaced. Nodes that were there before go one batch at a time, so that those
 * that serve are spared. New nodes come side by side, once the others have had their turn.
 *
 * That is decided by what runs in AWS when an update begins, and not by what the program or its state remember: a first
 * deployment that was cut off goes on where it stopped, and a node that has lost its instance is no surprise.
 */
import * as pulumi from "@pulumi/pulumi";
import { getInstances } from "@pulumi/aws/ec2";
import { getParameter } from "@pulumi/aws/ssm";
import { promiseOf } from "../shared/promiseOf";
import type { Waits } from "./readiness";
import { standingOf, type Standing } from "./reports";

/** A turn begins when every node of the one before is ready. Nodes by their numbers. */
export function turnsOf(standings: readonly Standing[], batchSize: number): number[][] {
  const all = standings.map((_, number) => number);
  if (!standings.includes("serving") || batchSize >= all.length) return [all];
  // By their numbers, whether they serve or not: a node's place among the others is in its dependencies, too.
  const old = all.filter((number) => standings.slice(number).some((standing) => standing !== "new"));
  return [...batches(old, batchSize), all.slice(old.length)].filter((turn) => turn.length > 0);
}

function batches<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, k) =>
    list.slice(k * size, (k + 1) * size),
  );
}

/** A node, by what stays of it. */
export interface Place {
  networkInterfaceId: string;
  privateIp: string;
  /** The name of the parameter in which it reports itself ready. */
  parameterName: string;
}

/** What a node that has its turn tells those after it. */
interface Taking {
  ready: pulumi.Output<void>;
  /** The attachment of its data volume, whose removal stops it. */
  data: pulumi.Resource;
}

/**
 * How many new nodes at most wait for their volumes, which are attached one after the other: enough that there is always one
 * whose instance runs by then, and few enough that no boot waits long.
 */
const longestQueue = 4;

/** The turns of one cluster's nodes. At preview nothing waits, and AWS is not asked. */
export class Turns {
  private readonly turns: Promise<number[][]>;
  private readonly nodes: Taking[] = [];
  private readonly whenReady = new Map<number[], Promise<unknown>>();

  constructor(
    parent: pulumi.Resource,
    places: pulumi.Output<Place>[],
    private readonly batchSize: number,
    private readonly waits: Waits,
  ) {
    this.turns = pulumi.runtime.isDryRun()
      ? Promise.resolve([])
      : promiseOf(pulumi.all(places))
          .then((known) => standingsOf(parent, known))
          .then((standings) => {
            warnOfDown(parent, standings);
            return turnsOf(standings, batchSize);
          });
  }

  add<T extends Taking>(node: T): T {
    this.nodes.push(node);
    return node;
  }

  /**
   * What an instance depends on, so that it comes after these resources and in its turn. Only time separates the instances:
   * their dependencies are the same at every run.
   */
  inTurn(number: number, resources: pulumi.Resource[]): pulumi.Input<pulumi.Resource>[] {
    const [any] = resources;
    if (pulumi.runtime.isDryRun() || any === undefined) return resources;
    // A promise in a list, which the SDK awaits as it is. It searches the value of every output for unknowns, and from one
    // resource it comes to all of the program.
    return [...resources, Promise.race([this.begins(number).then(() => any), this.waits.failure])];
  }

  private async begins(number: number): Promise<void> {
    const turns = await this.turns;
    const before = turns[turns.findIndex((turn) => turn.includes(number)) - 1];
    if (before !== undefined) await this.ready(before);
    const ahead = this.nodes[number - longestQueue * this.batchSize];
    if (ahead !== undefined) await promiseOf(ahead.data.urn);
  }

  private ready(turn: number[]): Promise<unknown> {
    const known = this.whenReady.get(turn) ?? promiseOf(pulumi.all(turn.map((n) => this.nodes[n]?.ready)));
    this.whenReady.set(turn, known);
    return known;
  }

  /**
   * What the attachment of a node's volume depends on. What is deleted goes the other way round, so nodes stop one batch at a time,
   * the last ones first.
   */
  stoppedAfter(number: number): pulumi.Resource[] {
    const first = number - (number % this.batchSize);
    return this.nodes.slice(Math.max(0, first - this.batchSize), first).map(({ data }) => data);
  }
}

/** A change takes nodes before a node that is down out of service while it is down. */
function warnOfDown(parent: pulumi.Resource, standings: readonly Standing[]): void {
  const down = standings.flatMap((standing, number) => (standing === "down" ? [number] : []));
  if (down.length > 0 && standings.includes("serving")) {
    void pulumi.log.warn(
      `not ready when this update began: node ${down.join(", node ")}. A change replaces nodes by their numbers, so those before may ` +
        "be out of service, too; pulumi up --replace with a node's URN, before the change, mends it first",
      parent,
    );
  }
}

/** What runs of these nodes. What cannot be told counts as serving: that is slower, and takes nobody down. */
async function standingsOf(parent: pulumi.Resource, places: readonly Place[]): Promise<Standing[]> {
  const options = { parent, async: true };
  const running = async (name: string, values: string[]) => {
    if (values.length === 0) return { ids: [], privateIps: [] };
    const filters = [{ name, values }];
    return getInstances({ filters, instanceStateNames: ["pending", "running"] }, options);
  };
  const reports = await Promise.all(
    places.map(({ parameterName: name }) =>
      getParameter({ name }, options).then(
        ({ insecureValue }) => insecureValue,
        () => undefined,
      ),
    ),
  );
  try {
    const interfaces = places.map(({ networkInterfaceId }) => networkInterfaceId);
    // A node that gets another interface in this very update serves at the old one: hence by what was reported, too.
    const [there, reported] = await Promise.all([
      running("network-interface.network-interface-id", interfaces),
      running(
        "instance-id",
        reports.flatMap((report) => /^i-\w+$/.exec(report ?? "") ?? []),
      ),
    ]);
    const addresses = new Set(there.privateIps);
    return places.map(({ privateIp }, n) =>
      standingOf(reports[n], reported.ids ?? [], addresses.has(privateIp)),
    );
  } catch {
    return places.map(() => "serving");
  }
}
