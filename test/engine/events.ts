/** What an engine did, from the log of its events. */
import { existsSync, readFileSync } from "node:fs";

/** One operation on one resource. `started` and `ended` count events, so they tell what overlapped. */
export interface Step {
  /** create, update, delete, replace, create-replacement, delete-replaced, same, refresh, import, … */
  op: string;
  urn: string;
  type: string;
  /** The resource's name. */
  name: string;
  /** Which properties differ, with the kind of difference: add, update, delete, update-replace, … */
  differences: Record<string, string>;
  /** Which properties force the replacement. */
  replaceReasons: string[];
  started: number;
  /** Missing when the operation did not end, or failed. */
  ended?: number;
  failed: boolean;
}

export interface Diagnostic {
  severity: string;
  message: string;
  urn?: string;
}

export interface EngineEvents {
  /** In the order in which they started; unchanged resources included. */
  steps: Step[];
  /** The steps that change something. */
  changes: Step[];
  /** Warnings, errors and messages; no debugging, nothing ephemeral. */
  diagnostics: Diagnostic[];
  /** How many resources per kind of operation. */
  summary: Record<string, number>;
}

interface Metadata {
  op: string;
  urn: string;
  type: string;
  keys?: string[] | null;
  detailedDiff?: Record<string, { diffKind: string }> | null;
}

interface Event {
  sequence: number;
  resourcePreEvent?: { metadata: Metadata };
  resOutputsEvent?: { metadata: Metadata };
  resOpFailedEvent?: { metadata: Metadata };
  diagnosticEvent?: { severity: string; message: string; urn?: string; ephemeral?: boolean };
  summaryEvent?: { resourceChanges: Record<string, number> };
}

const unchanged = new Set(["same", "read", "refresh", "discard"]);

export function readEvents(file: string): EngineEvents {
  const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  const events = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Event);
  const steps: Step[] = [];
  const diagnostics: Diagnostic[] = [];
  let summary: Record<string, number> = {};
  const open = ({ op, urn }: Metadata) =>
    steps.find((step) => step.op === op && step.urn === urn && step.ended === undefined && !step.failed);

  for (const event of events) {
    if (event.resourcePreEvent) steps.push(stepOf(event.resourcePreEvent.metadata, event.sequence));
    if (event.resOutputsEvent) {
      const step = open(event.resOutputsEvent.metadata);
      if (step) step.ended = event.sequence;
    }
    if (event.resOpFailedEvent) {
      const step = open(event.resOpFailedEvent.metadata);
      if (step) step.failed = true;
    }
    if (event.diagnosticEvent) {
      const { severity, message, urn, ephemeral } = event.diagnosticEvent;
      if (severity !== "debug" && !ephemeral) diagnostics.push({ severity, message: message.trim(), urn });
    }
    if (event.summaryEvent) summary = event.summaryEvent.resourceChanges;
  }
  return { steps, changes: steps.filter(({ op }) => !unchanged.has(op)), diagnostics, summary };
}

function stepOf({ op, urn, type, keys, detailedDiff }: Metadata, started: number): Step {
  const differences = Object.entries(detailedDiff ?? {}).map(
    ([path, { diffKind }]) => [path, diffKind] as const,
  );
  return {
    op,
    urn,
    type,
    name: urn.slice(urn.lastIndexOf("::") + 2),
    differences: Object.fromEntries(differences),
    replaceReasons: keys ?? [],
    started,
    failed: false,
  };
}
