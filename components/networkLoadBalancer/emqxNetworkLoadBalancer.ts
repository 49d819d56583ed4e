import * as pulumi from "@pulumi/pulumi";
import * as ec2 from "@pulumi/aws/ec2";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import * as lb from "@pulumi/aws/lb";
import { readCertificateExpiry } from "../certificate/expiry";
import { certificateInUse } from "../certificate/inUse";
import { ports } from "../emqx/ports";
import { checkedLater } from "../shared/checkedLater";
import { checkDefaultTags } from "../shared/defaultTags";
import { createDnsRecord, healthCheck, isRecordedElsewhere, urlsOf } from "../shared/frontDoor";
import { idleTimeoutSeconds } from "../shared/keepAlive";
import { instancePorts, listenerPorts } from "../shared/listeners";
import { Members } from "../shared/members";
import { remember } from "../shared/memory";
import { plain, runError } from "../shared/problems";
import { resolve } from "../shared/resolve";
import { tagged } from "../shared/tags";
import {
  AddressType,
  networkKeepAlive,
  networkKeyProblem,
  networkLoadBalancerInputs,
  networkLoadBalancerProblems,
  networkLoadBalancerWarnings,
  type EmqxNetworkLoadBalancerArgs,
  type NetworkLoadBalancerSettings,
} from "./settings";

/**
 * A Network Load Balancer: TLS listeners that end TLS up to 1.3, TCP to the nodes inside, checked on EMQX's own health
 * endpoint. Nodes register themselves with its target groups (`targetGroupArns` of EmqxClusterNodes).
 *
 * @example
 * // vpc: EmqxVpc, groups: EmqxSecurityGroup
 * const nlb = new EmqxNetworkLoadBalancer("emqx", {
 *   vpcId: vpc.vpcId,
 *   subnetIds: vpc.publicSubnetIds,
 *   securityGroupIds: [groups.loadBalancerSecurityGroupId],
 *   certificate: { selfSigned: {} },
 * });
 */
export class EmqxNetworkLoadBalancer extends pulumi.ComponentResource {
  /** The load balancer's DNS name. Its addresses change unless they are static; use the name. */
  public readonly dnsName: pulumi.Output<string>;
  /** Hosted zone of the load balancer's name, for alias records. */
  public readonly zoneId: pulumi.Output<string>;
  /** Name of the load balancer. */
  public readonly loadBalancerName: pulumi.Output<string>;
  /** ARN of the load balancer. */
  public readonly loadBalancerArn: pulumi.Output<string>;
  /** ARNs of the target groups, one for each port of the nodes, for `targetGroupArns` of EmqxClusterNodes. */
  public readonly targetGroupArns: pulumi.Output<string>[];
  /** The Elastic IPs, in the order of the subnets; empty unless addresses are static. */
  public readonly addresses: pulumi.Output<string>[];
  /** Name of the endpoint service, for endpoints in other VPCs; undefined without one. */
  public readonly endpointServiceName?: pulumi.Output<string>;
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
  public get loadBalancer(): lb.LoadBalancer {
    return members.of(this).loadBalancer;
  }

  constructor(name: string, args: EmqxNetworkLoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    const subject = `EmqxNetworkLoadBalancer "${name}"`;
    const resolved = resolve(subject, networkLoadBalancerInputs, args, () =>
      networkLoadBalancerProblems(name, args),
    );
    super("emqx-aws:index:EmqxNetworkLoadBalancer", name, {}, opts);
    checkDefaultTags(subject, this, args.tags);
    const { region } = getRegionOutput({}, { parent: this });
    const settings = checkedLater(subject, networkLoadBalancerInputs, resolved, region);
    const { listeners, dns, addressType } = settings;
    for (const warning of networkLoadBalancerWarnings(settings)) {
      void pulumi.log.warn(warning, this);
    }

    const certificate = certificateInUse(name, this, {
      given: resolved.certificate,
      checked: settings.certificate,
      hostname: dns?.hostname,
      network: true,
      keyProblem: networkKeyProblem,
      tags: settings.tags,
    });
    const addresses = settings.staticAddresses ? createAddresses(name, this, settings) : [];
    const loadBalancer = createLoadBalancer(name, this, settings, addresses);
    const targetGroups = createTargetGroups(name, this, settings);
    const further = furtherCertificates(name, this, resolved, settings);
    createListeners(name, this, settings, loadBalancer, targetGroups, certificate.arn, further);
    createDnsRecord(
      name,
      this,
      loadBalancer,
      isRecordedElsewhere(args.dns) ? undefined : dns,
      addressType === AddressType.DualStack ? ["A", "AAAA"] : ["A"],
    );

    const urls = urlsOf(listeners, dns?.hostname ?? loadBalancer.dnsName);
    this.dnsName = loadBalancer.dnsName;
    this.zoneId = loadBalancer.zoneId;
    this.loadBalancerName = loadBalancer.name;
    this.loadBalancerArn = loadBalancer.arn;
    this.targetGroupArns = [...targetGroups.values()].map(({ arn }) => arn);
    this.addresses = addresses.map(({ publicIp }) => publicIp);
    this.endpointServiceName = createEndpointService(name, this, settings, loadBalancer)?.serviceName;
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
      loadBalancerArn: this.loadBalancerArn,
      targetGroupArns: this.targetGroupArns,
      addresses: this.addresses,
      endpointServiceName: this.endpointServiceName,
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

const members = new Members<EmqxNetworkLoadBalancer, { loadBalancer: lb.LoadBalancer }>();

/** An address for each zone, which clients may have in their firewalls: it stays as long as the load balancer. */
function createAddresses(
  name: string,
  parent: pulumi.Resource,
  { subnetIds, protect, tags }: NetworkLoadBalancerSettings,
): ec2.Eip[] {
  return (subnetIds as pulumi.Input<string>[]).map(
    (_, i) =>
      new ec2.Eip(
        `${name}-${i}`,
        { domain: "vpc", tags: tagged(`${name}-${i}`, tags) },
        { parent, ...(protect && { protect: true }) },
      ),
  );
}

function createLoadBalancer(
  name: string,
  parent: pulumi.Resource,
  settings: NetworkLoadBalancerSettings,
  addresses: ec2.Eip[],
): lb.LoadBalancer {
  const { accessLogs } = settings;
  const subnets = keptSubnets(name, parent, settings);
  return new lb.LoadBalancer(
    name,
    {
      loadBalancerType: "network",
      ...(addresses.length === 0
        ? { subnets }
        : {
            subnetMappings: addresses.map(({ allocationId }, i) => ({
              subnetId: subnets.apply((ids) => ids[i] as string),
              allocationId,
            })),
          }),
      // Never without one: it could not be given any later.
      securityGroups: settings.securityGroupIds,
      internal: settings.internal,
      ipAddressType: settings.addressType,
      enableCrossZoneLoadBalancing: settings.crossZone,
      enableZonalShift: settings.zonalShift,
      accessLogs: accessLogs && {
        bucket: accessLogs.bucket,
        prefix: accessLogs.bucketPrefix,
        enabled: true,
      },
      tags: tagged(name, settings.tags),
    },
    // Only where it is wanted: a plain "false" would undo what the program says for the whole component.
    { parent, ...(settings.protect && { protect: true }) },
  );
}

/**
 * The subnets, unless one of those that it was made with is missing: AWS lets no zone go, so the provider would make another
 * load balancer, under another name. With others altogether it moves to another VPC, which makes everything anew anyway.
 */
function keptSubnets(
  name: string,
  parent: pulumi.Resource,
  { subnetIds, staticAddresses }: NetworkLoadBalancerSettings,
): pulumi.Output<string[]> {
  const wanted = pulumi.output(subnetIds);
  return pulumi.all([remember<string[]>(`${name}-subnets`, parent, wanted), wanted]).apply(([first, now]) => {
    const gone = first.filter((id, i) => (staticAddresses ? now[i] !== id : !now.includes(id)));
    if (gone.length > 0 && first.some((id) => now.includes(id))) {
      throw runError(
        `subnetIds: the load balancer ${name} stands in ${first.join(", ")}, and ${gone.join(", ")} ` +
          `${gone.length === 1 ? "is" : "are"} not at ${gone.length === 1 ? "its" : "their"} place any more. AWS takes no zone away from a ` +
          `Network Load Balancer: another one would be made, under another name and other addresses. Put it back; to move to ` +
          `other zones, make a second load balancer beside this one`,
      );
    }
    return now;
  });
}

/** One for each port of the nodes, by port. */
function createTargetGroups(
  name: string,
  parent: pulumi.Resource,
  settings: NetworkLoadBalancerSettings,
): Map<number, lb.TargetGroup> {
  return new Map(
    instancePorts(settings.listeners, settings.tlsEnds).map((port) => [
      port,
      new lb.TargetGroup(
        `${name}-${port}`,
        {
          vpcId: settings.vpcId,
          port,
          protocol: "TCP",
          targetType: "instance",
          healthCheck: {
            protocol: "HTTP",
            port: String(ports.dashboard),
            path: "/status",
            matcher: "200",
            ...healthCheck,
          },
          deregistrationDelay: settings.drainingTimeoutSeconds,
          // A slow answer keeps new clients away from a node; it does not cut those that it has.
          targetHealthStates: [
            {
              enableUnhealthyConnectionTermination: false,
              unhealthyDrainingInterval: settings.drainingTimeoutSeconds,
            },
          ],
          proxyProtocolV2: settings.proxyProtocol,
          tags: tagged(`${name}-${port}`, settings.tags),
        },
        { parent },
      ),
    ]),
  );
}

function createListeners(
  name: string,
  parent: pulumi.Resource,
  settings: NetworkLoadBalancerSettings,
  loadBalancer: lb.LoadBalancer,
  targetGroups: Map<number, lb.TargetGroup>,
  certificateArn: pulumi.Output<string> | undefined,
  further: FurtherCertificate[],
): void {
  const { listeners, tlsEnds, keepAliveSeconds, tlsPolicy, clientTrustStoreArn, tags } = settings;
  for (const { listener, protocol, loadBalancerPort, instancePort } of listenerPorts(listeners, tlsEnds)) {
    const own = `${name}-${listener.toLowerCase()}`;
    const made = new lb.Listener(
      own,
      {
        loadBalancerArn: loadBalancer.arn,
        port: loadBalancerPort,
        defaultActions: [{ type: "forward", targetGroupArn: targetGroups.get(instancePort)!.arn }],
        tags: tagged(own, tags),
        ...(protocol === "SSL"
          ? {
              protocol: "TLS",
              sslPolicy: tlsPolicy,
              certificateArn,
              mutualAuthentication:
                clientTrustStoreArn === undefined
                  ? undefined
                  : { mode: "verify", trustStoreArn: clientTrustStoreArn },
            }
          : {
              protocol: "TCP",
              tcpIdleTimeoutSeconds: idleTimeoutSeconds(
                networkKeepAlive(keepAliveSeconds, listeners, tlsEnds),
              ),
            }),
      },
      // A target group belongs to one load balancer at a time, so the old listener has to go first.
      { parent, deleteBeforeReplace: true },
    );
    for (const { suffix, arn } of protocol === "SSL" ? further : []) {
      new lb.ListenerCertificate(
        `${own}-${suffix}`,
        { listenerArn: made.arn, certificateArn: arn },
        { parent },
      );
    }
  }
}

interface FurtherCertificate {
  suffix: string;
  arn: pulumi.Input<string>;
}

/**
 * Certificates by their own ids: by their places, one that is taken out would replace all that follow, and AWS would remove what it
 * has just added. Those that another resource gives have no id yet.
 */
function furtherCertificates(
  name: string,
  parent: pulumi.Resource,
  given: NetworkLoadBalancerSettings,
  checked: NetworkLoadBalancerSettings,
): FurtherCertificate[] {
  return checked.furtherCertificateArns.map((arn, i) => {
    const known = given.furtherCertificateArns[i];
    const suffix = plain(known)?.replace(/^.*\//, "") ?? `certificate-${i}`;
    readCertificateExpiry(`${name}-${suffix}`, parent, known, pulumi.output(arn), networkKeyProblem);
    return { suffix, arn };
  });
}

function createEndpointService(
  name: string,
  parent: pulumi.Resource,
  { endpointService, tags }: NetworkLoadBalancerSettings,
  loadBalancer: lb.LoadBalancer,
): ec2.VpcEndpointService | undefined {
  return (
    endpointService &&
    new ec2.VpcEndpointService(
      name,
      {
        acceptanceRequired: endpointService.acceptanceRequired,
        // In the order in which AWS's answers have them: none that means anything.
        allowedPrincipals: pulumi.all(endpointService.allowedPrincipalArns).apply((arns) => [...arns].sort()),
        networkLoadBalancerArns: [loadBalancer.arn],
        tags: tagged(name, tags),
      },
      { parent },
    )
  );
}
