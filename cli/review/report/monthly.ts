import { pricesCaveat } from "../../cost/prices";
import type { Monthly } from "../change/monthly";
import type { Block } from "./blocks";
import { fixed } from "./blocks";

/** The estimate before and after, where the change makes a difference to it; under the table of what is charged for. */
export function monthlyBlock(monthly: Monthly, hasTable: boolean): Block[] {
  if (!monthly.differs) return [];
  const { before, after, pricesOf, areOwnPrices, region, isPartial } = monthly;
  const sums =
    before === undefined || after === undefined
      ? `${difference(monthly)} US dollars (unchanged resources are not in this preview)`
      : `about ${amount(before)} → ${amount(after)} US dollars (${difference(monthly)})`;
  const foreign = areOwnPrices ? "" : ` No prices of ${region ?? "this region"} are known here.`;
  const partial = isPartial ? " What has no known price is not in it." : "";
  return [
    fixed(
      "",
      ...(hasTable ? [] : ["### What AWS charges for", ""]),
      `**A month:** ${sums}, traffic not included. Prices of ${pricesOf}: ${pricesCaveat}.${foreign}${partial}`,
    ),
  ];
}

function difference({ difference: value, step }: Monthly): string {
  if (value === 0) return `less than ${step} more or less`;
  return `${value > 0 ? "+" : "−"}${amount(Math.abs(value))}`;
}

function amount(value: number): string {
  return value.toLocaleString("en-US");
}
