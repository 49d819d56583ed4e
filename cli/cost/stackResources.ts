/** The resources of a stack, from its program: run in this process under the rules of the simulated region. */
import * as pulumi from "@pulumi/pulumi";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parse } from "yaml";
import { newAccount, RegionMocks } from "@emqx-aws/simulator/mocks";
import { UserError } from "../console";
import { provideOutside } from "../review/base/outside";
import type { StackSettings } from "../review/base/stackSettings";
import { stackIn } from "../review/base/stackSettings";
import type { CostedResource } from "./charges";

interface StackResources {
  region: string | undefined;
  resources: CostedResource[];
}

/** Runs the program of a project with the settings of a stack. Needs no engine and no account, and makes nothing. */
export async function stackResources(
  repository: string,
  stack: string,
  program: () => unknown = programOf(repository),
): Promise<StackResources> {
  const { project, settings } = stackIn(repository, stack);
  const account = newAccount();
  provideOutside(account, settings);
  const mocks = new RegionMocks({ account, ...(settings.region && { region: settings.region }) });
  await pulumi.runtime.setMocks(mocks, project.name, stack, false);
  pulumi.runtime.setAllConfig(configOf(settings));
  try {
    await program();
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  } finally {
    await pulumi.runtime.disconnect();
  }
  return {
    region: settings.region,
    resources: mocks.registered
      .filter(({ custom }) => custom)
      .map(({ type, name, inputs }) => ({ type, name, inputs })),
  };
}

/** What Pulumi.yaml names as the program, run anew each time. */
function programOf(repository: string): () => unknown {
  const load = createRequire(join(repository, "package.json"));
  const file = load.resolve("./index.ts");
  return () => {
    delete load.cache[file];
    return load(file) as unknown;
  };
}

/** The settings as the engine hands them to the program: text, and JSON where the file has more than text. */
export function configOf({ file }: StackSettings): Record<string, string> {
  const { config } = parse(file) as { config: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]),
  );
}
