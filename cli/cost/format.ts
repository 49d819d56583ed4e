/** Estimates as text. */
import { byName, plural } from "../review/change/values";
import { columns } from "./columns";
import type { CostLine, Estimate } from "./estimate";
import { pricesCaveat } from "./prices";

/** One stack, line by line. */
export function formatEstimate(stack: string, estimate: Estimate): string {
  const { lines, total, usage } = estimate;
  return [
    `Stack ${stack}, a month, in US dollars:`,
    "",
    ...columns(
      [
        ...lines.map(({ what, amount, price, monthly }) => [
          what,
          count(amount),
          price === undefined ? "" : `× ${price.toFixed(price < 1 ? 3 : 2)}`,
          monthly === undefined ? "no price known" : dollars(monthly),
        ]),
        [isPartial(estimate) ? "Together, of what has a price" : "Together", "", "", dollars(total)],
      ],
      "lrrr",
    ),
    "",
    ...(usage.length > 0
      ? [
          "On top, in US dollars a GB (the amounts are not in the settings):",
          ...columns(
            usage.map(({ what, price }) => [what, price.toFixed(3)]),
            "lr",
          ).map((line) => `  ${line}`),
          "",
        ]
      : []),
    ...notes([estimate]),
  ].join("\n");
}

/** Several stacks side by side, in whole dollars. */
export function formatComparison(estimates: ReadonlyMap<string, Estimate>): string {
  const all = [...estimates.values()];
  const most = (what: string) =>
    Math.max(...all.flatMap(({ lines }) => lines.filter((line) => line.what === what)).map(monthlyOf));
  const whats = [...new Set(all.flatMap(({ lines }) => lines.map(({ what }) => what)))].sort(
    (a, b) => most(b) - most(a) || byName(a, b),
  );
  const cells = (what: string) =>
    all.map(({ lines }) => {
      const line = lines.find((candidate) => candidate.what === what);
      if (!line) return "";
      return `${count(line.amount)}: ${line.monthly === undefined ? "no price" : dollars(line.monthly)}`;
    });
  return [
    "How many, and US dollars a month, before traffic:",
    "",
    ...columns(
      [
        ["", ...estimates.keys()],
        ...whats.map((what) => [what, ...cells(what)]),
        [
          "Together",
          ...all.map((estimate) => `${isPartial(estimate) ? "at least " : ""}${dollars(estimate.total)}`),
        ],
      ],
      `l${"r".repeat(all.length)}`,
    ),
    "",
    ...notes(all),
  ].join("\n");
}

/** What has no price comes first: it is what the reader must not overlook. */
function monthlyOf({ monthly }: CostLine): number {
  return monthly ?? Infinity;
}

/** Whether something is missing from the total that has, or may have, a price. */
export function isPartial({ lines, undecided }: Estimate): boolean {
  return undecided.length > 0 || lines.some(({ monthly }) => monthly === undefined);
}

function notes(estimates: Estimate[]): string[] {
  const regions = [...new Set(estimates.map(({ pricesOf }) => pricesOf))];
  const foreign = [
    ...new Set(
      estimates
        .filter((estimate) => !estimate.areOwnPrices)
        .map(({ region }) => region ?? "an unknown region"),
    ),
  ];
  const undecided = [...new Set(estimates.flatMap((estimate) => estimate.undecided))];
  return [
    `Prices of ${regions.join(" and ")}: ${pricesCaveat}.`,
    "Traffic, logs, tax, support and a licence of EMQX are not in it.",
    ...foreign.map(
      (region) => `No prices of ${region} are known here; those of ${regions.join(" and ")} are shown.`,
    ),
    ...(undecided.length > 0
      ? [
          `Not known whether these cost anything (${plural(undecided.length, "type")}): ${undecided.join(", ")}.`,
        ]
      : []),
  ];
}

function count(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 1 });
}

function dollars(value: number): string {
  return value > 0 && value < 0.5 ? "<1" : Math.round(value).toLocaleString("en-US");
}
