/** What stands in front of a deployment's nodes: a Classic ELB, a Network Load Balancer, or both while clients move. */
import * as pulumi from "@pulumi/pulumi";
import { EmqxClassicElb } from "../classicElb/emqxClassicElb";
import type { EmqxClassicElbArgs } from "../classicElb/settings";
import type { Network } from "../network/existing";
import { EmqxNetworkLoadBalancer } from "../networkLoadBalancer/emqxNetworkLoadBalancer";
import { AddressType, type EmqxNetworkLoadBalancerArgs } from "../networkLoadBalancer/settings";
import { tlsEndsOf } from "../nodes/tls";
import { createDnsRecord, withoutRecord } from "../shared/frontDoor";
import { checkedArgs } from "../shared/resolve";
import { hasClassicElb, type DeploymentSettings, type EmqxDeploymentArgs } from "./settings";

export interface Fronts {
  classicElb: EmqxClassicElb | undefined;
  networkLoadBalancer: EmqxNetworkLoadBalancer | undefined;
  /** The newer one, whose name and URLs clients are told. */
  newest: EmqxClassicElb | EmqxNetworkLoadBalancer;
}

/** Name and type of each, by the end of its name. */
const types = { elb: "emqx-aws:index:EmqxClassicElb", nlb: "emqx-aws:index:EmqxNetworkLoadBalancer" };
type Kind = keyof typeof types;

/**
 * What both can have, the name's record and a certificate that is made, belongs to the newer one while both stand, and moves
 * with its identity: the record is changed, and never away; clients go on to trust the same authority.
 */
export function createFronts(
  name: string,
  parent: pulumi.Resource,
  args: EmqxDeploymentArgs,
  settings: DeploymentSettings,
  network: Network,
  securityGroupIds: pulumi.Input<string>[],
): Fronts {
  const { listeners, keepAliveSeconds, certificate, dns, protect, tags } = settings;
  const shared = {
    securityGroupIds,
    listeners,
    tlsEnds: tlsEndsOf(settings.nodeTls),
    keepAliveSeconds,
    drainingTimeoutSeconds: settings.rollout.drainingTimeoutSeconds,
    protect,
    tags,
  };
  const subnetIds = (internal: boolean) =>
    internal ? network.homes.map(({ subnetId }) => subnetId) : network.publicSubnetIds;
  const optionsOf = (kind: Kind, other: Kind) => ({
    parent,
    transformations: [takesOver(name, parent, kind, other)],
  });

  const options = settings.networkLoadBalancer;
  const networkLoadBalancer =
    options &&
    new EmqxNetworkLoadBalancer(
      `${name}-nlb`,
      checkedArgs<EmqxNetworkLoadBalancerArgs>({
        ...shared,
        ...options,
        vpcId: network.vpcId,
        subnetIds: subnetIds(options.internal),
        certificate,
        dns: dns && withoutRecord(dns),
      }),
      optionsOf("nlb", "elb"),
    );
  const made = certificate?.selfSigned !== undefined && networkLoadBalancer?.certificateArn;
  const { classicElb: classic } = settings;
  const classicElb = hasClassicElb(args)
    ? new EmqxClassicElb(
        `${name}-elb`,
        checkedArgs<EmqxClassicElbArgs>({
          ...shared,
          subnetIds: subnetIds(classic.internal),
          certificate: made ? { arn: made } : certificate,
          tlsPolicy: classic.tlsPolicy,
          proxyProtocol: classic.proxyProtocol,
          internal: classic.internal,
          accessLogs: classic.accessLogs,
          dns: networkLoadBalancer ? undefined : dns,
        }),
        optionsOf("elb", "nlb"),
      )
    : undefined;
  return { classicElb, networkLoadBalancer, newest: (networkLoadBalancer ?? classicElb)! };
}

/** The name goes over to a Network Load Balancer once all nodes are registered there. */
export function moveName(
  name: string,
  { dns, networkLoadBalancer: options }: DeploymentSettings,
  { networkLoadBalancer }: Fronts,
  nodes: pulumi.Resource,
): void {
  if (networkLoadBalancer !== undefined) {
    createDnsRecord(
      `${name}-nlb`,
      networkLoadBalancer,
      networkLoadBalancer,
      dns,
      options?.addressType === AddressType.DualStack ? ["A", "AAAA"] : ["A"],
      { dependsOn: nodes },
    );
  }
}

/** Its record and its certificate are those that the other one had. */
function takesOver(
  name: string,
  parent: pulumi.Resource,
  kind: Kind,
  other: Kind,
): pulumi.ResourceTransformation {
  const own = `${name}-${kind}`;
  const former = pulumi.createUrn(`${name}-${other}`, types[other], parent);
  return ({ name: child, props, opts }) =>
    child === `${own}-dns` || child.startsWith(`${own}-self-signed`)
      ? {
          props,
          opts: pulumi.mergeOptions(opts, {
            aliases: [{ name: `${name}-${other}${child.slice(own.length)}`, parent: former }],
          }),
        }
      : undefined;
}
