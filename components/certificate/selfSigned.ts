/**
 * A certificate for trying things out: issued by a small certificate authority of the stack's own, for the load balancer's
 * own names; held by ACM where TLS ends at the load balancer.
 *
 * Clients trust the authority. So the certificate under it can be made anew, every year and on request, without any
 * client noticing; and it keeps its ARN, so the load balancer's listeners stay as they are.
 */
import * as pulumi from "@pulumi/pulumi";
import * as acm from "@pulumi/aws/acm";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import * as tls from "@pulumi/tls";
import { rfc3339 } from "../shared/expiry";
import { tagged, type Tags } from "../shared/tags";

const validityDays = 365;
/** From this many days before its end on, the next update makes a new certificate under the same ARN. */
const renewalDays = 30;

const authorityYears = 10;
/**
 * The authority's own certificate is made anew this long before its end, with the same key and name. Clients that know
 * the old one go on trusting what the key signs until then, which leaves them two years to be given the new one.
 */
const authorityRenewalYears = 2;
const yearDays = 365;

/** The upper bound of a common name and of an organizational unit (RFC 5280). Clients go by the DNS names anyway. */
const maxNameLength = 64;

export interface SelfSignedCertificate {
  arn: pulumi.Output<string>;
  /** The authority's certificate, for clients to trust. */
  authorityPem: pulumi.Output<string>;
  /** When the certificate ends, as RFC 3339 text in UTC. */
  ends: pulumi.Output<string>;
}

export interface SelfSignedCertificateArgs {
  hostname?: string;
  /** Whether it is for a Network Load Balancer, too, whose names are others. */
  network?: boolean;
  /** A higher one makes a new key and certificate at once. */
  version: number;
  tags?: Tags;
}

/**
 * The load balancer's name is not known before it exists, and it cannot exist without its certificate; so the
 * certificate names all load balancers of the region, and the deployment's own host name if it has one.
 */
export function createSelfSignedCertificate(
  name: string,
  parent: pulumi.Resource,
  { hostname, network, version, tags }: SelfSignedCertificateArgs,
): SelfSignedCertificate {
  const { region } = getRegionOutput({}, { parent });
  const loadBalancers = region.apply((r) => `*.${r}.elb.${domainOf(r)}`);
  const dnsNames = [
    ...(hostname ? [hostname] : []),
    loadBalancers,
    ...(network ? [region.apply((r) => `*.elb.${r}.${domainOf(r)}`)] : []),
  ];
  const issued = issueCertificate(name, parent, dnsNames, version);
  const imported = new acm.Certificate(
    name,
    {
      privateKey: issued.privateKeyPem,
      certificateBody: issued.certificatePem,
      certificateChain: issued.authorityPem,
      tags: tagged(name, tags),
    },
    { parent },
  );
  return { arn: imported.arn, authorityPem: issued.authorityPem, ends: issued.ends };
}

const domainOf = (region: string | undefined) =>
  region?.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";

export interface NodeCertificate extends Pick<SelfSignedCertificate, "authorityPem" | "ends"> {
  /** Key and certificate. */
  pem: pulumi.Output<string>;
}

/** The same for TLS that ends at the nodes, behind load balancers of either kind: key and certificate, which nobody holds but they. */
export function createNodeCertificate(
  name: string,
  parent: pulumi.Resource,
  { hostnames, version }: { hostnames: string[]; version: number },
): NodeCertificate {
  const { region } = getRegionOutput({}, { parent });
  const loadBalancers = [
    region.apply((r) => `*.${r}.elb.${domainOf(r)}`),
    region.apply((r) => `*.elb.${r}.${domainOf(r)}`),
  ];
  const issued = issueCertificate(name, parent, [...hostnames, ...loadBalancers], version);
  const { certificatePem, privateKeyPem, authorityPem, ends } = issued;
  return { pem: pulumi.interpolate`${certificatePem}${privateKeyPem}`, authorityPem, ends };
}

/** A certificate under the authority of this name; for the first of the names, above all. */
function issueCertificate(
  name: string,
  parent: pulumi.Resource,
  dnsNames: pulumi.Input<string>[],
  version: number,
) {
  const authority = createAuthority(`${name}-ca`, parent);
  // Another version is another key, request and certificate: made, and put in place under the ARN, before the old go.
  const versioned = `${name}-${version}`;
  const key = createKey(versioned, parent);
  const fitting = dnsNames.find((each) => typeof each !== "string" || each.length <= maxNameLength);
  const request = new tls.CertRequest(
    versioned,
    {
      privateKeyPem: key.privateKeyPem,
      subject: { commonName: fitting, organization: "EMQX on AWS" },
      dnsNames,
    },
    { parent },
  );
  const certificate = new tls.LocallySignedCert(
    versioned,
    {
      certRequestPem: request.certRequestPem,
      caPrivateKeyPem: authority.key.privateKeyPem,
      caCertPem: authority.certificate.certPem,
      validityPeriodHours: validityDays * 24,
      earlyRenewalHours: renewalDays * 24,
      allowedUses: ["digital_signature", "key_encipherment", "server_auth"],
    },
    { parent },
  );
  return {
    privateKeyPem: key.privateKeyPem,
    certificatePem: certificate.certPem,
    authorityPem: authority.certificate.certPem,
    ends: certificate.validityEndTime.apply((end: string | undefined) => (end ? rfc3339(end) : "")),
  };
}

function createAuthority(name: string, parent: pulumi.Resource) {
  const key = createKey(name, parent);
  const certificate = new tls.SelfSignedCert(
    name,
    {
      privateKeyPem: key.privateKeyPem,
      isCaCertificate: true,
      // Tells the authorities of two stacks apart where a client trusts both. It stays what it was when stack or component
      // are renamed: clients know the authority by it, and another one would be a stranger to them.
      subject: {
        commonName: name,
        organizationalUnit: `${pulumi.getProject()}/${pulumi.getStack()}`.slice(0, maxNameLength),
        organization: "EMQX on AWS",
      },
      validityPeriodHours: authorityYears * yearDays * 24,
      earlyRenewalHours: authorityRenewalYears * yearDays * 24,
      allowedUses: ["cert_signing", "crl_signing"],
    },
    { parent, ignoreChanges: ["subject"] },
  );
  return { key, certificate };
}

/** Classic ELBs take RSA keys; 2048 bits is what ACM itself issues by default. */
function createKey(name: string, parent: pulumi.Resource): tls.PrivateKey {
  return new tls.PrivateKey(name, { algorithm: "RSA", rsaBits: 2048 }, { parent });
}
