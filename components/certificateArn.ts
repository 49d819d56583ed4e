/** ARNs of certificates that a Classic ELB can use. */

/** An ACM certificate, whose region is in its ARN, or an IAM server certificate, which has none. */
export const certificateArn = {
  pattern:
    /^arn:aws[\w-]*:(acm:(?<region>[a-z0-9-]+):\d{12}:certificate\/[\w-]+|iam::\d{12}:server-certificate\/[\w+=,.@/-]+)$/,
  example:
    "arn:aws:acm:<region>:<account>:certificate/<id> or arn:aws:iam::<account>:server-certificate/<name>",
};

export function isServerCertificate(arn: string): boolean {
  return arn.includes(":server-certificate/");
}

/** The name of an IAM server certificate: the last part of its path. */
export function serverCertificateName(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}
