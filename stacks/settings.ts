/**
 * A stack's settings, from Pulumi.<stack>.yaml to the arguments of an EmqxDeployment. The names are the arguments' own.
 * Everything that is wrong is reported at once, before anything is registered.
 */
import * as pulumi from "@pulumi/pulumi";
import { deploymentProblems, type EmqxDeploymentArgs } from "../components";
import { nearest } from "../components/shared/nearest";

type Kind = "text" | "secret" | "number" | "flag" | "texts" | "map" | "accessLogs";

/** Every setting there is. The compiler makes sure that no argument of EmqxDeployment is missing. */
const kinds: Record<keyof EmqxDeploymentArgs, Kind> = {
  availabilityZones: "texts",
  nodeCount: "number",
  cidrBlock: "text",
  natGateways: "text",
  flowLogs: "flag",
  flowLogRetentionDays: "number",
  clientCidrBlocks: "texts",
  adminCidrBlocks: "texts",
  listeners: "texts",
  clusterPorts: "text",
  certificateArn: "text",
  selfSignedCertificate: "flag",
  selfSignedCertificateVersion: "number",
  keepAliveSeconds: "number",
  drainingTimeoutSeconds: "number",
  tlsPolicy: "text",
  proxyProtocol: "flag",
  internal: "flag",
  accessLogs: "accessLogs",
  hostedZoneId: "text",
  hostname: "text",
  emqxVersion: "text",
  licenseKey: "secret",
  clusterName: "text",
  cookieVersion: "number",
  dashboardPasswordVersion: "number",
  mqttPasswordVersion: "number",
  instanceType: "text",
  dataVolumeSizeGiB: "number",
  retainDataVolumes: "flag",
  protect: "flag",
  amiId: "text",
  extraConfig: "text",
  anonymousAccess: "flag",
  rolloutBatchSize: "number",
  allowFullRestart: "flag",
  readinessTimeoutSeconds: "number",
  packageUrl: "text",
  packageSha256: "text",
  monitoring: "flag",
  alarmTopicArn: "text",
  logRetentionDays: "number",
  backup: "flag",
  backupIntervalHours: "number",
  backupRetentionDays: "number",
  kmsKeyId: "text",
  detailedMonitoring: "flag",
  tags: "map",
};

const accessLogKinds = { bucket: "text", bucketPrefix: "text", intervalMinutes: "number" } as const;

/** A setting's raw value: what the engine hands over is text, and JSON where the file has more than text. */
export type RawSettings = Record<string, string>;

export interface Settings {
  args: EmqxDeploymentArgs;
  problems: string[];
}

/** The settings of the current stack. Throws one error with every problem. */
export function readSettings(deploymentName: string): EmqxDeploymentArgs {
  const config = new pulumi.Config();
  const raw = ownSettings(pulumi.runtime.allConfig(), config.name);
  const region = new pulumi.Config("aws").get("region");
  const { args, problems } = parseSettings(deploymentName, raw, region);
  if (problems.length > 0) {
    throw new pulumi.RunError(settingsRefusal(pulumi.getStack(), problems));
  }
  return args;
}

/** What the person is told whose settings cannot work. */
export function settingsRefusal(stack: string, problems: readonly string[]): string {
  return (
    `Pulumi.${stack}.yaml: nothing was changed, because these settings cannot work:\n` +
    problems.map((problem) => `  - ${problem}`).join("\n")
  );
}

/** The settings under the project's own name, without that prefix. */
export function ownSettings(all: Record<string, string>, project: string): RawSettings {
  const prefix = `${project}:`;
  return Object.fromEntries(
    Object.entries(all)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

export function parseSettings(
  deploymentName: string,
  raw: RawSettings,
  region: string | undefined,
): Settings {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(raw)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name as keyof EmqxDeploymentArgs] : undefined;
    if (kind === undefined) {
      problems.push(`${name}: there is no such setting${suggestion(name, Object.keys(kinds))}`);
      continue;
    }
    const value = parseValue(name, kind, text, problems);
    if (value !== undefined) {
      values[name] = value;
    }
  }
  const malformed = new Set(problems.map(settingOf));
  const args = values as unknown as EmqxDeploymentArgs;
  const further = deploymentProblems(deploymentName, args).filter(
    // A value that could not be read has been reported; that it is missing now is no news.
    (problem) => !malformed.has(settingOf(problem)),
  );
  return { args, problems: [...problems, ...further, ...regionProblems(args, region)] };
}

/** The setting that a problem begins with. */
function settingOf(problem: string): string {
  return /^\w*/.exec(problem)?.[0] ?? "";
}

function regionProblems({ availabilityZones }: EmqxDeploymentArgs, region: string | undefined): string[] {
  if (region === undefined || !Array.isArray(availabilityZones)) {
    return [];
  }
  const foreign = availabilityZones.filter((zone) => !zone.startsWith(region));
  return foreign.length > 0
    ? [
        `availabilityZones: ${foreign.join(", ")} ${foreign.length > 1 ? "are" : "is"} not in aws:region ${region}; ` +
          `change one or the other`,
      ]
    : [];
}

function parseValue(name: string, kind: Kind, text: string, problems: string[]): unknown {
  const refuse = (expected: string, shown = text) => {
    problems.push(`${name}: ${shown} is not ${expected}`);
    return undefined;
  };
  switch (kind) {
    case "text":
      return text;
    case "secret":
      return pulumi.secret(text);
    case "number":
      return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : refuse("a number", JSON.stringify(text));
    case "flag":
      return text === "true" || text === "false"
        ? text === "true"
        : refuse("true or false", JSON.stringify(text));
    case "texts": {
      const list = parseJson(text);
      return Array.isArray(list) && list.every((item) => typeof item === "string")
        ? list
        : refuse("a list; write one item per line, each after a hyphen");
    }
    case "map": {
      const map = parseJson(text);
      return isRecord(map) && Object.values(map).every((item) => typeof item === "string")
        ? map
        : refuse("a list of names with a text each");
    }
    case "accessLogs": {
      const map = parseJson(text);
      return isRecord(map) ? parseAccessLogs(name, map, problems) : refuse("a group of settings (bucket, …)");
    }
  }
}

function parseAccessLogs(name: string, map: Record<string, unknown>, problems: string[]): unknown {
  const before = problems.length;
  for (const [key, value] of Object.entries(map)) {
    if (!Object.hasOwn(accessLogKinds, key)) {
      problems.push(
        `${name}.${key}: there is no such setting${suggestion(key, Object.keys(accessLogKinds))}`,
      );
    } else {
      const expected = accessLogKinds[key as keyof typeof accessLogKinds];
      if (typeof value !== (expected === "text" ? "string" : "number")) {
        problems.push(`${name}.${key}: ${JSON.stringify(value)} is not a ${expected}`);
      }
    }
  }
  return problems.length === before ? map : undefined;
}

function suggestion(name: string, known: string[]): string {
  const candidate = nearest(name, known);
  return candidate ? `; did you mean ${candidate}?` : `; the settings are ${known.join(", ")}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
