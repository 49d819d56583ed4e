import { RegionError } from "@emqx-aws/simulator/client";
import { UserError } from "../console";
import type { Session } from "../local/session";
import { findDeployment } from "../smoke/deployment";
import { nodeOperations } from "./operations";
import type { Outputs } from "../smoke/outputs";

/** Runs an operation on a node of a stack and prints what the node says; the exit code. */
export async function runOnNode(
  session: Session,
  node: string,
  operation: string,
  args: string[],
  { stack, real = false }: { stack: string; real?: boolean },
): Promise<number> {
  refuseUnsafe(operation, args);
  const { outputs, inside } = await findDeployment(session, stack, { real });
  const instanceId = instanceOf(outputs, node);
  try {
    return await inside.operate(instanceId, operation, args, (line) => process.stdout.write(`${line}\n`));
  } catch (error) {
    throw error instanceof RegionError ? new UserError(error.message) : error;
  }
}

/** A shell on the node reads these words, so there is nothing in them that a shell could take for its own. */
export function refuseUnsafe(operation: string, args: string[]): void {
  if (!Object.hasOwn(nodeOperations, operation)) {
    const known = Object.keys(nodeOperations).join(", ");
    throw new UserError(`there is no operation "${operation}"; there are ${known}`);
  }
  const { takes } = nodeOperations[operation]!;
  if (args.length > (takes === undefined ? 0 : 1)) {
    throw new UserError(
      `${operation} takes ${takes === undefined ? "nothing" : `${takes} or nothing`}, not "${args.join(" ")}"; ` +
        `options of the command go after --: npm run node -- 0 ${operation} -s <stack>`,
    );
  }
  const bad = args.find((arg) => !/^[A-Za-z0-9][A-Za-z0-9._/:@=+-]*$/.test(arg));
  if (bad !== undefined) {
    throw new UserError(
      `the argument "${bad}" may only have letters, digits and . _ / : @ = + - in it, and must begin with a letter or a digit`,
    );
  }
}

/** The instance of a node that is given by its number, its EMQX name or the instance's own id. */
export function instanceOf({ instanceIds = [], nodeNames = [] }: Outputs, given: string): string {
  const index = instanceIds.findIndex(
    (id, number) => given === id || given === nodeNames[number] || given === String(number),
  );
  const found = instanceIds[index];
  if (found !== undefined) return found;
  const known = instanceIds.map((id, number) => `  ${number}  ${nodeNames[number] ?? ""}  ${id}`);
  throw new UserError(
    [`there is no node ${given}; there are:`, ...(known.length > 0 ? known : ["  none"])].join("\n"),
  );
}
