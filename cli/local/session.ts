import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Speaker } from "../console";
import { UserError } from "../console";
import type { Cli } from "../engine/findCli";
import { obtainCli } from "../engine/obtainCli";
import { requiredVersion } from "../engine/version";
import type { PulumiArguments } from "./arguments";
import { changesStack, isDeployment, needsStack, parsePulumiArguments } from "./arguments";
import { replaceFailedBoots } from "./failedBoots";
import type { RunOptions, RunResult } from "./literalCli";
import { runLiteralCli } from "./literalCli";
import type { StackLock } from "./locks";
import { describeLock, readLocks, removeDamagedLocks } from "./locks";
import { repairPendingOperations } from "./pendingOperations";
import { ensureRegion } from "./regionProcess";
import {
  copiedStackFile,
  hasOwnEncryption,
  initialiseStack,
  noteProject,
  readState,
  removeNeedlessSalt,
  stackExists,
  stackFile,
  stackOf,
  stacksWithState,
} from "./stacks";
import type { Surroundings } from "./surroundings";
import { warningsOnce } from "./warningsOnce";
import { createFolders, environment } from "./surroundings";

/** Where and for whom commands run; tests bring their own. */
export interface Session {
  surroundings: Surroundings;
  env: NodeJS.ProcessEnv;
  speaker: Speaker;
}

export type PulumiOptions = Pick<RunOptions, "capture">;

/**
 * Runs `pulumi` with these arguments in the session's surroundings, after making sure that everything it needs is
 * there and that whatever an earlier command left behind is in order.
 */
export async function runPulumi(
  session: Session,
  args: readonly string[],
  { capture }: PulumiOptions = {},
): Promise<RunResult> {
  const { speaker, env } = session;
  const parsed = parsePulumiArguments(args);
  const given = parsed.stack !== undefined && { PULUMI_OPTION_STACK: parsed.stack };
  const surroundings = {
    ...session.surroundings,
    project: resolve(session.surroundings.project, parsed.cwd ?? "."),
  };
  const cwd = surroundings.project;
  const cli = await obtainCli(requiredVersion(), env, speaker);
  createFolders(surroundings);
  if (cwd !== session.surroundings.project) noteProject(surroundings);

  if (!needsStack(parsed)) {
    const ownEnv = { ...environment(surroundings, cli, env), ...given };
    const result = await runLiteralCli(cli, parsed.rest, { cwd, env: ownEnv, capture });
    const made = parsed.command[2] ?? parsed.stack;
    if (parsed.command[0] === "stack" && made !== undefined) removeNeedlessSalt(surroundings, made);
    return result;
  }

  const { stack, isImplied } = stackOf(surroundings, parsed, env);
  const ownPassphrase = hasOwnEncryption(stackFile(surroundings, stack));
  const surroundingEnv = environment(surroundings, cli, env, { ownPassphrase });
  const interrupted = await prepareStack(session, surroundings, cli, surroundingEnv, parsed, stack);

  const deploys = isDeployment(parsed);
  const region = deploys
    ? await ensureRegion(surroundings, speaker, { mayRestart: isIdle(surroundings) })
    : undefined;
  const configFile = copiedStackFile(surroundings, parsed, stack);
  const runEnv = {
    ...environment(surroundings, cli, env, { providerPort: region?.port, ownPassphrase }),
    ...given,
    ...(isImplied && { PULUMI_STACK: stack }),
    ...(configFile !== undefined && { PULUMI_OPTION_CONFIG_FILE: configFile }),
  };
  if (region && changesStack(parsed)) {
    const context = { surroundings, cli, env: runEnv, speaker, region, capture };
    await repairPendingOperations(context, stack, interrupted?.since);
    if (parsed.command[0] === "up") await replaceFailedBoots(context, stack);
  }
  try {
    return await runLiteralCli(cli, parsed.rest, {
      cwd,
      env: runEnv,
      capture,
      ...(deploys && !args.includes("--json") && !args.includes("-j") && { shown: warningsOnce() }),
    });
  } finally {
    removeNeedlessSalt(surroundings, stack);
    if (!ownPassphrase && hasOwnEncryption(stackFile(surroundings, stack))) {
      speaker.say(
        `Note: ${stackFile(surroundings, stack)} now has a secret that is encrypted with the simulated region's ` +
          "passphrase, which everybody knows. Keep real secrets out of it.",
      );
    }
  }
}

async function prepareStack(
  { speaker }: Session,
  surroundings: Surroundings,
  cli: Cli,
  env: NodeJS.ProcessEnv,
  parsed: PulumiArguments,
  stack: string,
): Promise<StackLock | undefined> {
  removeNeedlessSalt(surroundings, stack);
  if (!stackExists(surroundings, stack) && existsSync(stackFile(surroundings, stack))) {
    speaker.say(`Initialising stack ${stack} in ${surroundings.backend}.`);
    await initialiseStack(surroundings, cli, env, stack);
  }
  readState(surroundings, stack); // says what to do where it is damaged, as the CLI would not
  return clearLocks(speaker, surroundings, cli, env, parsed, stack);
}

/** Removes a lock whose holder died, and returns it; refuses to go on where somebody works. */
async function clearLocks(
  speaker: Speaker,
  surroundings: Surroundings,
  cli: Cli,
  env: NodeJS.ProcessEnv,
  parsed: PulumiArguments,
  stack: string,
): Promise<StackLock | undefined> {
  for (const file of removeDamagedLocks(surroundings, stack)) {
    speaker.say(`Removed the lock ${file}, which is damaged.`);
  }
  const locks = readLocks(surroundings, stack);
  const live = locks.find((lock) => !lock.isStale);
  if (live) {
    if (!changesStack(parsed)) return undefined;
    throw new UserError(
      `stack ${stack} is being changed by ${describeLock(live)}.\n` +
        "Wait until it ends, or stop it with Ctrl-C where it runs; then run this command again.",
    );
  }
  const [stale] = locks;
  if (stale === undefined) return undefined;
  const result = await runLiteralCli(cli, ["cancel", "--yes", "--stack", stack], {
    cwd: surroundings.project,
    env,
    capture: "all",
  });
  if (result.exitCode !== 0) throw new UserError(`the lock of stack ${stack} cannot be removed`);
  speaker.say(
    `Stack ${stack} was locked by process ${stale.pid}, which ended without unlocking it ` +
      `(since ${stale.since.toLocaleString()}). Removed the lock.`,
  );
  return stale;
}

/** Nobody deploys: the region may be restarted. */
function isIdle(surroundings: Surroundings): boolean {
  return stacksWithState(surroundings).every((stack) =>
    readLocks(surroundings, stack).every((lock) => lock.isStale),
  );
}
