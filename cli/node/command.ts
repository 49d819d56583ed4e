import type { Command } from "commander";
import type { Session } from "../local/session";
import { defaultStack } from "../local/stacks";
import { nodeOperations } from "./operations";

/** `node`: runs an operation on a node, simulated or real. */
export function addNodeCommand(program: Command, session: Session): void {
  const list = Object.entries(nodeOperations)
    .map(([name, { does }]) => `  ${name.padEnd(9)}${does}`)
    .join("\n");
  program
    .command("node")
    .argument("<node>", "a node's number, its EMQX name or its instance's id")
    .argument("<operation>", Object.keys(nodeOperations).join(", "))
    .argument("[arguments...]", "what the operation needs to know, for example: restore latest")
    .option("-s, --stack <name>", "the stack", defaultStack)
    .option("--real", "the stack of your own Pulumi backend, even if one of that name is simulated")
    .description("run an operation on a node and show what the node says; exit code 1 when it fails")
    .addHelpText(
      "after",
      `\nOperations:\n${list}\n` +
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
