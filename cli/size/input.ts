/** What is asked of a cluster, and what can be wrong with the question. */
import { grouped } from "../review/change/values";
import { longestKeepAlive, mostNodes } from "./limits";
import { findMachine, machines } from "./machines";
import type { Assumed, AssumptionName } from "./numbers";
import { assumptions, mostConnections } from "./numbers";

export interface SizeInput {
  /** Clients that are connected at the same time. */
  connections: number;
  /** Messages a second that all clients together publish. */
  rate: number;
  payloadBytes: number;
  /** 0, 1 or 2. */
  qos: number;
  keepAliveSeconds: number;
  /** Whether clients come by TLS, which ends at the load balancer. */
  tls: boolean;
  /** How many clients get a message, on average. */
  fanOut: number;
  /** Retained messages that are kept. */
  retained: number;
  /** MQTT users in EMQX's own database. */
  users: number;
  instanceType?: string;
  nodes?: number;
  /** Whose prices to show. */
  region: string;
  assume: Partial<Assumed>;
}

export const defaultInput: Omit<SizeInput, "connections" | "rate"> = {
  payloadBytes: 256,
  qos: 1,
  keepAliveSeconds: 300,
  tls: true,
  fanOut: 1,
  retained: 0,
  users: 1,
  region: "eu-west-1",
  assume: {},
};

/** A packet of EMQX is at most 1 MB, unless mqtt.max_packet_size says otherwise. */
const largestPayload = 1_000_000;

/** Everything that is wrong with the question, one line each: the option, its value, what is allowed. */
export function inputProblems(input: SizeInput): string[] {
  const { connections, nodes, instanceType, assume } = input;
  return [
    ...rangeProblems("--connections", connections, 1, mostConnections, true),
    ...rangeProblems("--rate", input.rate, 0, 100_000_000),
    ...rangeProblems("--payload", input.payloadBytes, 0, largestPayload, true),
    ...rangeProblems("--qos", input.qos, 0, 2, true),
    ...rangeProblems("--keep-alive", input.keepAliveSeconds, 1, longestKeepAlive, true),
    ...rangeProblems("--fan-out", input.fanOut, 0, Math.max(1, connections || 1)),
    ...rangeProblems("--retained", input.retained, 0, 1_000_000_000, true),
    ...rangeProblems("--users", input.users, 0, 1_000_000_000, true),
    ...nodesProblems(nodes),
    ...(instanceType === undefined || findMachine(instanceType)
      ? []
      : [`--instance-type: nothing is known of ${instanceType}; known are ${knownTypes()}`]),
    ...Object.entries(assume).flatMap(([name, value]) => assumptionProblems(name, value)),
  ];
}

function rangeProblems(option: string, value: number, minimum: number, maximum: number, whole = false) {
  const fits = value >= minimum && value <= maximum && (!whole || Number.isInteger(value));
  const kind = whole ? "a whole number" : "a number";
  return fits ? [] : [`${option}: ${value} is not ${kind} from ${format(minimum)} to ${format(maximum)}`];
}

function nodesProblems(nodes: number | undefined): string[] {
  if (nodes === undefined) return [];
  const isOdd = Number.isInteger(nodes) && nodes % 2 === 1;
  return isOdd && nodes >= 3 && nodes < mostNodes
    ? []
    : [
        `--nodes: ${nodes} is not an odd number from 3 to ${mostNodes - 1}; of an even number neither half is a majority, ` +
          `and of fewer than 3 none may be lost`,
      ];
}

function assumptionProblems(name: string, value: number): string[] {
  if (!Object.hasOwn(assumptions, name)) {
    return [`--assume: there is no ${name}; the assumptions are ${Object.keys(assumptions).join(", ")}`];
  }
  const { minimum, maximum } = assumptions[name as AssumptionName];
  return rangeProblems(`--assume ${name}`, value, minimum, maximum);
}

function knownTypes(): string {
  const types = machines.map(({ type }) => type.split("."));
  return [...grouped(types, ([family]) => family)]
    .map(([, sizes]) => `${sizes[0]!.join(".")} to ${sizes.at(-1)![1]}`)
    .join(", ");
}

function format(value: number): string {
  return value.toLocaleString("en-US");
}
