import { globalRegion, type StoredResource } from "../storedResource";
import { parseAddress } from "../cidr";
import { type Context } from "../context";
import { fail } from "../errors";
import { bool, int, list, object, out, set, text, type ResourceType } from "../schema";
import { seedTypes } from "../seeds";
import type { Props } from "../values";
import * as names from "./names";
import { between, oneOf } from "./validators";

export const recordType: ResourceType = {
  token: names.record,
  title: "Route53 Record",
  global: true,
  properties: {
    zoneId: text({ required: true, forceNew: true }),
    name: text({
      required: true,
      forceNew: true,
      normalise: (v) => String(v).toLowerCase().replace(/\.$/, ""),
    }),
    type: text({ required: true, check: oneOf("A", "AAAA", "CNAME", "TXT") }),
    aliases: list(
      object({
        name: text({
          required: true,
          normalise: (v) =>
            String(v)
              .toLowerCase()
              .replace(/^dualstack\./, "")
              .replace(/\.$/, ""),
        }),
        zoneId: text({ required: true }),
        evaluateTargetHealth: bool({ required: true }),
      }),
      {
        check: (v: unknown[]) => (v.length <= 1 ? undefined : `Too many aliases: at most 1, got ${v.length}`),
      },
    ),
    records: set(text()),
    ttl: int({ check: between(0, 2147483647) }),
    fqdn: out(),
  },
  validate(_inputs, problems, given) {
    if (given.has("aliases") === given.has("records")) {
      problems.add("", 'exactly one of "aliases" and "records" is needed');
    }
    if (given.has("aliases") && given.has("ttl")) {
      problems.add("ttl", '"ttl" conflicts with "aliases"');
    }
  },
  create(context, inputs) {
    const zone = requireZone(context, inputs["zoneId"] as string);
    const fqdn = recordName(zone, inputs["name"] as string);
    const type = inputs["type"] as string;
    checkRecord(context, zone, fqdn, inputs);
    const existing = recordsIn(context, zone.id).find(
      (r) => r.attributes["fqdn"] === fqdn && sameSlot(r, type),
    );
    if (existing) {
      const exact = existing.attributes["type"] === type;
      invalid(
        exact
          ? `Tried to create resource record set [name='${fqdn}.', type='${type}'] but it already exists`
          : `RRSet of type ${type} with DNS name ${fqdn}. is not permitted as it conflicts with other records with the same DNS name in zone ${zone.attributes["name"]}.`,
      );
    }
    return { id: `${zone.id}_${fqdn}_${type}`, attributes: { fqdn } };
  },
  update(context, record, inputs) {
    const zone = requireZone(context, record.attributes["zoneId"] as string);
    checkRecord(context, zone, record.attributes["fqdn"] as string, inputs);
  },
};

function invalid(detail: string): never {
  return fail("InvalidChangeBatch", `[${detail}]`);
}

function requireZone(context: Context, id: string): StoredResource {
  return (
    context.account.get(seedTypes.zone, globalRegion, id) ??
    fail("NoSuchHostedZone", `No hosted zone found with ID: ${id}`)
  );
}

function recordsIn(context: Context, zoneId: string): StoredResource[] {
  return context.list(names.record).filter((r) => r.attributes["zoneId"] === zoneId);
}

/** A CNAME is alone at its name; other types only collide with themselves. */
function sameSlot(record: StoredResource, type: string): boolean {
  const other = record.attributes["type"];
  return other === type || other === "CNAME" || type === "CNAME";
}

/** The provider completes names that do not end with the zone's, as it always has. */
function recordName(zone: StoredResource, name: string): string {
  const apex = (zone.attributes["name"] as string).toLowerCase();
  const plain = name.toLowerCase().replace(/\.$/, "");
  return plain === "" || plain === apex ? apex : plain.endsWith(`.${apex}`) ? plain : `${plain}.${apex}`;
}

function checkRecord(context: Context, zone: StoredResource, fqdn: string, inputs: Props): void {
  const type = inputs["type"] as string;
  const apex = zone.attributes["name"] as string;
  const label = /^(\*|[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)$/;
  if (fqdn.length > 255 || !fqdn.split(".").every((part) => label.test(part))) {
    fail(
      "InvalidInput",
      `FATAL problem: DomainLabelInvalid (Domain label is not valid) encountered with '${fqdn}'`,
    );
  }
  if (type === "CNAME" && fqdn === apex) {
    invalid(`RRSet of type CNAME with DNS name ${fqdn}. is not permitted at apex in zone ${apex}.`);
  }
  for (const value of (inputs["records"] as string[] | undefined) ?? []) {
    if (type === "A" && parseAddress(value) === undefined) {
      invalid(
        `Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '${value}''`,
      );
    }
  }
  if (inputs["records"] !== undefined && inputs["ttl"] === undefined) {
    fail("InvalidInput", "Missing field 'TTL' in Change with records");
  }
  const alias = (inputs["aliases"] as Props[] | undefined)?.[0];
  if (alias) {
    checkAlias(context, type, alias);
  }
}

/** Alias targets of this project are load balancers: name and hosted zone must be those of one. */
function checkAlias(context: Context, type: string, alias: Props): void {
  const target = (alias["name"] as string).replace(/\.$/, "").replace(/^dualstack\./, "");
  const zoneId = alias["zoneId"] as string;
  const balancer = [names.loadBalancer, names.networkLoadBalancer]
    .flatMap((type) => context.account.list(type))
    .find((b) => (b.attributes["dnsName"] as string).toLowerCase() === target.toLowerCase());
  const where = `Tried to create an alias that targets ${target}., type ${type} in zone ${zoneId}`;
  if (!balancer) {
    invalid(`${where}, but that target was not found`);
  }
  if (balancer.attributes["zoneId"] !== zoneId) {
    invalid(`${where}, but the alias target name does not lie within the target zone`);
  }
}
