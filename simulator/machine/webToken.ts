/** Signed JSON Web Tokens (RFC 7515, 7518, 7519): what a token claims, if one of the keys has signed it. */
import {
  constants,
  createHmac,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  timingSafeEqual,
  verify,
} from "node:crypto";
import type { Tree } from "./tree";

export type KeySource = { secret: Buffer } | { pem: string } | { jwks: Tree[] };

/** Undefined where no key has signed it, or it is no token. Throws for a key that is none. */
export function verifiedClaims(token: string, source: KeySource): Tree | undefined {
  const [header = "", payload = "", signature = "", ...more] = token.split(".");
  const algorithm = (json(header)?.["alg"] ?? "") as string;
  const claims = json(payload);
  if (more.length > 0 || claims === undefined) return undefined;
  const data = Buffer.from(`${header}.${payload}`);
  const signed = Buffer.from(signature, "base64url");
  const isSigned =
    "secret" in source
      ? fitsSecret(algorithm, source.secret, data, signed)
      : keysOf(source).some((key) => fitsKey(algorithm, key, data, signed));
  return isSigned ? claims : undefined;
}

function json(part: string): Tree | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return typeof value === "object" && value !== null ? (value as Tree) : undefined;
  } catch {
    return undefined;
  }
}

function keysOf(source: { pem: string } | { jwks: Tree[] }): KeyObject[] {
  return "pem" in source
    ? [createPublicKey(source.pem)]
    : source.jwks.map((key) => createPublicKey({ key: key as JsonWebKey, format: "jwk" }));
}

function fitsSecret(algorithm: string, secret: Buffer, data: Buffer, signature: Buffer): boolean {
  const [, bits] = /^HS(256|384|512)$/.exec(algorithm) ?? [];
  if (bits === undefined) return false;
  const own = createHmac(`sha${bits}`, secret).update(data).digest();
  return own.length === signature.length && timingSafeEqual(own, signature);
}

const kinds: Record<string, string> = { RS: "rsa", PS: "rsa", ES: "ec" };

function fitsKey(algorithm: string, key: KeyObject, data: Buffer, signature: Buffer): boolean {
  if (algorithm === "EdDSA") {
    return /^ed(25519|448)$/.test(key.asymmetricKeyType ?? "") && verify(null, data, key, signature);
  }
  const [, family = "", bits] = /^(RS|PS|ES)(256|384|512)$/.exec(algorithm) ?? [];
  if (bits === undefined || key.asymmetricKeyType !== kinds[family]) return false;
  const options = {
    ES: { dsaEncoding: "ieee-p1363" as const },
    PS: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
  }[family];
  return verify(`sha${bits}`, data, { key, ...options }, signature);
}
