import { createHash } from "crypto";
import { readFileSync } from "fs";
import { join } from "path";
import { parse } from "yaml";
import { accountNumber, globalRegion, type StoredResource } from "./storedResource";
import { fail } from "./errors";
import { dnsSuffixOf, partitionOf } from "./partition";
import type { Props } from "./values";

export interface RegionSeed {
  name: string;
  description: string;
  /** Full names: eu-west-1a. */
  zones: string[];
  zoneIds: Record<string, string>;
  loadBalancerZone: string;
  networkLoadBalancerZone: string;
  logAccount: string;
  /** Instance families that a zone does not have. */
  lacks: Record<string, string[]>;
}

interface Quotas {
  rulesPerSecurityGroup: number;
  securityGroupsPerInterface: number;
  listenersPerLoadBalancer: number;
  vpcsPerRegion: number;
  elasticIpsPerRegion: number;
  loadBalancersPerRegion: number;
  networkLoadBalancersPerRegion: number;
  listenersPerNetworkLoadBalancer: number;
  certificatesPerNetworkLoadBalancer: number;
  targetGroupsPerRegion: number;
  targetsPerNetworkLoadBalancerZone: number;
  targetsPerNetworkLoadBalancer: number;
  natGatewaysPerZone: number;
  alarmsPerRegion: number;
}

export interface ImageSeed {
  release: string;
  kernel: string;
  created: string;
  rootVolumeGiB: number;
}

export interface CertificateSeed {
  arn: string;
  names: string[];
  /** When it was issued, or how long before the account was made. */
  issued?: string;
  issuedDaysAgo?: number;
  /** How long it is valid. */
  days: number;
}

export interface BucketSeed {
  name: string;
  region: string;
  /** Its policy lets the region's load balancers write access logs. */
  takesLoadBalancerLogs: boolean;
}

export interface KeySeed {
  arn: string;
  alias?: string;
}

export interface ZoneSeed {
  id: string;
  name: string;
  private?: boolean;
  /** Of a private zone: the VPC that resolves it. */
  vpcId?: string;
}

/** A SecureString of SSM. */
export interface ParameterSeed {
  name: string;
  region: string;
  value: string;
}

/** A secret of Secrets Manager. */
export interface SecretSeed {
  arn: string;
  value: string;
  /** ARN of its KMS key, unless it is AWS's own. */
  keyId?: string;
}

interface SeedFile {
  quotas: Quotas;
  regions: Record<
    string,
    {
      description: string;
      zones: string[];
      zoneIds: string;
      loadBalancerZone: string;
      networkLoadBalancerZone: string;
      logAccount: string;
      lacks?: Record<string, string[]>;
    }
  >;
  images: ImageSeed[];
  certificates: CertificateSeed[];
  serverCertificates: CertificateSeed[];
  buckets: BucketSeed[];
  keys: KeySeed[];
  zones: ZoneSeed[];
  parameters: ParameterSeed[];
  secrets: SecretSeed[];
}

/** Types that the program cannot create here, but that other resources refer to. */
export const seedTypes = {
  image: "aws:ec2/ami:Ami",
  certificate: "aws:acm/certificate:Certificate",
  serverCertificate: "aws:iam/serverCertificate:ServerCertificate",
  bucket: "aws:s3/bucket:Bucket",
  key: "aws:kms/key:Key",
  zone: "aws:route53/zone:Zone",
  parameter: "aws:ssm/parameter:Parameter",
  secret: "aws:secretsmanager/secret:Secret",
} as const;

/** account.yaml, read. */
export class Seeds {
  private readonly regions = new Map<string, RegionSeed>();
  private made: StoredResource[] | undefined;

  constructor(private readonly file: SeedFile) {
    for (const [name, seed] of Object.entries(file.regions)) {
      const zones = seed.zones.map((letter) => name + letter);
      this.regions.set(name, {
        ...seed,
        name,
        zones,
        zoneIds: Object.fromEntries(zones.map((zone, i) => [zone, `${seed.zoneIds}-az${i + 1}`])),
        lacks: seed.lacks ?? {},
      });
    }
  }

  static load(path = join(__dirname, "account.yaml")): Seeds {
    return new Seeds(parse(readFileSync(path, "utf8")) as SeedFile);
  }

  get quotas(): Quotas {
    return this.file.quotas;
  }

  get regionNames(): string[] {
    return [...this.regions.keys()];
  }

  hasRegion(name: string): boolean {
    return this.regions.has(name);
  }

  /**
   * A region that the file does not describe, with the zones that somebody names: for looking at what a program would ask
   * for there. What only AWS can tell of it (its load balancers' hosted zone, the account that writes their logs) is made up.
   */
  addRegion(name: string, zones: string[]): void {
    if (Object.hasOwn(this.file.regions, name)) return;
    const known = this.regions.get(name);
    this.regions.set(name, {
      description: `${name}, as far as it is named`,
      loadBalancerZone: "Z00000000EXAMPLE",
      networkLoadBalancerZone: "Z00000000EXAMPLE",
      logAccount: "000000000000",
      lacks: {},
      ...known,
      name,
      zones: [...new Set([...(known?.zones ?? []), ...zones])],
      zoneIds: {
        ...Object.fromEntries(zones.map((zone, i) => [zone, `${name.replaceAll("-", "")}-az${i + 1}`])),
        ...known?.zoneIds,
      },
    });
  }

  /** The images that every region has. */
  imagesOf(region: string): StoredResource[] {
    return this.file.images.flatMap((image) => architectures.map((a) => imageOf(image, region, a)));
  }

  region(name: string): RegionSeed {
    return (
      this.regions.get(name) ??
      fail(
        "InvalidRegion",
        `Invalid AWS Region: ${name}; the simulated account has ${this.regionNames.join(", ")}`,
      )
    );
  }

  /** Everything the file describes, for a new account. */
  resources(): StoredResource[] {
    this.made ??= this.make();
    return this.made;
  }

  private make(): StoredResource[] {
    const {
      certificates,
      serverCertificates,
      buckets,
      keys,
      zones,
      parameters = [],
      secrets = [],
    } = this.file;
    return [
      ...Object.keys(this.file.regions).flatMap((region) => this.imagesOf(region)),
      ...certificates.map((c) => certificateOf(c, seedTypes.certificate)),
      ...serverCertificates.map((c) => certificateOf(c, seedTypes.serverCertificate)),
      ...buckets.map(bucketOf),
      ...keys.map(keyOf),
      ...zones.map(zoneOf),
      ...parameters.map(parameterOf),
      ...secrets.map(secretOf),
    ];
  }
}

export const architectures = ["arm64", "x86_64"] as const;

function seeded(
  type: string,
  region: string,
  id: string,
  attributes: Props,
  hidden: Props,
  createdAt: string,
): StoredResource {
  return { type, region, id, attributes, hidden, implicit: true, createdAt };
}

const longAgo = "2026-01-15T09:00:00.000Z";

/** A stable hash as AWS ids have it: 0 and sixteen hexadecimal digits. */
export function stableId(prefix: string, ...parts: string[]): string {
  return `${prefix}-0${createHash("sha256").update(parts.join("/")).digest("hex").slice(0, 16)}`;
}

export function imageOf(image: ImageSeed, region: string, architecture: string): StoredResource {
  const id = stableId("ami", region, image.release, architecture);
  const name = `al2023-ami-${image.release}-kernel-${image.kernel}-${architecture}`;
  const attributes: Props = {
    architecture,
    arn: `arn:${partitionOf(region)}:ec2:${region}::image/${id}`,
    blockDeviceMappings: [
      {
        deviceName: "/dev/xvda",
        ebs: {
          deleteOnTermination: "true",
          encrypted: "false",
          iops: "3000",
          snapshotId: stableId("snap", region, image.release, architecture),
          throughput: "125",
          volumeInitializationRate: "0",
          volumeSize: String(image.rootVolumeGiB),
          volumeType: "gp3",
        },
        noDevice: "",
        virtualName: "",
      },
    ],
    bootMode: architecture === "arm64" ? "uefi" : "uefi-preferred",
    creationDate: image.created,
    description: `Amazon Linux 2023 AMI ${image.release} ${architecture} HVM kernel-${image.kernel}`,
    enaSupport: true,
    hypervisor: "xen",
    id,
    imageId: id,
    imageLocation: `amazon/${name}`,
    imageOwnerAlias: "amazon",
    imageType: "machine",
    imdsSupport: "v2.0",
    name,
    ownerId: "137112412989",
    platformDetails: "Linux/UNIX",
    public: true,
    region,
    rootDeviceName: "/dev/xvda",
    rootDeviceType: "ebs",
    rootSnapshotId: stableId("snap", region, image.release, architecture),
    sriovNetSupport: "simple",
    state: "available",
    usageOperation: "RunInstances",
    virtualizationType: "hvm",
  };
  return seeded(
    seedTypes.image,
    region,
    id,
    attributes,
    { rootVolumeGiB: image.rootVolumeGiB },
    image.created,
  );
}

const dayMs = 24 * 3600 * 1000;

export function certificateOf(certificate: CertificateSeed, type: string): StoredResource {
  const match = /^arn:aws[a-z-]*:(acm|iam):([a-z0-9-]*):\d{12}:(certificate|server-certificate)\/(.+)$/.exec(
    certificate.arn,
  );
  if (!match) {
    fail("ValidationException", `${certificate.arn} is not the ARN of an ACM or IAM certificate`);
  }
  const today = Math.floor(Date.now() / dayMs) * dayMs;
  const notBefore = new Date(certificate.issued ?? today - (certificate.issuedDaysAgo ?? 0) * dayMs);
  const notAfter = new Date(notBefore.getTime() + certificate.days * dayMs);
  const region = match[1] === "iam" ? globalRegion : match[2]!;
  const attributes: Props = {
    arn: certificate.arn,
    domainName: certificate.names[0]!,
    subjectAlternativeNames: certificate.names,
    keyAlgorithm: "RSA_2048",
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
    status: "ISSUED",
    type: type === seedTypes.certificate ? "AMAZON_ISSUED" : "UPLOADED",
    tags: {},
    tagsAll: {},
    ...(region === globalRegion ? {} : { region }),
  };
  return seeded(type, region, certificate.arn, attributes, {}, notBefore.toISOString());
}

export function bucketOf(bucket: BucketSeed): StoredResource {
  const attributes: Props = {
    bucket: bucket.name,
    arn: `arn:${partitionOf(bucket.region)}:s3:::${bucket.name}`,
    region: bucket.region,
    bucketDomainName: `${bucket.name}.s3.${dnsSuffixOf(bucket.region)}`,
    bucketRegion: bucket.region,
  };
  const hidden: Props = { takesLoadBalancerLogs: bucket.takesLoadBalancerLogs };
  return seeded(seedTypes.bucket, bucket.region, bucket.name, attributes, hidden, longAgo);
}

export function keyOf(key: KeySeed): StoredResource {
  const match = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key\/(.+)$/.exec(key.arn);
  if (!match) {
    fail("InvalidArnException", `${key.arn} is not the ARN of a KMS key`);
  }
  const attributes: Props = { arn: key.arn, keyId: match[2]!, alias: key.alias ?? "", region: match[1]! };
  return seeded(seedTypes.key, match[1]!, key.arn, attributes, {}, longAgo);
}

function parameterOf({ name, region, value }: ParameterSeed): StoredResource {
  const attributes: Props = {
    arn: `arn:${partitionOf(region)}:ssm:${region}:${accountNumber}:parameter${name}`,
    ...{
      name,
      value,
      type: "SecureString",
      keyId: "alias/aws/ssm",
      insecureValue: "",
      tier: "Standard",
      version: 1,
    },
    ...{ hasValueWo: false, region, tags: {}, tagsAll: {} },
  };
  return seeded(seedTypes.parameter, region, name, attributes, {}, longAgo);
}

function secretOf({ arn, value, keyId = "" }: SecretSeed): StoredResource {
  return seeded(seedTypes.secret, arn.split(":")[3]!, arn, { arn, value, keyId }, {}, longAgo);
}

export function zoneOf(zone: ZoneSeed): StoredResource {
  const attributes: Props = {
    zoneId: zone.id,
    name: zone.name.replace(/\.$/, ""),
    privateZone: zone.private ?? false,
    arn: `arn:aws:route53:::hostedzone/${zone.id}`,
    comment: "",
    ...(zone.vpcId ? { vpcId: zone.vpcId } : {}),
  };
  return seeded(seedTypes.zone, globalRegion, zone.id, attributes, {}, longAgo);
}

/** The owner of everything, for places that need the number. */
export const ownerId = accountNumber;
