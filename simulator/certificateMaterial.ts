import { generateKeyPairSync } from "crypto";
import { type Account } from "./account";
import { globalRegion, type StoredResource } from "./storedResource";
import { AwsError } from "./errors";
import { seedTypes } from "./seeds";
import * as names from "./services/names";
import { issue } from "./x509";

/** What a load balancer presents to its clients. */
export interface CertificateMaterial {
  certificatePem: string;
  chainPem?: string;
  privateKeyPem: string;
}

/**
 * The PEM behind a certificate's ARN. Certificates that account.yaml lists get a key pair when somebody first
 * asks; it stays the same from then on, also across restarts.
 */
export async function certificateMaterial(
  account: Account,
  region: string,
  arn: string,
): Promise<CertificateMaterial> {
  const find = () => findByArn(account, region, arn);
  const stored = find();
  if (!stored) {
    throw new AwsError("CertificateNotFound", `Server Certificate not found for the key: ${arn}`);
  }
  if (known(stored)) {
    return known(stored)!;
  }
  const made = await make(stored);
  const meanwhile = find()!;
  if (!known(meanwhile)) {
    account.update(meanwhile, {}, { ...made });
  }
  return known(find()!)!;
}

/**
 * A new key pair and certificate under the same ARN, as ACM's managed renewal makes them: for certificates that ACM
 * issued. Others are imported again.
 */
export async function renewCertificate(
  account: Account,
  region: string,
  arn: string,
  days: number,
): Promise<StoredResource> {
  const stored = account.get(seedTypes.certificate, region, arn);
  if (!stored) {
    throw new AwsError("ResourceNotFoundException", `Could not find certificate ${arn}.`);
  }
  if (stored.attributes["type"] !== "AMAZON_ISSUED") {
    throw new AwsError(
      "ValidationException",
      `Certificate ${arn} is ${stored.attributes["type"]}: ACM renews only what it issued itself; import it again`,
    );
  }
  const notBefore = account.now();
  const times = {
    notBefore: notBefore.toISOString(),
    notAfter: new Date(notBefore.getTime() + days * 24 * 3600_000).toISOString(),
  };
  const made = await make({ ...stored, attributes: { ...stored.attributes, ...times } });
  return account.update(stored, times, { ...made });
}

/** The same without waiting: nothing where no key pair has been made yet. */
export function knownMaterial(
  account: Account,
  region: string,
  arn: string,
): CertificateMaterial | undefined {
  const stored = findByArn(account, region, arn);
  return stored && known(stored);
}

/** Makes the key pairs that load balancers' listeners use, now and whenever one is added. */
export function provideListenerCertificates(account: Account): () => void {
  const provide = (resource: StoredResource) => {
    for (const arn of presentedBy(resource)) {
      if (findByArn(account, resource.region, arn) && !knownMaterial(account, resource.region, arn)) {
        void certificateMaterial(account, resource.region, arn);
      }
    }
  };
  presenting.flatMap((type) => account.list(type)).forEach(provide);
  return account.onChange((changes) =>
    changes
      .filter(({ kind, resource }) => kind !== "deleted" && presenting.includes(resource.type))
      .forEach(({ resource }) => provide(resource)),
  );
}

/** Types of what clients get certificates from. */
const presenting = [names.loadBalancer, names.networkListener, names.networkListenerCertificate];

function presentedBy({ type, attributes }: StoredResource): string[] {
  const all =
    type === names.loadBalancer
      ? (attributes["listeners"] as { sslCertificateId?: string }[]).map((each) => each.sslCertificateId)
      : [attributes["certificateArn"] as string | undefined];
  return all.filter((arn): arn is string => arn !== undefined && arn !== "");
}

/** Certificates that listeners use. */
export function listenerCertificates(account: Account): { region: string; arn: string }[] {
  return presenting
    .flatMap((type) => account.list(type))
    .flatMap((resource) => presentedBy(resource).map((arn) => ({ region: resource.region, arn })));
}

function findByArn(account: Account, region: string, arn: string): StoredResource | undefined {
  return (
    account.get(seedTypes.certificate, region, arn) ??
    account.get(seedTypes.serverCertificate, globalRegion, arn)
  );
}

function known({ attributes, hidden }: StoredResource): CertificateMaterial | undefined {
  const { certificateBody, certificateChain, privateKey } = attributes;
  if (typeof certificateBody === "string" && typeof privateKey === "string") {
    const chain =
      typeof certificateChain === "string" && certificateChain !== "" ? certificateChain : undefined;
    return {
      certificatePem: certificateBody,
      privateKeyPem: privateKey,
      ...(chain === undefined ? {} : { chainPem: chain }),
    };
  }
  const { certificatePem, privateKeyPem } = hidden;
  return typeof certificatePem === "string" && typeof privateKeyPem === "string"
    ? { certificatePem, privateKeyPem }
    : undefined;
}

async function make({ attributes }: StoredResource) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const names = attributes["subjectAlternativeNames"] as string[];
  const certificatePem = await issue({
    key: privateKey,
    serial: "01" + Date.now().toString(16).padStart(14, "0"),
    subject: [{ CN: [attributes["domainName"] as string] }],
    notBefore: new Date(attributes["notBefore"] as string),
    notAfter: new Date(attributes["notAfter"] as string),
    dnsNames: names,
    keyUsages: [0, 2],
    extendedUsages: ["1.3.6.1.5.5.7.3.1"],
  });
  return {
    certificatePem,
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
