import type { Policies, PolicyResource } from "@pulumi/policy";
import * as pulumi from "@pulumi/pulumi";
import { clusterPorts, dashboardPort } from "./network";

const loadBalancer = "aws:elb/loadBalancer:LoadBalancer";
const loadBalancerPolicy = "aws:elb/loadBalancerPolicy:LoadBalancerPolicy";
const listenerPolicy = "aws:elb/listenerPolicy:ListenerPolicy";

/** AWS's predefined policies for Classic ELBs that admit nothing older than TLS 1.2 (ELB user guide). */
const tls12Policies = ["ELBSecurityPolicy-TLS-1-2-2017-01"];

/** The ports that MQTT clients expect TLS on. */
const tlsPorts = [8883, 8084];
const encrypted = ["SSL", "HTTPS"];

/** The keep-alive that the components assume where nobody says another. */
const defaultKeepAliveSeconds = 300;
/** A broker waits one and a half keep-alives for a packet (MQTT 5.0, 3.1.2.10). */
const keepAliveMultiplier = 1.5;

interface Listener {
  lbPort: number;
  lbProtocol: string;
  instancePort: number;
  instanceProtocol: string;
  sslCertificateId?: string;
}

function listenersOf(props: Record<string, unknown>): Listener[] {
  return Array.isArray(props.listeners) ? (props.listeners as Listener[]) : [];
}

function isEncrypted({ lbProtocol }: Listener): boolean {
  return encrypted.includes(lbProtocol.toUpperCase());
}

export const loadBalancerPolicies: Policies = [
  {
    name: "tls-ends-at-the-load-balancer",
    description:
      "TLS listeners have a certificate and speak plain TCP to the nodes; 8883 and 8084 are TLS, " +
      "or lead to the same ports of the nodes, where TLS ends then.",
    validateResource: ({ type, props, name }, report) => {
      if (type !== loadBalancer) return;
      for (const listener of listenersOf(props)) {
        const { lbPort, lbProtocol, instancePort, instanceProtocol } = listener;
        if (tlsPorts.includes(lbPort) && instancePort !== lbPort && !isEncrypted(listener)) {
          report(
            `${name} speaks plain ${lbProtocol} on port ${lbPort}, where clients expect TLS. Use SSL and a certificate.`,
          );
        }
        if (isEncrypted(listener) && encrypted.includes(instanceProtocol.toUpperCase())) {
          report(
            `${name} speaks ${instanceProtocol} to the nodes behind port ${lbPort}, which listen for plain TCP. Use TCP.`,
          );
        }
        if (isEncrypted(listener) && !("sslCertificateId" in listener)) {
          report(`${name} has no certificate on port ${lbPort}. Set sslCertificateId.`);
        }
      }
    },
  },
  {
    name: "listeners-lead-to-mqtt-only",
    description: "The load balancer leads to neither the dashboard nor the cluster's ports.",
    validateResource: ({ type, props, name }, report) => {
      if (type !== loadBalancer) return;
      for (const { lbPort, instancePort } of listenersOf(props)) {
        if (instancePort === dashboardPort || clusterPorts.includes(instancePort)) {
          report(
            `port ${lbPort} of ${name} leads to port ${instancePort} of the nodes, which is not for clients.`,
          );
        }
      }
    },
  },
  {
    name: "tls-1-2-at-least",
    description: "The load balancer's TLS policies admit nothing older than TLS 1.2.",
    validateResource: ({ type, props, name }, report) => {
      if (type !== loadBalancerPolicy || props.policyTypeName !== "SSLNegotiationPolicyType") return;
      const attributes = (props.policyAttributes as { name?: string; value?: string }[] | undefined) ?? [];
      const reference = attributes.find((attribute) => attribute.name === "Reference-Security-Policy")?.value;
      const old = attributes.filter(
        (attribute) =>
          /^(Protocol-SSLv2|Protocol-SSLv3|Protocol-TLSv1|Protocol-TLSv1\.1)$/.test(attribute.name ?? "") &&
          attribute.value === "true",
      );
      if (reference !== undefined && !tls12Policies.includes(reference)) {
        report(
          `${name} is ${reference}, which admits TLS versions before 1.2. Use ${tls12Policies.join(" or ")}.`,
        );
      }
      old.forEach((attribute) =>
        report(`${name} admits ${attribute.name?.replace("Protocol-", "")}. Leave it out.`),
      );
      if (reference === undefined && attributes.every((attribute) => attribute.name !== "Protocol-TLSv1.2")) {
        report(
          `${name} names no TLS version. Use ${tls12Policies.join(" or ")} as its Reference-Security-Policy.`,
        );
      }
    },
  },
  {
    name: "tls-listeners-have-a-policy",
    description: "Every TLS listener has a TLS policy of its own: AWS's default admits TLS 1.0.",
    validateStack: ({ resources }, report) => {
      const policies = resources.filter(({ type }) => type === listenerPolicy);
      for (const balancer of resources.filter(({ type }) => type === loadBalancer)) {
        for (const listener of listenersOf(balancer.props).filter(isEncrypted)) {
          if (!policies.some((policy) => isAbout(policy, balancer, listener.lbPort))) {
            report(
              `port ${listener.lbPort} of ${balancer.name} has no elb.ListenerPolicy, so AWS's default applies, which admits TLS 1.0.`,
              balancer.urn,
            );
          }
        }
      }
    },
  },
  {
    name: "idle-timeout-outlasts-keep-alive",
    description:
      "The load balancer waits longer for a client than the broker does, or it cuts off clients that rest.",
    configSchema: { properties: { keepAliveSeconds: { type: "integer", minimum: 1 } } },
    validateResource: (args, report) => {
      if (args.type !== loadBalancer) return;
      const { keepAliveSeconds } = args.getConfig<{ keepAliveSeconds?: number }>();
      const keepAlive =
        keepAliveSeconds ?? new pulumi.Config().getNumber("keepAliveSeconds") ?? defaultKeepAliveSeconds;
      const needed = Math.ceil(keepAlive * keepAliveMultiplier);
      const idleTimeout = Number(args.props.idleTimeout ?? 60);
      if (idleTimeout <= needed) {
        report(
          `${args.name} closes connections after ${idleTimeout} s without a packet, but a client with a keep-alive of ` +
            `${keepAlive} s may rest for ${needed} s. Set idleTimeout to more than ${needed}.`,
        );
      }
    },
  },
];

/** Whether a listener policy is about a port of a load balancer, whose name may not be known yet. */
function isAbout(policy: PolicyResource, balancer: PolicyResource, port: number): boolean {
  if (Number(policy.props.loadBalancerPort) !== port) return false;
  const refers = policy.propertyDependencies.loadBalancerName?.some(({ urn }) => urn === balancer.urn);
  return refers === true || (policy.propertyDependencies.loadBalancerName ?? []).length === 0;
}
