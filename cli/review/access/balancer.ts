/** What a load balancer keeps from its clients: plain text, old TLS, false addresses. */
import { proxyListenersOf } from "../../../components/emqx/access";
import { ports } from "../../../components/emqx/ports";
import { clustersOf, listenersOf } from "../change/network";
import { isUnknown } from "../preview/engine";
import type { Existing, Side } from "../change/side";
import { list, number, record, text } from "../change/values";
import { types } from "../types";
import type { Owned } from "./safeguard";
import { oldestTls, tlsText } from "./tls";

export function balancerSafeguards(side: Side): Owned[] {
  const balancers = side.ofType(types.loadBalancer);
  return balancers.flatMap((balancer) => {
    const about = { key: balancers.length > 1 ? balancer.key : "load balancer", owner: balancer.name };
    const logs = record(balancer.inputs.accessLogs);
    const isLogging = balancer.inputs.accessLogs !== undefined && logs.enabled !== false;
    return [
      {
        ...about,
        what: "Addresses of the load balancer",
        ...(balancer.inputs.internal === true ? { state: "private", rank: 1 } : { state: "public", rank: 0 }),
      },
      {
        ...about,
        what: "Access logs",
        ...(isLogging ? { state: `in ${shown(logs.bucket)}`, rank: 1 } : { state: "none", rank: 0 }),
      },
      ...listenersOf(balancer).flatMap(({ port, protocol }): Owned[] => {
        const isEncrypted = ["SSL", "HTTPS"].includes(protocol);
        const on = { ...about, absent: { state: "no listener", rank: 100 } };
        return [
          {
            ...on,
            what: `Encryption on port ${port}`,
            ...(isEncrypted ? { state: "TLS", rank: 1 } : { state: "none: plain text", rank: 0 }),
          },
          ...(isEncrypted ? [{ ...about, what: `TLS on port ${port}`, ...tlsOf(side, balancer, port) }] : []),
        ];
      }),
      { ...about, what: "Clients' addresses (PROXY protocol)", ...proxyOf(side, balancer) },
    ];
  });
}

function shown(bucket: unknown): string {
  return isUnknown(bucket) ? "a bucket that is not made yet" : (text(bucket) ?? "?");
}

/** The policies of one kind that are on a port: `loadBalancerPort` of listeners, `instancePort` of the nodes. */
function policiesOn(
  side: Side,
  balancer: Existing,
  kind: { type: string; port: string },
  port: number,
): Existing[] {
  return side
    .ofType(kind.type)
    .filter(
      (item) => number(item.inputs[kind.port]) === port && isAbout(side, item, "loadBalancerName", balancer),
    )
    .flatMap((item) => list(item.inputs.policyNames).map(text))
    .flatMap((name) =>
      side
        .ofType(types.loadBalancerPolicy)
        .filter(
          (policy) =>
            policy.inputs.policyName === name && isAbout(side, policy, "loadBalancerName", balancer),
        ),
    );
}

/** Names of load balancers are generated: known by what they refer to, or by the only one that there is. */
function isAbout(side: Side, item: Existing, property: string, balancer: Existing): boolean {
  const name = text(item.inputs[property]);
  if (name !== undefined && !isUnknown(name)) {
    return [balancer.outputs.name, balancer.inputs.name, balancer.id].includes(name);
  }
  const found = side.target(item, property, types.loadBalancer);
  return found === undefined || found.key === balancer.key;
}

function tlsOf(side: Side, balancer: Existing, port: number) {
  const policies = policiesOn(
    side,
    balancer,
    { type: types.listenerPolicy, port: "loadBalancerPort" },
    port,
  ).filter(({ inputs }) => inputs.policyTypeName === "SSLNegotiationPolicyType");
  const [weakest] = policies
    .map(({ inputs }) => ({ state: tlsText(inputs), rank: oldestTls(inputs) }))
    .sort((a, b) => a.rank - b.rank);
  return {
    ...(weakest ?? { state: "AWS's default, from TLS 1.0 on", rank: 1 }),
    affectsClients: "stricter" as const,
  };
}

/**
 * Nodes that take the address out of a header believe whoever reaches them, so the load balancer has to write it; without
 * the header, every client comes from the load balancer's address and no rule can tell one from another.
 */
function proxyOf(side: Side, balancer: Existing) {
  const isWritten = policiesOn(
    side,
    balancer,
    { type: types.backendPolicy, port: "instancePort" },
    ports.mqtt,
  ).some(({ inputs }) =>
    list(inputs.policyAttributes)
      .map(record)
      .some(({ name, value }) => name === "ProxyProtocol" && text(value) === "true"),
  );
  const isRead = clustersOf(side).some(({ instances }) =>
    instances.some(({ inputs }) =>
      (proxyListenersOf(text(inputs.userData) ?? "") ?? []).includes("tcp.default"),
    ),
  );
  const state = isWritten
    ? isRead
      ? { state: "written by the load balancer, read by the nodes", rank: 2 }
      : { state: "written by the load balancer, not understood by the nodes", rank: 1 }
    : isRead
      ? { state: "believed by the nodes, written by nobody", rank: 0 }
      : { state: "not known to the nodes", rank: 1 };
  // The load balancer changes at once, the nodes one by one: until its turn, a node and the load balancer disagree.
  return { ...state, affectsClients: "always" as const };
}
