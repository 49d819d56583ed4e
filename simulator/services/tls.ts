import {
  createHash,
  generateKeyPairSync,
  webcrypto,
  type KeyObject,
  createPrivateKey,
  createPublicKey,
} from "crypto";
import { fail, type Context } from "../context";
import { bool, int, list, object, out, text, type ResourceType } from "../schema";
import type { Props } from "../values";
import { issue } from "../x509";
import { openSshPrivate, openSshPublic, type SshPublic } from "./openssh";
import { atLeast, between, oneOf } from "./validators";

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

/** The uses of the tls provider, and what X.509 calls them. */
const keyUsages = [
  "digital_signature",
  "content_commitment",
  "key_encipherment",
  "data_encipherment",
  "key_agreement",
  "cert_signing",
  "crl_signing",
  "encipher_only",
  "decipher_only",
];
const extendedUsages: Record<string, string> = {
  server_auth: "1.3.6.1.5.5.7.3.1",
  client_auth: "1.3.6.1.5.5.7.3.2",
  code_signing: "1.3.6.1.5.5.7.3.3",
  email_protection: "1.3.6.1.5.5.7.3.4",
  timestamping: "1.3.6.1.5.5.7.3.8",
  ocsp_signing: "1.3.6.1.5.5.7.3.9",
  any_extended: "2.5.29.37.0",
};

const subjectFields: [property: string, attribute: string][] = [
  ["commonName", "CN"],
  ["organization", "O"],
  ["organizationalUnit", "OU"],
  ["locality", "L"],
  ["province", "ST"],
  ["country", "C"],
  ["postalCode", "2.5.4.17"],
  ["serialNumber", "2.5.4.5"],
  ["emailAddress", "E"],
];

const fixed = { forceNew: true };

export const selfSignedCertType: ResourceType = {
  token: "tls:index/selfSignedCert:SelfSignedCert",
  title: "TLS Self-Signed Certificate",
  global: true,
  local: true,
  properties: {
    allowedUses: list(text({ check: oneOf(...keyUsages, ...Object.keys(extendedUsages)) }), {
      required: true,
      ...fixed,
    }),
    dnsNames: list(text(), fixed),
    earlyRenewalHours: int({ default: 0, check: atLeast(0) }),
    ipAddresses: list(text(), fixed),
    isCaCertificate: bool({ default: false, ...fixed }),
    maxPathLength: int({ default: -1, ...fixed, check: atLeast(-1) }),
    privateKeyPem: text({ required: true, sensitive: true, ...fixed }),
    setAuthorityKeyId: bool({ default: false, ...fixed }),
    setSubjectKeyId: bool({ default: false, ...fixed }),
    subject: object(
      {
        ...Object.fromEntries(subjectFields.map(([property]) => [property, text(fixed)])),
        streetAddresses: list(text(), fixed),
      },
      fixed,
    ),
    uris: list(text(), fixed),
    validityPeriodHours: int({ required: true, ...fixed, check: atLeast(0) }),
    certPem: out(),
    keyAlgorithm: out(),
    readyForRenewal: out("boolean"),
    validityEndTime: out(),
    validityStartTime: out(),
  },
  notModelled: ["privateKeyPemWo", "privateKeyPemWoVersion"],
  async create(context, inputs) {
    let key: KeyObject;
    try {
      key = createPrivateKey(inputs["privateKeyPem"] as string);
    } catch {
      return fail("InvalidPrivateKey", "privateKeyPem is not a PEM-encoded private key");
    }
    const subject = (inputs["subject"] as Props | undefined) ?? {};
    const notBefore = new Date(Math.floor(context.account.now().getTime() / 1000) * 1000);
    const hours = inputs["validityPeriodHours"] as number;
    const notAfter = new Date(notBefore.getTime() + hours * 3600_000);
    const uses = inputs["allowedUses"] as string[];
    const serial = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
    serial[0] = (serial[0]! & 0x7f) | 0x01;
    const pem = await issue({
      key,
      serial: serial.toString("hex"),
      subject: subjectFields
        .filter(([property]) => typeof subject[property] === "string")
        .map(([property, attribute]) => ({ [attribute]: [subject[property] as string] })),
      notBefore,
      notAfter,
      dnsNames: (inputs["dnsNames"] as string[] | undefined) ?? [],
      ipAddresses: (inputs["ipAddresses"] as string[] | undefined) ?? [],
      uris: (inputs["uris"] as string[] | undefined) ?? [],
      ca: inputs["isCaCertificate"] === true,
      pathLength: inputs["maxPathLength"] as number,
      keyUsages: uses.filter((u) => keyUsages.includes(u)).map((u) => keyUsages.indexOf(u)),
      extendedUsages: uses.flatMap((u) => extendedUsages[u] ?? []),
      subjectKeyId: inputs["setSubjectKeyId"] === true || inputs["isCaCertificate"] === true,
      authorityKeyId: inputs["setAuthorityKeyId"] === true,
    });
    return {
      id: BigInt(`0x${serial.toString("hex")}`).toString(),
      attributes: {
        certPem: pem,
        keyAlgorithm: { rsa: "RSA", ec: "ECDSA", ed25519: "ED25519" }[key.asymmetricKeyType as string]!,
        readyForRenewal: false,
        validityStartTime: notBefore.toISOString().replace(".000", ""),
        validityEndTime: notAfter.toISOString().replace(".000", ""),
      },
    };
  },
  replaceAnyway(context, olds) {
    const end = Date.parse(olds["validityEndTime"] as string);
    const early = ((olds["earlyRenewalHours"] as number | undefined) ?? 0) * 3600_000;
    return context.account.now().getTime() >= end - early ? "readyForRenewal" : undefined;
  },
};
