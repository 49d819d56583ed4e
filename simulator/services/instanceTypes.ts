/** What EC2 sells, as far as it matters here: families, their architecture and sizes. */

interface Family {
  architecture: "arm64" | "x86_64";
  sizes: readonly string[];
  burstable?: boolean;
}

const small = ["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge"] as const;
const graviton = [
  "medium",
  "large",
  "xlarge",
  "2xlarge",
  "4xlarge",
  "8xlarge",
  "12xlarge",
  "16xlarge",
  "metal",
] as const;
const graviton4 = [...graviton.slice(0, -1), "24xlarge", "48xlarge", "metal-24xl", "metal-48xl"] as const;
const gen5 = [
  "large",
  "xlarge",
  "2xlarge",
  "4xlarge",
  "8xlarge",
  "12xlarge",
  "16xlarge",
  "24xlarge",
  "metal",
] as const;
const gen6 = [...gen5.slice(0, -1), "32xlarge", "metal"] as const;
const gen7 = [...gen5.slice(0, -1), "48xlarge", "metal-24xl", "metal-48xl"] as const;
const flex = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"] as const;

function families(
  names: string,
  architecture: Family["architecture"],
  sizes: readonly string[],
  burstable = false,
): [string, Family][] {
  return names.split(" ").map((name) => [name, { architecture, sizes, burstable }]);
}

const known = new Map<string, Family>([
  ...families("t4g", "arm64", small, true),
  ...families("m6g m6gd c6g c6gd c6gn r6g r6gd", "arm64", graviton),
  ...families("m7g m7gd c7g c7gd c7gn r7g r7gd", "arm64", graviton),
  ...families("m8g m8gd c8g c8gd r8g r8gd", "arm64", graviton4),
  ...families("t2 t3 t3a", "x86_64", small, true),
  ...families("m5 m5a m5d m5ad m5n m5zn c5 c5a c5d c5n r5 r5a r5b r5d r5n", "x86_64", gen5),
  ...families("m6i m6id m6in m6a c6i c6id c6in c6a r6i r6id r6in r6a", "x86_64", gen6),
  ...families("m7i m7a c7i c7a r7i r7iz r7a m8i c8i r8i", "x86_64", gen7),
  ...families("m7i-flex c7i-flex m8i-flex c8i-flex r8i-flex", "x86_64", flex),
]);

export interface InstanceTypeFacts {
  family: string;
  architecture: "arm64" | "x86_64";
  burstable: boolean;
}

/** The facts of a type, or nothing if EC2 has no such type. */
export function instanceTypeFacts(type: string): InstanceTypeFacts | undefined {
  const [family, size, rest] = type.split(".");
  const found = known.get(family ?? "");
  if (!found || rest !== undefined || !found.sizes.includes(size ?? "")) {
    return undefined;
  }
  return { family: family!, architecture: found.architecture, burstable: found.burstable ?? false };
}
