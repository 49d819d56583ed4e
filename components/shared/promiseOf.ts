import type * as pulumi from "@pulumi/pulumi";

/** An output's value without what it depends on. It does not come where the output is not known, or has failed. */
export function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply((value) => resolve(value));
  });
}
