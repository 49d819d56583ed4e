import { RegionClient } from "../../simulator/client";
import { UserError } from "../console";
import { obtainCli } from "../engine/obtainCli";
import { requiredVersion } from "../engine/version";
import { runLiteralCli } from "../local/literalCli";
import { regionStatus } from "../local/regionProcess";
import type { Session } from "../local/session";
import { runPulumi } from "../local/session";
import { readState, stackExists } from "../local/stacks";
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

export function isSimulated({ surroundings }: Session, stack: string): boolean {
  return stackExists(surroundings, stack) && readState(surroundings, stack).resources.length > 0;
}

export async function simulatedDeployment(session: Session, stack: string): Promise<SimulatedDeployment> {
  if (!isSimulated(session, stack)) {
    throw new UserError(
      `stack ${stack} is not deployed in the simulated region; run: npm run up -- -s ${stack}`,
    );
  }
  const status = await regionStatus(session.surroundings);
  if (status.kind !== "running") {
    throw new UserError("the simulated region does not run; start it with: npm run region -- start");
  }
  if (session.surroundings.machines !== "running") {
    throw new UserError("the simulated region runs without machines, so nothing answers clients");
  }
  const result = await runPulumi(session, ["stack", "output", "--json", "--stack", stack], {
    capture: "all",
  });
  const outputs = parseOutputs(stack, result);
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
