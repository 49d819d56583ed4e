import { AwsError } from "./errors";
import { createPublicKey, webcrypto, type KeyObject } from "crypto";

export interface CertificateRequest {
  key: KeyObject;
  serial: string;
  /** Attributes in order, e.g. `{ CN: ["mqtt.example.com"] }`. */
  subject: Record<string, string[]>[];
  notBefore: Date;
  notAfter: Date;
  dnsNames: string[];
  ipAddresses?: string[];
  uris?: string[];
  ca?: boolean;
  pathLength?: number;
  /** Bit numbers of the key usage extension. */
  keyUsages: number[];
  extendedUsages: string[];
  subjectKeyId?: boolean;
  authorityKeyId?: boolean;
}

/** A self-signed certificate as PEM. */
export async function issue(request: CertificateRequest): Promise<string> {
  // Loaded when needed: most of a region's life goes by without it.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const { key } = request;
  const algorithm = signing(key);
  const privateKey = await webcrypto.subtle.importKey(
    "pkcs8",
    key.export({ type: "pkcs8", format: "der" }),
    algorithm,
    true,
    ["sign"],
  );
  const publicKey = await webcrypto.subtle.importKey(
    "spki",
    createPublicKey(key).export({ type: "spki", format: "der" }),
    algorithm,
    true,
    ["verify"],
  );
  const keys = { privateKey, publicKey };
  const names = [
    ...request.dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: "ip" as const, value })),
    ...(request.uris ?? []).map((value) => ({ type: "url" as const, value })),
  ];
  const { ca = false, pathLength = -1 } = request;
  const bits = request.keyUsages.reduce((all, bit) => all | (1 << bit), 0);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: request.serial,
      name: request.subject,
      notBefore: request.notBefore,
      notAfter: request.notAfter,
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        ...(bits ? [new x509.KeyUsagesExtension(bits, true)] : []),
        ...(request.extendedUsages.length
          ? [new x509.ExtendedKeyUsageExtension(request.extendedUsages)]
          : []),
        new x509.BasicConstraintsExtension(ca, ca && pathLength >= 0 ? pathLength : undefined, true),
        ...(request.subjectKeyId ? [await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)] : []),
        ...(request.authorityKeyId
          ? [await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey)]
          : []),
        ...(names.length ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ],
    },
    webcrypto as Parameters<typeof x509.X509CertificateGenerator.createSelfSigned>[1],
  );
  return `${certificate.toString("pem")}\n`;
}

const curves: Record<string, string> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };

function signing(key: KeyObject) {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "rsa") {
    return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  }
  if (type === "ed25519") {
    return { name: "Ed25519" };
  }
  const curve = curves[details?.namedCurve ?? ""];
  if (type !== "ec" || curve === undefined) {
    throw new AwsError(
      "UnsupportedKey",
      `the simulated tls provider signs with RSA, ED25519, P-256, P-384 and P-521, not ${details?.namedCurve ?? type}`,
    );
  }
  return { name: "ECDSA", namedCurve: curve, hash: curve === "P-256" ? "SHA-256" : "SHA-384" };
}
