/** What AWS charges for, and how the estimate of a month changes with it. */
import { pricesCaveat } from "../../cost/prices";
import type { Monthly } from "../change/monthly";
import type { Block } from "./blocks";
import { fixed, table } from "./blocks";
import { prose, row } from "./text";

export function costBlocks(monthly: Monthly): Block[] {
  const { before, after, pricesOf, areOwnPrices, region, isPartial, charges, differs } = monthly;
  const heading = "### What AWS charges for";
  const rows = charges.map((charge) => row(prose(charge.what), amount(charge.before), amount(charge.after)));
  const blocks = rows.length > 0 ? [table([heading], ["What", ">Before", ">After"], rows, 3)] : [];
  if (!differs) return blocks;
  const sums =
    before === undefined || after === undefined
      ? `${difference(monthly)} US dollars (unchanged resources are not in this preview)`
      : `about ${amount(before)} → ${amount(after)} US dollars (${difference(monthly)})`;
  const foreign = areOwnPrices ? "" : ` No prices of ${region ?? "this region"} are known here.`;
  const partial = isPartial ? " What has no known price is not in it." : "";
  const words = `**A month:** ${sums}, traffic not included. Prices of ${pricesOf}: ${pricesCaveat}.${foreign}${partial}`;
  return [...blocks, rows.length > 0 ? fixed("", words) : fixed("", heading, "", words)];
}

function difference({ difference: value, step }: Monthly): string {
  if (value === 0) return `less than ${step} more or less`;
  return `${value > 0 ? "+" : "−"}${amount(Math.abs(value))}`;
}

function amount(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 1 });
}
