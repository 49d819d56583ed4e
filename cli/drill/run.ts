import type { Session } from "../local/session";
import type { Credentials } from "../smoke/connection";
import { simulatedDeployment } from "../smoke/deployment";
import { formatFailure } from "../smoke/report";
import { firstMessage } from "../smoke/smoke";
import { drill, refreshAndUp } from "./drill";
import type { FaultName } from "./faults";
import { undoAll } from "./faults";
import { formatDrill } from "./report";

interface RunOptions {
  stack: string;
  node?: number;
  seconds?: number;
  repair?: boolean;
  json?: boolean;
  account?: Credentials;
}

/** Exit code 0 when the drill could be watched and, if asked to, repaired. */
export async function runDrill(
  session: Session,
  fault: FaultName,
  { stack, json, ...options }: RunOptions,
): Promise<number> {
  const deployment = await simulatedDeployment(session, stack);
  session.speaker.say(`Clients connect; then ${fault}.`);
  const report = await drill(session, deployment, fault, options);
  process.stdout.write(`${json ? JSON.stringify(report, undefined, 2) : formatDrill(report)}\n`);
  return report.repaired?.well === false ? 1 : 0;
}

/** Puts right what drills left: in the machines directly, in the account through Pulumi. */
export async function repairAll(session: Session, stack: string, account?: Credentials): Promise<number> {
  const { speaker } = session;
  const done = await undoAll(await simulatedDeployment(session, stack));
  done.forEach((line) => speaker.say(line));
  await refreshAndUp(session, stack);
  const { passed, lines, failure } = await firstMessage(await simulatedDeployment(session, stack), account);
  lines.forEach((line) => speaker.say(line));
  if (failure) speaker.say(formatFailure(failure));
  return passed ? 0 : 1;
}
