import Table from "cli-table3";
import { relative } from "node:path";
import pc from "picocolors";
import { endpointLines, userOf } from "./endpoints";
import { describeLock, readLocks } from "./locks";
import type { Endpoint } from "@emqx-aws/simulator/dataplane";
import type { RegionStatus } from "./regionProcess";
import { endpointsOf, regionStatus } from "./regionProcess";
import { knownStacks, readState, stackExists, stacksWithState } from "./stacks";
import type { Surroundings } from "./surroundings";

interface StackStatus {
  stack: string;
  isDeployed: boolean;
  resources: number;
  pendingOperations: number;
  outputs: Record<string, unknown>;
  /** As whom clients connect, for people. */
  user: string;
  /** Names of its load balancers in the DNS. */
  loadBalancers: string[];
  /** Who changes it now, or held its lock when he died. */
  lock?: string;
}

interface Status {
  region: { state: RegionStatus["kind"]; pid?: number; startedAt?: string; log: string };
  stacks: StackStatus[];
  /** Where the load balancers' listeners answer on this machine. */
  endpoints: Endpoint[];
}

export async function readStatus(surroundings: Surroundings): Promise<Status> {
  const status = await regionStatus(surroundings);
  const region = status.kind === "stopped" ? undefined : status.region;
  return {
    region: {
      state: status.kind,
      ...(region && { pid: region.pid, startedAt: region.startedAt }),
      log: surroundings.regionLog,
    },
    stacks: [...new Set([...knownStacks(surroundings), ...stacksWithState(surroundings)])].map((stack) =>
      stackStatus(surroundings, stack),
    ),
    endpoints: await endpointsOf(surroundings),
  };
}

function stackStatus(surroundings: Surroundings, stack: string): StackStatus {
  const state = readState(surroundings, stack);
  const { resources, pendingOperations, outputs } = state;
  // Providers are the engine's own; `pulumi up` does not count them either.
  const made = resources.filter(({ type }) => !type.startsWith("pulumi:providers:"));
  const [lock] = readLocks(surroundings, stack);
  return {
    stack,
    isDeployed: stackExists(surroundings, stack) && made.length > 0,
    resources: made.length,
    pendingOperations: pendingOperations.length,
    outputs,
    user: userOf(stack, state),
    loadBalancers: resources.flatMap(({ type, outputs: { dnsName } = {} }) =>
      type === "aws:elb/loadBalancer:LoadBalancer" && typeof dnsName === "string" ? [dnsName] : [],
    ),
    ...(lock && {
      lock: lock.isStale ? `left by process ${lock.pid}, which is gone` : `changed by ${describeLock(lock)}`,
    }),
  };
}

const regionWords: Record<RegionStatus["kind"], string> = {
  running: pc.green("running"),
  stopped: "stopped",
  dead: pc.red("its process is gone (npm run up starts it again, with its state)"),
  silent: pc.red("its process does not answer (npm run up restarts it, with its state)"),
};

export function formatStatus({ region, stacks, endpoints }: Status): string {
  const process_ = region.pid === undefined ? "" : ` (process ${region.pid})`;
  const table = new Table({
    head: ["Stack", "Resources", ""],
    style: { head: [], border: [], compact: true },
  });
  for (const stack of stacks) {
    const remarks = [
      ...(stack.isDeployed ? [] : ["not deployed"]),
      ...(stack.pendingOperations > 0 ? [`${stack.pendingOperations} interrupted operations`] : []),
      ...(stack.lock === undefined ? [] : [stack.lock]),
    ];
    table.push([stack.stack, stack.resources, remarks.join("; ")]);
  }
  return [
    `Simulated region: ${regionWords[region.state]}${process_}`,
    ...(region.state === "stopped" ? [] : [`Its log: ${relative(process.cwd(), region.log)}`]),
    table.toString(),
    ...stacks.flatMap(({ stack, outputs, user, loadBalancers }) => {
      const lines = [
        ...endpointLines(outputs, user, endpoints),
        // A program of its own need not say where its load balancers are.
        ...endpoints
          .filter(({ dnsName }) => loadBalancers.includes(dnsName) && dnsName !== outputs.loadBalancerDnsName)
          .map(({ dnsName, loadBalancerPort, host, port, problem }) =>
            problem === undefined
              ? `${host}:${port}  stands for ${dnsName}:${loadBalancerPort}`
              : `${dnsName}:${loadBalancerPort}  does not answer: ${problem}`,
          ),
      ];
      return lines.length === 0 ? [] : [`Stack ${stack}:`, ...lines.map((line) => `  ${line}`)];
    }),
  ].join("\n");
}
