import type { Answer } from "../command";
import type { Session } from "../local/session";
import { accountOf, type AccountOptions } from "../smoke/account";
import type { Credentials } from "../smoke/connection";
import { simulatedDeployment } from "../smoke/deployment";
import { formatFailure } from "../smoke/report";
import { firstMessage } from "../smoke/smoke";
import { drill, refreshAndUp } from "./drill";
import type { FaultName } from "./faults";
import { undoAll } from "./faults";
import { formatDrill } from "./report";

export type Fault = FaultName | "repair";

export interface DrillCommandOptions extends AccountOptions {
  stack: string;
  node?: number;
  seconds?: number;
  repair?: boolean;
}

/** Exit code 0 when the drill could be watched and, if asked to, repaired. */
export async function runDrill(
  session: Session,
  options: DrillCommandOptions,
  fault: Fault,
): Promise<Answer | number> {
  const { stack, node, seconds, repair } = options;
  const account = accountOf(options);
  if (fault === "repair") return repairAll(session, stack, account);
  const deployment = await simulatedDeployment(session, stack);
  session.speaker.say(`Clients connect; then ${fault}.`);
  const report = await drill(session, deployment, fault, { node, seconds, repair, account });
  const exitCode = report.repaired?.well === false ? 1 : 0;
  return { facts: report, text: () => formatDrill(report), exitCode };
}

/** Puts right what drills left: in the machines directly, in the account through Pulumi. */
async function repairAll(session: Session, stack: string, account: Credentials): Promise<number> {
  const { speaker } = session;
  const done = await undoAll(await simulatedDeployment(session, stack));
  done.forEach((line) => speaker.say(line));
  await refreshAndUp(session, stack);
  const { passed, lines, failure } = await firstMessage(await simulatedDeployment(session, stack), account);
  lines.forEach((line) => speaker.say(line));
  if (failure) speaker.say(formatFailure(failure));
  return passed ? 0 : 1;
}
