import { Argument } from "commander";
import type { CommandShape } from "../command";
import { onStack, real } from "../command";
import { nodeOperations } from "./operations";

const list = Object.entries(nodeOperations).map(([name, { does }]) => `  ${name.padEnd(9)}${does}\n`);

export const nodeCommand: CommandShape = {
  name: "node",
  description: "run an operation on a node and show what the node says; exit code 1 when it fails",
  arguments: [
    new Argument("<node>", "a node's number, its EMQX name or its instance's id"),
    new Argument("<operation>", Object.keys(nodeOperations).join(", ")),
    new Argument("[arguments...]", "what the operation needs to know, for example: restore latest"),
  ],
  options: [onStack, real],
  more:
    `Operations:\n${list.join("")}\n` +
    "On AWS it runs through Session Manager: the aws CLI with its session-manager-plugin, and credentials that may\n" +
    "start sessions with the document AWS-StartNonInteractiveCommand.",
  run: async (session, options: { stack: string; real?: boolean }, ...words: [string, string, string[]]) =>
    (await import("./run")).runOnNode(session, ...words, options),
};
