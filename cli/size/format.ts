/** A sizing as text. */
import { stringify } from "yaml";
import { columns, terminalWidth } from "../cost/columns";
import { pricesCaveat } from "../cost/prices";
import type { Section } from "./explain";
import { assumptionsIn, explain, publishedIn } from "./explain";
import type { SizeInput } from "./input";
import { assumedValues, assumptions, published } from "./numbers";
import type { Proposal } from "./size";
import type { Bill, Used } from "./verdict";
import { billOf, extrapolations, settingsOf, usedOf, verdictOf } from "./verdict";
import { percent, short, whole } from "./words";

export function formatSizing(input: SizeInput, proposal: Proposal): string {
  const sections = explain(input, proposal);
  const { machine, nodes } = proposal;
  const limits = usedOf(input, proposal);
  return [
    ...wrapped(
      `${whole(input.connections)} connections, ${short(input.rate)} messages a second of ${whole(input.payloadBytes)} bytes and QoS ${input.qos}, ` +
        `each to ${short(input.fanOut)}; keep-alive ${whole(input.keepAliveSeconds)} s; ` +
        (input.tls ? "TLS up to the load balancer" : "no TLS"),
    ).map((line) => line.trimStart()),
    "",
    `Proposal: ${nodes} × ${machine.type} (${machine.vCpus} vCPU, ${machine.memoryGiB} GiB).`,
    ...wrapped(verdictOf(limits).text),
    "",
    ...settingsLines(input, proposal),
    "",
    ...used(limits),
    ...sections.flatMap(sectionLines),
    "",
    "What grows with it, in US dollars a month",
    ...bill(input, proposal, billOf(input, proposal)),
    "",
    "Beyond what has been published",
    ...extrapolations(input, proposal).flatMap((text) => wrapped(`- ${text}`)),
    "",
    "Published",
    ...publishedIn(sections).flatMap((name) => {
      const { value, unit, source } = published[name];
      return wrapped(`[${name}] ${short(value)} ${unit}. ${source}`);
    }),
    "",
    "Assumed; change with --assume name=value",
    ...assumptionLines(input, sections),
  ].join("\n");
}

function settingsLines(input: SizeInput, proposal: Proposal): string[] {
  const settings = Object.entries(settingsOf(input, proposal));
  return [
    "Lines for Pulumi.<stack>.yaml:",
    ...settings.map(([name, value]) => `  emqx-aws:${name}: ${inFlow(value)}`),
  ];
}

/** A list or a group in one line of YAML. */
const inFlow = (value: unknown) =>
  stringify(value, { collectionStyle: "flow", flowCollectionPadding: false }).trim();

function used(limits: Used[]): string[] {
  return [
    "How full each limit is while one node is down, the fullest first",
    ...indented(
      columns(
        limits.map(({ what, unit, needed, available, share, isKept, isTried }) => [
          what,
          percent(share),
          `${short(needed)} of ${short(available)} ${unit}`.trim(),
          isKept ? "" : isTried ? "untried" : "BREAKS FIRST",
        ]),
        "lrll",
      ),
    ),
  ];
}

function sectionLines({ title, lines, remarks }: Section): string[] {
  const rows = lines.map(({ what, how, result, from }) => [
    what,
    how,
    result,
    from.map((name) => `[${name}]`).join(" "),
  ]);
  return ["", title, ...indented(columns(rows, "llrl")), ...remarks.flatMap((remark) => wrapped(remark))];
}

function bill(input: SizeInput, { machine, nodes }: Proposal, costs: Bill): string[] {
  const dollars = (value: number) => whole(value);
  const rows = [
    [
      "instances",
      `${nodes} × ${machine.type}`,
      costs.instances === undefined ? "no price known" : dollars(costs.instances),
    ],
    ["through the Classic ELB", `${whole(costs.loadBalancerGB)} GB`, dollars(costs.loadBalancer)],
    ["to clients on the internet, at most", `${whole(costs.internetGB)} GB`, dollars(costs.internet)],
    ["from node to node, in another zone", `${whole(costs.betweenNodesGB)} GB`, dollars(costs.betweenZones)],
  ];
  return [
    ...indented(columns(rows, "lrr")),
    ...wrapped(`Prices of ${costs.region}: ${pricesCaveat}. The rest of a stack: npm run cost.`),
    ...(costs.areOwnPrices ? [] : wrapped(`No prices of ${input.region} are known here.`)),
  ];
}

function assumptionLines(input: SizeInput, sections: Section[]): string[] {
  const values = assumedValues(input.assume);
  return assumptionsIn(sections).flatMap((name) => {
    const { value, unit, why } = assumptions[name];
    const own = values[name] === value ? why : `set by --assume; otherwise ${value}`;
    return wrapped(`[${name}] ${short(values[name])} ${unit}: ${own}`);
  });
}

/** A paragraph, indented, its second line and further ones a little more. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${last === undefined ? "  " : "    "}${word}`);
  }
  return lines;
}

const width = Math.min(110, terminalWidth() ?? 110);

function indented(lines: string[]): string[] {
  return lines.map((text) => `  ${text}`);
}

/** The same for machines. */
export function jsonOf(input: SizeInput, proposal: Proposal): object {
  const sections = explain(input, proposal);
  const { machine, nodes, dataVolumeSizeGiB, needs } = proposal;
  return {
    version: 1,
    input,
    proposal: { nodes, machine, dataVolumeSizeGiB },
    settings: settingsOf(input, proposal),
    verdict: verdictOf(usedOf(input, proposal)),
    limits: usedOf(input, proposal),
    needs,
    sections,
    bill: billOf(input, proposal),
    extrapolations: extrapolations(input, proposal),
    published: Object.fromEntries(publishedIn(sections).map((name) => [name, published[name]])),
    assumed: assumedValues(input.assume),
  };
}
