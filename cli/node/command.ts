import type { Command } from "commander";
import type { Session } from "../local/session";
import { defaultStack } from "../local/stacks";

/** `node`: runs an operation on a node, simulated or real. */
export function addNodeCommand(program: Command, session: Session): void {
  program
    .command("node")
    .argument("<node>", "a node's number, its EMQX name or its instance's id")
    .argument("<operation>", "what to do there, for example: backup")
    .argument("[arguments...]", "what the operation needs to know, for example: restore latest")
    .option("-s, --stack <name>", "the stack", defaultStack)
    .option("--real", "the stack of your own Pulumi backend, even if one of that name is simulated")
    .description("run an operation on a node and show what the node says; exit code 1 when it fails")
    .addHelpText(
      "after",
      "\nOn AWS it runs through Session Manager: the aws CLI with its session-manager-plugin, and credentials that may\n" +
        "start sessions with the document AWS-StartNonInteractiveCommand.",
    )
    .action(
      async (node: string, operation: string, args: string[], options: { stack: string; real?: boolean }) => {
        const { runOnNode } = await import("./run");
        process.exitCode = await runOnNode(session, node, operation, args, options);
      },
    );
}
