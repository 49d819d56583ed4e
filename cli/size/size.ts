/** How many nodes of which type carry what is asked, also while one of them is down. Pure. */
import { instanceHour, pricesFor } from "../cost/prices";
import type { SizeInput } from "./input";
import { largestVolumeGiB, smallestVolumeGiB } from "./limits";
import type { Machine } from "./machines";
import { findMachine, machines, proposedFamilies } from "./machines";
import type { Assumed } from "./numbers";
import { assumedValues, mostProposedNodes, published } from "./numbers";
import type { Traffic } from "./traffic";
import { trafficOf } from "./traffic";

const kib = 1024;
const gib = 1024 ** 3;

/** What each node has to carry while one of `nodes` is down. */
export interface Needs {
  nodes: number;
  survivors: number;
  connections: number;
  connectionsGiB: number;
  /** What is retained, and users: every node has all of it, in memory too. */
  dataGiB: number;
  memoryGiB: number;
  /** Of all nodes together. */
  messages: number;
  pings: number;
  messagesPerVcpu: number;
  messageVcpus: number;
  pingVcpus: number;
  vCpus: number;
  traffic: Traffic;
  gbps: number;
  sockets: number;
  processes: number;
}

export function needsOf(input: SizeInput, nodes: number): Needs {
  const assumed = assumedValues(input.assume);
  const survivors = nodes - 1;
  const connections = Math.ceil(input.connections / survivors);
  const connectionsGiB = (connections * assumed.memoryPerConnectionKiB * kib) / gib;
  const dataGiB = dataBytes(input, assumed) / gib;
  const messages = input.rate * (1 + input.fanOut);
  const pings = input.connections / input.keepAliveSeconds;
  const messagesPerVcpu = messagesPerVcpuOf(input, assumed);
  const messageVcpus = messages / survivors / messagesPerVcpu;
  const pingVcpus = pings / survivors / (published.pingsPerVcpu.value * cpuShare);
  const traffic = trafficOf(input, assumed, survivors);
  return {
    nodes,
    survivors,
    connections,
    connectionsGiB,
    dataGiB,
    memoryGiB: assumed.memoryBaseGiB + connectionsGiB + dataGiB,
    messages,
    pings,
    messagesPerVcpu,
    messageVcpus,
    pingVcpus,
    vCpus: messageVcpus + pingVcpus,
    traffic,
    gbps: ((Math.max(traffic.toNodes, traffic.fromNodes) + traffic.betweenNodes) * 8) / 1e9 / survivors,
    sockets: connections + assumed.reservedPorts,
    processes: connections * published.processesPerConnection.value + assumed.reservedPorts,
  };
}

/** The published message rates are those at 75 % CPU; pings are planned for the same. */
export const cpuShare = 0.75;

function messagesPerVcpuOf({ qos, payloadBytes }: SizeInput, assumed: Assumed): number {
  const single = [
    published.messagesPerVcpuQos0,
    published.messagesPerVcpuQos1,
    published.messagesPerVcpuQos2,
  ];
  const payload = payloadBytes > kib ? published.largePayloadFactor.value : 1;
  return single[qos]!.value * assumed.clusterFactor * payload;
}

function dataBytes({ retained, users, payloadBytes }: SizeInput, assumed: Assumed): number {
  return retained * (payloadBytes + assumed.recordBytes) + users * assumed.recordBytes;
}

/** How much of something is there, and how much of it is needed while one node is down. */
export interface Limit {
  what: string;
  unit: string;
  needed: number;
  available: number;
}

/** The limits of a node that a proposal keeps. */
function nodeLimits(machine: Machine, needs: Needs, assumed: Assumed): Limit[] {
  const usable = (of: number, percent: number) => (of * percent) / 100;
  const limits: [what: string, unit: string, needed: number, available: number][] = [
    ["memory", "GiB", needs.memoryGiB, usable(machine.memoryGiB, assumed.memoryPercent)],
    ["processor", "vCPU", needs.vCpus, machine.vCpus * machine.cpuShare],
    ["bandwidth", "Gbps", needs.gbps, usable(machine.gbps, assumed.bandwidthPercent)],
    ["connections of the listener", "", needs.connections, published.maxConnections.value],
    ["sockets of EMQX", "", needs.sockets, published.maxPorts.value],
    ["file descriptors", "", needs.sockets, published.openFiles.value],
    ["Erlang processes", "", needs.processes, published.processLimit.value],
  ];
  return limits.map(([what, unit, needed, available]) => ({ what, unit, needed, available }));
}

export interface Proposal {
  machine: Machine;
  nodes: number;
  dataVolumeSizeGiB: number;
  needs: Needs;
  limits: Limit[];
}

type Sizing = { proposal: Proposal; problems: [] } | { proposal?: undefined; problems: string[] };

/**
 * The fewest nodes that any known type can carry it with, and of those types the cheapest: EMQX advises three core nodes,
 * so machines grow before nodes become more. The input must have no problems.
 */
export function size(input: SizeInput): Sizing {
  const dataVolumeSizeGiB = volumeFor(input);
  if (dataVolumeSizeGiB > largestVolumeGiB) {
    return {
      problems: [
        `--retained, --users: they need a data volume of ${dataVolumeSizeGiB.toLocaleString("en-US")} GiB; ` +
          `the largest is ${largestVolumeGiB.toLocaleString("en-US")} GiB`,
      ],
    };
  }
  const counts = input.nodes === undefined ? oddCounts : [input.nodes];
  const candidates = candidatesFor(input);
  for (const nodes of counts) {
    const proposal = candidates
      .map((machine) => proposalOf(input, machine, nodes, dataVolumeSizeGiB))
      .find(({ limits }) => limits.every(isKept));
    if (proposal) return { proposal, problems: [] };
  }
  return { problems: tooMuch(input, candidates.at(-1)!, counts.at(-1)!, dataVolumeSizeGiB) };
}

export function proposalOf(
  input: SizeInput,
  machine: Machine,
  nodes: number,
  dataVolumeSizeGiB = volumeFor(input),
): Proposal {
  const needs = needsOf(input, nodes);
  const limits = nodeLimits(machine, needs, assumedValues(input.assume));
  return { machine, nodes, dataVolumeSizeGiB, needs, limits };
}

export function isKept({ needed, available }: Limit): boolean {
  return needed <= available;
}

const oddCounts = Array.from({ length: (mostProposedNodes - 1) / 2 }, (_, i) => 3 + 2 * i);

/** The cheapest first. */
function candidatesFor({ instanceType, region }: SizeInput): Machine[] {
  if (instanceType !== undefined) return [findMachine(instanceType)!];
  const { prices } = pricesFor(region);
  const price = ({ type }: Machine) => instanceHour(prices, type) ?? Infinity;
  return machines
    .filter(({ type }) => proposedFamilies.includes(type.split(".")[0]!))
    .sort((a, b) => price(a) - price(b));
}

/** Memory and disk beside each other: what is kept, times what the disk needs beyond it, a fifth of it free. */
function volumeFor(input: SizeInput): number {
  const assumed = assumedValues(input.assume);
  const full = (dataBytes(input, assumed) * assumed.diskFactor) / gib;
  return Math.max(smallestVolumeGiB, Math.ceil(full / (1 - freeDisk) / 10) * 10);
}

export const freeDisk = 0.2;

function tooMuch(input: SizeInput, machine: Machine, nodes: number, volumeGiB: number): string[] {
  const { limits } = proposalOf(input, machine, nodes, volumeGiB);
  const lacking = limits
    .filter((limit) => !isKept(limit))
    .map(({ what, unit, needed, available }) =>
      `${what} ${rounded(needed)} of ${rounded(available)} ${unit}`.trim(),
    );
  const advice =
    input.instanceType === undefined && input.nodes === undefined
      ? "divide the clients among several clusters"
      : "give more --nodes, a larger --instance-type, or leave both out";
  return [`${nodes} × ${machine.type} cannot carry it while one is down (${lacking.join("; ")}): ${advice}`];
}

function rounded(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: value < 100 ? 1 : 0 });
}
