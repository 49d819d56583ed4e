/** What EmqxClassicElb can be told, and what can be wrong with it. */
import type * as pulumi from "@pulumi/pulumi";
import {
  certificateInputs,
  certificateProblems,
  handedOnProblems,
  type EmqxCertificateArgs,
} from "../certificate/settings";
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
  group,
  list,
  problemsOf,
  wholeNumber,
  type Resolved,
  type Shapes,
} from "../shared/inputs";
import { longestKeepAlive } from "../shared/keepAlive";
import { listenersInput, TlsEnd, tlsEndsInput, usesTls, type Listener } from "../shared/listeners";
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

/** The name that clients connect to: an alias record of the load balancer in Route 53. */
export interface EmqxDnsArgs {
  /** Id of the Route 53 hosted zone. */
  hostedZoneId: pulumi.Input<string>;
  /** Name that clients connect to, in that zone. */
  hostname: string;
}

/** What a Classic ELB is told, in a deployment and by itself. */
export interface EmqxElbOptionsArgs {
  /** TLS versions and ciphers of the TLS listeners. Default: Tls12, AWS's ELBSecurityPolicy-TLS-1-2-2017-01. */
  tlsPolicy?: TlsPolicy;
  /** Whether nodes learn the clients' addresses by PROXY protocol, set on both sides. Default: false. */
  proxyProtocol?: boolean;
  /** Whether the load balancer has private addresses only. Default: false. */
  internal?: boolean;
  /** Access logs of the load balancer. Default: none. */
  accessLogs?: EmqxAccessLogsArgs;
}

export interface EmqxClassicElbArgs extends EmqxElbOptionsArgs {
  /** Ids of the subnets to stand in, one per Availability Zone, public ones unless `internal` is set. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Ids of the load balancer's security groups. */
  securityGroupIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Listeners to open. Default: Mqtt and Mqtts. */
  listeners?: Listener[];
  /** Where the TLS of Mqtts and Wss ends; Node hands TCP on to 8883 and 8084 of nodes with `nodeTls`. Default: LoadBalancer. */
  tlsEnds?: TlsEnd;
  /** The certificate of the TLS listeners, needed with one of them where TLS ends at the load balancer. */
  certificate?: EmqxCertificateArgs;
  /**
   * The longest MQTT keep-alive of any client, in seconds, up to 2,380. The load balancer's idle timeout follows from
   * it: one and a half times the keep-alive, when the broker itself would give up, and 30 seconds. Default: 300.
   */
  keepAliveSeconds?: number;
  /** Seconds that open connections live on after their node was taken out, 1 to 3,600. Default: 300. */
  drainingTimeoutSeconds?: number;
  /** The name that clients connect to. Default: the load balancer's own. */
  dns?: EmqxDnsArgs;
  /** Whether Pulumi refuses to delete or replace the load balancer, whose name clients know. Default: false. */
  protect?: boolean;
  /** Tags of every resource. Default: none but `Name`. */
  tags?: Record<string, pulumi.Input<string>>;
}

/** The longest idle timeout and draining timeout of a Classic ELB (Elastic Load Balancing API, ConnectionSettings). */
const longestTimeoutSeconds = 3600;
const longestKeepAliveSeconds = longestKeepAlive(longestTimeoutSeconds);

const accessLogsInput = group({
  bucket: bucketName,
  bucketPrefix,
  intervalMinutes: {
    ...checked("number", (input, minutes) =>
      minutes === 5 || minutes === 60 ? [] : [`${input}: ${shown(minutes)} is not 5 or 60`],
    ),
    default: 60,
  },
} satisfies Shapes<EmqxAccessLogsArgs>);

export const elbOptions = {
  tlsPolicy: { ...choice(TlsPolicy), default: TlsPolicy.Tls12 },
  proxyProtocol: { ...flag, default: false },
  internal: { ...flag, default: false },
  accessLogs: accessLogsInput,
} satisfies Shapes<EmqxElbOptionsArgs>;

export const elbInputs = {
  subnetIds: list(subnetId, { later: true, needed: "name at least one", least: "name at least one" }),
  securityGroupIds: list(securityGroupId, {
    later: true,
    needed: "name at least one",
    least: "name at least one",
  }),
  listeners: listenersInput,
  tlsEnds: tlsEndsInput,
  certificate: group(certificateInputs),
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
  ...elbOptions,
  dns: group({
    hostedZoneId: { ...hostedZoneId, needed: "give the id of the hosted zone that the hostname is in" },
    hostname: { ...hostname, needed: "give the name that clients connect to" },
  } satisfies Shapes<EmqxDnsArgs>),
  protect: { ...flag, default: false },
  tags: tagsInput(),
} satisfies Shapes<EmqxClassicElbArgs>;

export type ElbSettings = Resolved<EmqxClassicElbArgs, typeof elbInputs>;

/** Everything that is wrong with the input, one line each. */
export function elbProblems(name: string, args: EmqxClassicElbArgs): string[] {
  return problemsOf<EmqxClassicElbArgs, typeof elbInputs>(elbInputs, args, {}, [
    () => elbNameProblems(name),
    ({ certificate, listeners, tlsEnds }) =>
      tlsEnds === TlsEnd.Node
        ? handedOnProblems({ certificate, tlsPolicy: args.tlsPolicy })
        : certificateProblems(certificate, usesTls(listeners)),
    ({ listeners }, { tlsPolicy }) => tlsPolicyProblems(tlsPolicy, listeners),
  ]);
}

export function tlsPolicyProblems(given: TlsPolicy | undefined, listeners: Listener[], path = ""): string[] {
  return given !== undefined && !usesTls(listeners)
    ? [`${path}tlsPolicy: given, but no TLS listener is on; add Mqtts or Wss to listeners, or leave it out`]
    : [];
}

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
