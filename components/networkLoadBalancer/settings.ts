/** What EmqxNetworkLoadBalancer can be told, and what can be wrong with it. */
import type * as pulumi from "@pulumi/pulumi";
import { certificateInput } from "../certificate/arn";
import {
  certificateInputs,
  certificateProblems,
  handedOnProblems,
  type EmqxCertificateArgs,
} from "../certificate/settings";
import { elbInputs, type EmqxDnsArgs } from "../classicElb/settings";
import { arn, arnPattern } from "../shared/arn";
import { bucketName, bucketPrefix, vpcId } from "../shared/awsNames";
import {
  choice,
  flag,
  group,
  list,
  problemsOf,
  text,
  wholeNumber,
  type Resolved,
  type Shapes,
} from "../shared/inputs";
import { longestKeepAlive } from "../shared/keepAlive";
import { endsTls, listenersInput, TlsEnd, tlsEndsInput, usesTls, type Listener } from "../shared/listeners";
import { nameProblems } from "../shared/names";
import { tagsInput } from "../shared/tags";
import { isLater } from "../shared/words";

/**
 * AWS's predefined security policies for Network Load Balancers. All of them know TLS 1.3; `Pq` ones exchange keys in a way
 * that no quantum computer is expected to break, with clients that can.
 */
export const NetworkTlsPolicy = {
  /** TLS 1.3 only. */
  Tls13: "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
  /** TLS 1.2 and 1.3, with forward secrecy and authenticated ciphers alone. */
  Tls12Restricted: "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
  /** The same, by modules that are validated for FIPS 140. */
  Tls12Fips: "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09",
  /** TLS 1.2 and 1.3, with CBC ciphers for devices that need them. */
  Tls12: "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09",
  /** TLS 1.2 and 1.3, without forward secrecy for devices that cannot do better. */
  Tls12Extended: "ELBSecurityPolicy-TLS13-1-2-Ext2-PQ-2025-09",
  /** TLS 1.1 to 1.3, for devices that cannot do better. */
  Tls11: "ELBSecurityPolicy-TLS13-1-1-2021-06",
  /** TLS 1.0 to 1.3, for devices that cannot do better. */
  Tls10: "ELBSecurityPolicy-TLS13-1-0-2021-06",
} as const;
export type NetworkTlsPolicy = (typeof NetworkTlsPolicy)[keyof typeof NetworkTlsPolicy];

/** By which addresses clients reach a load balancer. */
export const AddressType = {
  /** IPv4 alone. */
  Ipv4: "ipv4",
  /** IPv4 and IPv6. */
  DualStack: "dualstack",
} as const;
export type AddressType = (typeof AddressType)[keyof typeof AddressType];

/** Where a Network Load Balancer writes its access logs, every five minutes; it logs TLS listeners alone. */
export interface EmqxNetworkAccessLogsArgs {
  /** Name of a bucket in the same region whose policy lets `delivery.logs.amazonaws.com` write to it. */
  bucket: pulumi.Input<string>;
  /** Prefix of the objects' keys. Default: none. */
  bucketPrefix?: pulumi.Input<string>;
}

/** Opens the load balancer to other VPCs by PrivateLink. */
export interface EmqxEndpointServiceArgs {
  /** ARNs of the accounts, users and roles that may make endpoints. Default: none. */
  allowedPrincipalArns?: pulumi.Input<string>[];
  /** Whether each endpoint waits until somebody accepts it. Default: true. */
  acceptanceRequired?: boolean;
}

/** What a Network Load Balancer is told, in a deployment and by itself. */
export interface EmqxNetworkLoadBalancerOptionsArgs {
  /** TLS versions and ciphers of the TLS listeners. Default: Tls12Restricted, AWS's ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09. */
  tlsPolicy?: NetworkTlsPolicy;
  /** ARNs of further certificates, at most 25, of which a client gets the one for the name that it asks for (SNI). Default: none. */
  furtherCertificateArns?: pulumi.Input<string>[];
  /**
   * ARN of the trust store with the authorities of clients' certificates. Clients without one are refused; EMQX does not
   * learn their names. Default: none.
   */
  clientTrustStoreArn?: pulumi.Input<string>;
  /** Whether clients of one zone are sent to nodes of all. AWS charges for what crosses zones. Default: true. */
  crossZone?: boolean;
  /** Whether it has an Elastic IP in each zone, which stays. Not to be changed later. Default: false. */
  staticAddresses?: boolean;
  /** By which addresses clients reach it; DualStack needs subnets with IPv6. Default: ipv4. */
  addressType?: AddressType;
  /** Whether Amazon Application Recovery Controller may shift clients away from a zone. Default: false. */
  zonalShift?: boolean;
  /** Opens it to other VPCs by PrivateLink; `{}` is enough. Default: none. */
  endpointService?: EmqxEndpointServiceArgs;
  /**
   * Whether nodes learn the clients' addresses by PROXY protocol, set on both sides. They see them without it, but for
   * clients that come by PrivateLink or IPv6. Default: false.
   */
  proxyProtocol?: boolean;
  /** Whether the load balancer has private addresses only. Default: false. */
  internal?: boolean;
  /** Access logs of the load balancer. Default: none. */
  accessLogs?: EmqxNetworkAccessLogsArgs;
}

export interface EmqxNetworkLoadBalancerArgs extends EmqxNetworkLoadBalancerOptionsArgs {
  /** Id of the VPC that the nodes stand in. */
  vpcId: pulumi.Input<string>;
  /**
   * Ids of the subnets to stand in, one per Availability Zone, public ones unless `internal` is set. More can come; one
   * that goes would replace the load balancer and is refused.
   */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Ids of the load balancer's security groups. */
  securityGroupIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Listeners to open. Default: Mqtt and Mqtts. */
  listeners?: Listener[];
  /** Where the TLS of Mqtts and Wss ends; Node hands TCP on to 8883 and 8084 of nodes with `nodeTls`. Default: LoadBalancer. */
  tlsEnds?: TlsEnd;
  /** The certificate of the TLS listeners, needed with one of them. */
  certificate?: EmqxCertificateArgs;
  /**
   * The longest MQTT keep-alive of any client, in seconds: up to 213 with a TLS listener, whose idle timeout of 350 s
   * cannot be changed, and up to 3,980 without. Default: 213 with a TLS listener, else 300.
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

/** Network Load Balancers guide, "Listener attributes": 60 to 6,000 s for TCP; fixed for TLS. */
const tcpIdleSeconds = 6000;
const tlsIdleSeconds = 350;
const longestBehindTls = Math.floor(longestKeepAlive(tlsIdleSeconds));
export const longestNetworkKeepAlive = longestKeepAlive(tcpIdleSeconds);

/** The keep-alive that a load balancer is made for, where none is given. */
export function networkKeepAlive(given: number | undefined, listeners: Listener[], tlsEnds: TlsEnd): number {
  return given ?? (endsTls(listeners, tlsEnds) ? longestBehindTls : 300);
}

const trustStore = text(
  arn(
    [arnPattern("elasticloadbalancing", "truststore/[\\w-]+/[0-9a-f]+")],
    "arn:aws:elasticloadbalancing:<region>:<account>:truststore/<name>/<id>",
  ),
  { later: true, regional: true },
);

const principal = text(
  arn(
    [arnPattern("iam", "(?:root|(?:user|role)/[\\w+=,.@/-]+)", true)],
    "arn:aws:iam::<account>:root, or a user's or a role's",
  ),
  { later: true },
);

const mostFurtherCertificates = 25;

export const networkLoadBalancerOptions = {
  tlsPolicy: { ...choice(NetworkTlsPolicy), default: NetworkTlsPolicy.Tls12Restricted },
  furtherCertificateArns: list(certificateInput, {
    default: [] as pulumi.Input<string>[],
    check: (input, arns: unknown[]) => [
      ...arns.flatMap((one, i) =>
        arns.indexOf(one) === i ? [] : [`${input}: "${String(one)}" is listed twice; list each once`],
      ),
      ...(arns.length > mostFurtherCertificates
        ? [
            `${input}: ${arns.length} certificates, and a Network Load Balancer takes ${mostFurtherCertificates} beside its own`,
          ]
        : []),
    ],
  }),
  clientTrustStoreArn: trustStore,
  crossZone: { ...flag, default: true },
  staticAddresses: { ...flag, default: false },
  addressType: { ...choice(AddressType), default: AddressType.Ipv4 },
  zonalShift: { ...flag, default: false },
  endpointService: group({
    allowedPrincipalArns: list(principal, { default: [] as pulumi.Input<string>[] }),
    acceptanceRequired: { ...flag, default: true },
  } satisfies Shapes<EmqxEndpointServiceArgs>),
  proxyProtocol: { ...flag, default: false },
  internal: { ...flag, default: false },
  accessLogs: group({ bucket: bucketName, bucketPrefix } satisfies Shapes<EmqxNetworkAccessLogsArgs>),
} satisfies Shapes<EmqxNetworkLoadBalancerOptionsArgs>;

export const networkLoadBalancerInputs = {
  vpcId: { ...vpcId, needed: "give the id of the VPC that the nodes stand in" },
  subnetIds: elbInputs.subnetIds,
  securityGroupIds: elbInputs.securityGroupIds,
  listeners: listenersInput,
  tlsEnds: tlsEndsInput,
  certificate: group(certificateInputs),
  keepAliveSeconds: wholeNumber(1, longestNetworkKeepAlive, "seconds"),
  drainingTimeoutSeconds: elbInputs.drainingTimeoutSeconds,
  ...networkLoadBalancerOptions,
  dns: elbInputs.dns,
  protect: { ...flag, default: false },
  tags: tagsInput(),
} satisfies Shapes<EmqxNetworkLoadBalancerArgs>;

export type NetworkLoadBalancerSettings = Resolved<
  EmqxNetworkLoadBalancerArgs,
  typeof networkLoadBalancerInputs
>;
export type NetworkLoadBalancerOptions = Resolved<
  EmqxNetworkLoadBalancerOptionsArgs,
  typeof networkLoadBalancerOptions
>;

/** Everything that is wrong with the input, one line each. */
export function networkLoadBalancerProblems(name: string, args: EmqxNetworkLoadBalancerArgs): string[] {
  return problemsOf<EmqxNetworkLoadBalancerArgs, typeof networkLoadBalancerInputs>(
    networkLoadBalancerInputs,
    args,
    {},
    [
      () => networkLoadBalancerNameProblems(name),
      ({ certificate, listeners, tlsEnds }) =>
        tlsEnds === TlsEnd.Node
          ? handedOnProblems({ certificate })
          : certificateProblems(certificate, usesTls(listeners)),
      ({ keepAliveSeconds, listeners, tlsEnds }) =>
        networkKeepAliveProblems(keepAliveSeconds, listeners, tlsEnds),
      (settings, given) => networkOptionProblems(settings, given, settings.listeners, settings.tlsEnds),
      ({ staticAddresses, subnetIds }) =>
        staticAddresses && isLater(subnetIds)
          ? [
              `subnetIds: is one output, and staticAddresses needs to know how many there are; give a list of outputs`,
            ]
          : [],
    ],
  );
}

/** What a TLS listener cannot do for clients that rest for long: AWS cuts them, and no setting changes that. */
export function networkKeepAliveProblems(
  given: number | undefined,
  listeners: Listener[],
  tlsEnds: TlsEnd,
): string[] {
  return endsTls(listeners, tlsEnds) && (given ?? 0) > longestBehindTls
    ? [
        `keepAliveSeconds: ${given} is over ${longestBehindTls}, and a TLS listener of a Network Load Balancer cuts clients that ` +
          `are silent for ${tlsIdleSeconds} s, which nobody can change; let clients keep alive within ${longestBehindTls} s, or leave ` +
          `Mqtts and Wss out`,
      ]
    : [];
}

export function networkOptionProblems(
  { addressType, internal, staticAddresses }: NetworkLoadBalancerOptions,
  given: EmqxNetworkLoadBalancerOptionsArgs,
  listeners: Listener[],
  tlsEnds: TlsEnd,
  path = "",
): string[] {
  const forTls = ["tlsPolicy", "furtherCertificateArns", "clientTrustStoreArn", "accessLogs"] as const;
  return [
    ...forTls.flatMap((input) =>
      given[input] !== undefined && !endsTls(listeners, tlsEnds)
        ? [
            `${path}${input}: given, but ` +
              (tlsEnds === TlsEnd.Node && usesTls(listeners)
                ? "TLS ends at the nodes (nodeTls); leave it out"
                : "no TLS listener is on; add Mqtts or Wss to listeners, or leave it out"),
          ]
        : [],
    ),
    ...(internal && addressType === AddressType.DualStack
      ? [`${path}addressType: DualStack is for the internet; leave it out, or internal`]
      : []),
    ...(internal && staticAddresses
      ? [`${path}staticAddresses: Elastic IPs are for the internet; leave it out, or internal`]
      : []),
  ];
}

/** What works but deserves a second thought. */
export function networkLoadBalancerWarnings({
  tlsPolicy,
  clientTrustStoreArn,
}: Pick<NetworkLoadBalancerSettings, "tlsPolicy" | "clientTrustStoreArn">): string[] {
  const old: NetworkTlsPolicy[] = [NetworkTlsPolicy.Tls10, NetworkTlsPolicy.Tls11];
  return [
    ...(old.includes(tlsPolicy)
      ? [`tlsPolicy: ${tlsPolicy} admits TLS versions before 1.2; keep it only as long as devices need it`]
      : []),
    ...(clientTrustStoreArn === undefined
      ? []
      : [
          `clientTrustStoreArn: the load balancer verifies clients' certificates, and EMQX learns nothing of them; ` +
            `clients still need a user name and a password`,
        ]),
  ];
}

/** RSA keys over 3,072 bits leave a listener that completes no handshake, without a word (Network Load Balancers guide). */
export function networkKeyProblem(certificate: string, rsaBits: number): string | undefined {
  return rsaBits > 3072
    ? `certificate.arn: the key of ${certificate} has ${rsaBits} bits (RSA), and a Network Load Balancer takes 3072 at most: no client ` +
        `could connect by TLS; request or import one with RSA 2048 or ECDSA P-256`
    : undefined;
}

/**
 * Names of load balancers and target groups have 32 characters at most (Elastic Load Balancing API reference 2015-12-01), of
 * which Pulumi's suffix takes 8; groups end with the nodes' port.
 */
export function networkLoadBalancerNameProblems(name: unknown, part?: string): string[] {
  return typeof name === "string" && name.startsWith("internal-")
    ? [`name: "${name}" begins with "internal-", which AWS keeps for itself; choose another`]
    : nameProblems(name, { made: [{ suffix: "-1883", of: "a target group", longest: 32 }] }, part);
}
