/**
 * What a stack remembers from its first deployment on. A Stash keeps the value it was made with, whatever the program
 * says later, and shows it at preview; it makes nothing in AWS.
 */
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPorts } from "./emqx/releases";
import { runError } from "./problems";

/** The value that `name` had when it was first deployed. */
export function remember<T extends string | string[]>(
  name: string,
  parent: pulumi.Resource,
  value: pulumi.Input<T>,
): pulumi.Output<T> {
  const memory = new pulumi.Stash(name, { input: value }, { parent, ignoreChanges: ["input"] });
  return memory.output as pulumi.Output<T>;
}

/**
 * The cluster's port profile, which all running nodes share. Rolling a new one out would split the cluster into those
 * that have it and those that do not, so that is refused unless all nodes restart together.
 */
export function rememberedClusterPorts(
  name: string,
  parent: pulumi.Resource,
  wanted: ClusterPorts,
  allowFullRestart: boolean,
): pulumi.Output<ClusterPorts> {
  const memory = new pulumi.Stash(
    `${name}-cluster-ports`,
    { input: wanted },
    allowFullRestart ? { parent, replaceOnChanges: ["input"] } : { parent, ignoreChanges: ["input"] },
  );
  return memory.output.apply((running: ClusterPorts) => {
    if (running !== wanted) {
      throw runError(
        `clusterPorts: the running nodes use ${running}, and nodes with ${wanted} cannot join them, so this change cannot ` +
          `be rolled out node by node. Keep ${running}, or set allowFullRestart for this one update: all nodes are then ` +
          `replaced at once and clients are disconnected until they are back`,
      );
    }
    return running;
  });
}
