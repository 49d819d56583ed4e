/** A certificate for trying things out: self-signed, held by ACM, for the load balancer's own names. */
import * as pulumi from "@pulumi/pulumi";
import * as acm from "@pulumi/aws/acm";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import * as tls from "@pulumi/tls";
import { tagged, type Tags } from "./tags";

const validityDays = 365;
/** From this many days before its end on, the next update makes a new certificate under the same ARN. */
const renewalDays = 30;

/** The upper bound of a common name (RFC 5280, ub-common-name). Clients go by the DNS names anyway. */
const maxCommonName = 64;

export interface SelfSignedCertificate {
  arn: pulumi.Output<string>;
  pem: pulumi.Output<string>;
}

/**
 * The load balancer's name is not known before it exists, and it cannot exist without its certificate; so the
 * certificate names all load balancers of the region, and the deployment's own host name if it has one.
 */
export function createSelfSignedCertificate(
  name: string,
  parent: pulumi.Resource,
  hostname: string | undefined,
  tags: Tags | undefined,
): SelfSignedCertificate {
  const { region } = getRegionOutput({}, { parent });
  const loadBalancers = region.apply(
    (r) => `*.${r}.elb.${r.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com"}`,
  );
  // Classic ELBs take RSA keys; 2048 bits is what ACM itself issues by default.
  const key = new tls.PrivateKey(name, { algorithm: "RSA", rsaBits: 2048 }, { parent });
  const certificate = new tls.SelfSignedCert(
    name,
    {
      privateKeyPem: key.privateKeyPem,
      subject: {
        commonName: hostname && hostname.length <= maxCommonName ? hostname : loadBalancers,
        organization: "EMQX on AWS",
      },
      dnsNames: hostname ? [hostname, loadBalancers] : [loadBalancers],
      validityPeriodHours: validityDays * 24,
      earlyRenewalHours: renewalDays * 24,
      allowedUses: ["digital_signature", "key_encipherment", "server_auth"],
    },
    { parent },
  );
  const imported = new acm.Certificate(
    name,
    { privateKey: key.privateKeyPem, certificateBody: certificate.certPem, tags: tagged(name, tags) },
    { parent },
  );
  return { arn: imported.arn, pem: certificate.certPem };
}
