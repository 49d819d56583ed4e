/** The arithmetic behind a proposal, line by line, each with what it rests on. */
import type { SizeInput } from "./input";
import { idleTimeoutSeconds } from "./limits";
import type { Machine } from "./machines";
import type { AssumptionName } from "./numbers";
import { assumedValues, assumptions, published } from "./numbers";
import type { Proposal } from "./size";
import { cpuShare, freeDisk } from "./size";
import { duration, short, whole } from "./words";

export interface Line {
  what: string;
  how: string;
  result: string;
  /** Names of published numbers and of assumptions that are in it. */
  from: (keyof typeof published | AssumptionName)[];
}

export interface Section {
  title: string;
  lines: Line[];
  /** What the numbers do not say. */
  remarks: string[];
}

type Explain = (input: SizeInput, proposal: Proposal) => Section;

export function explain(input: SizeInput, proposal: Proposal): Section[] {
  return [memory, processor, bandwidth, files, ports, tracking, loadBalancer, disk, loss].map((section) =>
    section(input, proposal),
  );
}

const line = (what: string, how: string, result: string, ...from: Line["from"]): Line => ({
  ...{ what, how, result, from },
});

const memory: Explain = (input, { machine, needs }) => {
  const assumed = assumedValues(input.assume);
  const usable = (machine.memoryGiB * assumed.memoryPercent) / 100;
  return {
    title: `Memory of a node while one of ${needs.nodes} is down`,
    lines: [
      line("connections", `${whole(input.connections)} / ${needs.survivors}`, whole(needs.connections)),
      line(
        "their memory",
        `${whole(needs.connections)} × ${assumed.memoryPerConnectionKiB} KiB`,
        `${short(needs.connectionsGiB)} GiB`,
        "memoryPerConnectionKiB",
        "memoryPerConnection",
      ),
      line(
        "retained messages and users",
        `${whole(input.retained)} × (${whole(input.payloadBytes)} + ${assumed.recordBytes}) + ${whole(input.users)} × ${assumed.recordBytes} bytes`,
        `${short(needs.dataGiB)} GiB`,
        "recordBytes",
      ),
      line("system and EMQX", "", `${short(assumed.memoryBaseGiB)} GiB`, "memoryBaseGiB"),
      line("together", "", `${short(needs.memoryGiB)} GiB`),
      line(
        `to be planned for, ${machine.type}`,
        `${machine.memoryGiB} GiB × ${assumed.memoryPercent} %`,
        `${short(usable)} GiB`,
        "memoryPercent",
      ),
    ],
    remarks: ["Messages that wait in queues of clients that do not fetch them are not in it."],
  };
};

const processor: Explain = (input, { machine, needs }) => {
  const assumed = assumedValues(input.assume);
  const perVcpu = `messagesPerVcpuQos${input.qos}` as "messagesPerVcpuQos1";
  const isLarge = input.payloadBytes > 1024;
  return {
    title: `Processor of a node while one of ${needs.nodes} is down`,
    lines: [
      line(
        "messages, in and out",
        `${short(input.rate)} × (1 + ${short(input.fanOut)})`,
        `${short(needs.messages)}/s`,
      ),
      line(
        `of QoS ${input.qos}, a vCPU does`,
        `${whole(published[perVcpu].value)} × ${assumed.clusterFactor}${isLarge ? ` × ${short(published.largePayloadFactor.value)}` : ""}`,
        `${short(needs.messagesPerVcpu)}/s`,
        perVcpu,
        "clusterFactor",
        ...(isLarge ? (["largePayloadFactor"] as const) : []),
      ),
      line(
        "vCPUs for messages",
        `${short(needs.messages)} / ${needs.survivors} / ${short(needs.messagesPerVcpu)}`,
        short(needs.messageVcpus),
      ),
      line(
        "keep-alive pings",
        `${whole(input.connections)} / ${whole(input.keepAliveSeconds)} s`,
        `${short(needs.pings)}/s`,
      ),
      line(
        "vCPUs for pings",
        `${short(needs.pings)} / ${needs.survivors} / (${short(published.pingsPerVcpu.value)} × ${cpuShare})`,
        short(needs.pingVcpus),
        "pingsPerVcpu",
      ),
      line("together", "", `${short(needs.vCpus)} vCPU`),
      line(
        `there are, ${machine.type}`,
        machine.cpuShare < 1 ? `${machine.vCpus} × ${machine.cpuShare * 100} % baseline` : "",
        `${short(machine.vCpus * machine.cpuShare)} vCPU`,
      ),
    ],
    remarks: [
      "Rules, bridges, plugins, authentication against other systems and wildcard subscriptions cost more; shared " +
        "subscriptions do a quarter less (30,000 messages/s instead of 40,000 in the same reference).",
    ],
  };
};

const bandwidth: Explain = (input, { machine, needs }) => {
  const assumed = assumedValues(input.assume);
  const { traffic } = needs;
  const usable = (machine.gbps * assumed.bandwidthPercent) / 100;
  return {
    title: `Bandwidth of a node while one of ${needs.nodes} is down`,
    lines: [
      line(
        "a message on the wire",
        `${whole(input.payloadBytes)} + ${assumed.topicBytes} bytes and its packets`,
        `${whole(traffic.messageBytes)} bytes`,
        "topicBytes",
        "frameBytes",
      ),
      line("from the load balancer", "messages, answers, pings", `${gbps(traffic.toNodes)} Gbps`),
      line("to the load balancer", "messages, answers, pings", `${gbps(traffic.fromNodes)} Gbps`),
      line(
        "from node to node",
        `${whole(needs.survivors - 1)} of ${whole(needs.survivors)} messages out`,
        `${gbps(traffic.betweenNodes)} Gbps`,
      ),
      line("of each node, the larger direction", `/ ${needs.survivors}`, `${short(needs.gbps)} Gbps`),
      line(
        `to be planned for, ${machine.type}`,
        `${machine.gbps} Gbps × ${assumed.bandwidthPercent} %`,
        `${short(usable)} Gbps`,
        "bandwidthPercent",
      ),
    ],
    remarks: [],
  };
};

const files: Explain = (input, { needs }) => {
  const assumed = assumedValues(input.assume);
  const connections = whole(needs.connections);
  return {
    title: `Connections, files and processes of a node while one of ${needs.nodes} is down`,
    lines: [
      line("connections", "", `${connections} of ${whole(published.maxConnections.value)}`, "maxConnections"),
      line(
        "sockets and files of EMQX",
        `${connections} + ${whole(assumed.reservedPorts)}`,
        `${whole(needs.sockets)} of ${whole(published.maxPorts.value)}`,
        "maxPorts",
        "reservedPorts",
      ),
      line(
        "file descriptors",
        "the same",
        `${whole(needs.sockets)} of ${whole(published.openFiles.value)}`,
        "openFiles",
      ),
      line(
        "Erlang processes",
        `${connections} × ${published.processesPerConnection.value} + ${whole(assumed.reservedPorts)}`,
        `${whole(needs.processes)} of ${whole(published.processLimit.value)}`,
        "processesPerConnection",
        "processLimit",
      ),
    ],
    remarks: [],
  };
};

const ports: Explain = (input, { needs }) => {
  const assumed = assumedValues(input.assume);
  return {
    title: "Source ports between the load balancer and a node",
    lines: [
      line(
        "addresses of the load balancer needed",
        `${whole(needs.connections)} / ${whole(assumed.portsPerAddress)}`,
        whole(addressesNeeded(input, needs.connections)),
        "portsPerAddress",
      ),
      line("addresses that it has", "", whole(assumed.loadBalancerAddresses), "loadBalancerAddresses"),
      line(
        "connections for which those are enough",
        `${whole(assumed.loadBalancerAddresses)} × ${whole(assumed.portsPerAddress)} × ${needs.survivors}`,
        whole(assumed.loadBalancerAddresses * assumed.portsPerAddress * needs.survivors),
      ),
    ],
    remarks: [
      "AWS decides how many addresses there are, by traffic; idle connections are little traffic. Count them while " +
        "clients connect: dig +short <name of the load balancer>",
      "Each node more brings as many ports again. WebSocket listeners lead to another port and have ports of their own.",
    ],
  };
};

/** How many addresses of the load balancer it takes, so that each node can have its connections. */
export function addressesNeeded(input: SizeInput, connectionsOfANode: number): number {
  return Math.ceil(connectionsOfANode / assumedValues(input.assume).portsPerAddress);
}

const tracking: Explain = (_input, { machine, needs }) => ({
  title: "Connection tracking of the security groups",
  lines: [
    line("tracked connections of a node", "", whole(needs.connections)),
    line("allowed", "", "not published"),
  ],
  remarks: [
    `AWS gives every instance type an allowance and does not tell it. Read it on a ${machine.type} before relying on it: ` +
      `ethtool -S ens5 | grep conntrack_allowance`,
    "conntrack_allowance_available is what is left; conntrack_allowance_exceeded counts dropped packets and must stay 0.",
  ],
});

const loadBalancer: Explain = (input, { needs }) => {
  const assumed = assumedValues(input.assume);
  const { traffic } = needs;
  const seconds = input.connections / assumed.connectsPerSecond;
  const handshakes = assumed.connectsPerSecond * assumed.tlsHandshakeBytes;
  const steps = Math.ceil(Math.log(100) / Math.log(1 + published.growthPercent.value / 100));
  return {
    title: "Classic ELB",
    lines: [
      line(
        "idle timeout",
        `1.5 × ${whole(input.keepAliveSeconds)} s + 30 s, at most 3,600 s`,
        `${whole(idleTimeoutSeconds(input.keepAliveSeconds))} s`,
      ),
      line(
        "from clients",
        input.tls ? "with TLS" : "without TLS",
        `${gbps(traffic.fromClients)} Gbps`,
        ...(input.tls ? (["tlsRecordBytes"] as const) : []),
      ),
      line("to clients", input.tls ? "with TLS" : "without TLS", `${gbps(traffic.toClients)} Gbps`),
      line(
        "all clients connect within",
        `${whole(input.connections)} / ${whole(assumed.connectsPerSecond)} a second`,
        duration(seconds),
        "connectsPerSecond",
      ),
      ...(input.tls
        ? [
            line(
              "TLS handshakes meanwhile",
              `${whole(assumed.connectsPerSecond)}/s × ${whole(assumed.tlsHandshakeBytes)} bytes`,
              `${gbps(handshakes)} Gbps`,
              "tlsHandshakeBytes",
            ),
          ]
        : []),
      line(
        "from a hundredth of the traffic to all of it",
        `${steps} times ${published.growthPercent.value} % more, each in 5 min`,
        duration(steps * 5 * 60),
        "growthPercent",
      ),
      line("clients that may wait for a node", "", whole(published.surgeQueue.value), "surgeQueue"),
    ],
    remarks: [
      "A Classic ELB grows by itself, but not at once. What comes faster than that is refused; AWS Support makes it grow " +
        "beforehand (pre-warming) if told connections, TLS handshakes a second and bytes a second. Watch SurgeQueueLength " +
        "and SpilloverCount.",
    ],
  };
};

const disk: Explain = (input, { needs, dataVolumeSizeGiB }) => {
  const assumed = assumedValues(input.assume);
  return {
    title: "Data volume of each node",
    lines: [
      line(
        "on disk",
        `${short(needs.dataGiB)} GiB of retained messages and users × ${assumed.diskFactor}`,
        `${short(needs.dataGiB * assumed.diskFactor)} GiB`,
        "diskFactor",
        "recordBytes",
      ),
      line("proposed", `with ${freeDisk * 100} % free, 20 GiB at least`, `${whole(dataVolumeSizeGiB)} GiB`),
    ],
    remarks: ["Sessions and waiting messages are in memory only; a node's end with it."],
  };
};

const loss: Explain = (input, { machine, needs }) => {
  const lost = clientsLost(input, needs.nodes);
  const rate = reconnectsPerSecond(input, needs.nodes);
  return {
    title: "After the loss of a node",
    lines: [
      line("clients that reconnect", `${whole(input.connections)} / ${needs.nodes}`, whole(lost)),
      line("for", `${whole(lost)} / ${whole(rate)} a second`, duration(lost / rate), "connectsPerSecond"),
      line(
        "new connections of each node",
        `${whole(rate)} / ${needs.survivors}`,
        `${short(rate / needs.survivors)}/s`,
      ),
      line(
        "the nodes have been seen to take",
        `${needs.survivors} × ${short(machine.vCpus * machine.cpuShare)} vCPU × ${short(published.connectsPerVcpu.value)}`,
        `${whole(connectsPerSecond(machine, needs.survivors))}/s`,
        "connectsPerVcpu",
      ),
    ],
    remarks: [
      "Clients that reconnect at once, all of them, are the worst of it: give them a random delay that grows.",
    ],
  };
};

function clientsLost({ connections }: SizeInput, nodes: number): number {
  return Math.ceil(connections / nodes);
}

/** How many clients of a lost node connect in a second: as assumed, or all of them if they are fewer. */
export function reconnectsPerSecond(input: SizeInput, nodes: number): number {
  return Math.min(assumedValues(input.assume).connectsPerSecond, clientsLost(input, nodes));
}

/** What nodes were seen to take in EMQ's tests, by their vCPUs. */
export function connectsPerSecond(machine: Machine, nodes: number): number {
  return nodes * machine.vCpus * machine.cpuShare * published.connectsPerVcpu.value;
}

function gbps(bytesPerSecond: number): string {
  return short((bytesPerSecond * 8) / 1e9);
}

/** The assumptions that lines rest on, in the order of the table. */
export function assumptionsIn(sections: Section[]): AssumptionName[] {
  const names = new Set(sections.flatMap(({ lines }) => lines.flatMap(({ from }) => from)));
  return (Object.keys(assumptions) as AssumptionName[]).filter((name) => names.has(name));
}

/** The published numbers that lines rest on, in the order of the table. */
export function publishedIn(sections: Section[]): (keyof typeof published)[] {
  const names = new Set(sections.flatMap(({ lines }) => lines.flatMap(({ from }) => from)));
  return (Object.keys(published) as (keyof typeof published)[]).filter((name) => names.has(name));
}
