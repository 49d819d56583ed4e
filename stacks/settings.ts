/**
 * A stack's settings, from Pulumi.<stack>.yaml to the arguments of an EmqxDeployment. The names are the arguments' own.
 * Everything that is wrong is reported at once, before anything is registered.
 */
import * as pulumi from "@pulumi/pulumi";
import { deploymentProblems, type EmqxDeploymentArgs } from "../components";
import { deploymentInputs } from "../components/deployment/settings";
import { isRecord, pathOf, type Shape } from "../components/shared/inputs";
import { nearest } from "../components/shared/nearest";

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
  const encrypted = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] || "[]") as string[];
  const { args, problems } = parseSettings(deploymentName, raw, region, ownKeys(encrypted, config.name));
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

/** The names that begin with the project's own, without that prefix. */
function ownKeys(keys: string[], project: string): string[] {
  return keys.flatMap((key) => (key.startsWith(`${project}:`) ? [key.slice(project.length + 1)] : []));
}

export function parseSettings(
  deploymentName: string,
  raw: RawSettings,
  region: string | undefined,
  encrypted: string[] = [],
): Settings {
  const problems = encrypted.includes("extraConfig")
    ? [
        `extraConfig: is encrypted, but goes into the nodes' user data, which many can read; leave it in plain text, ` +
          `and give what is secret in it by secretConfig`,
      ]
    : [];
  const values = readGroup("", deploymentInputs, raw, problems, read);
  const malformed = new Set(problems.map(settingOf));
  const args = values as unknown as EmqxDeploymentArgs;
  const further = deploymentProblems(deploymentName, args).filter(
    // A value that could not be read has been reported; that it is missing now is no news.
    (problem) => !malformed.has(settingOf(problem)),
  );
  return { args, problems: [...problems, ...further, ...regionProblems(args, region)] };
}

/** The path of the setting that a problem begins with. */
function settingOf(problem: string): string {
  return /^[\w.]*/.exec(problem)?.[0] ?? "";
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

type Read = (path: string, shape: Shape, value: unknown, problems: string[]) => unknown;

/** The settings of a group that there are and that can be read; the others are problems. */
function readGroup(
  path: string,
  shapes: Record<string, Shape>,
  values: Record<string, unknown>,
  problems: string[],
  readOne: Read,
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
    if (shape === undefined) {
      problems.push(`${path}${name}: there is no such setting${suggestion(name, shapes)}`);
    } else {
      const read = readOne(`${path}${name}`, shape, value, problems);
      if (read !== undefined) {
        found[name] = read;
      }
    }
  }
  return found;
}

/** A setting as the engine hands it over: text, and JSON where the file has more than text. */
function read(path: string, shape: Shape, value: unknown, problems: string[]): unknown {
  const text = String(value);
  switch (shape.kind) {
    case "text":
      return shape.secret ? pulumi.secret(text) : text;
    case "number":
      return readJson(path, shape, /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text, problems);
    case "flag":
      return readJson(path, shape, text === "true" || (text === "false" ? false : text), problems);
    case "list":
    case "map":
    case "object":
      return readJson(path, shape, parseJson(text) ?? text, problems);
  }
}

function readJson(path: string, shape: Shape, value: unknown, problems: string[]): unknown {
  const refuse = (expected: string) => {
    const shown = shape.kind === "number" || shape.kind === "flag" || typeof value !== "string";
    problems.push(`${path}: ${shown ? JSON.stringify(value) : value} is not ${expected}`);
    return undefined;
  };
  switch (shape.kind) {
    case "text":
      return typeof value !== "string" ? refuse("a text") : shape.secret ? pulumi.secret(value) : value;
    case "number":
      return typeof value === "number" ? value : refuse("a number");
    case "flag":
      return typeof value === "boolean" ? value : refuse("true or false");
    case "list":
      return Array.isArray(value) && (shape.item.kind !== "text" || value.every(isText))
        ? value.map((item: unknown, i) =>
            shape.item.kind === "object" ? readJson(`${path}[${i}]`, shape.item, item, problems) : item,
          )
        : refuse("a list; write one item per line, each after a hyphen");
    case "map":
      return isRecord(value) && Object.values(value).every(isText)
        ? Object.fromEntries(
            Object.entries(value).map(([key, item]) => [
              key,
              readJson(`${path}.${key}`, shape.item, item, problems),
            ]),
          )
        : refuse("a list of names with a text each");
    case "object": {
      if (!isRecord(value)) {
        return refuse(
          `a group of settings (${Object.keys(shape.fields).join(", ")}); {} is one with all defaults`,
        );
      }
      return readGroup(`${path}.`, shape.fields, value, problems, readJson);
    }
  }
}

function suggestion(name: string, shapes: Record<string, Shape>): string {
  const known = Object.keys(shapes);
  const candidate = pathOf(name, shapes) ?? nearest(name, known);
  return candidate ? `; did you mean ${candidate}?` : `; the settings are ${known.join(", ")}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isText = (value: unknown) => typeof value === "string";
