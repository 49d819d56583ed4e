import { createPrivateKey, X509Certificate, type KeyObject } from "crypto";
import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { out, text, type ResourceType } from "../schema";
import { seedTypes } from "../seeds";
import type { Props } from "../values";
import * as names from "./names";

/** An ACM certificate of this region or an IAM server certificate, by ARN. */
export function findCertificate(context: Context, arn: string): StoredResource | undefined {
  return context.find(seedTypes.certificate, arn) ?? context.findGlobal(seedTypes.serverCertificate, arn);
}

export const certificateType: ResourceType = {
  token: names.certificate,
  title: "ACM Certificate",
  tagged: true,
  properties: {
    certificateBody: text(),
    certificateChain: text(),
    privateKey: text({ sensitive: true }),
    arn: out(),
    domainName: out(),
    domainValidationOptions: out("list"),
    keyAlgorithm: out(),
    notAfter: out(),
    notBefore: out(),
    pendingRenewal: out("boolean"),
    renewalEligibility: out(),
    renewalSummaries: out("list"),
    status: out(),
    subjectAlternativeNames: out("list"),
    type: out(),
    validationEmails: out("list"),
    validationMethod: out(),
  },
  validate(_inputs, problems, given) {
    for (const required of ["certificateBody", "privateKey"]) {
      if (!given.has(required)) {
        problems.add(
          "",
          `Missing required property '${required}': the simulated region imports certificates, it does not request them`,
        );
      }
    }
  },
  create(context, inputs) {
    const facts = checkImport(context, inputs);
    const hex = context.account.hex(32);
    const id = [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      `8${hex.slice(17, 20)}`,
      hex.slice(20),
    ];
    const arn = context.arn("acm", `certificate/${id.join("-")}`);
    return {
      id: arn,
      attributes: {
        arn,
        ...facts,
        domainValidationOptions: [],
        pendingRenewal: false,
        renewalEligibility: "INELIGIBLE",
        renewalSummaries: [],
        status: "ISSUED",
        type: "IMPORTED",
        validationEmails: [],
        validationMethod: "NONE",
      },
    };
  },
  update(context, _certificate, inputs, changed) {
    // New PEM is imported again under the same ARN.
    return ["certificateBody", "certificateChain", "privateKey"].some((p) => changed.has(p))
      ? checkImport(context, inputs)
      : undefined;
  },
  recomputed: (changed) =>
    changed.has("certificateBody")
      ? ["domainName", "keyAlgorithm", "notAfter", "notBefore", "subjectAlternativeNames"]
      : [],
  delete(context, certificate) {
    const users = [
      ...context
        .list(names.loadBalancer)
        .filter((b) =>
          (b.attributes["listeners"] as Props[]).some((l) => l["sslCertificateId"] === certificate.id),
        ),
      ...[names.networkListener, names.networkListenerCertificate]
        .flatMap((type) => context.list(type))
        .filter(({ attributes }) => attributes["certificateArn"] === certificate.id),
    ];
    if (users.length > 0) {
      fail(
        "ResourceInUseException",
        `Certificate ${certificate.id} in account is in use by ${users.map((u) => u.attributes["arn"] ?? u.attributes["listenerArn"]).join(", ")}`,
      );
    }
  },
};

function checkImport(context: Context, inputs: Props): Props {
  const bad = (detail: string) => fail("ValidationException", detail);
  const body = inputs["certificateBody"] as string;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(body);
  } catch {
    return bad("The certificate field contains something that is not a PEM-encoded certificate.");
  }
  if (body.split("-----BEGIN CERTIFICATE-----").length > 2) {
    bad(
      "The certificate field contains more than one certificate. You can specify only one certificate in this field.",
    );
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(inputs["privateKey"] as string);
  } catch {
    return bad("The private key is not supported or is not a PEM-encoded, unencrypted private key.");
  }
  if (!certificate.checkPrivateKey(key)) {
    bad("The certificate does not match the private key: key modulus mismatch.");
  }
  const now = context.account.now().getTime();
  const notBefore = new Date(certificate.validFrom);
  const notAfter = new Date(certificate.validTo);
  if (notAfter.getTime() <= now) {
    bad(`The certificate has expired (${notAfter.toISOString()}).`);
  }
  if (notBefore.getTime() > now + 60_000) {
    bad(`The certificate is not valid yet (${notBefore.toISOString()}).`);
  }
  checkChain(certificate, inputs["certificateChain"] as string | undefined);
  const alternatives = (certificate.subjectAltName ?? "")
    .split(/,\s*/)
    .filter((entry) => entry.startsWith("DNS:"))
    .map((entry) => entry.slice(4));
  const commonName = /^CN=(.*)$/m.exec(certificate.subject ?? "")?.[1];
  return {
    domainName: commonName ?? alternatives[0] ?? "",
    keyAlgorithm: keyAlgorithm(key),
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
    subjectAlternativeNames: alternatives,
  };
}

function checkChain(certificate: X509Certificate, chain: string | undefined): void {
  if (!chain) {
    return;
  }
  const parts = chain.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  let child = certificate;
  for (const part of parts) {
    let issuer: X509Certificate;
    try {
      issuer = new X509Certificate(part);
    } catch {
      return fail("ValidationException", "The certificate chain is not PEM-encoded.");
    }
    if (!child.checkIssued(issuer)) {
      fail("ValidationException", "Could not validate the certificate with the certificate chain.");
    }
    child = issuer;
  }
  if (parts.length === 0) {
    fail("ValidationException", "The certificate chain is not PEM-encoded.");
  }
}

const curves: Record<string, string> = {
  prime256v1: "EC_prime256v1",
  secp384r1: "EC_secp384r1",
  secp521r1: "EC_secp521r1",
};

function keyAlgorithm(key: KeyObject): string {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  const rsa = key.asymmetricKeyType === "rsa" && [1024, 2048, 3072, 4096].includes(modulusLength ?? 0);
  const name = rsa ? `RSA_${modulusLength}` : curves[namedCurve ?? ""];
  return (
    name ??
    fail("ValidationException", "The private key length or key algorithm is not supported for key import.")
  );
}
