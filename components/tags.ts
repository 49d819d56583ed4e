import type * as pulumi from "@pulumi/pulumi";

export type Tags = Record<string, pulumi.Input<string>>;

/** The user's tags, and the resource's name where the console shows it. A `Name` of the user's wins. */
export function tagged(name: string, tags: Tags | undefined): Tags {
  return { Name: name, ...tags };
}
