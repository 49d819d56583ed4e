import { InstanceType } from "@pulumi/aws/types/enums/ec2";
import { checked } from "../shared/inputs";
import { defaultInstanceType } from "./defaults";
import { shown } from "../shared/words";
import { Architecture } from "../emqx/releases";

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
      `"${instanceType}" is not the name of an EC2 instance type: write family, generation and size, like m7g.large or ` +
        `c7i.2xlarge`,
    );
  }
  const [, family, generation, options = "", variant = ""] = match;
  if (family === "mac") {
    throw new Error(`"${instanceType}" runs macOS only: choose a Linux type, like m7g.large`);
  }
  const arm = options.startsWith("g") || variant.startsWith("-gb") || (family === "a" && generation === "1");
  return arm ? Architecture.Arm64 : Architecture.X86_64;
}

/** Sizes by family, of every type that the aws provider knows; its list is EC2's own, and as new as the provider. */
const sizesByFamily = new Map<string, string[]>();
for (const type of Object.values<string>(InstanceType)) {
  const [family = "", size = ""] = type.split(".");
  sizesByFamily.set(family, [...(sizesByFamily.get(family) ?? []), size]);
}

/** EC2 refuses these as EBS-optimized instances (EC2 user guide, "Amazon EBS-optimized instance types"). */
const withoutEbsOptimization = /^(t1|t2|m1|m2|m3|c1|c3|cc2|cg1|cr1|hi1|hs1|r3|i2|g2)\./;

/** What is wrong with an instance type. Whether the deployment's zones have it, AWS is asked at preview. */
function instanceTypeProblems(input: string, instanceType: unknown): string[] {
  const example = defaultInstanceType;
  if (typeof instanceType !== "string") {
    return [`${input}: ${shown(instanceType)} is not the name of an EC2 instance type, like ${example}`];
  }
  try {
    architectureOf(instanceType);
  } catch (error) {
    return [`${input}: ${(error as Error).message}`];
  }
  if (withoutEbsOptimization.test(instanceType)) {
    return [
      `${input}: "${instanceType}" is of a previous generation without EBS optimization; ` +
        `use a current one, for example ${example}`,
    ];
  }
  const [family = "", size = ""] = instanceType.split(".");
  const sizes = sizesByFamily.get(family);
  if (sizes !== undefined) {
    return sizes.includes(size)
      ? []
      : [`${input}: "${instanceType}" does not exist; ${family} has ${sizes.sort(bySize).join(", ")}`];
  }
  return couldBeNew(family, size)
    ? []
    : [
        `${input}: "${instanceType}" does not exist: EC2 has no family ${family}; ` +
          `use one that it has, for example ${example}`,
      ];
}

export const instanceTypeInput = checked("text", instanceTypeProblems);

/** A family of the newest generation, or of the next ones, whose letters and size are those of families that there are. */
function couldBeNew(family: string, size: string): boolean {
  const [, letters, generation, options] = familyPattern.exec(family) ?? [];
  const known = [...sizesByFamily.keys()].map((other) => familyPattern.exec(other) ?? []);
  const generations = known.filter(([, other]) => other === letters).map(([, , number]) => Number(number));
  return (
    generations.length > 0 &&
    Number(generation) >= Math.max(...generations) &&
    Number(generation) <= Math.max(...generations) + 2 &&
    known.some(([, , , other]) => other === options) &&
    [...sizesByFamily.values()].some((sizes) => sizes.includes(size))
  );
}

const familyPattern = /^([a-z]+)(\d+)([a-z]*(?:-flex)?)$/;

function bySize(one: string, other: string): number {
  return order(one) - order(other) || one.localeCompare(other);
}

function order(size: string): number {
  const small = ["nano", "micro", "small", "medium", "large", "xlarge"].indexOf(size);
  return small >= 0 ? small - 10 : size.startsWith("metal") ? 1000 : Number.parseInt(size, 10);
}
