/** What every load balancer in front of the nodes has: a health check, a name that clients connect to, and URLs. */
import * as pulumi from "@pulumi/pulumi";
import * as route53 from "@pulumi/aws/route53";
import { listenerPorts, type Listener } from "./listeners";
import { runError } from "./problems";

/** A node that stops answering gets no new clients after 20 seconds, and a healthy one gets them after 20. */
export const healthCheck = { interval: 10, timeout: 5, healthyThreshold: 2, unhealthyThreshold: 2 };

interface Target {
  dnsName: pulumi.Output<string>;
  zoneId: pulumi.Output<string>;
}

const recordedElsewhere = new WeakSet<object>();

/** The same name, whose record is made by whoever hands it over, later. */
export function withoutRecord<Dns extends object>(dns: Dns): Dns {
  const copy = { ...dns };
  recordedElsewhere.add(copy);
  return copy;
}

export function isRecordedElsewhere(dns: object | undefined): boolean {
  return dns !== undefined && recordedElsewhere.has(dns);
}

/** Alias records of a load balancer: one for each of its kinds of addresses. */
export function createDnsRecord(
  name: string,
  parent: pulumi.Resource,
  loadBalancer: Target,
  dns: { hostedZoneId: pulumi.Input<string>; hostname: string } | undefined,
  types: ("A" | "AAAA")[] = ["A"],
  opts: pulumi.CustomResourceOptions = {},
): void {
  if (dns === undefined) {
    return;
  }
  const { hostedZoneId, hostname } = dns;
  const zone = route53.getZoneOutput({ zoneId: hostedZoneId }, { parent });
  const nameInZone = zone.name.apply((zoneName: string | undefined) => {
    const domain = zoneName?.replace(/\.$/, "");
    if (domain !== undefined && hostname !== domain && !hostname.endsWith(`.${domain}`)) {
      throw runError(
        `dns.hostname: "${hostname}" is outside the hosted zone ${domain}; use a name that ends with .${domain}`,
      );
    }
    return hostname;
  });
  for (const type of types) {
    new route53.Record(
      type === "A" ? `${name}-dns` : `${name}-dns-ipv6`,
      {
        zoneId: hostedZoneId,
        name: nameInZone,
        type,
        aliases: [{ name: loadBalancer.dnsName, zoneId: loadBalancer.zoneId, evaluateTargetHealth: false }],
      },
      { parent, ...opts },
    );
  }
}

/** Where clients connect to, by listener; nothing for those that are off. */
export function urlsOf(
  listeners: Listener[],
  host: pulumi.Input<string>,
): Partial<Record<Listener, pulumi.Output<string>>> {
  return Object.fromEntries(
    listenerPorts(listeners).map(({ listener, urlScheme, loadBalancerPort, urlPath }) => [
      listener,
      pulumi.interpolate`${urlScheme}://${host}:${loadBalancerPort}${urlPath}`,
    ]),
  );
}
