import type { CommandShape } from "../command";
import { option } from "../command";
import { ask } from "./ask";
import { days } from "./certificates";

/** Makes it, and shows it. */
function seed(
  name: string,
  options: CommandShape["options"],
  seedOf: (given: Record<string, unknown>) => Record<string, unknown> = (given) => given,
  description = "",
): CommandShape {
  return {
    name,
    description,
    options,
    async run(session, given: Record<string, unknown>) {
      return { facts: await ask(session, (client) => client.addSeed({ kind: name, ...seedOf(given) })) };
    },
  };
}

const needed = (flags: string, description?: string) => option(flags, description, { required: true });

export const seedCommands: CommandShape = {
  name: "add",
  description: "make something that a stack only refers to",
  commands: [
    seed(
      "certificate",
      [needed("--arn <arn>", "of ACM or IAM"), needed("--name <names...>", "the host names it is for"), days],
      ({ name, ...rest }) => ({ names: name, ...rest }),
    ),
    seed(
      "bucket",
      [
        needed("--name <name>"),
        needed("--region <region>"),
        option("--no-load-balancer-logs", "its policy does not let load balancers write"),
      ],
      ({ loadBalancerLogs, ...rest }) => ({ takesLoadBalancerLogs: loadBalancerLogs, ...rest }),
    ),
    seed("key", [needed("--arn <arn>"), option("--alias <alias>")]),
    seed("zone", [
      needed("--id <id>", "e.g. Z0123456789ABC"),
      needed("--name <domain>"),
      option("--private", "a private zone, with --vpc-id"),
      option("--vpc-id <id>"),
    ]),
    seed(
      "image",
      [needed("--region <region>"), needed("--release <release>", "e.g. 2023.9.20251110.1")],
      undefined,
      "a newer Amazon Linux 2023 image, which the region then names as its latest",
    ),
  ],
};
