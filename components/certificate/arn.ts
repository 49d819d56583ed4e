/** ARNs of certificates that a Classic ELB can use. */
import { arn, arnPattern } from "../shared/arn";
import { text } from "../shared/inputs";

/** An ACM certificate, whose region is in its ARN. */
const acm = arnPattern("acm", "certificate/[\\w-]+");
/** An IAM server certificate, which has no region; its path and name (IAM API reference, UploadServerCertificate). */
const iam = arnPattern("iam", "server-certificate/(?:[\\x21-\\x7e]+/)?[\\w+=,.@-]{1,128}", true);

export const certificateGrammar = arn(
  [acm, iam],
  "arn:aws:acm:<region>:<account>:certificate/<id> or arn:aws:iam::<account>:server-certificate/<name>",
);

export const certificateInput = text(certificateGrammar, { later: true, regional: true });

export function isServerCertificate(arn: string): boolean {
  return arn.includes(":server-certificate/");
}

/** The name of an IAM server certificate: the last part of its path. */
export function serverCertificateName(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}
