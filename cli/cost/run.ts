import { readdirSync } from "node:fs";
import type { Answer } from "../command";
import { projectIn } from "../review/base/stackSettings";
import type { Estimate } from "./estimate";
import { estimateOf } from "./estimate";
import { formatComparison, formatEstimate } from "./format";
import { pricesNoted } from "./prices";
import { stackResources } from "./stackResources";

/** The estimate of a stack, or of all of them. */
export async function runCost(repository: string, stack: string | undefined): Promise<Answer> {
  const estimates = new Map<string, Estimate>();
  for (const name of stack === undefined ? stacksOf(repository) : [stack]) {
    const { region, resources } = await stackResources(repository, name);
    estimates.set(name, estimateOf(resources, region));
  }
  const only = stack === undefined ? undefined : estimates.get(stack);
  return {
    facts: { pricesNoted, stacks: Object.fromEntries(estimates) },
    text: () => (stack !== undefined && only ? formatEstimate(stack, only) : formatComparison(estimates)),
  };
}

function stacksOf(repository: string): string[] {
  return readdirSync(projectIn(repository).stackFiles)
    .flatMap((file) => /^Pulumi\.([\w.-]+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();
}
