import { Command } from "commander";
import type { Speaker } from "../console";
import { gateExitCode, gates, parseGates } from "./gates";
import type { ReviewOptions } from "./run";

export interface ReviewSession {
  surroundings: { project: string };
  env: NodeJS.ProcessEnv;
  speaker: Speaker;
}

/** `review` and `diagram`. What they need is loaded when they run, so that other commands start as fast as before. */
export function addReviewCommands(program: Command, { surroundings, env, speaker }: ReviewSession): Command {
  const where = { repository: surroundings.project, env, speaker };

  program
    .command("review")
    .description("what a change would do: to clients, to nodes, to data, and to who can reach what")
    .option("-s, --stack <name>", "the stack (with --preview: only its name in the report)")
    .option("-b, --base <git ref>", "compare the present files with this revision, in a simulated region")
    .option("-p, --preview <file>", "review a `pulumi preview --json --show-sames`; - is stdin")
    .option("--json", "the review for machines instead of Markdown")
    .option("-o, --output <file>", "write to a file instead of stdout")
    .option(
      "--fail-on <gates>",
      `exit with ${gateExitCode} if one of these is met: ${Object.keys(gates).join(",")}`,
      parseGates,
    )
    .action(async (options: ReviewOptions) => {
      const { runReview } = await import("./run");
      process.exitCode = await runReview(where, options);
    });

  program
    .command("diagram")
    .description("the topology of a stack, as Mermaid and as SVG")
    .requiredOption("-s, --stack <name>", "the stack")
    .option("-o, --output <path>", "where to write, without the ending (default: docs/topology-<stack>)")
    .action(async (options: { stack: string; output?: string }) => {
      const { runDiagram } = await import("./run");
      await runDiagram(where, options);
    });

  return program;
}
