/**
 * Every number that sizing is made of, with where it is from. What somebody measured or documented is in `published`;
 * what nobody has is in `assumptions`, and can be changed with --assume.
 */
import { openFiles } from "../../components/emqx/configuration";

interface Published {
  value: number;
  unit: string;
  source: string;
}

export const published = {
  messagesPerVcpuQos0: {
    value: 57_000 / 4,
    unit: "messages/s per vCPU, in and out together, at 75 % CPU",
    source: "EMQX docs, performance reference: 57,000 on 4 vCPU, one node of 5.1.6, 128 bytes, 1 to 1",
  },
  messagesPerVcpuQos1: {
    value: 40_000 / 4,
    unit: "messages/s per vCPU, in and out together, at 75 % CPU",
    source: "EMQX docs, performance reference: 40,000 on 4 vCPU, one node of 5.1.6, 128 bytes, 1 to 1",
  },
  messagesPerVcpuQos2: {
    value: 24_000 / 4,
    unit: "messages/s per vCPU, in and out together, at 75 % CPU",
    source: "EMQX docs, performance reference: 24,000 on 4 vCPU, one node of 5.1.6, 128 bytes, 1 to 1",
  },
  largePayloadFactor: {
    value: 75.9 / 90.82,
    unit: "of the rate, with payloads from above 1 KiB to 8 KiB",
    source:
      "EMQX docs, performance reference: the same 40,000 messages/s took 75.9 % CPU at 1 KB, 90.8 % at 8 KB",
  },
  pingsPerVcpu: {
    value: 500_000 / 300 / (16 * 0.08),
    unit: "keep-alive pings/s per vCPU",
    source:
      "EMQ, ten million connections (EMQX 3.0): 500,000 idle ones a node, a ping every 300 s, 8 % of 16 vCPU",
  },
  memoryPerConnection: {
    value: (113 * 1024 * 1024) / 5_000_000,
    unit: "KiB, the node's whole memory shared among its connections",
    source: "EMQ, 100 million connections (EMQX 5.0): 113 GiB with 5,000,000 on a node",
  },
  processesPerConnection: {
    value: 2,
    unit: "Erlang processes",
    source:
      "EMQX docs, FAQ 4.4, how to estimate resource usage; newer versions need one where TLS ends before",
  },
  connectsPerVcpu: {
    value: 20_000 / 5 / 32,
    unit: "new connections/s per vCPU",
    source: "EMQ, ten million connections (EMQX 4.3): 20,000/s to 5 nodes of 32 vCPU, without TLS",
  },
  surgeQueue: {
    value: 1024,
    unit: "connections that wait for a node",
    source: "AWS, Classic ELB metrics: SurgeQueueLength, SpilloverCount",
  },
  growthPercent: {
    value: 50,
    unit: "percent more traffic every 5 minutes at most, while the load balancer grows",
    source: "AWS, Best Practices in Evaluating Elastic Load Balancing",
  },
  frameBytes: {
    value: 66,
    unit: "bytes of Ethernet, IPv4 and TCP with timestamps for every packet",
    source: "RFC 791, 9293, 7323",
  },
  tlsRecordBytes: {
    value: 29,
    unit: "bytes of a TLS 1.2 record with AES-GCM",
    source: "RFC 5246, 5288",
  },
  maxPorts: {
    value: openFiles.maxPorts,
    unit: "sockets and files of EMQX, node.max_ports",
    source: "components/emqx/configuration.ts",
  },
  maxConnections: {
    value: 1_024_000,
    unit: "connections of one listener, max_connections",
    source: "components/emqx/configuration.ts",
  },
  openFiles: {
    value: openFiles.service,
    unit: "file descriptors of the service, LimitNOFILE",
    source: "components/emqx/configuration.ts",
  },
  processLimit: {
    value: 2 * openFiles.maxPorts,
    unit: "Erlang processes, twice node.max_ports",
    source: "EMQX docs, node.max_ports: the limit of Erlang processes is set to twice that",
  },
} satisfies Record<string, Published>;

/** What was tried and told, by EMQ itself. Beyond it, a result is an extrapolation. */
export const tried = {
  coreNodes: {
    value: 3,
    where:
      "5 nodes that are all core nodes, as here, with EMQX 4.3; in 5.x EMQ advises them for 3 nodes or fewer, and " +
      "replicants, which the open source edition has not, for more",
  },
  messagesPerNode: {
    value: 60_000,
    where: "60,000 messages/s on a node of 4 vCPU; more is multiplied by vCPUs",
  },
  payloadBytes: { value: 8_192, where: "payloads of 8 KB" },
} as const;

/** The most that EMQ has published of a cluster of core nodes: on 20 nodes with EMQX 3.0, on 5 with 4.3. */
export const mostConnections = 10_000_000;

/** The most core nodes in a report of EMQ's are 20, with EMQX 3.0; this is the odd number below. More only on request. */
export const mostProposedNodes = 19;

/**
 * Connections of one node in EMQ's reports and in the layouts of its tests, whose results it does not publish
 * (emqx/tf-emqx-performance-test, tests/).
 */
export const triedOnNodes = [
  {
    connections: 170_666,
    vCpus: 2,
    memoryGiB: 8,
    where: "a layout of 6 × m7g.large, 3 of them replicants (5.x)",
  },
  { connections: 384_000, vCpus: 8, memoryGiB: 32, where: "a layout of 3 × m7g.2xlarge (5.x)" },
  { connections: 500_000, vCpus: 16, memoryGiB: 32, where: "a report of 20 nodes (3.0)" },
  { connections: 500_000, vCpus: 64, memoryGiB: 256, where: "a layout of 3 × m6g.16xlarge (4.4)" },
  { connections: 2_000_000, vCpus: 32, memoryGiB: 64, where: "a report of 5 nodes (4.3)" },
  { connections: 5_000_000, vCpus: 64, memoryGiB: 128, where: "a report of 20 replicants (5.0)" },
] as const;

interface Assumption {
  value: number;
  unit: string;
  why: string;
  /** What --assume takes. */
  minimum: number;
  maximum: number;
}

export const assumptions = {
  memoryPerConnectionKiB: {
    value: 40,
    unit: "KiB a connection",
    why: "the published 24 and two thirds more: queues, several subscriptions, reconnecting sessions",
    minimum: 10,
    maximum: 10_000,
  },
  memoryBaseGiB: {
    value: 1,
    unit: "GiB a node without clients",
    why: "Amazon Linux, Erlang, EMQX and the agents; EMQ's 8 GiB node used 0.5 with 2,000 clients",
    minimum: 0.25,
    maximum: 64,
  },
  memoryPercent: {
    value: 70,
    unit: "percent of the memory that may be planned for",
    why: "the rest is for bursts, garbage collection and the page cache",
    minimum: 10,
    maximum: 95,
  },
  clusterFactor: {
    value: 0.5,
    unit: "of a single node's message rate",
    why: "in a cluster most messages are handled by two nodes; EMQ published one node only",
    minimum: 0.1,
    maximum: 1,
  },
  bandwidthPercent: {
    value: 60,
    unit: "percent of the baseline bandwidth that may be planned for",
    why: "bursts, and packets that are sent again",
    minimum: 10,
    maximum: 100,
  },
  topicBytes: {
    value: 40,
    unit: "bytes of topic and MQTT header a message",
    why: "a topic of about 32 characters",
    minimum: 5,
    maximum: 1_000,
  },
  tlsHandshakeBytes: {
    value: 5_000,
    unit: "bytes of a full TLS handshake, both directions",
    why: "an RSA certificate and its chain are most of it",
    minimum: 500,
    maximum: 50_000,
  },
  portsPerAddress: {
    value: 55_000,
    unit: "connections from an address of the load balancer to a node's port",
    why: "65,536 ports less those kept back; AWS says 55,000 for an NLB and nothing for a Classic ELB",
    minimum: 1_000,
    maximum: 64_512,
  },
  loadBalancerAddresses: {
    value: 3,
    unit: "addresses of the load balancer",
    why: "one per zone in three zones, as a new one has; AWS adds some as traffic grows",
    minimum: 1,
    maximum: 1_000,
  },
  connectsPerSecond: {
    value: 1_000,
    unit: "new connections/s that all clients together make",
    why: "what clients with a random, growing delay before they reconnect add up to",
    minimum: 1,
    maximum: 1_000_000,
  },
  recordBytes: {
    value: 512,
    unit: "bytes of a retained message or user beside its payload, in memory and on disk",
    why: "topic, properties, index and table overhead",
    minimum: 50,
    maximum: 100_000,
  },
  diskFactor: {
    value: 4,
    unit: "times the data, on disk",
    why: "Mnesia's log and dump beside the table, and an export of all of it",
    minimum: 1,
    maximum: 20,
  },
  reservedPorts: {
    value: 10_000,
    unit: "sockets, files and processes of a node that are not clients'",
    why: "links between nodes, tables, agents, plugins",
    minimum: 100,
    maximum: 500_000,
  },
} satisfies Record<string, Assumption>;

export type AssumptionName = keyof typeof assumptions;
export type Assumed = Record<AssumptionName, number>;

/** The assumptions as they stand. */
export function assumedValues(changes: Partial<Assumed> = {}): Assumed {
  const values = Object.fromEntries(Object.entries(assumptions).map(([name, { value }]) => [name, value]));
  return { ...(values as Assumed), ...changes };
}
