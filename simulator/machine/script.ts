/**
 * What the boot script and the operations have in common when they are acted out: a script's own `begin "…"` lines give
 * the steps and their order, and each one has the needs and the failures of the real one.
 */
import { ClusterStatus } from "../dataplane/cluster/membership";
import { Verdict } from "../dataplane/reachability";
import { RoleCalls } from "../dataplane/regionView";
import { FileSystem, parseEnvironment } from "./fileSystem";

/** The machine as a script on it sees it. */
export interface ScriptMachine {
  files: FileSystem;
  instanceId: string;
  role: RoleCalls;
  egress(host: string, port: number): Verdict;
  emqxRuns(): boolean;
  cluster(): ClusterStatus;
  /** Waits for so many (scaled) seconds; rejects when the machine is switched off meanwhile. */
  sleep(seconds: number): Promise<void>;
  /** Scaled seconds since the script began. */
  now(): number;
  say(line: string): void;
  /** Runs one of the node's operations as part of this script; rejects when it fails. */
  operate(operation: string): Promise<void>;
}

/** A script on its way. */
export interface ScriptRun {
  machine: ScriptMachine;
  /** node.env */
  values: Record<string, string>;
  /** Shell variables of the script's own that its announcements name. */
  variables: Record<string, string>;
  deadline: number;
}

/** Done with this step; `"finished"` also ends the script, as its `exit 0` does. */
export type StepResult = Promise<"finished" | void>;

/**
 * A step by the beginning of its announcement, what it does, and, where the script stands behind an `if`, whether it comes
 * to that: otherwise the step is neither announced nor done.
 */
export type Step<Run> = [
  announcement: string,
  act: (run: Run) => StepResult,
  applies?: (run: Run) => boolean | Promise<boolean>,
];

export const nodeFolder = "/etc/emqx-node";
const nodeEnvironment = `${nodeFolder}/node.env`;
const pauseSeconds = 5;

/** What every script on a node begins with: node.env, and the time it has. */
export function startScript(machine: ScriptMachine): ScriptRun {
  const file = machine.files.get(nodeEnvironment);
  if (file === undefined) {
    throw new Error(`${nodeEnvironment}: No such file or directory`);
  }
  const values = parseEnvironment(file.content);
  const run = { machine, values, variables: {}, deadline: 0 };
  return { ...run, deadline: machine.now() + readinessTimeout(run) };
}

/** The steps that a script announces, in its order. */
export function announcedSteps(script: string): string[] {
  return [...script.matchAll(/^\s*begin "([^"]*)"/gm)].map((match) => match[1]!);
}

/** Acts out a script's steps; rejects with the script's last words when one fails. */
export async function actOutSteps<Run extends ScriptRun>(
  script: string,
  steps: Step<Run>[],
  run: Run,
): Promise<void> {
  const { machine } = run;
  for (const announced of announcedSteps(script)) {
    const [, act, applies] = stepFor(steps, announced) ?? [];
    let name = fillIn(announced, run);
    try {
      if (applies !== undefined && !(await applies(run))) {
        continue;
      }
      name = fillIn(announced, run);
      machine.say(`emqx-node: ${name}`);
      if (act === undefined) {
        machine.say("emqx-node: (this step is unknown to the simulation and skipped)");
      } else if ((await act(run)) === "finished") {
        return;
      }
    } catch (error) {
      const node = run.values["NODE_NUMBER"] ?? "?";
      throw new Error(`NODE ${node} FAILED while ${name}: ${(error as Error).message}`, { cause: error });
    }
  }
}

export function stepFor<Run>(steps: Step<Run>[], announced: string): Step<Run> | undefined {
  return steps.find(([announcement]) => announced.startsWith(announcement));
}

function fillIn(announced: string, { values, variables }: ScriptRun): string {
  const known = { ...values, ...variables };
  return announced.replace(/\$\{?(\w+)\}?/g, (whole, name: string) => known[name] ?? whole);
}

/** Again and again until it gives no reason against itself, or the time is up. */
export async function until(
  run: ScriptRun,
  seconds: number,
  attempt: () => Promise<string | undefined>,
): Promise<void> {
  const end = Math.min(run.machine.now() + seconds, run.deadline);
  for (;;) {
    const problem = await attempt();
    if (problem === undefined) {
      return;
    }
    if (run.machine.now() >= end) {
      throw new Error(problem);
    }
    await run.machine.sleep(pauseSeconds);
  }
}

export function readinessTimeout(run: Pick<ScriptRun, "values">): number {
  return Number(run.values["READINESS_TIMEOUT_SECONDS"] ?? 900);
}

/** `aws ssm get-parameter --with-decryption` of one of the cluster's parameters. */
export async function parameter(run: ScriptRun, name: string): Promise<{ value?: string; problem?: string }> {
  return awsCall(run, "ssm", () =>
    run.machine.role.getParameter(`${run.values["PARAMETER_PREFIX"]}/${name}`, true),
  );
}

/** A secret of the cluster, tried for five minutes; fails when it cannot be read or is not what EMQX can use. */
export async function secret(run: ScriptRun, name: string, pattern: RegExp, rule: string): Promise<string> {
  const path = `${run.values["PARAMETER_PREFIX"]}/${name}`;
  let value = "";
  try {
    await until(run, 300, async () => {
      const answer = await parameter(run, name);
      value = answer.value ?? "";
      return answer.problem;
    });
  } catch (error) {
    throw new Error(`parameter ${path}: ${(error as Error).message}`, { cause: error });
  }
  if (!pattern.test(value)) {
    throw new Error(`parameter ${path} must be ${rule}`);
  }
  return value;
}

export const passwordRule = {
  pattern: /^[A-Za-z0-9!#%&()*+./:;<=>?@^_{|}~-]{8,64}$/,
  words: "8 to 64 letters, digits or signs other than quotes, comma, backslash and dollar",
};

/** A call of the aws command: needs a way to the service, then the role's permission. */
export async function awsCall<T>(
  run: ScriptRun,
  service: string,
  call: () => Promise<T>,
): Promise<{ value?: T; problem?: string }> {
  const host = `${service}.${run.values["REGION"]}.amazonaws.com`;
  const verdict = run.machine.egress(host, 443);
  if (!verdict.allowed) {
    return { problem: `Could not connect to the endpoint URL: "https://${host}/": ${verdict.reason}` };
  }
  try {
    return { value: await call() };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}
