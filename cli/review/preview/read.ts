import { UserError } from "../../console";
import type { DigestStep, EngineState, PreviewDigest, Properties } from "./engine";
import { Redaction } from "./secrets";

/** A resource as the state or the program has it. Free of secrets. */
export interface State {
  urn: string;
  type: string;
  name: string;
  custom: boolean;
  external: boolean;
  id?: string;
  parent?: string;
  protect: boolean;
  retainOnDelete: boolean;
  inputs: Properties;
  outputs: Properties;
  dependencies: string[];
  propertyDependencies: Record<string, string[]>;
}

/** What the engine is going to do with one resource. */
export interface Step {
  op: string;
  urn: string;
  before?: State;
  after?: State;
  diffReasons: string[];
  replaceReasons: string[];
  /** Property path to add, delete, update, each with `-replace` where it forces a replacement. */
  detailedDiff?: Record<string, string>;
}

export interface Message {
  urn?: string;
  severity: "warning" | "error";
  text: string;
}

export interface Preview {
  steps: Step[];
  messages: Message[];
  /** Whether unchanged resources are in it. */
  isWhole: boolean;
  redaction: Redaction;
}

interface ReadOptions {
  /** Plaintexts known from elsewhere. */
  secrets?: readonly string[];
  /** The command that wrote the preview did not end well. */
  hasFailed?: boolean;
}

/** Reads the text of `pulumi preview --json`. */
export function readPreview(text: string, source: string, options: ReadOptions = {}): Preview {
  const { secrets = [], hasFailed = false } = options;
  const content = parse(text, source);
  const messages = content.messages.concat(unexplainedEnd(content, hasFailed));
  const { steps } = content;
  const redaction = new Redaction();
  secrets.forEach((secret) => redaction.learn(secret));
  for (const { oldState, newState } of steps) {
    for (const state of [oldState, newState]) if (state) redaction.learnFrom(state);
  }
  const read = steps.map((step) => readStep(step, redaction));
  return {
    steps: read,
    messages: messages.map((message) => ({ ...message, text: redaction.text(message.text) })),
    isWhole: isWhole(read, content.same),
    redaction,
  };
}

/** A preview that breaks off looks like one of fewer changes. It must not pass for that. */
function unexplainedEnd({ isFinished, lastWords, messages }: Content, hasFailed: boolean): Message[] {
  const isExplained = messages.some(({ severity }) => severity === "error");
  if (isExplained || (isFinished && !hasFailed)) return [];
  return [{ severity: "error", text: ["The preview did not come to its end.", ...lastWords].join("\n") }];
}

interface Content {
  steps: DigestStep[];
  messages: Message[];
  /** The engine has counted what it found, which is the last that it does. */
  isFinished: boolean;
  /** What the program and the engine wrote to stderr. */
  lastWords: string[];
  /** How many resources the engine says do not change. */
  same: number;
}

function parse(text: string, source: string): Content {
  const start = text.search(/\S/);
  if (start < 0) throw new UserError(`${source}: the file is empty`);
  try {
    // The CLI may have written a line of its own before the document.
    const document = JSON.parse(text.slice(text.indexOf("{"))) as PreviewDigest;
    if (Array.isArray(document.steps) || document.diagnostics || document.changeSummary)
      return fromDigest(document);
  } catch (error) {
    throw new UserError(`${source}: not JSON: ${(error as Error).message}`);
  }
  throw new UserError(`${source}: no document of \`pulumi preview --json --show-sames\``);
}

function fromDigest({ steps, diagnostics, changeSummary }: PreviewDigest): Content {
  return {
    steps: steps ?? [],
    messages: (diagnostics ?? []).flatMap(({ urn, message, severity }) => messageOf(urn, message, severity)),
    isFinished: changeSummary !== undefined && changeSummary !== null,
    lastWords: wordsOf(diagnostics ?? []),
    same: changeSummary?.same ?? 0,
  };
}

const colours = /<\{%[^%]*%\}>/g;
// eslint-disable-next-line no-control-regex
const escapes = /\u001b\[[0-9;]*m/g;

const mostWords = 30;

function wordsOf(diagnostics: { message?: string; severity?: string; ephemeral?: boolean }[]): string[] {
  return diagnostics
    .filter(({ severity, ephemeral }) => severity === "info#err" && !ephemeral)
    .flatMap(({ message = "" }) => plain(message).split("\n"))
    .filter((line) => line.trim() !== "")
    .slice(-mostWords);
}

function plain(text: string): string {
  return text.replace(colours, "").replace(escapes, "");
}

function messageOf(
  urn: string | undefined,
  text: string | undefined,
  severity: string | undefined,
): Message[] {
  if ((severity !== "warning" && severity !== "error") || !text) return [];
  return [
    {
      urn,
      severity,
      text: text
        .replace(colours, "")
        .replace(escapes, "")
        .replace(/^(warning|error): /, "")
        .trim(),
    },
  ];
}

function readStep(step: DigestStep, redaction: Redaction): Step {
  const { oldState, newState } = step;
  return {
    op: step.op,
    urn: step.urn,
    before: oldState ? readState(oldState, redaction) : undefined,
    after: newState ? readState(newState, redaction) : undefined,
    diffReasons: step.diffReasons ?? [],
    replaceReasons: step.replaceReasons ?? [],
    detailedDiff: step.detailedDiff
      ? Object.fromEntries(Object.entries(step.detailedDiff).map(([path, { kind }]) => [path, kind]))
      : undefined,
  };
}

function readState(state: EngineState, redaction: Redaction): State {
  return {
    urn: state.urn,
    type: state.type,
    name: nameOf(state.urn),
    custom: state.custom ?? false,
    external: state.external ?? false,
    id: state.id || undefined,
    parent: state.parent || undefined,
    protect: state.protect ?? false,
    retainOnDelete: state.retainOnDelete ?? false,
    inputs: redaction.properties(state, state.inputs),
    outputs: redaction.properties(state, state.outputs),
    dependencies: state.dependencies ?? [],
    propertyDependencies: Object.fromEntries(
      Object.entries(state.propertyDependencies ?? {}).map(([key, urns]) => [key, urns ?? []]),
    ),
  };
}

/** The logical name: what follows the last `::`. */
export function nameOf(urn: string): string {
  const parts = urn.split("::");
  return parts.slice(3).join("::") || urn;
}

function isWhole(steps: Step[], same: number): boolean {
  return same === 0 || steps.some(({ op }) => op === "same");
}
