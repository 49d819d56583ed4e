import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { UserError } from "../console";
import type { ShownResource } from "../../simulator/client";
import { RegionClient, RegionError } from "../../simulator/client";
import type { AlarmStatus } from "../../simulator/dataplane";
import { bucketCommand } from "./bucketCommand";
import { ensureRegion, regionStatus, stopRegion } from "./regionProcess";
import { nameOf } from "./orphans";
import type { Session } from "./session";
import { defaultStack, deployedStack, readState } from "./stacks";
import { createFolders } from "./surroundings";

interface ResourceOptions {
  type?: string;
  region?: string;
}

function show(value: unknown): void {
  process.stdout.write(
    `${typeof value === "string" ? value.trimEnd() : JSON.stringify(value, undefined, 2)}\n`,
  );
}

/** The simulated region's own matters: its process, and what happens in it behind Pulumi's back. */
export function regionCommand(session: Session): Command {
  const region = new Command("region").description("the simulated region itself");
  addProcessCommands(region, session);
  addResourceCommands(region, session);
  addSeedCommands(region, session);
  region.addCommand(bucketCommand((question) => ask(session, question), session.speaker));
  addCertificateCommands(region, session);
  return region;
}

/** Talks to the region, which has to run; its refusals are meant for the user as they are. */
async function ask<T>({ surroundings }: Session, question: (client: RegionClient) => Promise<T>): Promise<T> {
  const status = await regionStatus(surroundings);
  if (status.kind !== "running") {
    throw new UserError("the simulated region does not run; start it with: npm run region -- start");
  }
  try {
    return await question(new RegionClient(status.region));
  } catch (error) {
    if (error instanceof RegionError) throw new UserError(error.message);
    throw error;
  }
}

function addProcessCommands(region: Command, { surroundings, speaker }: Session): void {
  region
    .command("start")
    .description("start the region, if it does not run")
    .action(async () => {
      createFolders(surroundings);
      const { pid, port } = await ensureRegion(surroundings, speaker);
      speaker.say(`The simulated region runs as process ${pid}; its provider listens on port ${port}.`);
    });
  region
    .command("stop")
    .description("stop the region; its state stays")
    .action(async () => {
      const ran = await stopRegion(surroundings);
      speaker.say(ran ? "The simulated region has stopped." : "The simulated region was not running.");
    });
}

function addResourceCommands(region: Command, session: Session): void {
  const { speaker } = session;
  const named = (command: Command) =>
    command
      .option("--type <type>", "its type, e.g. Instance, where an id is not unique")
      .option("--region <region>", "its AWS region, where an id is not unique");

  region
    .command("list")
    .description("every resource in the region")
    .option("--type <type>", "only this type, e.g. Instance")
    .option("--region <region>", "only this AWS region")
    .option("--json", "for machines, with all attributes")
    .action(async ({ json, ...filter }: ResourceOptions & { json?: boolean }) => {
      const resources = await ask(session, (client) => client.resources(filter));
      show(json ? resources : resourceTable(resources));
    });
  named(region.command("show").argument("<id>").description("one resource with all its attributes")).action(
    async (id: string, options: ResourceOptions) =>
      show(await ask(session, (client) => client.resource({ id, ...options }))),
  );
  named(
    region
      .command("set")
      .argument("<id>")
      .argument("<property=value...>", "values as in YAML; `null` removes the property")
      .description("change a resource behind Pulumi's back (npm run refresh sees it)"),
  ).action(async (id: string, assignments: string[], options: ResourceOptions) => {
    const changes = Object.fromEntries(assignments.map(parseAssignment));
    const changed = await ask(session, (client) => client.modify({ id, ...options }, changes));
    speaker.say(`Changed ${changed.type} ${id} behind Pulumi's back: ${Object.keys(changes).join(", ")}.`);
  });
  named(
    region.command("delete").argument("<id>").description("delete a resource behind Pulumi's back"),
  ).action(async (id: string, options: ResourceOptions) => {
    const deleted = await ask(session, (client) => client.delete({ id, ...options }));
    speaker.say(`Deleted ${deleted.type} ${id} behind Pulumi's back.`);
  });
  region
    .command("alarms")
    .description("what each CloudWatch alarm would say at this moment, and why")
    .option("--json", "for machines")
    .action(async ({ json }: { json?: boolean }) => {
      const alarms = await ask(session, (client) => client.alarms());
      show(json ? alarms : alarmTable(alarms));
    });
  region.addCommand(consoleCommand(session));
  region
    .command("password")
    .option("-s, --stack <name>", "the stack", defaultStack)
    .description("the password of a stack's MQTT user, as SSM has it")
    .action(async ({ stack }: { stack: string }) => {
      const { surroundings } = session;
      const deployed = deployedStack(surroundings, stack) ?? stack;
      const { mqttPasswordParameter: parameter } = readState(surroundings, deployed).outputs;
      if (typeof parameter !== "string") {
        throw new UserError(
          `stack ${stack} has no password: it is not deployed, or has no built-in user (anonymousAccess)`,
        );
      }
      show(await ask(session, (client) => client.parameter(parameter)));
    });
  region
    .command("fail-boot")
    .argument("<node>", "the node's number", parseNodeNumber)
    // Not --off, which npm takes for its own --offline where it stands before `--`.
    .option("--undo", "let it come up again")
    .description("let a node never come up")
    .action(async (node: number, { undo }: { undo?: boolean }) => {
      await ask(session, (client) => client.failBoot(node, !undo));
      speaker.say(
        undo ? `Node ${node} comes up again.` : `Node ${node} does not come up any more, until --undo.`,
      );
    });
}

/** `npm run console`, and the same among the region's own commands. */
export function consoleCommand(session: Session): Command {
  return new Command("console")
    .argument("<node>", "a node's number, or an instance's id, name or private address")
    .option("-s, --stack <name>", "the stack that a node's number is of, where several are deployed")
    .description("what an instance's serial console shows")
    .action(async (given: string, { stack }: { stack?: string }) => {
      const own =
        stack === undefined
          ? undefined
          : idsOf(
              readState(session.surroundings, deployedStack(session.surroundings, stack) ?? stack).resources,
            );
      const text = await ask(session, async (client) => client.console(await instanceId(client, given, own)));
      show(text === "" ? "(the console is empty)" : text);
    });
}

function idsOf(resources: readonly { id?: string }[]): Set<string | undefined> {
  return new Set(resources.map(({ id }) => id));
}

/** People know an instance by its node's number, its name or its address. */
export async function instanceId(
  client: RegionClient,
  given: string,
  own?: ReadonlySet<string | undefined>,
): Promise<string> {
  const { instances: all } = await client.status();
  const instances = all.filter(({ id, state }) => own?.has(id) ?? state !== "terminated");
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

function addSeedCommands(region: Command, session: Session): void {
  const add = region.command("add").description("make something that a stack only refers to");
  const run = async (seed: Record<string, unknown>) =>
    show(await ask(session, (client) => client.addSeed(seed)));

  add
    .command("certificate")
    .requiredOption("--arn <arn>", "of ACM or IAM")
    .requiredOption("--name <names...>", "the host names it is for")
    .option("--days <days>", "how long it is valid", Number, 395)
    .action(({ name, ...rest }: { name: string[]; arn: string; days: number }) =>
      run({ kind: "certificate", names: name, ...rest }),
    );
  add
    .command("bucket")
    .requiredOption("--name <name>")
    .requiredOption("--region <region>")
    .option("--no-load-balancer-logs", "its policy does not let load balancers write")
    .action(({ loadBalancerLogs, ...rest }: { loadBalancerLogs: boolean; name: string; region: string }) =>
      run({ kind: "bucket", takesLoadBalancerLogs: loadBalancerLogs, ...rest }),
    );
  add
    .command("key")
    .requiredOption("--arn <arn>")
    .option("--alias <alias>")
    .action((options: { arn: string; alias?: string }) => run({ kind: "key", ...options }));
  add
    .command("zone")
    .requiredOption("--id <id>", "e.g. Z0123456789ABC")
    .requiredOption("--name <domain>")
    .option("--private", "a private zone, with --vpc-id")
    .option("--vpc-id <id>")
    .action((options: { id: string; name: string; private?: boolean; vpcId?: string }) =>
      run({ kind: "zone", ...options }),
    );
  add
    .command("image")
    .description("a newer Amazon Linux 2023 image, which the region then names as its latest")
    .requiredOption("--region <region>")
    .requiredOption("--release <release>", "e.g. 2023.9.20251110.1")
    .action((options: { region: string; release: string }) => run({ kind: "image", ...options }));
}

/** What somebody does to certificates in ACM, beside every stack. */
function addCertificateCommands(region: Command, session: Session): void {
  region
    .command("renew-certificate")
    .argument("<arn>")
    .option("--days <days>", "how long it is valid", Number, 395)
    .description("let ACM renew a certificate that it issued: a new one under the same ARN")
    .action(async (arn: string, { days }: { days: number }) => {
      const { attributes } = await ask(session, (client) => client.renewCertificate(arn, days));
      session.speaker.say(`ACM has renewed ${arn}: valid until ${String(attributes["notAfter"])}.`);
    });
  region
    .command("import-certificate")
    .description(
      "aws acm import-certificate: a new certificate, or a successor under the ARN of an imported one",
    )
    .requiredOption("--certificate <file>", "PEM")
    .requiredOption("--private-key <file>", "PEM")
    .option("--certificate-chain <file>", "PEM")
    .option("--certificate-arn <arn>", "the imported certificate that it takes the place of")
    .option("--region <region>", "where a new one is to be", "eu-west-1")
    .action(async (options: ImportOptions) => {
      const { certificateArn: arn, certificateChain: chain } = options;
      const imported = await ask(session, (client) =>
        client.importCertificate({
          certificate: readFile(options.certificate),
          privateKey: readFile(options.privateKey),
          ...(chain === undefined ? {} : { chain: readFile(chain) }),
          ...(arn === undefined ? { region: options.region } : { arn }),
        }),
      );
      show(imported.id);
    });
}

interface ImportOptions {
  certificate: string;
  privateKey: string;
  certificateChain?: string;
  certificateArn?: string;
  region: string;
}

function readFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

function resourceTable(resources: readonly ShownResource[]): string {
  const table = new Table({
    head: ["Type", "Region", "Id", "Name"],
    style: { head: [], border: [], compact: true },
  });
  for (const { type, region, id, attributes } of resources)
    table.push([type, region, id, nameOf(attributes)]);
  return table.toString();
}

const stateColours = { OK: pc.green, ALARM: pc.red, "no data": pc.dim };

function alarmTable(alarms: readonly AlarmStatus[]): string {
  if (alarms.length === 0) return "There are no alarms; a stack has them with the setting monitoring.";
  const table = new Table({
    head: ["State", "Alarm", "Why"],
    style: { head: [], border: [], compact: true },
  });
  for (const { state, name, why } of alarms) table.push([stateColours[state](state), name, why]);
  return table.toString();
}

function parseAssignment(assignment: string): [string, ReturnType<typeof parse>] {
  const separator = assignment.indexOf("=");
  if (separator <= 0) throw new UserError(`"${assignment}" is not of the form property=value`);
  return [assignment.slice(0, separator), parse(assignment.slice(separator + 1)) ?? null];
}

function parseNodeNumber(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError("a node's number is 0, 1, 2, …");
  return Number(value);
}
