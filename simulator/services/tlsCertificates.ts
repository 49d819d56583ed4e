/** Certificates and requests of the tls provider: made from keys, kept in the program's state alone. */
import { createHash, createPrivateKey, webcrypto, X509Certificate, type KeyObject } from "crypto";
import { type Context } from "../context";
import { fail } from "../errors";
import { bool, int, list, object, out, text, type Property, type ResourceType } from "../schema";
import type { Props } from "../values";
import { issue, readRequest, requestCertificate, type CertificateRequest, type Issuer } from "../x509";
import { atLeast, oneOf } from "./validators";

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
];

const fixed = { forceNew: true };

/** What a certificate is for whoever asks for it: names and subject, given by a request or by the resource itself. */
const identity: Record<string, Property> = {
  dnsNames: list(text(), fixed),
  subject: object(Object.fromEntries(subjectFields.map(([property]) => [property, text(fixed)])), fixed),
};

/** What its signer decides: how long it is valid, and what for. */
const terms: Record<string, Property> = {
  allowedUses: list(text({ check: oneOf(...keyUsages, ...Object.keys(extendedUsages)) }), {
    required: true,
    ...fixed,
  }),
  earlyRenewalHours: int({ default: 0, check: atLeast(0) }),
  isCaCertificate: bool({ default: false, ...fixed }),
  validityPeriodHours: int({ required: true, ...fixed, check: atLeast(0) }),
  certPem: out(),
  readyForRenewal: out("boolean"),
  validityEndTime: out(),
  validityStartTime: out(),
};

export const certRequestType: ResourceType = {
  token: "tls:index/certRequest:CertRequest",
  title: "TLS Certificate Request",
  global: true,
  local: true,
  properties: {
    ...identity,
    // The provider takes a write-only key instead, which is not modelled: so here it is needed.
    privateKeyPem: text({ required: true, sensitive: true, ...fixed }),
    certRequestPem: out(),
    keyAlgorithm: out(),
  },
  async create(_context, inputs) {
    const key = readKey("privateKeyPem", inputs["privateKeyPem"] as string);
    const certRequestPem = await requestCertificate({ key, ...identityOf(inputs) });
    return {
      id: createHash("sha1").update(derOf(certRequestPem)).digest("hex"),
      attributes: { certRequestPem, keyAlgorithm: algorithmOf(key) },
    };
  },
};

export const selfSignedCertType: ResourceType = {
  token: "tls:index/selfSignedCert:SelfSignedCert",
  title: "TLS Self-Signed Certificate",
  global: true,
  local: true,
  properties: {
    ...identity,
    ...terms,
    privateKeyPem: text({ required: true, sensitive: true, ...fixed }),
    keyAlgorithm: out(),
  },
  async create(context, inputs) {
    const key = readKey("privateKeyPem", inputs["privateKeyPem"] as string);
    const { id, attributes } = await sign(context, inputs, {
      key,
      ...identityOf(inputs),
    });
    return { id, attributes: { ...attributes, keyAlgorithm: algorithmOf(key) } };
  },
  replaceAnyway: readyForRenewal,
};

export const locallySignedCertType: ResourceType = {
  token: "tls:index/locallySignedCert:LocallySignedCert",
  title: "TLS Locally Signed Certificate",
  global: true,
  local: true,
  properties: {
    ...terms,
    caCertPem: text({ required: true, ...fixed }),
    caPrivateKeyPem: text({ required: true, sensitive: true, ...fixed }),
    certRequestPem: text({ required: true, ...fixed }),
    caKeyAlgorithm: out(),
  },
  async create(context, inputs) {
    const issuer = readIssuer(inputs);
    const request = await readRequest(inputs["certRequestPem"] as string).catch(() =>
      fail("InvalidCertificateRequest", "certRequestPem is not a PEM-encoded certificate request"),
    );
    const { id, attributes } = await sign(context, inputs, { ...request, issuer });
    return { id, attributes: { ...attributes, caKeyAlgorithm: algorithmOf(issuer.key) } };
  },
  replaceAnyway: readyForRenewal,
};

/** The provider only warns of a certificate that is no authority's; clients refuse what it signed. */
function readIssuer(inputs: Props): Issuer {
  const certificatePem = inputs["caCertPem"] as string;
  const key = readKey("caPrivateKeyPem", inputs["caPrivateKeyPem"] as string);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(certificatePem);
  } catch {
    return fail("InvalidCertificate", "caCertPem is not a PEM-encoded certificate");
  }
  if (!certificate.checkPrivateKey(key)) {
    fail("InvalidPrivateKey", "caPrivateKeyPem is not the key of caCertPem");
  }
  return { certificatePem, key };
}

function readKey(property: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    return fail("InvalidPrivateKey", `${property} is not a PEM-encoded private key`);
  }
}

function algorithmOf(key: KeyObject): string {
  return { rsa: "RSA", ec: "ECDSA", ed25519: "ED25519" }[key.asymmetricKeyType as string]!;
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ""), "base64");
}

function identityOf(inputs: Props) {
  const subject = (inputs["subject"] as Props | undefined) ?? {};
  return {
    subject: subjectFields
      .filter(([property]) => typeof subject[property] === "string")
      .map(([property, attribute]) => ({ [attribute]: [subject[property] as string] })),
    dnsNames: (inputs["dnsNames"] as string[] | undefined) ?? [],
  };
}

async function sign(
  context: Context,
  inputs: Props,
  request: Pick<CertificateRequest, "key" | "subject" | "dnsNames" | "issuer">,
) {
  const notBefore = new Date(Math.floor(context.account.now().getTime() / 1000) * 1000);
  const hours = inputs["validityPeriodHours"] as number;
  const notAfter = new Date(notBefore.getTime() + hours * 3600_000);
  const uses = inputs["allowedUses"] as string[];
  const serial = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
  serial[0] = (serial[0]! & 0x7f) | 0x01;
  const certPem = await issue({
    ...request,
    serial: serial.toString("hex"),
    notBefore,
    notAfter,
    ca: inputs["isCaCertificate"] === true,
    keyUsages: uses.filter((u) => keyUsages.includes(u)).map((u) => keyUsages.indexOf(u)),
    extendedUsages: uses.flatMap((u) => extendedUsages[u] ?? []),
    subjectKeyId: inputs["isCaCertificate"] === true,
  });
  return {
    id: BigInt(`0x${serial.toString("hex")}`).toString(),
    attributes: {
      certPem,
      readyForRenewal: false,
      validityStartTime: notBefore.toISOString().replace(".000", ""),
      validityEndTime: notAfter.toISOString().replace(".000", ""),
    } as Props,
  };
}

/** A certificate that ends, or begins its early renewal, is made anew by the next update. */
function readyForRenewal(context: Context, olds: Props): string | undefined {
  const end = Date.parse(olds["validityEndTime"] as string);
  const early = ((olds["earlyRenewalHours"] as number | undefined) ?? 0) * 3600_000;
  return context.account.now().getTime() >= end - early ? "readyForRenewal" : undefined;
}
