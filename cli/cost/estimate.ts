/** What a stack costs in a month, from what its program asks for. Pure: resources in, numbers out. */
import { parseAvailabilityZone } from "../../components/network/availabilityZones";
import { byName, text } from "../review/change/values";
import type { Charge, CostedResource } from "./charges";
import { charges, isDecided, snapshotCharges } from "./charges";
import { clusterMetrics, nodeMetrics } from "./customMetrics";
import type { Prices } from "./prices";
import { pricesFor } from "./prices";
import type { Usage } from "./usage";
import { usageOf } from "./usage";

export interface CostLine {
  what: string;
  amount: number;
  /** US dollars for one and a month; undefined where no price is known. */
  price: number | undefined;
  /** US dollars a month; undefined where no price is known, and then not in the total. */
  monthly: number | undefined;
}

export interface Estimate {
  /** The stack's region, where it is known. */
  region: string | undefined;
  /** The region whose prices are used. */
  pricesOf: string;
  /** Whether those are the prices of the stack's own region. */
  areOwnPrices: boolean;
  /** The most expensive first. */
  lines: CostLine[];
  /** US dollars a month of all lines that have a price; nothing that costs by the GB is in it. */
  total: number;
  usage: Usage[];
  /** Resource types of AWS of which it is not known whether they cost anything. */
  undecided: string[];
}

export function estimateOf(resources: readonly CostedResource[], region?: string): Estimate {
  const ownRegion = region ?? regionOf(resources);
  const { prices, region: pricesOf, areOwn } = pricesFor(ownRegion);
  const all = [
    ...resources.flatMap(({ type, inputs }) =>
      Object.hasOwn(charges, type) ? charges[type]!(inputs, prices) : [],
    ),
    ...snapshotCharges(resources, prices),
    ...metricCharges(resources, prices),
  ];
  const lines = summed(all);
  return {
    region: ownRegion,
    pricesOf,
    areOwnPrices: areOwn,
    lines,
    total: lines.reduce((sum, { monthly }) => sum + (monthly ?? 0), 0),
    usage: usageOf(resources, prices),
    undecided: [...new Set(resources.map(({ type }) => type).filter((type) => !isDecided(type)))].sort(
      byName,
    ),
  };
}

/** The region in which the stack's subnets and volumes are. */
export function regionOf(resources: readonly CostedResource[]): string | undefined {
  return resources
    .map(({ inputs }) => parseAvailabilityZone(text(inputs.availabilityZone) ?? "")?.region)
    .find((region) => region !== undefined);
}

function metricCharges(resources: readonly CostedResource[], prices: Prices): Charge[] {
  const nodes = resources.filter(({ type }) => type === "aws:ec2/instance:Instance").length;
  if (nodes === 0) return [];
  const ofNode = nodeMetrics(resources) ?? { metrics: 0, requests: 0 };
  const all: Charge[] = [
    {
      what: "custom metric (at least)",
      amount: clusterMetrics(resources) + ofNode.metrics * nodes,
      price: prices.customMetric,
    },
    {
      what: "a thousand requests of the CloudWatch agent",
      amount: (ofNode.requests * nodes) / 1000,
      price: prices.cloudWatchRequests,
    },
  ];
  return all.filter(({ amount }) => amount > 0);
}

function summed(all: Charge[]): CostLine[] {
  const lines = new Map<string, CostLine>();
  for (const { what, amount, price } of all) {
    const line = lines.get(what) ?? { what, amount: 0, price, monthly: undefined };
    line.amount += amount;
    line.monthly = price === undefined ? undefined : line.amount * price;
    lines.set(what, line);
  }
  return [...lines.values()].sort(
    // What has no price comes first: it is what the reader must not overlook.
    (a, b) => (b.monthly ?? Infinity) - (a.monthly ?? Infinity) || byName(a.what, b.what),
  );
}
