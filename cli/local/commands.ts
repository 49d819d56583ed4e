import { existsSync, rmSync } from "node:fs";
import pc from "picocolors";
import { UserError } from "../console";
import { parsePulumiArguments } from "./arguments";
import { endpointLines } from "./endpoints";
import { stopRegion } from "./regionProcess";
import type { Session } from "./session";
import { runPulumi } from "./session";
import { defaultStack, knownStacks, readState, stackExists } from "./stacks";

/** The arguments with the stack in them: the user's, or `local`. */
function onStack(args: readonly string[]): { stack: string; args: string[] } {
  const { stack } = parsePulumiArguments(["up", ...args]);
  return stack === undefined
    ? { stack: defaultStack, args: ["--stack", defaultStack, ...args] }
    : { stack, args: [...args] };
}

/** With its preview: some refusals come while the preview looks at what runs, before anything is changed. */
export async function up(session: Session, userArgs: readonly string[]): Promise<number> {
  const { stack, args } = onStack(userArgs);
  const { exitCode } = await runPulumi(session, ["up", "--yes", ...args]);
  if (exitCode !== 0) return exitCode;
  showEndpoints(session, stack);
  return 0;
}

export async function preview(session: Session, userArgs: readonly string[]): Promise<number> {
  return (await runPulumi(session, ["preview", ...onStack(userArgs).args])).exitCode;
}

export async function refresh(session: Session, userArgs: readonly string[]): Promise<number> {
  const { args } = onStack(userArgs);
  return (await runPulumi(session, ["refresh", "--yes", "--skip-preview", ...args])).exitCode;
}

/** Destroys the stack; when no other stack has resources, the region and all it kept go too. */
export async function down(session: Session, userArgs: readonly string[]): Promise<number> {
  const { surroundings, speaker } = session;
  const { stack, args } = onStack(userArgs);
  if (stackExists(surroundings, stack)) {
    const { exitCode } = await runPulumi(session, ["destroy", "--yes", "--skip-preview", ...args]);
    if (exitCode !== 0) return exitCode;
  } else if (!knownStacks(surroundings).includes(stack)) {
    throw new UserError(`there is no stack ${stack}; there are ${knownStacks(surroundings).join(", ")}`);
  }
  const others = deployedStacks(session);
  if (others.length > 0) {
    speaker.say(
      `The simulated region keeps running for ${others.join(", ")}. To end it too: npm run down -- -s ${others[0]}`,
    );
    return 0;
  }
  await stopRegion(surroundings);
  if (existsSync(surroundings.root)) rmSync(surroundings.root, { recursive: true, force: true });
  speaker.say(`The simulated region has stopped; nothing is left.`);
  return 0;
}

/** Stacks that have more than their own entry in the state. */
export function deployedStacks({ surroundings }: Session): string[] {
  return knownStacks(surroundings).filter((stack) => readState(surroundings, stack).resources.length > 0);
}

function showEndpoints({ surroundings, speaker }: Session, stack: string): void {
  const lines = endpointLines(readState(surroundings, stack).outputs);
  if (lines.length === 0) return;
  speaker.say([pc.bold(`Stack ${stack} is up:`), ...lines.map((line) => `  ${line}`)].join("\n"));
}
