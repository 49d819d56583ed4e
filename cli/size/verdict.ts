/** What a proposal amounts to: how full each limit is, what breaks first, what nobody has tried, what it costs. */
import { hoursPerMonth, instanceHour, pricesFor } from "../cost/prices";
import { addressesNeeded, connectsPerSecond, reconnectsPerSecond } from "./explain";
import type { SizeInput } from "./input";
import { assumedValues, tried, triedOnNodes } from "./numbers";
import type { Limit, Proposal } from "./size";
import { short, whole } from "./words";

/** A proposal keeps the limits of its nodes; those of the load balancer are AWS's to keep. */
export interface Used extends Limit {
  share: number;
  isKept: boolean;
  /** What is available is what somebody has tried, and may not be all that there is. */
  isTried: boolean;
}

/** Every limit while one node is down, the fullest first. */
export function usedOf(input: SizeInput, { limits, machine, needs }: Proposal): Used[] {
  const assumed = assumedValues(input.assume);
  const all = [
    ...limits.map((limit) => ({ ...limit, isTried: false })),
    {
      what: "load balancer's source ports",
      unit: "addresses",
      needed: addressesNeeded(input, needs.connections),
      available: assumed.loadBalancerAddresses,
      isTried: false,
    },
    {
      what: "new connections after a loss",
      unit: "a second",
      needed: reconnectsPerSecond(input, needs.nodes),
      available: connectsPerSecond(machine, needs.survivors),
      isTried: true,
    },
  ];
  return all
    .map((limit) => ({
      ...limit,
      share: limit.needed / limit.available,
      isKept: limit.needed <= limit.available,
    }))
    .sort((a, b) => b.share - a.share);
}

/** What a proposal comes to, in one sentence: whether it carries what is asked, and if not yet, what else that needs. */
export function verdictOf(used: readonly Used[]): { carries: boolean; text: string } {
  const broken = used.filter(({ isKept, isTried }) => !isKept && !isTried);
  const untried = used.filter(({ isKept, isTried }) => !isKept && isTried);
  const amount = ({ what, needed, available, unit }: Used) =>
    `${what} (${short(needed)} of ${short(available)} ${unit})`;
  const beyond =
    untried.length > 0 ? ` Nobody is known to have tried as many ${untried.map(amount).join(" and ")}.` : "";
  return {
    carries: broken.length === 0,
    text:
      (broken.length === 0
        ? "It carries it while one of its nodes is down."
        : `Its nodes carry it while one of them is down, but not as it is: what breaks first, and must be seen to ` +
          `before, is ${broken.map(amount).join(" and ")}; see below.`) + beyond,
  };
}

/** Where the result goes beyond what anybody has published. */
export function extrapolations(input: SizeInput, proposal: Proposal): string[] {
  const { needs, nodes } = proposal;
  const perNode = needs.messages / needs.survivors;
  const beyond = (value: number, limit: { value: number; where: string }, what: string) =>
    value > limit.value ? [`${what}: published are ${limit.where}.`] : [];
  return [
    ...nodeExtrapolation(proposal),
    ...beyond(nodes, tried.coreNodes, `${nodes} core nodes`),
    ...beyond(perNode, tried.messagesPerNode, `${whole(perNode)} messages a second on a node`),
    ...beyond(input.payloadBytes, tried.payloadBytes, `Payloads of ${whole(input.payloadBytes)} bytes`),
    ...(needs.messages > 0
      ? [`Message rates of a cluster: published are those of one node; clusterFactor is a guess.`]
      : []),
    `MQTT through a Classic ELB: no published number is known. EMQ's own tests went to the nodes, or through an NLB.`,
  ];
}

/** A machine is compared with tests on machines that have no more of anything. */
function nodeExtrapolation({ machine, needs }: Proposal): string[] {
  const { vCpus, memoryGiB } = machine;
  const what = `${whole(needs.connections)} connections on a node of ${vCpus} vCPU and ${memoryGiB} GiB`;
  const [most] = triedOnNodes
    .filter((test) => test.vCpus <= vCpus && test.memoryGiB <= memoryGiB)
    .sort((a, b) => b.connections - a.connections);
  if (!most) return [`${what}: no test on a machine that small was published.`];
  return needs.connections > most.connections
    ? [`${what}: on machines no larger, published is ${whole(most.connections)} a node, in ${most.where}.`]
    : [];
}

export interface Bill {
  region: string;
  areOwnPrices: boolean;
  /** US dollars a month; undefined where the type has no price. */
  instances: number | undefined;
  loadBalancerGB: number;
  loadBalancer: number;
  internetGB: number;
  internet: number;
  betweenNodesGB: number;
  betweenZones: number;
}

/** What grows with the size; what is always there is in `npm run cost`. */
export function billOf(input: SizeInput, { machine, nodes, needs }: Proposal): Bill {
  const { prices, region, areOwn } = pricesFor(input.region);
  const hour = instanceHour(prices, machine.type);
  const { fromClients, toClients, betweenNodes } = needs.traffic;
  const loadBalancerGB = gbPerMonth(fromClients + toClients);
  const internetGB = gbPerMonth(toClients);
  const betweenNodesGB = gbPerMonth(betweenNodes);
  return {
    region,
    areOwnPrices: areOwn,
    instances: hour === undefined ? undefined : nodes * hour * hoursPerMonth,
    loadBalancerGB,
    loadBalancer: loadBalancerGB * prices.classicElbGB,
    internetGB,
    internet: internetGB * prices.internetGB,
    betweenNodesGB,
    // Charged where it leaves and where it arrives.
    betweenZones: 2 * betweenNodesGB * prices.betweenZonesGB,
  };
}

function gbPerMonth(bytesPerSecond: number): number {
  return (bytesPerSecond * hoursPerMonth * 3600) / 1e9;
}

/** The lines for Pulumi.<stack>.yaml. */
export function settingsOf(input: SizeInput, { machine, nodes, dataVolumeSizeGiB }: Proposal) {
  return {
    nodeCount: nodes,
    instance: { type: machine.type },
    dataVolume: { sizeGiB: dataVolumeSizeGiB },
    keepAliveSeconds: input.keepAliveSeconds,
    listeners: [input.tls ? "Mqtts" : "Mqtt"],
  };
}
