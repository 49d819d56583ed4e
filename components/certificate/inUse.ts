/** The certificate that a load balancer presents: one that is made to try things out, or the user's own. */
import * as pulumi from "@pulumi/pulumi";
import { readCertificateExpiry, type KeyProblem } from "./expiry";
import { createSelfSignedCertificate } from "./selfSigned";
import type { CertificateSettings } from "./settings";
import type { Tags } from "../shared/tags";

export interface CertificateInUse {
  /** Undefined without a TLS listener. */
  arn: pulumi.Output<string> | undefined;
  /** The authority's certificate, of one that is made. */
  authorityPem: pulumi.Output<string> | undefined;
  /** RFC 3339 text; undefined without a certificate, and for the ARN that another resource gives. */
  ends: pulumi.Output<string> | undefined;
}

export interface CertificateInUseArgs {
  /** As the user gave it, and the same once it is known to be of the right region. */
  given: CertificateSettings | undefined;
  checked: CertificateSettings | undefined;
  hostname: string | undefined;
  /** Whether it is for a Network Load Balancer, too. */
  network?: boolean;
  keyProblem?: KeyProblem;
  tags: Tags | undefined;
}

export function certificateInUse(
  name: string,
  parent: pulumi.Resource,
  { given, checked, hostname, network, keyProblem, tags }: CertificateInUseArgs,
): CertificateInUse {
  if (checked?.selfSigned) {
    const { version } = checked.selfSigned;
    return createSelfSignedCertificate(`${name}-self-signed`, parent, { hostname, network, version, tags });
  }
  const arn = checked?.arn === undefined ? undefined : pulumi.output(checked.arn);
  const ends = readCertificateExpiry(name, parent, given?.arn, arn, keyProblem);
  return { arn, authorityPem: undefined, ends };
}
