import { AwsError } from "./errors";
import { createPublicKey, webcrypto, type KeyObject } from "crypto";

export interface CertificateRequest {
  /** The certificate's own key; where somebody else signs, its public half is enough. */
  key: KeyObject;
  /** Who signs it. Default: the certificate's own key. */
  issuer?: Issuer;
  serial: string;
  /** Attributes in order, e.g. `{ CN: ["mqtt.example.com"] }`. */
  subject: Record<string, string[]>[];
  notBefore: Date;
  notAfter: Date;
  dnsNames: string[];
  ca?: boolean;
  /** Bit numbers of the key usage extension. */
  keyUsages: number[];
  extendedUsages: string[];
  subjectKeyId?: boolean;
}

/** A certificate authority: its certificate as PEM, and its private key. */
export interface Issuer {
  certificatePem: string;
  key: KeyObject;
}

type X509 = typeof import("@peculiar/x509");

/** Loaded when needed: most of a region's life goes by without it. */
async function library(): Promise<X509> {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

/** A certificate as PEM, signed by its issuer, or by itself. */
export async function issue(request: CertificateRequest): Promise<string> {
  const x509 = await library();
  const { issuer } = request;
  const publicKey = await importPublic(request.key);
  const signingKey = await importPrivate(issuer?.key ?? request.key);
  const authority = issuer && new x509.X509Certificate(issuer.certificatePem);
  const authorityKeyId =
    authority && authority.subject !== subjectText(x509, request)
      ? authority.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId
      : undefined;
  const { ca = false } = request;
  const bits = request.keyUsages.reduce((all, bit) => all | (1 << bit), 0);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: request.serial,
      subject: request.subject,
      issuer: authority ? authority.subjectName : request.subject,
      notBefore: request.notBefore,
      notAfter: request.notAfter,
      signingAlgorithm: signing(issuer?.key ?? request.key),
      publicKey,
      signingKey,
      extensions: [
        ...(bits ? [new x509.KeyUsagesExtension(bits, true)] : []),
        ...(request.extendedUsages.length
          ? [new x509.ExtendedKeyUsageExtension(request.extendedUsages)]
          : []),
        new x509.BasicConstraintsExtension(ca, undefined, true),
        ...(request.subjectKeyId ? [await x509.SubjectKeyIdentifierExtension.create(publicKey)] : []),
        ...(authorityKeyId ? [new x509.AuthorityKeyIdentifierExtension(authorityKeyId)] : []),
        ...alternativeNames(x509, request),
      ],
    },
    engine,
  );
  return `${certificate.toString("pem")}\n`;
}

type SigningRequest = Pick<CertificateRequest, "key" | "subject" | "dnsNames">;

/** A certificate signing request (PKCS #10) as PEM. */
export async function requestCertificate(request: SigningRequest): Promise<string> {
  const x509 = await library();
  const made = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: request.subject,
      keys: { privateKey: await importPrivate(request.key), publicKey: await importPublic(request.key) },
      signingAlgorithm: signing(request.key),
      extensions: alternativeNames(x509, request),
    },
    engine,
  );
  return `${made.toString("pem")}\n`;
}

/** What a request asks for; its key is the public one. Throws when the PEM is no request. */
export async function readRequest(pem: string): Promise<SigningRequest> {
  const x509 = await library();
  const request = new x509.Pkcs10CertificateRequest(pem);
  const extension = request.getExtension(alternativeNamesId) as InstanceType<
    X509["SubjectAlternativeNameExtension"]
  > | null;
  const names = (extension?.names.items ?? []).filter(({ type }) => type === "dns");
  return {
    key: createPublicKey(request.publicKey.toString("pem")),
    subject: request.subjectName.toJSON(),
    dnsNames: names.map(({ value }) => value),
  };
}

const alternativeNamesId = "2.5.29.17";

/** Node.js's own, which the library's types do not name. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- typed for browsers
const engine = webcrypto as Parameters<X509["X509CertificateGenerator"]["create"]>[1];

function alternativeNames(x509: X509, { dnsNames }: Pick<CertificateRequest, "dnsNames">) {
  const names = dnsNames.map((value) => ({ type: "dns" as const, value }));
  return names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : [];
}

function subjectText(x509: X509, { subject }: CertificateRequest): string {
  return new x509.Name(subject).toString();
}

function importPrivate(key: KeyObject) {
  const der = key.export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, signing(key), true, ["sign"]);
}

function importPublic(key: KeyObject) {
  const half = key.type === "public" ? key : createPublicKey(key);
  const der = half.export({ type: "spki", format: "der" });
  return webcrypto.subtle.importKey("spki", der, signing(half), true, ["verify"]);
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
