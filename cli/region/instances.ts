/** The region's instances, as people name them. */
import type { RegionClient } from "@emqx-aws/simulator/client";
import type { Answer } from "../command";
import { UserError } from "../console";
import type { Session } from "../local/session";
import { deployedStack, readState } from "../local/stacks";
import { ask } from "./ask";

export async function showConsole(
  session: Session,
  { stack }: { stack?: string },
  given: string,
): Promise<Answer> {
  const own = stack === undefined ? undefined : stateOf(session, stack).resources.map(({ id }) => id);
  const text = await ask(session, async (client) => client.console(await instanceId(client, given, own)));
  return { text: () => (text === "" ? "(the console is empty)" : text) };
}

export async function showPassword(session: Session, { stack }: { stack: string }): Promise<Answer> {
  const { mqttPasswordParameter: parameter } = stateOf(session, stack).outputs;
  if (typeof parameter !== "string") {
    throw new UserError(
      `stack ${stack} has no password: it is not deployed, or has no built-in user (anonymousAccess)`,
    );
  }
  const password = await ask(session, (client) => client.parameter(parameter));
  return { text: () => password };
}

function stateOf({ surroundings }: Session, stack: string) {
  return readState(surroundings, deployedStack(surroundings, stack) ?? stack);
}

/** People know an instance by its node's number, its name or its address. */
async function instanceId(
  client: RegionClient,
  given: string,
  own?: readonly (string | undefined)[],
): Promise<string> {
  const { instances: all } = await client.status();
  const instances = all.filter(({ id, state }) => own?.includes(id) ?? state !== "terminated");
  const found = instances.filter(
    ({ id, name, privateIp }) =>
      [id, name, privateIp].includes(given) || (/^\d+$/.test(given) && name.endsWith(`-${given}`)),
  );
  if (found.length > 1) {
    const ids = found.map(({ id }) => id).join(", ");
    throw new UserError(`several instances are called ${given}: ${ids}; name one of them, or -s <stack>`);
  }
  if (found[0]) return found[0].id;
  const known = instances.map(({ id, name, privateIp }) => `  ${id}  ${privateIp}  ${name}`);
  throw new UserError(
    [`there is no instance ${given}; there are:`, ...(known.length > 0 ? known : ["  none"])].join("\n"),
  );
}
