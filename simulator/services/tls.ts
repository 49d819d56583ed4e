import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from "crypto";
import type { Context } from "../context";
import { int, out, text, type ResourceType } from "../schema";
import type { Props } from "../values";
import { openSshPrivate, openSshPublic, type SshPublic } from "./openssh";
import { between, oneOf } from "./validators";

const curves: Record<string, string> = { P224: "secp224r1", P256: "P-256", P384: "P-384", P521: "P-521" };

export const privateKeyType: ResourceType = {
  token: "tls:index/privateKey:PrivateKey",
  title: "TLS Private Key",
  global: true,
  local: true,
  properties: {
    algorithm: text({ required: true, forceNew: true, check: oneOf("RSA", "ECDSA", "ED25519") }),
    ecdsaCurve: text({ default: "P224", forceNew: true, check: oneOf(...Object.keys(curves)) }),
    rsaBits: int({ default: 2048, forceNew: true, check: between(1024, 8192) }),
    privateKeyOpenssh: out("string", { sensitive: true }),
    privateKeyPem: out("string", { sensitive: true }),
    privateKeyPemPkcs8: out("string", { sensitive: true }),
    publicKeyFingerprintMd5: out(),
    publicKeyFingerprintSha256: out(),
    publicKeyOpenssh: out(),
    publicKeyPem: out(),
  },
  create(context, inputs) {
    const key = privateKey(context, inputs);
    const algorithm = inputs["algorithm"] as string;
    const pem = { RSA: "pkcs1", ECDSA: "sec1", ED25519: "pkcs8" }[algorithm] as "pkcs1";
    const publicKey = createPublicKey(key);
    const publicPem = publicKey.export({ type: "spki", format: "pem" }).toString();
    const ssh = openSshPublic(publicKey);
    return {
      id: createHash("sha1").update(publicPem).digest("hex"),
      attributes: {
        privateKeyPem: key.export({ type: pem, format: "pem" }).toString(),
        privateKeyPemPkcs8: key.export({ type: "pkcs8", format: "pem" }).toString(),
        privateKeyOpenssh: ssh ? openSshPrivate(key, ssh) : "",
        publicKeyPem: publicPem,
        ...sshOutputs(ssh),
      },
    };
  },
};

/** OpenSSH knows no P-224: those outputs stay empty, as the real provider leaves them. */
function sshOutputs(ssh: SshPublic | undefined): Props {
  if (!ssh) {
    return { publicKeyOpenssh: "", publicKeyFingerprintMd5: "", publicKeyFingerprintSha256: "" };
  }
  const digest = (algorithm: string) => createHash(algorithm).update(ssh.blob);
  return {
    publicKeyOpenssh: `${ssh.algorithm} ${ssh.blob.toString("base64")}\n`,
    publicKeyFingerprintMd5: digest("md5").digest("hex").match(/../g)!.join(":"),
    publicKeyFingerprintSha256: `SHA256:${digest("sha256").digest("base64").replace(/=+$/, "")}`,
  };
}

const reused = new Map<string, KeyObject>();

function privateKey(context: Context, inputs: Props): KeyObject {
  const { algorithm, ecdsaCurve, rsaBits } = inputs as {
    algorithm: string;
    ecdsaCurve: string;
    rsaBits: number;
  };
  const kind = `${algorithm}/${algorithm === "RSA" ? rsaBits : ecdsaCurve}`;
  const known = context.surroundings.cheapKeys ? reused.get(kind) : undefined;
  if (known) {
    return known;
  }
  const { privateKey: key } =
    algorithm === "RSA"
      ? generateKeyPairSync("rsa", { modulusLength: rsaBits })
      : algorithm === "ECDSA"
        ? generateKeyPairSync("ec", { namedCurve: curves[ecdsaCurve]! })
        : generateKeyPairSync("ed25519");
  reused.set(kind, key);
  return key;
}
