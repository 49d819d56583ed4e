/** The repository's own program in the simulated region: what its nodes lived through, and what is in the account. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { StoredResource } from "@emqx-aws/simulator/storedResource";
import { readRegionFile, RegionClient } from "@emqx-aws/simulator/client";
import type { EngineEvents, Step } from "./events";
import type { Engine } from "./harness";

/** Certificates, and more, that the simulated account has from the start (simulator/account.yaml). */
export const certificateArn =
  "arn:aws:acm:eu-west-1:123456789012:certificate/6f0f7d5e-3c1a-4b7e-9d55-2b8f4f6a1c01";
export const otherCertificateArn =
  "arn:aws:acm:eu-west-1:123456789012:certificate/1a2b3c4d-5e6f-4a0b-8c1d-9e8f7a6b5c02";
export const kmsKeyArn = "arn:aws:kms:eu-west-1:123456789012:key/0b1d3f5a-7c9e-4a2b-8d6f-1e3c5a7b9d0f";

/** Settings of the program under their full names. */
export function settings(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`emqx-aws:${name}`, value]));
}

/** Three nodes in three zones with a certificate of their own: what most tests change. */
export const threeNodes = {
  "aws:region": "eu-west-1",
  ...settings({
    availabilityZones: ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
    certificate: { arn: certificateArn },
    // The shortest there is: what does not come up within a minute never does.
    rollout: { readinessTimeoutSeconds: 60 },
  }),
};

/** The region's control endpoint; the region runs from the first deployment on. */
export function regionOf(engine: Engine): RegionClient {
  const file = readRegionFile(engine.surroundings.region);
  if (file === undefined) throw new Error("the region does not run");
  return new RegionClient(file);
}

/** Operations as `create emqx-vpc`, in alphabetical order: two runs that do the same say the same. */
export function operations({ changes }: EngineEvents): string[] {
  return changes.map(({ op, urn }) => `${op} ${urn.slice(urn.lastIndexOf("$") + 1)}`).sort();
}

/** What a run does, by resource: `{ update: ["Volume emqx-nodes-0-data", …], … }`; a replacement counts once. */
export function outline({ changes }: EngineEvents): Record<string, string[]> {
  const result: Record<string, string[]> = {};
  for (const { op, type, name } of changes) {
    if (!["create-replacement", "delete-replaced"].includes(op)) {
      (result[op] ??= []).push(`${type.split(":").at(-1)} ${name}`);
    }
  }
  for (const names of Object.values(result)) names.sort();
  return result;
}

/** Names of the resources that a run replaces, whatever the steps of their replacement. */
export function replaced({ changes }: EngineEvents): string[] {
  return namesOf(changes.filter(({ op }) => op === "replace"));
}

export function namesOf(steps: readonly Step[]): string[] {
  return [...new Set(steps.map(({ name }) => name))].sort();
}

/** What happened to a node, as its region saw it. */
export type NodeEvent =
  "created" | "attached" | "registered" | "ready" | "deregistered" | "stopped" | "detached" | "terminated";

export interface NodesLife {
  /** `1 stopped`, `1 detached`, … in the order in which it happened. */
  events: string[];
  /** The most nodes that were out of service at the same time, of those that had been in service before. */
  mostOutOfService: number;
}

type Entry = [key: string, resource: StoredResource | null];

/**
 * Runs something and tells what the nodes lived through meanwhile, from the region's own journal: not what the engine
 * meant to do, but what happened in the account.
 */
export async function nodesDuring<T>(engine: Engine, action: () => Promise<T>): Promise<[NodesLife, T]> {
  const before = journal(engine).length;
  const result = await action();
  const entries = journal(engine);
  if (entries.length < before) throw new Error("the region was restarted meanwhile");
  return [livesOf(snapshot(engine), entries.slice(0, before), entries.slice(before)), result];
}

function journal(engine: Engine): Entry[] {
  const file = join(engine.surroundings.region, "account.journal");
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  return lines
    .filter((line) => line !== "")
    .flatMap((line) => (JSON.parse(line) as { resources: Entry[] }).resources);
}

function snapshot(engine: Engine): Entry[] {
  const file = join(engine.surroundings.region, "account.json");
  if (!existsSync(file)) return [];
  const { resources } = JSON.parse(readFileSync(file, "utf8")) as { resources: StoredResource[] };
  return resources.map((resource) => [`${resource.type}|${resource.region}|${resource.id}`, resource]);
}

const instanceType = "aws:ec2/instance:Instance";
const volumeAttachmentType = "aws:ec2/volumeAttachment:VolumeAttachment";
const registrationType = "aws:elb/attachment:Attachment";
const parameterType = "aws:ssm/parameter:Parameter";

function livesOf(start: Entry[], earlier: Entry[], during: Entry[]): NodesLife {
  const account = new Map<string, StoredResource>();
  const nodeOf = new Map<string, string>();
  const inServiceOnce = new Set<string>();
  const events: string[] = [];
  let mostOutOfService = 0;

  const apply = ([key, resource]: Entry, isNews: boolean) => {
    const previous = account.get(key);
    if (resource === null) account.delete(key);
    else account.set(key, resource);
    const { type, id, attributes } = (resource ?? previous) as StoredResource;
    if (type === instanceType && resource) {
      const { Name } = (attributes["tags"] ?? {}) as Record<string, string>;
      nodeOf.set(id, /-(\d+)$/.exec(Name ?? "")?.[1] ?? id);
    }
    const happened = eventOf(type, id, previous, resource);
    if (isNews && happened)
      events.push(`${nodeOf.get(happened.instance) ?? happened.instance} ${happened.event}`);

    const resources = [...account.values()];
    const inService = new Set(nodesInService(resources));
    inService.forEach((node) => inServiceOnce.add(node));
    const out = nodesOf(resources).filter((node) => inServiceOnce.has(node) && !inService.has(node));
    if (isNews) mostOutOfService = Math.max(mostOutOfService, out.length);
  };
  for (const entry of [...start, ...earlier]) apply(entry, false);
  for (const entry of during) apply(entry, true);
  return { events, mostOutOfService };
}

function eventOf(
  type: string,
  id: string,
  previous: StoredResource | undefined,
  resource: StoredResource | null,
): { event: NodeEvent; instance: string } | undefined {
  const attributes = (resource ?? previous)!.attributes;
  const came = previous === undefined && resource !== null;
  const went = resource === null;
  switch (type) {
    case instanceType: {
      if (came) return { event: "created", instance: id };
      if (went) return { event: "terminated", instance: id };
      const stopped =
        attributes["instanceState"] === "stopped" && previous?.attributes["instanceState"] !== "stopped";
      return stopped ? { event: "stopped", instance: id } : undefined;
    }
    case volumeAttachmentType:
      return came || went
        ? { event: came ? "attached" : "detached", instance: String(attributes["instanceId"]) }
        : undefined;
    case registrationType:
      return came || went
        ? { event: came ? "registered" : "deregistered", instance: String(attributes["instance"]) }
        : undefined;
    case parameterType: {
      const value = readiness(resource);
      return value !== undefined && value !== readiness(previous ?? null) && value !== "never"
        ? { event: "ready", instance: value }
        : undefined;
    }
    default:
      return undefined;
  }
}

function readiness(resource: StoredResource | null): string | undefined {
  if (resource?.type !== parameterType || !resource.id.endsWith("/ready")) return undefined;
  const { insecureValue, value } = resource.attributes;
  return String(insecureValue ?? value);
}

/** Nodes that there are, whatever their state: a node has its readiness parameter as long as it belongs to the stack. */
function nodesOf(resources: StoredResource[]): string[] {
  return resources.filter((resource) => readiness(resource) !== undefined).map(({ id }) => numberOf(id));
}

function numberOf(parameter: string): string {
  return /nodes\/(\d+)\/ready$/.exec(parameter)?.[1] ?? parameter;
}

/** Nodes whose running instance is registered, has its volume and has reported itself ready. */
function nodesInService(resources: StoredResource[]): string[] {
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const registered = new Set(ofType(registrationType).map(({ attributes }) => attributes["instance"]));
  const attached = new Set(ofType(volumeAttachmentType).map(({ attributes }) => attributes["instanceId"]));
  const running = new Set(
    ofType(instanceType)
      .filter(({ attributes }) => attributes["instanceState"] === "running")
      .map(({ id }) => id),
  );
  return ofType(parameterType)
    .filter((parameter) => {
      const instance = readiness(parameter);
      return (
        instance !== undefined && registered.has(instance) && attached.has(instance) && running.has(instance)
      );
    })
    .map(({ id }) => numberOf(id));
}
