import * as pulumi from "@pulumi/pulumi";
import * as elb from "@pulumi/aws/elb";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import * as route53 from "@pulumi/aws/route53";
import {
  bucketName,
  bucketPrefix,
  hostedZoneId,
  hostname,
  securityGroupId,
  subnetId,
} from "../shared/awsNames";
import { certificateInput } from "../certificate/arn";
import { readCertificateExpiry } from "../certificate/expiry";
import { ports } from "../emqx/ports";
import { checkedLater } from "../shared/checkedLater";
import {
  checked,
  choice,
  flag,
  list,
  problemsOf,
  version,
  without,
  wholeNumber,
  type Rule,
  type Shapes,
} from "../shared/inputs";
import { nameProblems } from "../shared/names";
import {
  defaultListeners,
  instancePorts,
  Listener,
  listenerPorts,
  listenersInput,
  usesTls,
  type ListenerPorts,
} from "../shared/listeners";
import { refuse, runError } from "../shared/problems";
import { shown, wholeNumberProblems } from "../shared/words";
import { rfc3339 } from "../shared/expiry";
import { createSelfSignedCertificate, selfSignedVersionProblems } from "../certificate/selfSigned";
import { tagged, tagsInput } from "../shared/tags";

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

/**
 * A Classic ELB that ends TLS: SSL listeners outside, plain TCP to the nodes inside, checked on EMQX's own health
 * endpoint. Nodes register themselves with it (`loadBalancerNames` of EmqxClusterNodes).
 */
export class EmqxClassicElb extends pulumi.ComponentResource {
  /** The load balancer's DNS name. Its addresses change; use the name. */
  public readonly dnsName: pulumi.Output<string>;
  /** Hosted zone of the load balancer's name, for alias records. */
  public readonly zoneId: pulumi.Output<string>;
  /** Name of the load balancer, for `loadBalancerNames` of EmqxClusterNodes. */
  public readonly loadBalancerName: pulumi.Output<string>;
  /** Where clients speak plain MQTT; undefined without that listener. */
  public readonly mqttUrl?: pulumi.Output<string>;
  /** Where clients speak MQTT over TLS; undefined without that listener. */
  public readonly mqttsUrl?: pulumi.Output<string>;
  /** Where clients speak MQTT over WebSocket; undefined without that listener. */
  public readonly wsUrl?: pulumi.Output<string>;
  /** Where clients speak MQTT over secure WebSocket; undefined without that listener. */
  public readonly wssUrl?: pulumi.Output<string>;
  /**
   * The certificate, PEM, of the authority that issues the self-signed certificate, for clients to trust; undefined with
   * a certificate of your own. It stays the same when the certificate is made anew.
   */
  public readonly caCertificatePem?: pulumi.Output<string>;
  /** ARN of the certificate in use, the self-signed one's too; undefined without a TLS listener. */
  public readonly certificateArn?: pulumi.Output<string>;
  /**
   * When the certificate of the TLS listeners ends, as RFC 3339 text in UTC; undefined without a TLS listener, and for a
   * `certificateArn` that is another resource's output: that resource knows.
   */
  public readonly certificateExpires?: pulumi.Output<string>;

  constructor(name: string, args: EmqxClassicElbArgs, opts?: pulumi.ComponentResourceOptions) {
    const subject = `EmqxClassicElb "${name}"`;
    refuse(subject, elbProblems(name, args));
    super("emqx-aws:index:EmqxClassicElb", name, {}, opts);
    const given = args.certificateArn;
    args = checkedLater(subject, elbInputs, args, getRegionOutput({}, { parent: this }).region);
    const listeners = args.listeners ?? defaultListeners;
    for (const warning of elbWarnings(args)) {
      void pulumi.log.warn(warning, this);
    }

    const certificate = args.selfSignedCertificate
      ? createSelfSignedCertificate(`${name}-self-signed`, this, {
          hostname: args.hostname,
          version: args.selfSignedCertificateVersion ?? 1,
          tags: args.tags,
        })
      : undefined;
    const own = args.certificateArn === undefined ? undefined : pulumi.output(args.certificateArn);
    const certificateArn = certificate?.arn ?? own;
    const loadBalancer = createLoadBalancer(name, this, args, listeners, certificateArn);
    setTlsPolicy(name, this, loadBalancer, listeners, args.tlsPolicy ?? TlsPolicy.Tls12, certificateArn);
    if (args.proxyProtocol) {
      setProxyPolicy(name, this, loadBalancer, listeners);
    }
    createDnsRecord(name, this, loadBalancer, args.hostedZoneId, args.hostname);

    const host = args.hostname ?? loadBalancer.dnsName;
    const urlOf = (listener: Listener) => urlFor(listenerPorts(listeners), listener, host);
    this.dnsName = loadBalancer.dnsName;
    this.zoneId = loadBalancer.zoneId;
    this.loadBalancerName = loadBalancer.name;
    this.mqttUrl = urlOf(Listener.Mqtt);
    this.mqttsUrl = urlOf(Listener.Mqtts);
    this.wsUrl = urlOf(Listener.Ws);
    this.wssUrl = urlOf(Listener.Wss);
    this.caCertificatePem = certificate?.authorityPem;
    this.certificateArn = certificateArn;
    this.certificateExpires =
      certificate?.ends.apply((end: string | undefined) => (end ? rfc3339(end) : "")) ??
      readCertificateExpiry(name, this, given, certificateArn);
    this.registerOutputs({
      dnsName: this.dnsName,
      zoneId: this.zoneId,
      loadBalancerName: this.loadBalancerName,
      mqttUrl: this.mqttUrl,
      mqttsUrl: this.mqttsUrl,
      wsUrl: this.wsUrl,
      wssUrl: this.wssUrl,
      caCertificatePem: this.caCertificatePem,
      certificateArn: this.certificateArn,
      certificateExpires: this.certificateExpires,
    });
  }
}

/** EMQX closes a connection after 1.5 keep-alives without a packet (MQTT 5.0, 3.1.2.10); the load balancer comes later. */
const keepAliveMultiplier = 1.5;
const idleMarginSeconds = 30;
/** The longest idle timeout and draining timeout of a Classic ELB (Elastic Load Balancing API, ConnectionSettings). */
const longestTimeoutSeconds = 3600;
const longestKeepAliveSeconds = (longestTimeoutSeconds - idleMarginSeconds) / keepAliveMultiplier;

/** A node that stops answering gets no new clients after 20 seconds, and a healthy one gets them after 20. */
const healthCheck = { interval: 10, timeout: 5, healthyThreshold: 2, unhealthyThreshold: 2 };

/** The idle timeout, in seconds, that lets a client with the given keep-alive rest for as long as the broker lets it. */
export function idleTimeoutSeconds(keepAliveSeconds: number): number {
  return Math.ceil(keepAliveSeconds * keepAliveMultiplier) + idleMarginSeconds;
}

const accessLogsInput = {
  kind: "object",
  fields: {
    bucket: bucketName,
    bucketPrefix,
    intervalMinutes: checked("number", (input, minutes) =>
      minutes === 5 || minutes === 60 ? [] : [`${input}: ${shown(minutes)} is not 5 or 60`],
    ),
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
  selfSignedCertificate: flag,
  selfSignedCertificateVersion: version,
  keepAliveSeconds: checked("number", (input, seconds) =>
    wholeNumberProblems(input, seconds, 1, longestKeepAliveSeconds, "seconds").map(
      (problem) => `${problem}; a Classic ELB's idle timeout ends at ${longestTimeoutSeconds} s`,
    ),
  ),
  drainingTimeoutSeconds: wholeNumber(1, longestTimeoutSeconds, "seconds"),
  tlsPolicy: choice(TlsPolicy),
  proxyProtocol: flag,
  internal: flag,
  accessLogs: accessLogsInput,
  hostedZoneId,
  hostname,
  protect: flag,
  tags: tagsInput(),
} satisfies Shapes<EmqxClassicElbArgs>;

export const elbSettings = without(elbInputs, "subnetIds", "securityGroupIds");

/** Everything that is wrong with the input, one line each. */
export function elbProblems(name: string, args: EmqxClassicElbArgs): string[] {
  return problemsOf<EmqxClassicElbArgs>(elbInputs, args, {}, [() => elbNameProblems(name), ...elbRules]);
}

type Settings = Partial<EmqxClassicElbArgs>;
const isSecure = ({ listeners }: Settings) => usesTls(listeners ?? defaultListeners);

/** How settings go together that are right one by one. */
export const elbRules: Rule<EmqxClassicElbArgs>[] = [
  (args) => certificateProblems(args, isSecure(args)),
  (args) => selfSignedVersionProblems(args.selfSignedCertificateVersion, args.selfSignedCertificate),
  (args) =>
    args.tlsPolicy !== undefined && !isSecure(args)
      ? [`tlsPolicy: given, but no TLS listener is on; add Mqtts or Wss to listeners, or leave it out`]
      : [],
  ({ hostname, hostedZoneId }) =>
    (hostname === undefined) !== (hostedZoneId === undefined)
      ? [`hostname: goes together with hostedZoneId; give both or neither`]
      : [],
];

/** What works but deserves a second thought. */
export function elbWarnings({ tlsPolicy }: Pick<EmqxClassicElbArgs, "tlsPolicy">): string[] {
  return tlsPolicy === undefined || tlsPolicy === TlsPolicy.Tls12
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
  args: Pick<EmqxClassicElbArgs, "certificateArn" | "selfSignedCertificate">,
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

function createLoadBalancer(
  name: string,
  parent: pulumi.Resource,
  args: EmqxClassicElbArgs,
  listeners: Listener[],
  certificateArn: pulumi.Input<string> | undefined,
): elb.LoadBalancer {
  const { accessLogs } = args;
  return new elb.LoadBalancer(
    name,
    {
      subnets: args.subnetIds,
      securityGroups: args.securityGroupIds,
      internal: args.internal ?? false,
      listeners: listenerPorts(listeners).map(({ protocol, loadBalancerPort, instancePort }) => ({
        lbProtocol: protocol,
        lbPort: loadBalancerPort,
        instanceProtocol: "TCP",
        instancePort,
        ...(protocol === "SSL" && { sslCertificateId: certificateArn }),
      })),
      healthCheck: { target: `HTTP:${ports.dashboard}/status`, ...healthCheck },
      crossZoneLoadBalancing: true,
      idleTimeout: idleTimeoutSeconds(args.keepAliveSeconds ?? 300),
      connectionDraining: true,
      connectionDrainingTimeout: args.drainingTimeoutSeconds ?? 300,
      accessLogs: accessLogs && {
        bucket: accessLogs.bucket,
        bucketPrefix: accessLogs.bucketPrefix,
        interval: accessLogs.intervalMinutes ?? 60,
        enabled: true,
      },
      tags: tagged(name, args.tags),
    },
    // Only where it is wanted: a plain "false" would undo what the program says for the whole component.
    { parent, ...(args.protect && { protect: true }) },
  );
}

function setTlsPolicy(
  name: string,
  parent: pulumi.Resource,
  loadBalancer: elb.LoadBalancer,
  listeners: Listener[],
  tlsPolicy: TlsPolicy,
  certificateArn: pulumi.Input<string> | undefined,
): void {
  if (!usesTls(listeners)) {
    return;
  }
  // A policy in use cannot be deleted. Named after its content, a new one is made and put in place before the old goes.
  const policy = new elb.LoadBalancerPolicy(
    `${name}-tls`,
    {
      loadBalancerName: loadBalancer.name,
      // Not the bare name: a new SSL listener comes with AWS's default policy, which bears one of these names itself.
      policyName: `emqx-${tlsPolicy}`,
      policyTypeName: "SSLNegotiationPolicyType",
      policyAttributes: [{ name: "Reference-Security-Policy", value: tlsPolicy }],
    },
    { parent },
  );
  for (const { listener, protocol, loadBalancerPort } of listenerPorts(listeners)) {
    if (protocol === "SSL") {
      new elb.ListenerPolicy(
        `${name}-tls-${listener.toLowerCase()}`,
        {
          loadBalancerName: loadBalancer.name,
          loadBalancerPort,
          policyNames: [policy.policyName],
          // The provider changes a certificate by making the listener anew, which puts AWS's default policy back.
          triggers: certificateArn === undefined ? undefined : { certificateArn },
        },
        { parent },
      );
    }
  }
}

function setProxyPolicy(
  name: string,
  parent: pulumi.Resource,
  loadBalancer: elb.LoadBalancer,
  listeners: Listener[],
): void {
  const policy = new elb.LoadBalancerPolicy(
    `${name}-proxy`,
    {
      loadBalancerName: loadBalancer.name,
      policyName: "proxy-protocol",
      policyTypeName: "ProxyProtocolPolicyType",
      policyAttributes: [{ name: "ProxyProtocol", value: "true" }],
    },
    { parent },
  );
  for (const instancePort of instancePorts(listeners)) {
    new elb.LoadBalancerBackendServerPolicy(
      `${name}-proxy-${instancePort}`,
      { loadBalancerName: loadBalancer.name, instancePort, policyNames: [policy.policyName] },
      { parent },
    );
  }
}

function createDnsRecord(
  name: string,
  parent: pulumi.Resource,
  loadBalancer: elb.LoadBalancer,
  hostedZoneId: pulumi.Input<string> | undefined,
  hostname: string | undefined,
): void {
  if (hostedZoneId === undefined || hostname === undefined) {
    return;
  }
  const zone = route53.getZoneOutput({ zoneId: hostedZoneId }, { parent });
  const nameInZone = zone.name.apply((zoneName: string | undefined) => {
    const domain = zoneName?.replace(/\.$/, "");
    if (domain !== undefined && hostname !== domain && !hostname.endsWith(`.${domain}`)) {
      throw runError(
        `hostname: "${hostname}" is outside the hosted zone ${domain}; use a name that ends with .${domain}`,
      );
    }
    return hostname;
  });
  new route53.Record(
    `${name}-dns`,
    {
      zoneId: hostedZoneId,
      name: nameInZone,
      type: "A",
      aliases: [{ name: loadBalancer.dnsName, zoneId: loadBalancer.zoneId, evaluateTargetHealth: false }],
    },
    { parent },
  );
}

function urlFor(
  open: ListenerPorts[],
  listener: Listener,
  host: pulumi.Input<string>,
): pulumi.Output<string> | undefined {
  const row = open.find((entry) => entry.listener === listener);
  return row && pulumi.interpolate`${row.urlScheme}://${host}:${row.loadBalancerPort}${row.urlPath}`;
}
