import { createHash, createPublicKey, generateKeyPair, type KeyObject } from "crypto";
import { promisify } from "util";
import type { Context } from "../context";
import { int, out, text, type ResourceType } from "../schema";
import type { Props } from "../values";
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
  async create(context, inputs) {
    const key = await privateKey(context, inputs);
    const algorithm = inputs["algorithm"] as string;
    const pem = { RSA: "pkcs1", ECDSA: "sec1", ED25519: "pkcs8" }[algorithm] as "pkcs1";
    const publicPem = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
    return {
      id: createHash("sha1").update(publicPem).digest("hex"),
      attributes: {
        privateKeyPem: key.export({ type: pem, format: "pem" }).toString(),
        privateKeyPemPkcs8: key.export({ type: "pkcs8", format: "pem" }).toString(),
        // Nothing here takes a key in OpenSSH's form.
        privateKeyOpenssh: "",
        publicKeyOpenssh: "",
        publicKeyFingerprintMd5: "",
        publicKeyFingerprintSha256: "",
        publicKeyPem: publicPem,
      },
    };
  },
};

const generate = promisify(generateKeyPair);
const reused = new Map<string, KeyObject>();

/** Not at once: the region serves clients meanwhile, and a large key takes seconds on a busy machine. */
async function privateKey(context: Context, inputs: Props): Promise<KeyObject> {
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
  const { privateKey: key } = await (algorithm === "RSA"
    ? generate("rsa", { modulusLength: rsaBits })
    : algorithm === "ECDSA"
      ? generate("ec", { namedCurve: curves[ecdsaCurve]! })
      : generate("ed25519"));
  reused.set(kind, key);
  return key;
}
