/** Instance types that nodes may be: vCPUs, memory and bandwidth that does not run out. */

export interface Machine {
  type: string;
  vCpus: number;
  memoryGiB: number;
  /** Baseline, in each direction: what a node can send for hours. */
  gbps: number;
  /** The share of its vCPUs that it may use for hours: less than 1 for burstable types. */
  cpuShare: number;
}

/** Sizes in the order of the bandwidth tables below; the number is vCPUs. */
const graviton: [string, number][] = [
  ...([
    ["large", 2],
    ["xlarge", 4],
    ["2xlarge", 8],
    ["4xlarge", 16],
    ["8xlarge", 32],
  ] as [string, number][]),
  ...([
    ["12xlarge", 48],
    ["16xlarge", 64],
  ] as [string, number][]),
];
const c5Sizes: [string, number][] = [
  ...([
    ["large", 2],
    ["xlarge", 4],
    ["2xlarge", 8],
    ["4xlarge", 16],
    ["9xlarge", 36],
  ] as [string, number][]),
  ...([
    ["12xlarge", 48],
    ["18xlarge", 72],
  ] as [string, number][]),
];

/** Baseline bandwidth in Gbps, size by size (EC2 instance types guide, network specifications). */
const gen7g = [0.937, 1.876, 3.75, 7.5, 15, 22.5, 30];
const gen6g = [0.75, 1.25, 2.5, 5, 12, 20, 25];
const gen6i = [0.781, 1.562, 3.125, 6.25, 12.5, 18.75, 25];
const gen5 = [0.75, 1.25, 2.5, 5, 10, 12, 20];

const families: [string, number, number[], [string, number][]][] = [
  ["m7g", 4, gen7g, graviton],
  ["c7g", 2, gen7g, graviton],
  ["r7g", 8, gen7g, graviton],
  ["m6g", 4, gen6g, graviton],
  ["c6g", 2, gen6g, graviton],
  ["r6g", 8, gen6g, graviton],
  ["m7i", 4, gen6i, graviton],
  ["c7i", 2, gen6i, graviton],
  ["r7i", 8, gen6i, graviton],
  ["m6i", 4, gen6i, graviton],
  ["c6i", 2, gen6i, graviton],
  ["r6i", 8, gen6i, graviton],
  ["m5", 4, gen5, graviton],
  ["r5", 8, gen5, graviton],
  ["c5", 2, [0.75, 1.25, 2.5, 5, 12, 12, 25], c5Sizes],
];

/** Size, memory in GiB, baseline in Gbps and of each vCPU (EC2 user guide, burstable performance instances). */
const burstable: [string, number, number, number, number][] = [
  ["small", 2, 2, 0.128, 0.2],
  ["medium", 2, 4, 0.256, 0.2],
  ["large", 2, 8, 0.512, 0.3],
  ["xlarge", 4, 16, 1.024, 0.4],
  ["2xlarge", 8, 32, 2.048, 0.4],
];

export const machines: Machine[] = [
  ...families.flatMap(([family, memoryPerVcpu, bandwidth, sizes]) =>
    sizes.map(([size, vCpus], i) => ({
      type: `${family}.${size}`,
      vCpus,
      memoryGiB: vCpus * memoryPerVcpu,
      gbps: bandwidth[i]!,
      cpuShare: 1,
    })),
  ),
  ...["t4g", "t3"].flatMap((family) =>
    burstable.map(([size, vCpus, memoryGiB, gbps, cpuShare]) => ({
      type: `${family}.${size}`,
      vCpus,
      memoryGiB,
      gbps,
      cpuShare,
    })),
  ),
];

/** What is proposed where nobody asks for a type: Graviton3, which costs least for what it does, and is not burstable. */
export const proposedFamilies = ["m7g", "c7g", "r7g"];

export function findMachine(type: string): Machine | undefined {
  return machines.find((machine) => machine.type === type);
}
