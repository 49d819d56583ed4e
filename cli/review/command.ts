import type { CommandShape } from "../command";
import { option } from "../command";
import { gateExitCode, gates, parseGates } from "./gates";
import type { ReviewOptions } from "./run";

export const reviewCommand: CommandShape = {
  name: "review",
  description: "what a change would do: to clients, to nodes, to data, and to who can reach what",
  options: [
    option("-s, --stack <name>", "the stack (with --preview: only its name in the report)"),
    option("-b, --base <git ref>", "compare the present files with this revision, in a simulated region"),
    option("-p, --preview <file>", "review a `pulumi preview --json --show-sames`; - is stdin"),
    option("-o, --output <file>", "write to a file instead of stdout"),
    option(
      "--fail-on <gates>",
      `exit with ${gateExitCode} if one of these is met: ${Object.keys(gates).join(",")}`,
      { parse: parseGates },
    ),
  ],
  json: "the review for machines instead of Markdown",
  run: async (session, options: ReviewOptions) => (await import("./run")).runReview(session, options),
};

export const diagramCommand: CommandShape = {
  name: "diagram",
  description: "the topology of a stack, as Mermaid",
  options: [
    option("-s, --stack <name>", "the stack", { required: true }),
    option("-o, --output <path>", "where to write, without the ending (default: docs/topology-<stack>)"),
  ],
  run: async (session, options: { stack: string; output?: string }) =>
    (await import("./run")).runDiagram(session, options),
};
