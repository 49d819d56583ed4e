/** What the stack costs in a month before and after the change: estimates, rounded as far as they can be trusted. */
import type { Estimate } from "../../cost/estimate";
import { estimateOf, regionOf } from "../../cost/estimate";
import { isPartial } from "../../cost/format";
import type { Side } from "./side";
import { byName } from "./values";

export interface Monthly {
  /** Of everything on each side, in US dollars, rounded; undefined if the preview leaves out what does not change. */
  before: number | undefined;
  after: number | undefined;
  /** By how much it changes, in US dollars, rounded; 0 if by less than the rounding shows. */
  difference: number;
  /** Whether it changes at all. */
  differs: boolean;
  /** What the numbers are rounded to. */
  step: number;
  region: string | undefined;
  pricesOf: string;
  areOwnPrices: boolean;
  /** Whether something has no known price and is not in the numbers. */
  isPartial: boolean;
  /** What AWS charges for and of which the amount changes. Amounts can be trusted more than dollars. */
  charges: { what: string; before: number; after: number }[];
}

export function monthlyOf(before: Side, after: Side, isWhole: boolean): Monthly {
  const region = regionOf(after.resources) ?? regionOf(before.resources);
  const [old, next] = [estimateOf(before.resources, region), estimateOf(after.resources, region)];
  const step = stepFor(Math.max(old.total, next.total));
  const rounded = ({ total }: Estimate) => Math.round(total / step) * step;
  return {
    before: isWhole ? rounded(old) : undefined,
    after: isWhole ? rounded(next) : undefined,
    difference: isWhole ? rounded(next) - rounded(old) : Math.round((next.total - old.total) / step) * step,
    // Sums of the same prices in another order.
    differs: Math.abs(next.total - old.total) > 0.005,
    step,
    region,
    pricesOf: next.pricesOf,
    areOwnPrices: next.areOwnPrices,
    isPartial: isPartial(old) || isPartial(next),
    charges: chargesOf(old, next),
  };
}

function chargesOf(old: Estimate, next: Estimate): Monthly["charges"] {
  const amount = ({ lines }: Estimate, wanted: string) =>
    lines.find(({ what }) => what === wanted)?.amount ?? 0;
  return [...new Set([...old.lines, ...next.lines].map(({ what }) => what))]
    .map((what) => ({ what, before: amount(old, what), after: amount(next, what) }))
    .filter(({ before, after }) => before !== after)
    .sort((a, b) => byName(a.what, b.what));
}

/** Three digits are more than an estimate can promise. */
function stepFor(total: number): number {
  return total < 100 ? 1 : total < 1000 ? 5 : total < 10_000 ? 10 : 100;
}
