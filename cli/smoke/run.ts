import type { Session } from "../local/session";
import { findDeployment } from "./deployment";
import { formatSmoke } from "./report";
import type { SmokeOptions } from "./smoke";
import { smoke } from "./smoke";

/** Runs the smoke test and prints it; the exit code. */
export async function runSmoke(
  session: Session,
  stack: string,
  json: boolean,
  { real, ...options }: SmokeOptions & { real: boolean },
): Promise<number> {
  const deployment = await findDeployment(session, stack, { real });
  const result = await smoke(deployment, {
    ...options,
    // Everything but waiting out an idle timeout is over in seconds.
    onResult: ({ title, status }) => options.thorough && session.speaker.say(`${title}: ${status}`),
  });
  process.stdout.write(`${json ? JSON.stringify(result, undefined, 2) : formatSmoke(result)}\n`);
  return result.passed ? 0 : 1;
}
