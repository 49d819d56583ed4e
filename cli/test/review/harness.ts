/** Previews of changes by the real engine: a base is deployed into a region in this process, heads are previewed against it. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Project, StackSettings } from "../../review/base/stackSettings";
import { stackIn } from "../../review/base/stackSettings";
import type { Previewed } from "../../review/base/throwaway";
import { createStack, deploy, generatedSecrets, preview, withThrowaway } from "../../review/base/throwaway";
import { repositoryRoot } from "../../repository";
import { withChanges } from "../../../test/settings";

export const stack = "test";

/** Production in small. Its own settings, so that the stacks in stacks/ can change without these tests. */
export const baseSettings = {
  availabilityZones: ["eu-west-1a", "eu-west-1b"],
  nodeCount: 3,
  listeners: ["Mqtts", "Wss"],
  certificate: { arn: "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01" },
  dns: { hostedZoneId: "Z0123456789EXAMPLE01", hostname: "mqtt.example.com" },
  tags: { environment: "test" },
};

export interface Head {
  /** Settings that differ from the base's; undefined takes one out. */
  settings?: Record<string, unknown>;
  /** Changes of the program: file, what is there, what is put in its place. */
  patches?: [file: string, old: string, text: string][];
}

interface Bench {
  /** Every secret of the deployed base. */
  secrets: string[];
  /** `pulumi preview --json --show-sames`. */
  preview(head: Head, ...flags: string[]): Promise<Previewed>;
}

const silent = { say: () => undefined, progress: () => undefined };

/** Deploys the base, and gives the means to preview changes of it. */
export function withBase<T>(base: Head, work: (bench: Bench) => Promise<T>): Promise<T> {
  return withBench(base, work);
}

/** Gives the means to preview first deployments. */
export function withNothing<T>(work: (bench: Bench) => Promise<T>): Promise<T> {
  return withBench(undefined, work);
}

async function withBench<T>(base: Head | undefined, work: (bench: Bench) => Promise<T>): Promise<T> {
  // The engine knows --event-log only as a command for debugging.
  const env = { ...process.env, PULUMI_DEBUG_COMMANDS: "true" };
  return withThrowaway(env, silent, async (throwaway) => {
    const first = program(base ?? {});
    let secrets: string[] = [];
    try {
      await createStack(throwaway, first.project, stack);
      if (base) {
        await deploy(throwaway, first.project, stack, first.settings);
        secrets = await generatedSecrets(throwaway, first.project, stack);
      }
    } finally {
      first.remove();
    }
    return work({
      secrets,
      async preview(head, ...flags) {
        const next = program(head);
        try {
          return await preview(throwaway, next.project, stack, next.settings, flags);
        } finally {
          next.remove();
        }
      },
    });
  });
}

/** A copy of the program with its changes. */
function program(head: Head): { project: Project; settings: StackSettings; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "emqx-aws-program-"));
  writeProgram(folder, head);
  return { ...stackIn(folder, stack), remove: () => rmSync(folder, { recursive: true }) };
}

/** Writes a copy of the program into a folder, with the packages of this repository. */
export function writeProgram(folder: string, head: Head): void {
  const { patches = [] } = head;
  for (const name of [
    "components",
    "index.ts",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "tsconfig.pulumi.json",
    "Pulumi.yaml",
  ]) {
    cpSync(join(repositoryRoot, name), join(folder, name), { recursive: true });
  }
  mkdirSync(join(folder, "stacks"));
  cpSync(join(repositoryRoot, "stacks", "settings.ts"), join(folder, "stacks", "settings.ts"));
  symlinkSync(join(repositoryRoot, "node_modules"), join(folder, "node_modules"));
  for (const [file, old, text] of patches) {
    const content = readFileSync(join(folder, file), "utf8");
    if (!content.includes(old)) throw new Error(`${file} has no ${JSON.stringify(old)}`);
    writeFileSync(join(folder, file), content.replaceAll(old, text));
  }
  writeSettings(folder, head);
}

export function writeSettings(folder: string, { settings = {} }: Head): void {
  const own = Object.entries(withChanges(baseSettings, settings));
  const config = Object.fromEntries(own.map(([key, value]) => [`emqx-aws:${key}`, value]));
  writeFileSync(
    join(folder, "stacks", `Pulumi.${stack}.yaml`),
    stringify({ config: { "aws:region": "eu-west-1", ...config } }),
  );
}
