import * as pulumi from "@pulumi/pulumi";
import * as elb from "@pulumi/aws/elb";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import { certificateInUse } from "../certificate/inUse";
import { ports } from "../emqx/ports";
import { checkedLater } from "../shared/checkedLater";
import { checkDefaultTags } from "../shared/defaultTags";
import { createDnsRecord, healthCheck, urlsOf } from "../shared/frontDoor";
import { idleTimeoutSeconds } from "../shared/keepAlive";
import { instancePorts, listenerPorts, type ListenerPorts } from "../shared/listeners";
import { Members } from "../shared/members";
import { resolve } from "../shared/resolve";
import { tagged } from "../shared/tags";
import {
  elbInputs,
  elbProblems,
  elbWarnings,
  type ElbSettings,
  type EmqxClassicElbArgs,
  type TlsPolicy,
} from "./settings";

/**
 * A Classic ELB that ends TLS: SSL listeners outside, plain TCP to the nodes inside, checked on EMQX's own health
 * endpoint. Nodes register themselves with it (`loadBalancerNames` of EmqxClusterNodes).
 *
 * @example
 * // vpc: EmqxVpc, groups: EmqxSecurityGroup
 * const elb = new EmqxClassicElb("emqx", {
 *   subnetIds: vpc.publicSubnetIds,
 *   securityGroupIds: [groups.loadBalancerSecurityGroupId],
 *   certificate: { selfSigned: {} },
 * });
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
   * certificate that is another resource's output: that resource knows.
   */
  public readonly certificateExpires?: pulumi.Output<string>;

  /** The load balancer itself. */
  public get loadBalancer(): elb.LoadBalancer {
    return members.of(this).loadBalancer;
  }

  constructor(name: string, args: EmqxClassicElbArgs, opts?: pulumi.ComponentResourceOptions) {
    const subject = `EmqxClassicElb "${name}"`;
    const resolved = resolve(subject, elbInputs, args, () => elbProblems(name, args));
    super("emqx-aws:index:EmqxClassicElb", name, {}, opts);
    checkDefaultTags(subject, this, args.tags);
    const { region } = getRegionOutput({}, { parent: this });
    const settings = checkedLater(subject, elbInputs, resolved, region);
    const { dns } = settings;
    const listeners = listenerPorts(settings.listeners, settings.tlsEnds);
    for (const warning of elbWarnings(settings)) {
      void pulumi.log.warn(warning, this);
    }

    const certificate = certificateInUse(name, this, {
      given: resolved.certificate,
      checked: settings.certificate,
      hostname: dns?.hostname,
      tags: settings.tags,
    });
    const loadBalancer = createLoadBalancer(name, this, settings, listeners, certificate.arn);
    setTlsPolicy(name, this, loadBalancer, settings.tlsPolicy, listeners, certificate.arn);
    if (settings.proxyProtocol) {
      const opened = instancePorts(settings.listeners, settings.tlsEnds);
      setProxyPolicy(name, this, loadBalancer, opened);
    }
    createDnsRecord(name, this, loadBalancer, dns);

    const urls = urlsOf(settings.listeners, dns?.hostname ?? loadBalancer.dnsName);
    this.dnsName = loadBalancer.dnsName;
    this.zoneId = loadBalancer.zoneId;
    this.loadBalancerName = loadBalancer.name;
    this.mqttUrl = urls.Mqtt;
    this.mqttsUrl = urls.Mqtts;
    this.wsUrl = urls.Ws;
    this.wssUrl = urls.Wss;
    this.caCertificatePem = certificate.authorityPem;
    this.certificateArn = certificate.arn;
    this.certificateExpires = certificate.ends;
    members.keep(this, { loadBalancer });
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

const members = new Members<EmqxClassicElb, { loadBalancer: elb.LoadBalancer }>();

function createLoadBalancer(
  name: string,
  parent: pulumi.Resource,
  settings: ElbSettings,
  listeners: ListenerPorts[],
  certificateArn: pulumi.Input<string> | undefined,
): elb.LoadBalancer {
  const { accessLogs } = settings;
  return new elb.LoadBalancer(
    name,
    {
      subnets: settings.subnetIds,
      securityGroups: settings.securityGroupIds,
      internal: settings.internal,
      listeners: listeners.map(({ protocol, loadBalancerPort, instancePort }) => ({
        lbProtocol: protocol,
        lbPort: loadBalancerPort,
        instanceProtocol: "TCP",
        instancePort,
        ...(protocol === "SSL" && { sslCertificateId: certificateArn }),
      })),
      healthCheck: { target: `HTTP:${ports.dashboard}/status`, ...healthCheck },
      crossZoneLoadBalancing: true,
      idleTimeout: idleTimeoutSeconds(settings.keepAliveSeconds),
      connectionDraining: true,
      connectionDrainingTimeout: settings.drainingTimeoutSeconds,
      accessLogs: accessLogs && {
        bucket: accessLogs.bucket,
        bucketPrefix: accessLogs.bucketPrefix,
        interval: accessLogs.intervalMinutes,
        enabled: true,
      },
      tags: tagged(name, settings.tags),
    },
    // Only where it is wanted: a plain "false" would undo what the program says for the whole component.
    { parent, ...(settings.protect && { protect: true }) },
  );
}

function setTlsPolicy(
  name: string,
  parent: pulumi.Resource,
  loadBalancer: elb.LoadBalancer,
  tlsPolicy: TlsPolicy,
  listeners: ListenerPorts[],
  certificateArn: pulumi.Input<string> | undefined,
): void {
  const secure = listeners.filter(({ protocol }) => protocol === "SSL");
  if (secure.length === 0) {
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
  for (const { listener, loadBalancerPort } of secure) {
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

function setProxyPolicy(
  name: string,
  parent: pulumi.Resource,
  loadBalancer: elb.LoadBalancer,
  instancePorts: number[],
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
  for (const instancePort of instancePorts) {
    new elb.LoadBalancerBackendServerPolicy(
      `${name}-proxy-${instancePort}`,
      { loadBalancerName: loadBalancer.name, instancePort, policyNames: [policy.policyName] },
      { parent },
    );
  }
}
