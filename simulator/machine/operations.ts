/**
 * Node operations acted out: `emqx-node OPERATION [ARGS…]` on a running machine. The node's own fragment gives the steps
 * and their order; what a step does is in the table here.
 *
 * To add an operation: write `operations/<name>.ts`, which exports an `Operation`, and enter it into `operations` under the
 * fragment's name. The steps are found by the beginning of the fragment's `begin "…"` lines; `unknownOperationSteps`
 * lets a test see that none is missing. What it needs of the machine goes into `OperationMachine` and `Machine.operate`.
 */
import { EmqxNode } from "./emqxNode";
import { backup } from "./operations/backup";
import { FileSystem } from "./fileSystem";
import { drain } from "./operations/drain";
import { restore } from "./operations/restore";
import { sync } from "./operations/sync";
import { actOutSteps, announcedSteps, nodeFolder, parameter, ScriptMachine, ScriptRun } from "./script";
import { startScript, Step, stepFor } from "./script";

/** The machine as an operation sees it. */
export interface OperationMachine extends ScriptMachine {
  /** EMQX, while it runs. */
  emqx(): EmqxNode | undefined;
  /** Files on the data volume, which outlive the machine. */
  volumeFiles: FileSystem;
}

export interface OperationRun extends ScriptRun {
  machine: OperationMachine;
  /** What stands after the operation's name. */
  args: string[];
}

/** The steps of one run; made anew for each, so that they may share local variables. */
export type Operation = () => Step<OperationRun>[];

/** Every operation that can be acted out, by its name. */
export const operations: Record<string, Operation> = { sync, drain, backup, restore };

/** What somebody who ran an operation gets to see. */
export interface OperationResult {
  lines: string[];
  exitCode: 0 | 1;
}

/** Steps of an operation's fragment that would be skipped here. */
export function unknownOperationSteps(fragment: string, operation: Operation): string[] {
  const steps = operation();
  return announcedSteps(fragment).filter((name) => stepFor(steps, name) === undefined);
}

/** Acts out an operation; rejects with its last words when it fails. */
export async function actOutOperation(
  name: string,
  args: string[],
  machine: OperationMachine,
  known: Record<string, Operation> = operations,
): Promise<void> {
  const run: OperationRun = { ...startScript(machine), machine, args };
  const fragment = await fragmentOf(run, name);
  const operation = Object.hasOwn(known, name) ? known[name] : undefined;
  if (operation === undefined) {
    throw new Error(
      `operation "${name}" cannot be acted out; the simulated region knows ${list(Object.keys(known))}`,
    );
  }
  await actOutSteps(fragment, operation(), run);
}

/** The operation's text on the node, or in the parameter it would come from. */
async function fragmentOf(run: OperationRun, name: string): Promise<string> {
  if (!/^[a-z][a-z-]*$/.test(name)) {
    throw new Error(`"${name}" is not the name of an operation`);
  }
  const file = run.machine.files.get(`${nodeFolder}/operations/${name}`);
  if (file !== undefined) {
    // An operation may consist of others.
    return file.content.replace(
      /^\. "\$conf\/operations\/([a-z-]+)"$/gm,
      (line, part: string) => run.machine.files.get(`${nodeFolder}/operations/${part}`)?.content ?? line,
    );
  }
  const { value, problem } = await parameter(run, `operations/${name}`);
  if (value === undefined) {
    throw new Error(`this node has no operation "${name}": ${problem}`);
  }
  return value;
}

function list(names: string[]): string {
  return names.length === 0 ? "none" : names.sort().join(", ");
}
