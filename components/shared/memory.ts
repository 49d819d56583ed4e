/**
 * What a stack remembers from its first deployment on. A Stash keeps the value it was made with, whatever the program
 * says later, and shows it at preview; it makes nothing in AWS.
 */
import * as pulumi from "@pulumi/pulumi";
import { runError } from "./problems";

/** The value that `name` had when it was first deployed. */
export function remember<T extends string | string[]>(
  name: string,
  parent: pulumi.Resource,
  value: pulumi.Input<T>,
): pulumi.Output<T> {
  const memory = new pulumi.Stash(name, { input: value }, { parent, ignoreChanges: ["input"] });
  return kept(memory, value);
}

/**
 * A setting that all running nodes share: nodes with another one cannot join them. Rolling it out would split the cluster
 * into those that have it and those that do not, so that is refused unless all nodes restart together.
 */
export function rememberedUntilRestart<T extends string>(
  name: string,
  parent: pulumi.Resource,
  setting: string,
  wanted: T,
  allowFullRestart: boolean,
): pulumi.Output<T> {
  const memory = new pulumi.Stash(
    name,
    { input: wanted },
    allowFullRestart ? { parent, replaceOnChanges: ["input"] } : { parent, ignoreChanges: ["input"] },
  );
  return kept<T>(memory, wanted).apply((running) => {
    if (running !== wanted) {
      throw runError(
        `${setting}: the running nodes use ${running}, and nodes with ${wanted} cannot join them, so this change cannot ` +
          `be rolled out node by node. Keep ${running}, or set rollout.allowFullRestart for this one update: all nodes are then ` +
          `replaced at once and clients are disconnected until they are back`,
      );
    }
    return running;
  });
}

/** Unit tests' mocks may answer with a resource's inputs alone: then nothing was kept before. */
function kept<T extends string | string[]>(memory: pulumi.Stash, value: pulumi.Input<T>): pulumi.Output<T> {
  return memory.output.apply((output: T | undefined) => output ?? value) as pulumi.Output<T>;
}
