/** A certificate like another one, only expired: what a drill puts into a load balancer. */
import { createPrivateKey } from "node:crypto";
import { CertificateFacts } from "./regionView";

const dayMs = 24 * 60 * 60 * 1000;

/** Same names, same key, valid until yesterday; signed by its own key, as its issuer's is not at hand. */
export async function expiredCopy(certificate: CertificateFacts): Promise<CertificateFacts> {
  // Loaded when needed: few regions ever see a drill.
  await import("reflect-metadata");
  const { X509Certificate, X509CertificateGenerator } = await import("@peculiar/x509");
  const original = new X509Certificate(certificate.certificatePem);
  const privateKey = createPrivateKey(certificate.privateKeyPem);
  const algorithm =
    privateKey.asymmetricKeyType === "rsa"
      ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }
      : { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const signingKey = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  const expired = await X509CertificateGenerator.create({
    serialNumber: Date.now().toString(16),
    subject: original.subject,
    issuer: original.subject,
    notBefore: new Date(Date.now() - 2 * dayMs),
    notAfter: new Date(Date.now() - dayMs),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- typed for browsers
    publicKey: await original.publicKey.export(algorithm, ["verify"]),
    signingKey,
    signingAlgorithm: algorithm,
    extensions: original.extensions,
  });
  return {
    arn: certificate.arn,
    certificatePem: expired.toString("pem"),
    privateKeyPem: certificate.privateKeyPem,
  };
}
