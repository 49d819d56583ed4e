/**
 * What somebody does to certificates with AWS's own tools, beside every stack:
 *
 *     GET  /certificates?arn=…       a certificate of ACM or IAM
 *     POST /certificates/import      { certificate, privateKey, chain?, arn?, region } a new one, or again under its ARN
 *     POST /certificates/renew       { arn, days? }    as ACM's managed renewal does
 *     POST /listeners/certificate    { loadBalancer, port, arn, region? }  SetLoadBalancerListenerSSLCertificate
 */
import type { StoredResource } from "./storedResource";
import { certificateMaterial, renewCertificate } from "./certificateMaterial";
import type { Cloud } from "./cloud";
import { Context } from "./context";
import { AwsError } from "./errors";
import { findResource, modifyResource } from "./outOfBand";
import { seedTypes } from "./seeds";
import { setListenerCertificate } from "./services/loadBalancers";
import * as names from "./services/names";

/** A certificate that a load balancer of its region could use. */
export function describeCertificate(cloud: Cloud, arn: string): StoredResource {
  const kinds = [seedTypes.certificate, seedTypes.serverCertificate];
  const found = kinds.flatMap((type) => cloud.account.list(type)).find(({ id }) => id === arn);
  return found ?? notFound(arn);
}

function notFound(arn: string): never {
  throw new AwsError("NotFound", `there is no certificate ${arn} in the simulated account`);
}

export interface CertificateImport {
  certificate: string;
  privateKey: string;
  chain?: string;
  /** Of an imported certificate, to be replaced. */
  arn?: string;
  /** Where a new one is to be. */
  region?: string;
}

/** ImportCertificate of ACM. */
export async function importCertificate(cloud: Cloud, input: CertificateImport): Promise<StoredResource> {
  const { arn, region, certificate: certificateBody, privateKey, chain } = input;
  if (arn !== undefined) {
    const stored = findResource(cloud, { type: seedTypes.certificate, id: arn });
    if (stored.attributes["type"] !== "IMPORTED") {
      throw new AwsError(
        "ValidationException",
        `${arn} is ${stored.attributes["type"]}, not IMPORTED; only an imported certificate can be imported again`,
      );
    }
    return modifyResource(cloud, stored, { certificateBody, privateKey, certificateChain: chain ?? null });
  }
  if (region === undefined) {
    throw new AwsError("BadRequest", '"region" is missing: where a new certificate is to be');
  }
  const inputs = { certificateBody, privateKey, ...(chain === undefined ? {} : { certificateChain: chain }) };
  const { id } = await cloud.create(names.certificate, { region }, inputs);
  return findResource(cloud, { type: names.certificate, id });
}

export function renew(cloud: Cloud, arn: string, days: number): Promise<StoredResource> {
  const { region } = findResource(cloud, { type: seedTypes.certificate, id: arn });
  return renewCertificate(cloud.account, region, arn, days);
}

/** SetLoadBalancerListenerSSLCertificate; the load balancer's name is enough where only one region has it. */
export async function replaceListenerCertificate(
  cloud: Cloud,
  { loadBalancer, port, arn }: { loadBalancer: string; port: number; arn: string },
): Promise<StoredResource> {
  const found = cloud.account.list(names.loadBalancer).find(({ id }) => id === loadBalancer);
  if (!found) {
    throw new AwsError("LoadBalancerNotFound", `There is no ACTIVE Load Balancer named '${loadBalancer}'`);
  }
  const context = new Context(cloud.account, found.region, {}, cloud.surroundings);
  // Its key pair first, where the region has none yet: a listener must not wait for it with its port closed.
  await certificateMaterial(cloud.account, found.region, arn).catch((error: unknown) => {
    if (!(error instanceof AwsError)) throw error; // the operation itself says it in its own words
  });
  return cloud.account.transaction(() => setListenerCertificate(context, loadBalancer, port, arn));
}
