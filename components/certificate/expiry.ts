/** When the load balancer's certificate ends, and the warning before it does. */
import { X509Certificate } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import * as acm from "@pulumi/aws/acm";
import { getServerCertificateOutput } from "@pulumi/aws/iam";
import { isServerCertificate, serverCertificateName } from "./arn";
import { dateOf, daysUntil, inDays, rfc3339, warningDays } from "../shared/expiry";
import { plain, runError } from "../shared/problems";

/** Who renews it: ACM what it issued itself, the user what was imported into ACM or uploaded to IAM. */
export type CertificateOrigin = "AMAZON_ISSUED" | "IMPORTED" | "PRIVATE" | "IAM";

/** What is wrong with a certificate's key of so many bits (RSA), for who would present it. */
export type KeyProblem = (arn: string, rsaBits: number) => string | undefined;

/**
 * The end of the certificate behind an ARN, as RFC 3339 text; a warning is logged when it is near. Undefined for an ARN
 * that another resource gives: whether it is of ACM or IAM, and so what to ask, is not known before that resource exists.
 * `checked` is the same ARN once it is known to be of the right region; `keyProblem` says what is wrong with its key.
 */
export function readCertificateExpiry(
  name: string,
  parent: pulumi.Resource,
  arn: pulumi.Input<string> | undefined,
  checked: pulumi.Output<string> | undefined,
  keyProblem: KeyProblem = () => undefined,
): pulumi.Output<string> | undefined {
  const known = plain(arn);
  if (known === undefined || checked === undefined) {
    return undefined;
  }
  const { origin, ends, status, rsaBits } = isServerCertificate(known)
    ? readFromIam(parent, checked)
    : readFromAcm(name, parent, checked);
  return pulumi.all([origin, ends, status, rsaBits]).apply(([by, end, state, bits]) => {
    const unfit = keyProblem(known, bits);
    if (unfit !== undefined) {
      throw runError(unfit);
    }
    if (!end) {
      const problem = unissuedProblem(known, state);
      if (problem !== undefined) {
        throw runError(problem);
      }
      return rfc3339(end);
    }
    for (const warning of certificateWarnings(known, by, new Date(end), new Date())) {
      void pulumi.log.warn(warning, parent);
    }
    return rfc3339(end);
  });
}

interface Found {
  origin: pulumi.Output<CertificateOrigin>;
  /** Empty as long as ACM has not issued the certificate: DescribeCertificate has no NotAfter then. */
  ends: pulumi.Output<string>;
  /** ACM's `Status`; missing for IAM, where there are finished certificates only. */
  status: pulumi.Output<string | undefined>;
  /** 0 for a key of another kind, and where it cannot be read. */
  rsaBits: pulumi.Output<number>;
}

/**
 * What to say of a certificate that has no end, if anything. ACM's statuses:
 * https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html
 */
export function unissuedProblem(arn: string, status: string | undefined): string | undefined {
  if (status === undefined || status === "ISSUED") {
    return undefined;
  }
  const remedy =
    status === "PENDING_VALIDATION"
      ? "make the DNS records that `aws acm describe-certificate` shows (or answer the e-mail), and wait until it is ISSUED"
      : "request or import another one";
  return `certificate.arn: the certificate ${arn} is ${status}, and a load balancer takes only one that ACM has issued; ${remedy}`;
}

/** A read, not a resource of the stack: nothing is created, changed or deleted through it. */
function readFromAcm(name: string, parent: pulumi.Resource, arn: pulumi.Output<string>): Found {
  const certificate = acm.Certificate.get(`${name}-certificate`, arn, undefined, { parent });
  return {
    origin: certificate.type as pulumi.Output<CertificateOrigin>,
    ends: certificate.notAfter,
    status: certificate.status,
    // `RSA_2048` in ACM's API reference, `RSA-2048` in its answers.
    rsaBits: certificate.keyAlgorithm.apply((algorithm: string | undefined) =>
      Number(/^RSA.(\d+)$/.exec(algorithm ?? "")?.[1] ?? 0),
    ),
  };
}

function readFromIam(parent: pulumi.Resource, arn: pulumi.Output<string>): Found {
  const certificate = getServerCertificateOutput({ name: arn.apply(serverCertificateName) }, { parent });
  return {
    origin: pulumi.output("IAM" as const),
    ends: certificate.expirationDate,
    status: pulumi.output(undefined),
    rsaBits: certificate.certificateBody.apply(rsaBitsOf),
  };
}

function rsaBitsOf(pem: string | undefined): number {
  const { publicKey } = pem ? new X509Certificate(pem) : {};
  return publicKey?.asymmetricKeyType === "rsa" ? (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) : 0;
}

const remedies: Record<CertificateOrigin, string> = {
  AMAZON_ISSUED:
    "ACM renews it by itself while it is in use and its validation holds, which seems not to be so; " +
    "ask for the reason with `aws acm describe-certificate`",
  PRIVATE:
    "ACM renews it by itself while it is in use, which has not happened; ask for the reason with `aws acm describe-certificate`",
  IMPORTED: "import its successor under the same ARN with `aws acm import-certificate --certificate-arn`",
  IAM: "upload its successor under another name, and change certificate.arn to that",
};

/** What to say about a certificate's end, if anything; docs/certificates.md has the steps. */
export function certificateWarnings(arn: string, origin: CertificateOrigin, ends: Date, now: Date): string[] {
  const days = daysUntil(ends, now);
  if (days > warningDays) {
    return [];
  }
  const state =
    days < 0
      ? `expired on ${dateOf(ends)}, ${inDays(days)}: clients that check it refuse to connect`
      : `expires on ${dateOf(ends)}, ${inDays(days)}`;
  return [`certificate.arn: the certificate ${arn} ${state}; ${remedies[origin]} (docs/certificates.md)`];
}
