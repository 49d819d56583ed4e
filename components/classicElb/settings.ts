/** What EmqxClassicElb can be told, and what can be wrong with it. */
import type * as pulumi from "@pulumi/pulumi";
import { certificateInput } from "../certificate/arn";
import {
  bucketName,
  bucketPrefix,
  hostedZoneId,
  hostname,
  securityGroupId,
  subnetId,
} from "../shared/awsNames";
import {
  checked,
  choice,
  flag,
  list,
  problemsOf,
  version,
  without,
  wholeNumber,
  type Resolved,
  type Rule,
  type Shapes,
} from "../shared/inputs";
import { listenersInput, usesTls, type Listener } from "../shared/listeners";
import { nameProblems } from "../shared/names";
import { tagsInput } from "../shared/tags";
import { shown, wholeNumberProblems } from "../shared/words";

/** AWS's predefined security policies for Classic ELBs. None of them knows TLS 1.3. */
export const TlsPolicy = {
  /** TLS 1.2 only. */
  Tls12: "ELBSecurityPolicy-TLS-1-2-2017-01",
  /** TLS 1.1 and 1.2, for devices that cannot do better. */
  Tls11: "ELBSecurityPolicy-TLS-1-1-2017-01",
  /** TLS 1.0 to 1.2, for devices that cannot do better. */
  Tls10: "ELBSecurityPolicy-2016-08",
} as const;
export type TlsPolicy = (typeof TlsPolicy)[keyof typeof TlsPolicy];

/** Where the load balancer writes its access logs. */
export interface EmqxAccessLogsArgs {
  /** Name of a bucket in the same region whose policy lets Elastic Load Balancing write to it. */
  bucket: pulumi.Input<string>;
  /** Prefix of the objects' keys. Default: none. */
  bucketPrefix?: pulumi.Input<string>;
  /** Minutes between two files, 5 or 60. Default: 60. */
  intervalMinutes?: number;
}

export interface EmqxClassicElbArgs {
  /** Ids of the subnets to stand in, one per Availability Zone, public ones unless `internal` is set. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Ids of the load balancer's security groups. */
  securityGroupIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Listeners to open. Default: Mqtt and Mqtts. */
  listeners?: Listener[];
  /** ARN of an ACM or IAM certificate in the same region for the TLS listeners. */
  certificateArn?: pulumi.Input<string>;
  /**
   * Whether to make a certificate instead, to try things out, under a certificate authority of the deployment's own.
   * Default: false.
   */
  selfSignedCertificate?: boolean;
  /**
   * A whole number from 1. A higher one makes a new key and self-signed certificate at once, under the same ARN and the
   * same authority, so that clients notice nothing. Default: 1.
   */
  selfSignedCertificateVersion?: number;
  /**
   * The longest MQTT keep-alive of any client, in seconds, up to 2,380. The load balancer's idle timeout follows from
   * it: one and a half times the keep-alive, when the broker itself would give up, and 30 seconds. Default: 300.
   */
  keepAliveSeconds?: number;
  /** Seconds that open connections live on after their node was taken out, 1 to 3,600. Default: 300. */
  drainingTimeoutSeconds?: number;
  /** TLS versions and ciphers of the TLS listeners. Default: Tls12, AWS's ELBSecurityPolicy-TLS-1-2-2017-01. */
  tlsPolicy?: TlsPolicy;
  /** Whether nodes learn the clients' addresses by PROXY protocol. Must be the nodes' own setting. Default: false. */
  proxyProtocol?: boolean;
  /** Whether the load balancer has private addresses only. Default: false. */
  internal?: boolean;
  /** Access logs. Default: none. */
  accessLogs?: EmqxAccessLogsArgs;
  /** Id of the Route 53 hosted zone for `hostname`. Default: no record. */
  hostedZoneId?: pulumi.Input<string>;
  /** Name that clients connect to, an alias record in the hosted zone. Default: the load balancer's own name. */
  hostname?: string;
  /** Whether Pulumi refuses to delete or replace the load balancer, whose name clients know. Default: false. */
  protect?: boolean;
  /** Tags of every resource. Default: none but `Name`. */
  tags?: Record<string, pulumi.Input<string>>;
}

/** EMQX closes a connection after 1.5 keep-alives without a packet (MQTT 5.0, 3.1.2.10); the load balancer comes later. */
const keepAliveMultiplier = 1.5;
const idleMarginSeconds = 30;
/** The longest idle timeout and draining timeout of a Classic ELB (Elastic Load Balancing API, ConnectionSettings). */
const longestTimeoutSeconds = 3600;
const longestKeepAliveSeconds = (longestTimeoutSeconds - idleMarginSeconds) / keepAliveMultiplier;

/** The idle timeout, in seconds, that lets a client with the given keep-alive rest for as long as the broker lets it. */
export function idleTimeoutSeconds(keepAliveSeconds: number): number {
  return Math.ceil(keepAliveSeconds * keepAliveMultiplier) + idleMarginSeconds;
}

const accessLogsInput = {
  kind: "object",
  fields: {
    bucket: bucketName,
    bucketPrefix,
    intervalMinutes: {
      ...checked("number", (input, minutes) =>
        minutes === 5 || minutes === 60 ? [] : [`${input}: ${shown(minutes)} is not 5 or 60`],
      ),
      default: 60,
    },
  } satisfies Shapes<EmqxAccessLogsArgs>,
} as const;

export const elbInputs = {
  subnetIds: list(subnetId, { later: true, needed: "name at least one", least: "name at least one" }),
  securityGroupIds: list(securityGroupId, {
    later: true,
    needed: "name at least one",
    least: "name at least one",
  }),
  listeners: listenersInput,
  certificateArn: certificateInput,
  selfSignedCertificate: { ...flag, default: false },
  selfSignedCertificateVersion: { ...version, default: 1 },
  keepAliveSeconds: {
    ...checked("number", (input, seconds) =>
      wholeNumberProblems(input, seconds, 1, longestKeepAliveSeconds, "seconds").map(
        (problem) => `${problem}; a Classic ELB's idle timeout ends at ${longestTimeoutSeconds} s`,
      ),
    ),
    default: 300,
  },
  // AWS's own default for a Classic ELB.
  drainingTimeoutSeconds: { ...wholeNumber(1, longestTimeoutSeconds, "seconds"), default: 300 },
  tlsPolicy: { ...choice(TlsPolicy), default: TlsPolicy.Tls12 },
  proxyProtocol: { ...flag, default: false },
  internal: { ...flag, default: false },
  accessLogs: accessLogsInput,
  hostedZoneId,
  hostname,
  protect: { ...flag, default: false },
  tags: tagsInput(),
} satisfies Shapes<EmqxClassicElbArgs>;

export type ElbSettings = Resolved<EmqxClassicElbArgs, typeof elbInputs>;

/** Those that the deployment does not set itself. */
export const elbSettings = without(elbInputs, "subnetIds", "securityGroupIds");

/** Everything that is wrong with the input, one line each. */
export function elbProblems(name: string, args: EmqxClassicElbArgs): string[] {
  return problemsOf<EmqxClassicElbArgs, typeof elbInputs>(elbInputs, args, {}, [
    () => elbNameProblems(name),
    ...elbRules,
  ]);
}

/** How settings go together that are right one by one. */
export const elbRules: Rule<Omit<ElbSettings, "subnetIds" | "securityGroupIds">>[] = [
  (settings) => certificateProblems(settings, usesTls(settings.listeners)),
  ({ selfSignedCertificate }, given) =>
    given.selfSignedCertificateVersion !== undefined && !selfSignedCertificate
      ? [`selfSignedCertificateVersion: given without selfSignedCertificate; leave it out, or set both`]
      : [],
  ({ listeners }, given) =>
    given.tlsPolicy !== undefined && !usesTls(listeners)
      ? [`tlsPolicy: given, but no TLS listener is on; add Mqtts or Wss to listeners, or leave it out`]
      : [],
  ({ hostname, hostedZoneId }) =>
    (hostname === undefined) !== (hostedZoneId === undefined)
      ? [`hostname: goes together with hostedZoneId; give both or neither`]
      : [],
];

/** What works but deserves a second thought. */
export function elbWarnings({ tlsPolicy }: Pick<ElbSettings, "tlsPolicy">): string[] {
  return tlsPolicy === TlsPolicy.Tls12
    ? []
    : [`tlsPolicy: ${tlsPolicy} admits TLS versions before 1.2; keep it only as long as devices need it`];
}

/**
 * A Classic ELB's name has 32 characters at most (Elastic Load Balancing API reference 2012-06-01, CreateLoadBalancer), of
 * which Pulumi's suffix takes 8.
 */
export function elbNameProblems(name: unknown, part?: string): string[] {
  return nameProblems(name, { made: [{ suffix: "", of: "a load balancer", longest: 32 }] }, part);
}

function certificateProblems(
  args: Pick<ElbSettings, "certificateArn" | "selfSignedCertificate">,
  needed: boolean,
): string[] {
  if (args.certificateArn !== undefined && args.selfSignedCertificate) {
    return [`certificateArn: given together with selfSignedCertificate; choose one of the two`];
  }
  if (needed && args.certificateArn === undefined && !args.selfSignedCertificate) {
    return [
      `certificateArn: missing, and a TLS listener is on; give the ARN of an ACM or IAM certificate, ` +
        `or set selfSignedCertificate to try things out`,
    ];
  }
  if (!needed && (args.certificateArn !== undefined || args.selfSignedCertificate)) {
    const given = args.certificateArn !== undefined ? "certificateArn" : "selfSignedCertificate";
    return [`${given}: given, but no TLS listener is on; add Mqtts or Wss to listeners, or leave it out`];
  }
  return [];
}
