import { existsSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import pc from "picocolors";
import { UserError } from "../console";
import { defaultStack } from "../repository";
import { parsePulumiArguments } from "./arguments";
import { followBoots, takeVerbose } from "./bootProgress";
import { endpointLines, userOf } from "./endpoints";
import { explainFailedBoots } from "./failedBoots";
import { endpointsOf, regionStatus, stopRegion } from "./regionProcess";
import type { PulumiOptions, Session } from "./session";
import { runPulumi } from "./session";
import { argumentsFor, deployedStacks, knownStacks, nameIn, readState, stackExists } from "./stacks";

/** The arguments with the stack in them: the user's, or `local`; and the stack's name in this repository. */
function onStack({ surroundings }: Session, given: readonly string[]): { stack: string; args: string[] } {
  const { stack, cwd = "." } = parsePulumiArguments(["up", ...given]);
  const there = { ...surroundings, project: resolve(surroundings.project, cwd) };
  return {
    stack: nameIn(surroundings, there, stack ?? defaultStack),
    args: stack === undefined ? ["--stack", defaultStack, ...given] : [...given],
  };
}

/** With its preview: some refusals come while the preview looks at what runs, before anything is changed. */
export async function up(
  session: Session,
  userArgs: readonly string[],
  options: PulumiOptions = {},
): Promise<number> {
  const { isVerbose, args: given } = takeVerbose(userArgs, process.env);
  const { stack, args } = onStack(session, given);
  const ended = new AbortController();
  const boots =
    isVerbose && session.surroundings.machines === "running"
      ? followBoots(session.surroundings, session.speaker, ended.signal)
      : undefined;
  const { exitCode } = await runPulumi(session, ["up", "--yes", ...args], options).finally(() =>
    ended.abort(),
  );
  await boots;
  if (parsePulumiArguments(["up", ...args]).command.length === 0) return exitCode; // only help was asked for
  if (exitCode !== 0) {
    await showFailedBoots(session, stack);
    return exitCode;
  }
  await showEndpoints(session, stack);
  return session.surroundings.machines === "running" ? sendFirstMessage(session, stack) : 0;
}

export async function preview(session: Session, userArgs: readonly string[]): Promise<number> {
  return (await runPulumi(session, ["preview", ...onStack(session, userArgs).args])).exitCode;
}

export async function refresh(session: Session, userArgs: readonly string[]): Promise<number> {
  const { args } = onStack(session, userArgs);
  return (await runPulumi(session, ["refresh", "--yes", "--skip-preview", ...args])).exitCode;
}

/** Destroys the stack; when no other stack has resources, the region and all it kept go too. */
export async function down(session: Session, userArgs: readonly string[]): Promise<number> {
  const { surroundings, speaker } = session;
  const { stack, args } = onStack(session, userArgs);
  if (stackExists(surroundings, stack)) {
    // With its preview: without it the engine deletes what is not protected before it comes to what is.
    const { exitCode } = await runPulumi(session, ["destroy", "--yes", ...args]);
    if (exitCode !== 0) return exitCode;
  } else if (!knownStacks(surroundings).includes(stack)) {
    throw new UserError(`there is no stack ${stack}; there are ${knownStacks(surroundings).join(", ")}`);
  }
  const [next, ...others] = deployedStacks(surroundings);
  if (next !== undefined) {
    const option = argumentsFor(surroundings, next);
    speaker.say(
      `The simulated region keeps running for ${[next, ...others].join(", ")}. ` +
        `To end ${others.length > 0 ? next : "it"} too: npm run down${option === "" ? "" : ` -- ${option}`}`,
    );
    return 0;
  }
  await stopRegion(surroundings);
  if (existsSync(surroundings.root)) rmSync(surroundings.root, { recursive: true, force: true });
  speaker.say(`The simulated region has stopped; nothing is left.`);
  return 0;
}

async function showFailedBoots({ surroundings, speaker }: Session, stack: string): Promise<void> {
  const status = await regionStatus(surroundings);
  if (status.kind !== "running") return;
  const lines = await explainFailedBoots(surroundings, status.region, stack);
  lines.forEach((line) => speaker.say(line));
}

async function showEndpoints({ surroundings, speaker }: Session, stack: string): Promise<void> {
  const endpoints = await endpointsOf(surroundings);
  const state = readState(surroundings, stack);
  const lines = endpointLines(state.outputs, userOf(stack, state), endpoints);
  if (lines.length === 0) return;
  speaker.say([pc.bold(`Stack ${stack} is up:`), ...lines.map((line) => `  ${line}`)].join("\n"));
}

/**
 * The first thing a newcomer sees: a message that went the whole way. Fails when it does not arrive; not where EMQX wants
 * to know of an account that only the user has.
 */
async function sendFirstMessage(session: Session, stack: string): Promise<number> {
  const { surroundings, speaker } = session;
  const { loadBalancerDnsName } = readState(surroundings, stack).outputs;
  const own = (await endpointsOf(surroundings)).filter(({ dnsName }) => dnsName === loadBalancerDnsName);
  // A program of the user's own may have no load balancer; and one for other clients lets none in from here.
  if (own.length === 0) return 0;
  if (own.every(({ problem }) => problem !== undefined)) {
    speaker.say(`  From here nothing can connect: ${own[0]?.problem}`);
    return 0;
  }
  // Loaded when needed: other commands need no MQTT client.
  const [{ simulatedDeployment }, { firstMessage }, { formatFailure }] = await Promise.all([
    import("../smoke/deployment"),
    import("../smoke/smoke"),
    import("../smoke/report"),
  ]);
  const { passed, lines, failure } = await firstMessage(await simulatedDeployment(session, stack));
  lines.forEach((line) => speaker.say(`${pc.green("✓")} ${line}`));
  if (failure) speaker.say(formatFailure(failure));
  const option = stack === defaultStack ? "" : ` -- -s ${stack}`;
  speaker.say(`  All checks: npm run smoke${option}`);
  return passed ? 0 : 1;
}
