import { RegionClient } from "@emqx-aws/simulator/client";
import { UserError } from "../console";
import { obtainCli } from "../engine/obtainCli";
import { requiredVersion } from "../engine/version";
import { runLiteralCli } from "../local/literalCli";
import { regionStatus } from "../local/regionProcess";
import type { Session } from "../local/session";
import { deployedStack, deployedStacks, readState } from "../local/stacks";
import type { Inside } from "./inside";
import type { Outputs } from "./outputs";
import { RealInside } from "./realInside";
import { SimulatedInside } from "./simulatedInside";

export interface Deployment {
  stack: string;
  outputs: Outputs;
  inside: Inside;
}

export interface SimulatedDeployment extends Deployment {
  region: RegionClient;
}

/** A stack's deployment: in the simulated region if it is deployed there, else in the caller's own backend. */
export async function findDeployment(
  session: Session,
  stack: string,
  options: { real?: boolean } = {},
): Promise<Deployment> {
  return options.real || !isSimulated(session, stack)
    ? realDeployment(session, stack, options.real === true)
    : simulatedDeployment(session, stack);
}

function isSimulated({ surroundings }: Session, stack: string): boolean {
  return deployedStack(surroundings, stack) !== undefined;
}

/** Any program's stack; where `local` is not deployed, the only one there is. */
export async function simulatedDeployment(session: Session, asked: string): Promise<SimulatedDeployment> {
  const stack = deployedStack(session.surroundings, asked);
  if (stack === undefined) {
    const others = deployedStacks(session.surroundings);
    const known = others.length === 0 ? "" : `; deployed are ${others.join(", ")} (-s)`;
    throw new UserError(
      `stack ${asked} is not deployed in the simulated region; run: npm run up -- -s ${asked}${known}`,
    );
  }
  if (stack !== asked) session.speaker.say(`Stack ${asked} is ${stack} here.`);
  const status = await regionStatus(session.surroundings);
  if (status.kind !== "running") {
    throw new UserError("the simulated region does not run; start it with: npm run region -- start");
  }
  if (session.surroundings.machines !== "running") {
    throw new UserError("the simulated region runs without machines, so nothing answers clients");
  }
  const outputs = readState(session.surroundings, stack).outputs as Outputs;
  const region = new RegionClient(status.region);
  return { stack, outputs, inside: new SimulatedInside(region, outputs, stack), region };
}

async function realDeployment(session: Session, stack: string, asked: boolean): Promise<Deployment> {
  const { env, surroundings, speaker } = session;
  const cli = await obtainCli(requiredVersion(), env, speaker);
  const result = await runLiteralCli(cli, ["stack", "output", "--json", "--stack", stack], {
    cwd: surroundings.project,
    env,
    capture: "all",
  });
  if (result.exitCode !== 0 && !asked) {
    throw new UserError(
      `stack ${stack} is not deployed in the simulated region (npm run up -- -s ${stack}), ` +
        `and your own Pulumi backend says:\n${result.stderr.trim()}`,
    );
  }
  const outputs = parseOutputs(stack, result);
  return { stack, outputs, inside: new RealInside(outputs, env) };
}

function parseOutputs(
  stack: string,
  { exitCode, stdout, stderr }: { exitCode: number; stdout: string; stderr: string },
): Outputs {
  if (exitCode !== 0) {
    throw new UserError(`the outputs of stack ${stack} cannot be read:\n${stderr.trim()}`);
  }
  return JSON.parse(stdout) as Outputs;
}
