import { Architecture } from "./releases";

const size = "(?:nano|micro|small|medium|large|xlarge|[0-9]+xlarge|metal(?:-[0-9]+xl)?)";
/** Family, generation, options, variant: "m7g", "r8gd", "c7i-flex"; and the old high-memory names, "u-6tb1". */
const instanceTypePattern = new RegExp(
  `^(?:([a-z]+)([0-9]+)([a-z]*)((?:-[a-z0-9]+)*)|u-[0-9]+tb[0-9])\\.${size}$`,
);

/**
 * The architecture of an EC2 instance type, from AWS's naming convention: a `g` right after the generation is
 * Graviton (m7g, c6gd, t4g); `a1` was the first Graviton and has no letter. So are the
 * `-gb…` variants (Grace Blackwell). Everything else that runs Linux is x86_64, `g4dn` included: its `g` is the family.
 */
export function architectureOf(instanceType: string): Architecture {
  const match = instanceTypePattern.exec(instanceType);
  if (!match) {
    throw new Error(
      `instanceType "${instanceType}" is not the name of an EC2 instance type: write family, generation and ` +
        `size, like m7g.large or c7i.2xlarge.`,
    );
  }
  const [, family, generation, options = "", variant = ""] = match;
  if (family === "mac") {
    throw new Error(`instanceType "${instanceType}" runs macOS only: choose a Linux type, like m7g.large.`);
  }
  const arm = options.startsWith("g") || variant.startsWith("-gb") || (family === "a" && generation === "1");
  return arm ? Architecture.Arm64 : Architecture.X86_64;
}
