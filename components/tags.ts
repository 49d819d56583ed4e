import type * as pulumi from "@pulumi/pulumi";

export type Tags = Record<string, pulumi.Input<string>>;

/** The user's tags, and the resource's name where the console shows it. A `Name` of the user's wins. */
export function tagged(name: string, tags: Tags | undefined): Tags {
  return { Name: name, ...tags };
}

/**
 * Tag of the data volumes; its value is the path of the cluster's parameters, which no other cluster of the account and
 * region has. Snapshots are taken of the volumes that have it.
 */
export const dataVolumeTag = "emqx:data";
