/** What EC2 sells, as far as it matters here. */
import { InstanceType } from "@pulumi/aws/types/enums/ec2";
import type { RegionSeed } from "../seeds";

/** All types that the provider's own list has, which is EC2's. */
const known = new Set<string>(Object.values(InstanceType));

interface InstanceTypeFacts {
  family: string;
  architecture: "arm64" | "x86_64";
  burstable: boolean;
  bareMetal: boolean;
  /** It comes with instance store volumes. */
  instanceStore: boolean;
}

/** Families with instance store volumes whose letters do not say so (EC2 user guide, "Instance store volume limits"). */
const withInstanceStore =
  /^(c1|c3|cc2|cg1|cr1|d[23]|dl1|f[12]|g2|g[567]|g6e|g6f|g7e|g4ad|gr6f?|h1|hi1|hpc6id|hs1|i\d|im4gn|is4gen|m1|m2|m3|p4|p5|p6|r3|trn|x1|x1e|z1d)/;

/** The facts of a type, or nothing if EC2 has no such type. */
export function instanceTypeFacts(type: string): InstanceTypeFacts | undefined {
  const [, family, letters, generation, options = "", variant = "", size] =
    /^(([a-z]+)(\d*)([a-z]*)((?:-[a-z0-9]+)*))\.(.+)$/.exec(type) ?? [];
  if (!known.has(type) || family === undefined || letters === "mac") {
    return undefined;
  }
  // Naming conventions (EC2 instance types guide): g after the generation is Graviton, d is instance store.
  const arm = options.startsWith("g") || variant.startsWith("-gb") || (letters === "a" && generation === "1");
  return {
    family,
    architecture: arm ? "arm64" : "x86_64",
    burstable: letters === "t",
    bareMetal: size!.startsWith("metal"),
    instanceStore: options.includes("d") || (withInstanceStore.test(family) && family !== "g5g"),
  };
}

/**
 * Whether CloudWatch may recover an instance of this type (EC2 user guide, "Automatic instance recovery": only EBS volumes,
 * not bare metal). The few old types with instance store that it recovers all the same are not told apart.
 */
export function canRecover({ bareMetal, instanceStore }: InstanceTypeFacts): boolean {
  return !bareMetal && !instanceStore;
}

/** The zones of a region that have a type. */
export function zonesWith({ family }: InstanceTypeFacts, { zones, lacks }: RegionSeed): string[] {
  return zones.filter((zone) => !(lacks[zone] ?? []).some((start) => family.startsWith(start)));
}
