/** Instance types that nodes may be: vCPUs, memory and bandwidth that does not run out. */
import { sizeInLarge } from "../cost/prices";

export interface Machine {
  type: string;
  vCpus: number;
  memoryGiB: number;
  /** Baseline, in each direction: what a node can send for hours. */
  gbps: number;
  /** The share of its vCPUs that it may use for hours: less than 1 for burstable types. */
  cpuShare: number;
}

/** GiB for each vCPU, by the family's letter. */
const memoryPerVcpu: Record<string, number> = { c: 2, m: 4, r: 8 };

const usual = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge";

/** Families, and their baseline bandwidth in Gbps, size by size (EC2 instance types guide, network specifications). */
const generations: [families: string, gbps: number[], sizes?: string][] = [
  ["m7g c7g r7g", [0.937, 1.876, 3.75, 7.5, 15, 22.5, 30]],
  ["m6g c6g r6g", [0.75, 1.25, 2.5, 5, 12, 20, 25]],
  ["m7i c7i r7i m6i c6i r6i", [0.781, 1.562, 3.125, 6.25, 12.5, 18.75, 25]],
  ["m5 r5", [0.75, 1.25, 2.5, 5, 10, 12, 20]],
  ["c5", [0.75, 1.25, 2.5, 5, 12, 12, 25], "large xlarge 2xlarge 4xlarge 9xlarge 12xlarge 18xlarge"],
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
  ...generations.flatMap(([families, bandwidth, sizes = usual]) =>
    families.split(" ").flatMap((family) =>
      sizes.split(" ").map((size, i) => {
        const vCpus = 2 * sizeInLarge[size]!;
        const memoryGiB = vCpus * memoryPerVcpu[family[0]!]!;
        return { type: `${family}.${size}`, vCpus, memoryGiB, gbps: bandwidth[i]!, cpuShare: 1 };
      }),
    ),
  ),
  ...["t4g", "t3"].flatMap((family) =>
    burstable.map(([size, vCpus, memoryGiB, gbps, cpuShare]) => {
      const type = `${family}.${size}`;
      return { type, vCpus, memoryGiB, gbps, cpuShare };
    }),
  ),
];

/** What is proposed where nobody asks for a type: Graviton3, which costs least for what it does, and is not burstable. */
export const proposedFamilies = ["m7g", "c7g", "r7g"];

export function findMachine(type: string): Machine | undefined {
  return machines.find((machine) => machine.type === type);
}
