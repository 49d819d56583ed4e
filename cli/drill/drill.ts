import { setTimeout as sleep } from "node:timers/promises";
import { during, UserError } from "../console";
import type { Session } from "../local/session";
import { runPulumi } from "../local/session";
import { argumentsFor, stackArguments } from "../local/stacks";
import { resolve } from "../smoke/checks";
import type { CheckContext } from "../smoke/checks";
import type { Credentials } from "../smoke/connection";
import type { SimulatedDeployment } from "../smoke/deployment";
import { addressesOf } from "../smoke/outputs";
import type { FirstMessage } from "../smoke/smoke";
import {
  credentialsOf,
  defaultKeepAliveSeconds,
  defaultMinimumDays,
  doorOf,
  firstMessage,
} from "../smoke/smoke";
import type { Fault, FaultName, FaultRun, Target } from "./faults";
import { faults } from "./faults";
import type { LevelCount, TrafficOptions } from "./traffic";
import { Traffic } from "./traffic";
import type { AlarmFact } from "./watch";
import { Watch } from "./watch";

interface DrillOptions {
  /** Which node it is done to; else the one that serves a publisher. */
  node?: number;
  /** How long the fault is watched. */
  seconds?: number;
  repair?: boolean;
  traffic?: TrafficOptions;
  /** By which the clients connect, instead of the built-in user. */
  account?: Credentials;
}

export interface ClientReport {
  name: string;
  nodeBefore?: string;
  nodeAfter?: string;
  /** Milliseconds after the fault. */
  lostAfter?: number;
  /** Missing where it was not back when the watch ended. */
  backAfter?: number;
  lastError?: string;
}

export interface DrillReport {
  fault: FaultName;
  stack: string;
  done: string;
  /** Milliseconds after the fault, and what happened. */
  timeline: { after: number; text: string }[];
  clients: ClientReport[];
  /** Copies for this many subscribers are counted. */
  subscribers: number;
  messages: LevelCount[];
  newConnections: { attempts: number; failures: Record<string, number> };
  alarms: (Omit<AlarmFact, "since"> & { after?: number })[];
  repair: string[];
  /** With `repair`: how it went. */
  repaired?: { how: string; seconds: number; well: boolean; lines: string[] };
}

const warmUpMs = 1500;
const wellWithinMs = 60_000;

export async function drill(
  session: Session,
  deployment: SimulatedDeployment,
  name: FaultName,
  { node, seconds = 12, repair = false, traffic: trafficOptions, account }: DrillOptions = {},
): Promise<DrillReport> {
  const { region, outputs } = deployment;
  const traffic = await startTraffic(deployment, trafficOptions, account);
  const nodeNames = new Map(
    (outputs.instanceIds ?? []).map((id, index) => [id, outputs.nodeNames?.[index] ?? id]),
  );
  const watch = new Watch(region, outputs.loadBalancerDnsName ?? "", nodeNames);
  try {
    await watch.start();
    await sleep(warmUpMs);
    const before = await deployment.inside.nodesOfClients();
    const target = await chooseTarget(
      deployment,
      node,
      before?.get(traffic.lives().find(isPublisher)?.id ?? ""),
    );
    const fault: Fault = faults[name];
    const start = performance.now();
    const run = await fault.inject(deployment, target);
    await sleep(seconds * 1000);
    await traffic.settle();
    const after = await deployment.inside.nodesOfClients();
    const report = describe(name, deployment.stack, run, start, traffic, watch, before, after);
    if (repair) report.repaired = await putRight(session, deployment, run, watch, account);
    return report;
  } finally {
    watch.stop();
    await traffic.end();
  }
}

/** Clients at the deployment's best address. */
export async function startTraffic(
  deployment: SimulatedDeployment,
  options?: TrafficOptions,
  account?: Credentials,
): Promise<Traffic> {
  const [address] = addressesOf(deployment.outputs);
  if (address === undefined) throw new UserError(`stack ${deployment.stack} has no address for clients`);
  const credentials = await credentialsOf(deployment, account);
  const context: CheckContext = {
    ...{ deployment, credentials, thorough: false },
    ...{ keepAliveSeconds: defaultKeepAliveSeconds, minimumDays: defaultMinimumDays },
  };
  const door = await doorOf(context, address, await resolve(context, address));
  try {
    return await Traffic.start(door, credentials, options);
  } catch (error) {
    throw new UserError(
      `the drill's clients cannot connect, so there is nothing to see: ${(error as Error).message}\n` +
        `What is wrong: npm run smoke -- -s ${deployment.stack}. What an earlier drill broke: npm run drill -- repair -s ${deployment.stack}`,
    );
  }
}

function isPublisher({ name }: { name: string }): boolean {
  return name.startsWith("publisher");
}

async function chooseTarget(
  { region, outputs, stack }: SimulatedDeployment,
  node: number | undefined,
  busy: string | undefined,
): Promise<Target> {
  const ids = outputs.instanceIds ?? [];
  const index = node ?? Math.max(0, outputs.nodeNames?.indexOf(busy ?? "") ?? 0);
  const instanceId = ids[index];
  if (instanceId === undefined) {
    throw new UserError(`stack ${stack} has no node ${index}; it has 0 to ${ids.length - 1}`);
  }
  const machine = (await region.machines()).find((candidate) => candidate.instanceId === instanceId);
  if (machine === undefined) throw new UserError(`node ${index} (${instanceId}) does not run`);
  return { instanceId, node: index, zone: machine.zone, nodeName: outputs.nodeNames?.[index] ?? instanceId };
}

function describe(
  fault: FaultName,
  stack: string,
  run: FaultRun,
  start: number,
  traffic: Traffic,
  watch: Watch,
  before: ReadonlyMap<string, string> | undefined,
  after: ReadonlyMap<string, string> | undefined,
): DrillReport {
  const since = (at: number) => Math.round(at - start);
  const lives = traffic.lives().map((life) => {
    const outages = life.outages.filter(({ to }) => to === undefined || to > start);
    return { life, first: outages[0], last: outages.at(-1) };
  });
  const clients = lives.map(({ life, first, last }): ClientReport => {
    const [nodeBefore, nodeAfter] = [before?.get(life.id), after?.get(life.id)];
    return {
      name: life.name,
      ...(nodeBefore !== undefined && { nodeBefore }),
      ...(nodeAfter !== undefined && { nodeAfter }),
      ...(first && { lostAfter: since(first.from) }),
      ...(last?.to !== undefined && { backAfter: since(last.to) }),
      ...(first && life.lastError !== undefined && { lastError: life.lastError }),
    };
  });
  const probes = traffic.newConnections().filter(({ at }) => at >= start);
  const failures: Record<string, number> = {};
  for (const { error } of probes) if (error !== undefined) failures[error] = (failures[error] ?? 0) + 1;
  const moments = [
    { at: start, text: run.done },
    ...watch.observations.filter(({ at }) => at >= start),
    ...lives.flatMap(({ life }) =>
      life.outages
        .filter(({ from }) => from >= start)
        .flatMap(({ from, to }) => [
          { at: from, text: `${life.name} loses its connection` },
          ...(to === undefined ? [] : [{ at: to, text: `${life.name} is back` }]),
        ]),
    ),
  ];
  return {
    ...{ fault, stack, done: run.done, clients },
    timeline: moments.sort((a, b) => a.at - b.at).map(({ at, text }) => ({ after: since(at), text })),
    subscribers: lives.filter(({ life }) => !isPublisher(life)).length,
    messages: traffic.count(),
    newConnections: { attempts: probes.length, failures },
    alarms: watch.facts().map(({ metric, value, since: at }) => ({
      ...{ metric, value },
      ...(at !== undefined && { after: since(at) }),
    })),
    repair: run.repair,
  };
}

/** Undoes the fault, or lets Pulumi find and repair what changed behind its back; then proves it. */
async function putRight(
  session: Session,
  deployment: SimulatedDeployment,
  { undo }: FaultRun,
  watch: Watch,
  account: Credentials | undefined,
): Promise<NonNullable<DrillReport["repaired"]>> {
  const started = Date.now();
  await (undo?.() ?? refreshAndUp(session, deployment.stack));
  const well = await becomesWell(watch);
  const message: FirstMessage = await firstMessage(deployment, account);
  return {
    how: undo === undefined ? "refresh and up" : "the fault was taken back",
    seconds: Math.round((Date.now() - started) / 100) / 10,
    well: well && message.passed,
    lines: message.failure ? [message.failure.detail] : message.lines,
  };
}

async function becomesWell(watch: Watch): Promise<boolean> {
  for (const deadline = Date.now() + wellWithinMs; Date.now() < deadline; await sleep(200)) {
    if (await watch.isWell()) return true;
  }
  return false;
}

export async function refreshAndUp(session: Session, stack: string): Promise<void> {
  const on = stackArguments(session.surroundings, stack);
  if (on === undefined) {
    const there = argumentsFor(session.surroundings, stack);
    throw new UserError(
      `put stack ${stack} right where its program is: npm run refresh -- ${there}; npm run up -- ${there}`,
    );
  }
  for (const command of ["refresh", "up"]) {
    const args = [command, "--yes", "--skip-preview", ...on];
    const run = runPulumi(session, args, { capture: "all" });
    const { exitCode, stdout, stderr } = await during(session.speaker, `pulumi ${command}`, run);
    if (exitCode !== 0) throw new UserError(`pulumi ${command} failed:\n${stdout}\n${stderr}`);
  }
}
