/** The certificate of TLS listeners: your own, or one to try things out. */
import type * as pulumi from "@pulumi/pulumi";
import { group, version, type Resolved, type Shapes } from "../shared/inputs";
import { certificateInput } from "./arn";

/** A certificate that is made, under a certificate authority of the deployment's own, to try things out. */
export interface EmqxSelfSignedCertificateArgs {
  /**
   * A whole number from 1. A higher one makes a new key and certificate at once, under the same ARN and the same
   * authority, so that clients notice nothing. Default: 1.
   */
  version?: number;
}

/** One of the two. */
export interface EmqxCertificateArgs {
  /** ARN of an ACM or IAM certificate in the same region. */
  arn?: pulumi.Input<string>;
  /** Makes a certificate instead, to try things out; `{}` is enough. */
  selfSigned?: EmqxSelfSignedCertificateArgs;
}

export const certificateInputs = {
  arn: certificateInput,
  selfSigned: group({ version: { ...version, default: 1 } } satisfies Shapes<EmqxSelfSignedCertificateArgs>),
} satisfies Shapes<EmqxCertificateArgs>;

export type CertificateSettings = Resolved<EmqxCertificateArgs, typeof certificateInputs>;

export function certificateProblems(certificate: CertificateSettings | undefined, needed: boolean): string[] {
  const given = [certificate?.arn, certificate?.selfSigned].filter((one) => one !== undefined).length;
  if (given === 2) {
    return [`certificate: arn and selfSigned given; choose one of the two`];
  }
  if (needed && given === 0) {
    return [
      `certificate: missing, and a TLS listener is on; give the arn of an ACM or IAM certificate, ` +
        `or selfSigned: {} to try things out`,
    ];
  }
  return !needed && given === 1
    ? [`certificate: given, but no TLS listener is on; add Mqtts or Wss to listeners, or leave it out`]
    : [];
}

/** What a load balancer cannot be told where it hands TLS on. */
export function handedOnProblems(given: { certificate?: unknown; tlsPolicy?: unknown }, path = ""): string[] {
  const why = "but TLS ends at the nodes (nodeTls); leave it out";
  return [
    ...(given.certificate === undefined ? [] : [`certificate: given, ${why}`]),
    ...(given.tlsPolicy === undefined ? [] : [`${path}tlsPolicy: given, ${why}`]),
  ];
}
