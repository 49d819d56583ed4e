/** Programs under the mocks of the simulated region: same checks, defaults and rules as its provider. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { runInThisContext } from "node:vm";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { RegionMocks, type Registered, type RegionMocksOptions } from "@emqx-aws/simulator";

export interface RunOptions extends RegionMocksOptions {
  stack?: string;
  preview?: boolean;
}

/** Runs a program that creates resources, waits until everything is registered, and says what was. */
export async function run(program: () => unknown, options: RunOptions = {}): Promise<RegionMocks> {
  const mocks = new RegionMocks(options);
  await pulumi.runtime.setMocks(mocks, "emqx-aws", options.stack ?? "test", options.preview ?? false);
  const work = async () => {
    try {
      await program();
    } finally {
      await pulumi.runtime.disconnect();
    }
  };
  await untilRejected(work, () => quiet(mocks));
  return mocks;
}

/**
 * A program ends by a rejection that nobody handles: the SDK waits forever for a resource whose input was rejected. Jest, whose
 * own process it is outside of the tests' context, would keep the rejection for itself until the test has timed out.
 */
async function untilRejected(work: () => Promise<void>, rest: () => Promise<void>): Promise<void> {
  const host = runInThisContext("process") as NodeJS.Process;
  const others = host.rawListeners("unhandledRejection") as NodeJS.UnhandledRejectionListener[];
  host.removeAllListeners("unhandledRejection");
  const rejected = new Promise<never>((_, reject) => host.on("unhandledRejection", reject));
  try {
    // A rejection counts as unhandled when nothing else is left to do at once.
    await Promise.race([work().then(() => immediate()), rejected]);
  } catch (error) {
    await rest();
    throw error;
  } finally {
    host.removeAllListeners("unhandledRejection");
    for (const other of others) host.on("unhandledRejection", other);
  }
}

/**
 * Others that wait for a rejected value follow at once; what does not wait for it goes on making resources, keys for one take a while, and
 * would do so under the next program's mocks.
 */
async function quiet(mocks: RegionMocks): Promise<void> {
  let before: number;
  do {
    before = mocks.registered.length;
    await sleep(50);
  } while (mocks.pending > 0 || mocks.registered.length > before);
}

/** The stack's settings as the engine hands them to the program. */
export function stackConfig(stack: string): Record<string, string> {
  const file = join(__dirname, "../stacks", `Pulumi.${stack}.yaml`);
  const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]),
  );
}

/** Resources that exist in AWS: no components, no providers, none of the engine's own memory. */
export function inAws(mocks: RegionMocks): Registered[] {
  return mocks.registered.filter((resource) => resource.custom && resource.type.startsWith("aws:"));
}

/** What the stack remembers after a deployment, for the next one. */
export function memory(mocks: RegionMocks): Record<string, unknown> {
  return Object.fromEntries(
    mocks.registered
      .filter((r) => r.type === "pulumi:index:Stash")
      .map((r) => [r.name, r.outputs?.["output"] ?? r.inputs["input"]]),
  );
}

/** Names by type, in order: what a deployment consists of, at a glance. */
export function namesByType(resources: Registered[]): Record<string, string[]> {
  const result: Record<string, string[]> = {};
  for (const { type, name } of resources) {
    (result[type.split(":").at(-1) ?? type] ??= []).push(name);
  }
  return Object.fromEntries(
    Object.entries(result)
      .map(([type, names]): [string, string[]] => [type, names.sort()])
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

/** The value of an output that is known. Waits for it. */
export function valueOf<T>(output: pulumi.Output<T> | undefined): Promise<T> {
  return new Promise((resolve, reject) =>
    output === undefined ? reject(new Error("there is no such output")) : output.apply(resolve),
  );
}
