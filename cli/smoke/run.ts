import type { Answer } from "../command";
import type { Session } from "../local/session";
import { accountOf, type AccountOptions } from "./account";
import { findDeployment } from "./deployment";
import { formatSmoke } from "./report";
import { smoke } from "./smoke";

export interface SmokeCommandOptions extends AccountOptions {
  stack: string;
  real?: boolean;
  keepAlive?: number;
  thorough?: boolean;
  minDays?: number;
}

export async function runSmoke(session: Session, options: SmokeCommandOptions): Promise<Answer> {
  const { stack, keepAlive, minDays, thorough = false } = options;
  const deployment = await findDeployment(session, stack, options);
  const result = await smoke(deployment, {
    ...accountOf(options),
    keepAliveSeconds: keepAlive,
    minimumDays: minDays,
    thorough,
    // Everything but waiting out an idle timeout is over in seconds.
    onResult: ({ title, status }) => thorough && session.speaker.say(`${title}: ${status}`),
  });
  return { facts: result, text: () => formatSmoke(result), exitCode: result.passed ? 0 : 1 };
}
