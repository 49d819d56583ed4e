import { randomBytes, type KeyObject } from "crypto";

/** OpenSSH's own encodings of keys (RFC 4253, RFC 5656, PROTOCOL.key). */

export interface SshPublic {
  algorithm: string;
  blob: Buffer;
}

const curves: Record<string, string> = { "P-256": "nistp256", "P-384": "nistp384", "P-521": "nistp521" };

/** The public key, or nothing if OpenSSH has no name for its kind. */
export function openSshPublic(key: KeyObject): SshPublic | undefined {
  if (key.asymmetricKeyDetails?.namedCurve === "secp224r1") {
    return undefined;
  }
  const jwk = key.export({ format: "jwk" });
  if (jwk.kty === "RSA") {
    return packed("ssh-rsa", [integer(jwk.e!), integer(jwk.n!)]);
  }
  if (jwk.kty === "OKP") {
    return packed("ssh-ed25519", [bytes(jwk.x!)]);
  }
  const curve = curves[jwk.crv!]!;
  const point = Buffer.concat([Buffer.from([4]), bytes(jwk.x!), bytes(jwk.y!)]);
  return packed(`ecdsa-sha2-${curve}`, [Buffer.from(curve), point]);
}

/** The unencrypted private key file. */
export function openSshPrivate(key: KeyObject, ssh: SshPublic): string {
  const jwk = key.export({ format: "jwk" });
  let parts: Buffer[];
  if (jwk.kty === "RSA") {
    parts = [jwk.n, jwk.e, jwk.d, jwk.qi, jwk.p, jwk.q].map((v) => integer(v!));
  } else if (jwk.kty === "OKP") {
    parts = [bytes(jwk.x!), Buffer.concat([bytes(jwk.d!), bytes(jwk.x!)])];
  } else {
    const point = Buffer.concat([Buffer.from([4]), bytes(jwk.x!), bytes(jwk.y!)]);
    parts = [Buffer.from(curves[jwk.crv!]!), point, integer(jwk.d!)];
  }
  const check = randomBytes(4);
  const inner = Buffer.concat([
    check,
    check,
    field(Buffer.from(ssh.algorithm)),
    ...parts.map(field),
    field(Buffer.alloc(0)),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, i) => i + 1));
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field(Buffer.from("none")),
    field(Buffer.from("none")),
    field(Buffer.alloc(0)),
    Buffer.from([0, 0, 0, 1]),
    field(ssh.blob),
    field(Buffer.concat([inner, padding])),
  ]);
  const lines = file.toString("base64").match(/.{1,70}/g)!;
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function packed(algorithm: string, parts: Buffer[]): SshPublic {
  return { algorithm, blob: Buffer.concat([Buffer.from(algorithm), ...parts].map(field)) };
}

function field(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

function bytes(base64url: string): Buffer {
  return Buffer.from(base64url, "base64url");
}

/** A multiple-precision integer: no leading zeros, but one where the top bit would mean a sign. */
function integer(base64url: string): Buffer {
  const raw = bytes(base64url);
  const start = raw.findIndex((b) => b !== 0);
  const plain = raw.subarray(Math.max(start, 0));
  return plain[0]! & 0x80 ? Buffer.concat([Buffer.from([0]), plain]) : plain;
}
