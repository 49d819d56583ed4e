/** What the engine writes: the document of `pulumi preview --json`. Only the parts that a review reads. */
export type Properties = Record<string, unknown>;

export interface EngineState {
  urn: string;
  type: string;
  custom?: boolean;
  delete?: boolean;
  external?: boolean;
  id?: string;
  parent?: string;
  protect?: boolean;
  retainOnDelete?: boolean;
  inputs?: Properties;
  outputs?: Properties;
  dependencies?: string[] | null;
  propertyDependencies?: Record<string, string[] | null> | null;
  additionalSecretOutputs?: string[] | null;
}

export interface DigestStep {
  op: string;
  urn: string;
  oldState?: EngineState | null;
  newState?: EngineState | null;
  diffReasons?: string[] | null;
  replaceReasons?: string[] | null;
  detailedDiff?: Record<string, { kind: string; inputDiff: boolean }> | null;
}

/** `pulumi preview --json`. */
export interface PreviewDigest {
  config?: Record<string, string> | null;
  steps?: DigestStep[] | null;
  diagnostics?: { urn?: string; message?: string; severity?: string }[] | null;
  changeSummary?: Record<string, number> | null;
}

/** How values travel that are not known before the deployment (sdk/go/common/resource/plugin/rpc.go). */
const unknownTexts = new Set([
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9", // text
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // truth value
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // list
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

export function isUnknown(value: unknown): boolean {
  return typeof value === "string" && unknownTexts.has(value);
}

/** Marks an object as something else than an object (sdk/go/common/resource/sig). */
export const signatureKey = "4dabf18193072939515e22adb298388d";
export const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
