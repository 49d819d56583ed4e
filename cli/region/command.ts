import { Argument } from "commander";
import type { CommandShape } from "../command";
import { forMachines, nodeNumber, onStack, option } from "../command";
import { UserError } from "../console";
import { bucketCommands } from "./buckets";
import { certificateCommands } from "./certificates";
import { ask } from "./ask";
import { seedCommands } from "./seeds";

interface ResourceOptions {
  type?: string;
  region?: string;
}

const id = new Argument("<id>");
const named = [
  option("--type <type>", "its type, e.g. Instance, where an id is not unique"),
  option("--region <region>", "its AWS region, where an id is not unique"),
];

export const consoleCommand: CommandShape = {
  name: "console",
  description: "what an instance's serial console shows",
  arguments: [new Argument("<node>", "a node's number, or an instance's id, name or private address")],
  options: [option("-s, --stack <name>", "the stack that a node's number is of, where several are deployed")],
  run: async (session, options: { stack?: string }, node: string) =>
    (await import("./instances")).showConsole(session, options, node),
};

/** The simulated region's own matters: its process, and what happens in it behind Pulumi's back. */
export const regionCommand: CommandShape = {
  name: "region",
  description: "the simulated region itself",
  commands: [
    {
      name: "start",
      description: "start the region, if it does not run",
      async run({ surroundings, speaker }) {
        const { createFolders } = await import("../local/surroundings");
        const { ensureRegion } = await import("../local/regionProcess");
        createFolders(surroundings);
        const { pid, port } = await ensureRegion(surroundings, speaker);
        speaker.say(`The simulated region runs as process ${pid}; its provider listens on port ${port}.`);
      },
    },
    {
      name: "stop",
      description: "stop the region; its state stays",
      async run({ surroundings, speaker }) {
        const { stopRegion } = await import("../local/regionProcess");
        const ran = await stopRegion(surroundings);
        speaker.say(ran ? "The simulated region has stopped." : "The simulated region was not running.");
      },
    },
    {
      name: "list",
      description: "every resource in the region",
      options: [
        option("--type <type>", "only this type, e.g. Instance"),
        option("--region <region>", "only this AWS region"),
      ],
      json: `${forMachines}, with all attributes`,
      async run(session, { type, region }: ResourceOptions) {
        const { resourceTable } = await import("./tables");
        const resources = await ask(session, (client) => client.resources({ type, region }));
        return { facts: resources, text: () => resourceTable(resources) };
      },
    },
    {
      name: "show",
      description: "one resource with all its attributes",
      arguments: [id],
      options: named,
      async run(session, options: ResourceOptions, of: string) {
        return { facts: await ask(session, (client) => client.resource({ id: of, ...options })) };
      },
    },
    {
      name: "set",
      description: "change a resource behind Pulumi's back (npm run refresh sees it)",
      arguments: [id, new Argument("<property=value...>", "values as in YAML; `null` removes the property")],
      options: named,
      async run(session, options: ResourceOptions, of: string, assignments: string[]) {
        const { parse } = await import("yaml");
        const changes = Object.fromEntries(assignments.map((one) => parseAssignment(one, parse)));
        const { type } = await ask(session, (client) => client.modify({ id: of, ...options }, changes));
        const names = Object.keys(changes).join(", ");
        session.speaker.say(`Changed ${type} ${of} behind Pulumi's back: ${names}.`);
      },
    },
    {
      name: "delete",
      description: "delete a resource behind Pulumi's back",
      arguments: [id],
      options: named,
      async run(session, options: ResourceOptions, of: string) {
        const { type } = await ask(session, (client) => client.delete({ id: of, ...options }));
        session.speaker.say(`Deleted ${type} ${of} behind Pulumi's back.`);
      },
    },
    {
      name: "alarms",
      description: "what each CloudWatch alarm would say at this moment, and why",
      json: forMachines,
      async run(session) {
        const { alarmTable } = await import("./tables");
        const alarms = await ask(session, (client) => client.alarms());
        return { facts: alarms, text: () => alarmTable(alarms) };
      },
    },
    consoleCommand,
    {
      name: "password",
      description: "the password of a stack's MQTT user, as SSM has it",
      options: [onStack],
      run: async (session, options: { stack: string }) =>
        (await import("./instances")).showPassword(session, options),
    },
    {
      name: "fail-boot",
      description: "let a node never come up",
      arguments: [new Argument("<node>", "the node's number").argParser(nodeNumber)],
      // Not --off, which npm takes for its own --offline where it stands before `--`.
      options: [option("--undo", "let it come up again")],
      async run(session, { undo }: { undo?: boolean }, node: number) {
        await ask(session, (client) => client.failBoot(node, !undo));
        session.speaker.say(
          undo ? `Node ${node} comes up again.` : `Node ${node} does not come up any more, until --undo.`,
        );
      },
    },
    seedCommands,
    bucketCommands,
    ...certificateCommands,
  ],
};

type Parse = typeof import("yaml").parse;

function parseAssignment(assignment: string, parse: Parse): [string, ReturnType<Parse>] {
  const separator = assignment.indexOf("=");
  if (separator <= 0) throw new UserError(`"${assignment}" is not of the form property=value`);
  return [assignment.slice(0, separator), parse(assignment.slice(separator + 1)) ?? null];
}
