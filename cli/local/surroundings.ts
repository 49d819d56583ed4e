import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "../repository";
import type { Cli } from "../engine/findCli";
import { languageHostPath } from "../engine/hostLauncher";
import { dirname, delimiter } from "node:path";

/** The folders in which the literal CLI runs on its own, apart from the user's Pulumi and AWS settings. */
export interface Surroundings {
  /** The folder with Pulumi.yaml. */
  project: string;
  /** `.region` in the repository; never committed. */
  root: string;
  /** The stacks' state. */
  backend: string;
  /** PULUMI_HOME: the selected stack, plugins. */
  home: string;
  /** State of the simulated region. */
  region: string;
  regionLog: string;
  /** Whether instances in the region boot and carry MQTT, or are only judged able to. */
  machines: Machines;
  /** The region's process entry. */
  regionMain: string;
  /** Copies of stack files, which the CLI may write to. */
  stackFiles: string;
}

export type Machines = "running" | "judged";

export function surroundingsOf(
  project: string,
  root = join(project, ".region"),
  machines: Machines = "judged",
): Surroundings {
  return {
    project,
    machines,
    root,
    backend: join(root, "backend"),
    home: join(root, "home"),
    region: join(root, "state"),
    regionLog: join(root, "region.log"),
    regionMain: join(repositoryRoot, "simulator", "main.ts"),
    stackFiles: join(root, "stacks"),
  };
}

export function createFolders(surroundings: Surroundings): void {
  const { backend, home, region, stackFiles } = surroundings;
  for (const folder of [backend, home, region, stackFiles]) mkdirSync(folder, { recursive: true });
}

/**
 * Protects nothing: whatever is in the simulated region is made up. A stack file with an encryption salt of its
 * own needs its own passphrase instead.
 */
const passphrase = "simulated-region";

/** Settings of the user's Pulumi that keep their meaning here: how it works, not where and as whom. */
const kept =
  /^PULUMI_(STACK|OPTION_.*|LANGUAGE_NODEJS_RUN_PATH|NODEJS_.*|DEBUG_.*|PARALLEL.*|CONTINUE_ON_ERROR|EXPERIMENTAL|ENABLE_.*)$/;

function withoutUserSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isForeign = (name: string) =>
    name.startsWith("AWS_") || (name.startsWith("PULUMI_") && !kept.test(name));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isForeign(name)));
}

interface EnvironmentOptions {
  /** The simulated region's provider port; without it nothing can be deployed. */
  providerPort?: number;
  /** The stack file brings its own salt, so the user's passphrase counts. */
  ownPassphrase?: boolean;
}

export function environment(
  surroundings: Surroundings,
  cli: Cli,
  env: NodeJS.ProcessEnv,
  { providerPort, ownPassphrase = false }: EnvironmentOptions = {},
): NodeJS.ProcessEnv {
  const userPassphrase = {
    ...(env.PULUMI_CONFIG_PASSPHRASE !== undefined && {
      PULUMI_CONFIG_PASSPHRASE: env.PULUMI_CONFIG_PASSPHRASE,
    }),
    ...(env.PULUMI_CONFIG_PASSPHRASE_FILE && {
      PULUMI_CONFIG_PASSPHRASE_FILE: env.PULUMI_CONFIG_PASSPHRASE_FILE,
    }),
  };
  const hasUserPassphrase = ownPassphrase && Object.keys(userPassphrase).length > 0;
  return {
    ...withoutUserSettings(env),
    PATH: [dirname(cli.command), env.PATH].join(delimiter),
    PULUMI_BACKEND_URL: pathToFileURL(surroundings.backend).href,
    PULUMI_HOME: surroundings.home,
    ...(hasUserPassphrase ? userPassphrase : { PULUMI_CONFIG_PASSPHRASE: passphrase }),
    // The salt then lives in the state, and stack files need none.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    EMQX_AWS_LANGUAGE_HOST: languageHostPath,
    ...(providerPort !== undefined && {
      PULUMI_DEBUG_PROVIDERS: ["aws", "random", "tls"].map((name) => `${name}:${providerPort}`).join(","),
    }),
  };
}
