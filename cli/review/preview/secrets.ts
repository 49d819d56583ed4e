import type { EngineState, Properties } from "./engine";
import { isUnknown, secretSignature, signatureKey } from "./engine";

/** What stands for a secret, in the engine's own words. */
export const secretText = "[secret]";

/** Properties that hold secrets whether or not the engine was told so. */
const secretProperties: Record<string, readonly string[]> = {
  "random:index/randomPassword:RandomPassword": ["result", "bcryptHash"],
  "tls:index/privateKey:PrivateKey": ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"],
  "tls:index/certRequest:CertRequest": ["privateKeyPem"],
  "tls:index/selfSignedCert:SelfSignedCert": ["privateKeyPem"],
  "tls:index/locallySignedCert:LocallySignedCert": ["caPrivateKeyPem"],
  "aws:acm/certificate:Certificate": ["privateKey"],
  "aws:iam/serverCertificate:ServerCertificate": ["privateKey"],
  "aws:iam/accessKey:AccessKey": ["secret", "sesSmtpPasswordV4"],
  "aws:secretsmanager/secretVersion:SecretVersion": ["secretString", "secretBinary"],
};

/** Shorter ones would hide ordinary values (`on`, `1`, `arm`), and are too short to be secrets. */
const shortestLearned = 4;

/** Shorter ones are only taken out where they are the whole value: they occur in innocent words. */
const shortestSearched = 6;

const privateKeyBlock = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const accessKeyId = /\b(AKIA|ASIA)[0-9A-Z]{16}\b/g;

/**
 * Takes secrets out of whatever passes through: by the engine's signature, by the property that they are in, by their
 * value wherever else it occurs, and by what they look like.
 */
export class Redaction {
  private readonly values = new Set<string>();

  /** Remembers a secret, so that it is found in other places too. */
  learn(value: unknown): void {
    for (const text of textsIn(value)) {
      if (text.length < shortestLearned || text === secretText || isUnknown(text)) continue;
      this.values.add(text);
      // The same text as it stands inside JSON, inside YAML blocks, and in transport.
      this.values.add(JSON.stringify(text).slice(1, -1));
      this.values.add(Buffer.from(text).toString("base64"));
      this.values.add(encodeURIComponent(text));
      if (text.includes("\n")) {
        text
          .split("\n")
          .filter((line) => line.length >= 16)
          .forEach((line) => this.values.add(line));
      }
    }
  }

  /** Learns every secret of a resource. Call it for all resources before the first `clean`. */
  learnFrom(state: EngineState): void {
    secretsOf(state).forEach((secret) => this.learn(secret));
    for (const bag of [state.inputs, state.outputs]) {
      if (!bag) continue;
      for (const key of secretKeys(state)) {
        // Whatever is inside may carry a signature itself, which has been learned from above.
        if (Object.hasOwn(bag, key) && !isSigned(bag[key])) this.learn(bag[key]);
      }
    }
  }

  /** The properties of a resource without its secrets. */
  properties(state: EngineState, bag: Properties | undefined): Properties {
    const hidden = secretKeys(state);
    return Object.fromEntries(
      Object.entries(bag ?? {}).map(([key, value]) => [
        key,
        hidden.has(key) && value !== null && value !== undefined ? secretText : this.clean(value),
      ]),
    );
  }

  clean(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.clean(item));
    if (typeof value === "object" && value !== null) {
      if (isSigned(value)) return secretText;
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [this.text(key), this.clean(item)]),
      );
    }
    return this.values.has(String(value)) && typeof value === "number" ? secretText : value;
  }

  text(text: string): string {
    if (this.values.has(text)) return secretText;
    let cleaned = text;
    for (const value of this.longestFirst()) {
      if (cleaned.includes(value)) cleaned = cleaned.replaceAll(value, secretText);
    }
    return cleaned.replace(privateKeyBlock, secretText).replace(accessKeyId, secretText);
  }

  private searched: { size: number; values: string[] } = { size: 0, values: [] };

  /** Longest first, so that a secret inside another one does not leave the rest of it behind. */
  private longestFirst(): string[] {
    if (this.searched.size !== this.values.size) {
      const values = [...this.values].filter((value) => value.length >= shortestSearched);
      this.searched = { size: this.values.size, values: values.sort((a, b) => b.length - a.length) };
    }
    return this.searched.values;
  }
}

function secretKeys(state: EngineState): Set<string> {
  const keys = new Set([...(secretProperties[state.type] ?? []), ...(state.additionalSecretOutputs ?? [])]);
  const type = state.inputs?.type ?? state.outputs?.type;
  if (state.type === "aws:ssm/parameter:Parameter" && type === "SecureString") {
    ["value", "insecureValue", "valueWo"].forEach((key) => keys.add(key));
  }
  return keys;
}

function isSigned(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    (value as Record<string, unknown>)[signatureKey] === secretSignature
  );
}

/** The plaintexts that are there when the preview was made to show secrets. */
function signedSecrets(value: unknown, found: (plaintext: unknown) => void): void {
  if (typeof value !== "object" || value === null) return;
  if (isSigned(value)) {
    const { plaintext, value: inner } = value as { plaintext?: string; value?: unknown };
    if (plaintext !== undefined) found(parsed(plaintext));
    if (inner !== undefined) found(inner);
    return;
  }
  Object.values(value).forEach((item) => signedSecrets(item, found));
}

/** Every secret of a deployment: `pulumi stack export --show-secrets`. */
export function deploymentSecrets(deployment: {
  deployment?: { resources?: EngineState[] | null };
}): string[] {
  return [...new Set((deployment.deployment?.resources ?? []).flatMap(secretsOf))];
}

/**
 * The secrets of one resource. What it also shows in the clear is none: a plain SSM parameter repeats its public value in
 * a property that the provider always hides.
 */
function secretsOf({ inputs, outputs }: EngineState): string[] {
  const found: string[] = [];
  for (const bag of [inputs, outputs]) signedSecrets(bag, (plaintext) => found.push(...textsIn(plaintext)));
  const clear = new Set(clearTexts([inputs, outputs]));
  return found.filter((text) => text !== "" && !clear.has(text));
}

function clearTexts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || isSigned(value)) return [];
  return Object.values(value).flatMap(clearTexts);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number") return [String(value)];
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(textsIn);
  return [];
}
