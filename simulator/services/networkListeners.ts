/** Listeners of Network Load Balancers, and their further certificates. */
import type { StoredResource } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { bool, int, list, object, out, text, type ResourceType } from "../schema";
import type { Props } from "../values";
import { findCertificate } from "./certificates";
import * as names from "./names";
import { requireNetworkLoadBalancer } from "./networkLoadBalancers";
import { checkTargets, registrationsOf, requireTargetGroup } from "./targetGroups";
import { arn, between, oneOf } from "./validators";

/** Network Load Balancers guide, "Security policies". The provider knows none of the names; AWS does. */
export const networkTlsPolicies = [
  ...["3", "2-Res", "2", "2-Ext0", "2-Ext1", "2-Ext2", "0"].flatMap((tls) => [
    `ELBSecurityPolicy-TLS13-1-${tls}-PQ-2025-09`,
    `ELBSecurityPolicy-TLS13-1-${tls}-FIPS-PQ-2025-09`,
  ]),
  ...["3", "2-Res", "2", "2-Ext0", "2-Ext1", "2-Ext2", "1", "0"].map(
    (tls) => `ELBSecurityPolicy-TLS13-1-${tls}-FIPS-2023-04`,
  ),
  ...["3", "2-Res", "2", "2-Ext1", "2-Ext2", "1", "0"].map(
    (tls) => `ELBSecurityPolicy-TLS13-1-${tls}-2021-06`,
  ),
  "ELBSecurityPolicy-TLS-1-2-2017-01",
  "ELBSecurityPolicy-TLS-1-2-Ext-2018-06",
  "ELBSecurityPolicy-TLS-1-1-2017-01",
  "ELBSecurityPolicy-FS-1-2-Res-2020-10",
  "ELBSecurityPolicy-FS-1-2-Res-2019-08",
  "ELBSecurityPolicy-FS-1-2-2019-08",
  "ELBSecurityPolicy-FS-1-1-2019-08",
  "ELBSecurityPolicy-FS-2018-06",
  "ELBSecurityPolicy-2016-08",
];
const defaultTlsPolicy = "ELBSecurityPolicy-2016-08";

const isTls = (props: Props) => props["protocol"] === "TLS";

export const networkListenerType: ResourceType = {
  token: names.networkListener,
  title: "ELBv2 Listener",
  tagged: true,
  properties: {
    loadBalancerArn: text({ required: true, forceNew: true, check: arn }),
    port: int({ check: between(1, 65535) }),
    protocol: text({
      computed: true,
      normalise: (value) => String(value).toUpperCase(),
      check: oneOf("TCP", "TLS"),
    }),
    sslPolicy: text({ computed: true }),
    certificateArn: text({ check: arn }),
    alpnPolicy: text({
      check: oneOf("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"),
    }),
    // A TLS listener's 350 s are fixed. The provider neither sends another value nor says that it did not.
    tcpIdleTimeoutSeconds: int({ computed: true, check: between(60, 6000), suppressed: isTls }),
    defaultActions: list(
      object({
        type: text({ required: true, check: oneOf("forward") }),
        targetGroupArn: text({ required: true, check: arn }),
        order: int({ computed: true }),
      }),
      { required: true },
    ),
    mutualAuthentication: object(
      {
        mode: text({ required: true, check: oneOf("off", "verify", "passthrough") }),
        trustStoreArn: text({ check: arn }),
        ignoreClientCertificateExpiry: bool({ default: false }),
        advertiseTrustStoreCaNames: text({ computed: true, check: oneOf("on", "off") }),
      },
      { computed: true },
    ),
    arn: out(),
  },
  create(context, inputs) {
    const balancer = requireNetworkLoadBalancer(context, inputs["loadBalancerArn"] as string);
    const quota = context.account.seeds.quotas.listenersPerNetworkLoadBalancer;
    if (listenersOf(context, balancer.id).length >= quota) {
      fail("TooManyListeners", `The maximum number of listeners has been reached on '${balancer.id}'`);
    }
    const listener = checkListener(context, balancer, inputs);
    const suffix = (balancer.attributes["arnSuffix"] as string) + `/${context.account.hex(16)}`;
    const id = context.arn("elasticloadbalancing", `listener/${suffix}`);
    return { id, attributes: { ...listener, arn: id } };
  },
  update(context, stored, inputs) {
    const balancer = requireNetworkLoadBalancer(context, stored.attributes["loadBalancerArn"] as string);
    return checkListener(context, balancer, { ...stored.attributes, ...inputs }, stored.id);
  },
  recomputed: (changed) => (changed.has("protocol") ? ["sslPolicy", "tcpIdleTimeoutSeconds"] : []),
  delete(context, listener) {
    certificatesOf(context, listener.id).forEach((certificate) => context.account.delete(certificate));
  },
};

const listenersOf = (context: Context, balancer: string) =>
  context.list(names.networkListener).filter(({ attributes }) => attributes["loadBalancerArn"] === balancer);

/** What AWS makes of a listener's inputs, or its refusal. */
function checkListener(context: Context, balancer: StoredResource, inputs: Props, self?: string): Props {
  const { port, protocol, certificateArn, sslPolicy } = inputs as Record<string, string | undefined>;
  if (port === undefined || protocol === undefined) {
    fail("ValidationError", `A listener ${port === undefined ? "port" : "protocol"} must be specified`);
  }
  if (listenersOf(context, balancer.id).some((l) => l.id !== self && l.attributes["port"] === port)) {
    fail(
      "DuplicateListener",
      `A listener already exists on this port for this load balancer '${balancer.id}'`,
    );
  }
  const tls = isTls(inputs);
  if (tls && certificateArn === undefined) {
    fail("CertificateNotFound", "A certificate must be specified for TLS listeners");
  }
  if (!tls && (certificateArn !== undefined || sslPolicy)) {
    fail("InvalidConfigurationRequest", "Only TLS listeners have certificates and security policies");
  }
  if (certificateArn !== undefined) {
    requireCertificate(context, certificateArn);
  }
  if (sslPolicy && !networkTlsPolicies.includes(sslPolicy)) {
    fail("SSLPolicyNotFound", `SSL policy '${sslPolicy}' not found`);
  }
  const mutual = inputs["mutualAuthentication"] as { mode: string; trustStoreArn?: string } | undefined;
  checkMutualAuthentication(context, tls, mutual);
  const actions = inputs["defaultActions"] as unknown as { targetGroupArn: string }[];
  if (actions.length !== 1) {
    fail("TooManyActions", "The number of default actions of a Network Load Balancer's listener is 1");
  }
  const group = requireTargetGroup(context, actions[0]!.targetGroupArn);
  if (group.attributes["vpcId"] !== balancer.attributes["vpcId"]) {
    fail("InvalidConfigurationRequest", `The target group '${group.id}' is in another VPC than the listener`);
  }
  if (!tls && group.attributes["protocol"] !== "TCP") {
    fail(
      "InvalidConfigurationRequest",
      `Listener protocol 'TCP' is not supported with a target group with target protocol '${String(group.attributes["protocol"])}'`,
    );
  }
  const users = context
    .list(names.networkListener)
    .filter(({ attributes }) => (attributes["defaultActions"] as Props[])[0]!["targetGroupArn"] === group.id);
  if (users.some(({ attributes }) => attributes["loadBalancerArn"] !== balancer.id)) {
    fail(
      "TargetGroupAssociationLimit",
      `The following target groups cannot be associated with more than one load balancer: ${group.id}`,
    );
  }
  if (users.length === 0) {
    checkTargets(
      context,
      balancer.id,
      registrationsOf(context, group.id).flatMap(
        ({ attributes }) => context.find(names.instance, attributes["targetId"] as string) ?? [],
      ),
    );
  }
  return {
    sslPolicy: tls ? (sslPolicy ?? defaultTlsPolicy) || defaultTlsPolicy : "",
    ...(!tls && { tcpIdleTimeoutSeconds: inputs["tcpIdleTimeoutSeconds"] ?? 350 }),
    mutualAuthentication: tls
      ? {
          ignoreClientCertificateExpiry: false,
          advertiseTrustStoreCaNames: "off",
          ...(mutual ?? { mode: "off" }),
        }
      : {},
  };
}

/**
 * A certificate of ACM in this region, or of IAM. AWS takes one whose key is RSA of 4,096 bits, too: a listener with it
 * completes no handshake (Network Load Balancers guide, "Default certificate": RSA up to 3,072 bits).
 */
function requireCertificate(context: Context, certificate: string): void {
  if (!findCertificate(context, certificate)) {
    fail("CertificateNotFound", `Certificate '${certificate}' not found`);
  }
}

/** TLS listeners verify clients since November 2026 (Network Load Balancers guide, "Mutual authentication"). */
function checkMutualAuthentication(
  context: Context,
  tls: boolean,
  mutual: { mode: string; trustStoreArn?: string } | undefined,
): void {
  if (mutual === undefined || mutual.mode === "off" || mutual.mode === undefined) {
    return;
  }
  if (!tls) {
    fail("InvalidConfigurationRequest", "Mutual authentication is for TLS listeners");
  }
  if ((mutual.mode === "verify") !== (mutual.trustStoreArn !== undefined)) {
    fail("ValidationError", "A trust store ARN must be specified for mode 'verify', and for no other");
  }
  const store = context.arn("elasticloadbalancing", "truststore/");
  if (mutual.trustStoreArn !== undefined && !mutual.trustStoreArn.startsWith(store)) {
    fail("TrustStoreNotFound", `Trust store '${mutual.trustStoreArn}' not found`);
  }
}

export function certificatesOf(context: Context, listener: string): StoredResource[] {
  return context
    .list(names.networkListenerCertificate)
    .filter(({ attributes }) => attributes["listenerArn"] === listener);
}

export const networkListenerCertificateType: ResourceType = {
  token: names.networkListenerCertificate,
  title: "ELBv2 Listener Certificate",
  properties: {
    listenerArn: text({ required: true, forceNew: true, check: arn }),
    certificateArn: text({ required: true, forceNew: true, check: arn }),
  },
  create(context, inputs) {
    const { listenerArn, certificateArn } = inputs as Record<string, string>;
    const listener =
      context.find(names.networkListener, listenerArn!) ??
      fail("ListenerNotFound", `One or more listeners not found: ${listenerArn}`);
    if (!isTls(listener.attributes)) {
      fail("InvalidConfigurationRequest", "Only TLS listeners have certificates");
    }
    requireCertificate(context, certificateArn!);
    const balancer = listener.attributes["loadBalancerArn"] as string;
    const further = new Set(
      listenersOf(context, balancer)
        .flatMap(({ id }) => certificatesOf(context, id))
        .map(({ attributes }) => attributes["certificateArn"]),
    ).add(certificateArn);
    if (further.size > context.account.seeds.quotas.certificatesPerNetworkLoadBalancer) {
      fail("TooManyCertificates", `The maximum number of certificates has been reached on '${balancer}'`);
    }
    return { id: `${listenerArn}_${certificateArn}` };
  },
};
