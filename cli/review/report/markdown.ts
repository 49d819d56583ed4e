/** The report as a pull request comment. */
import type { Direction } from "../access/safeguard";
import type { ComponentChange } from "../change/components";
import type { Operation } from "../change/change";
import { expiryText } from "../change/expiry";
import { type ExposureRow, type Reach, isClosed, isOpened } from "../change/exposure";
import { type Level, type Notice, levels, shortened } from "../change/notice";
import type { TextChange } from "../change/texts";
import { byName, enumerate, plural } from "../change/values";
import { nameOf } from "../preview/read";
import type { Review } from "../review";
import { mermaidOf } from "../topology/mermaid";
import { shortType } from "../types";
import { type Block, bullets, fitted, fixed, table } from "./blocks";
import { costBlocks } from "./monthly";
import { resourceRows, signs } from "./resources";
import { fenceFor, prose, row } from "./text";

/** What GitHub takes as the body of a comment. */
export const longestComment = 65_536;

/** More components or text changes than these are counted, not shown. */
const mostComponents = 40;
const mostTexts = 20;
/** The rest is in the sections below. */
const mostReasons = 3;

export function markdownOf(review: Review, limit = longestComment): string {
  if (review.hasFailed) return failureReport(review, limit);
  const hasChanges = !isNothing(review);
  const blocks = [
    title(review),
    ...(hasChanges
      ? [
          fixed("", countsLine(review)),
          notices("What clients notice", review, "clients"),
          notices("What operators notice", review, "operators"),
          ...costBlocks(review.monthly),
        ]
      : []),
    ...expiries(review),
    ...exposure(review),
    ...access(review),
    ...(hasChanges && isDrawable(review) ? [topology(review)] : []),
    ...components(review),
    ...texts(review),
    ...messages(review),
    fixed("", footer(review)),
  ];
  return `${fitted(blocks, limit - 1)}\n`;
}

/** Lets a pipeline find the comment that it wrote before. */
function marker({ subject }: Review): string {
  return `<!-- emqx-aws review of ${subject.stack.replace(/[^\w.-]/g, "")} -->`;
}

const headlines: Record<Exclude<Level, "safe">, string> = {
  "restarts-nodes": "🔁 Restarts nodes one at a time",
  "interrupts-service": "⚠️ Interrupts service",
  "destroys-data": "🛑 Destroys data",
};

/** The verdict in words. */
export function headlineOf(review: Review): string {
  if (review.hasFailed) return "❌ Cannot be deployed";
  const { exposure, opened, loosened, level } = review;
  const alarm = exposure.alarms.some(({ isNew }) => isNew);
  const verdict = verdictOf(review);
  if (alarm) {
    return `🚨 Opens what must stay closed · ${level === "safe" ? "Interrupts nothing" : verdict}`;
  }
  const opens = isNewStack(review) ? [] : openings(opened, loosened);
  if (opens.length === 0) return verdict;
  return level === "safe"
    ? `🔓 ${enumerate(opens).replace(/^./, (letter) => letter.toUpperCase())} · Interrupts nothing`
    : `${verdict} · 🔓 ${enumerate(opens)}`;
}

function openings(ways: number, safeguards: number): string[] {
  return [
    ...(ways > 0 ? [`opens ${plural(ways, "way")}`] : []),
    ...(safeguards > 0 ? [`loosens ${plural(safeguards, "safeguard")}`] : []),
  ];
}

/** What only the engine remembers (protection, what it keeps) changes without any resource's properties. */
function isNothing({ components: changes, notices: told }: Review): boolean {
  return changes.length === 0 && told.length === 0;
}

function verdictOf(review: Review): string {
  const { level, rollout } = review;
  if (level === "safe") {
    if (isNothing(review)) return "✅ Safe: nothing changes";
    if (isNewStack(review)) return "✅ Safe: a new deployment";
    return review.isTagsOnly ? "✅ Safe: only tags change" : "✅ Safe";
  }
  if (level === "restarts-nodes") {
    if (rollout.restarted.length === 0) return "🔁 Takes nodes away";
    if (rollout.atOnce > 1) return `🔁 Restarts nodes ${rollout.atOnce} at a time`;
  }
  return headlines[level];
}

function isNewStack({ counts }: Review): boolean {
  return Object.keys(counts).length > 0 && Object.keys(counts).every((operation) => operation === "create");
}

function title(review: Review): Block {
  const { subject, reasons, level } = review;
  const alarms = review.exposure.alarms.map(
    ({ text, isNew }) => `> 🚨 **${isNew ? "New" : "As before"}:** ${prose(text)}.`,
  );
  return {
    head: [
      marker(review),
      `## ${headlineOf(review)}`,
      "",
      `Stack **${prose(subject.stack)}**, compared with ${prose(subject.base)}.`,
    ],
    items: [
      ...alarms.flatMap((alarm, i) => [i === 0 ? "" : ">", alarm]),
      ...reasons
        .slice(0, level === "restarts-nodes" ? 1 : mostReasons)
        .flatMap((reason, i) => [...(i === 0 ? [""] : []), `- ${prose(review.labels.apply(reason))}`]),
    ],
    tail: [],
    more: (left) => `- … and ${left} more.`,
    priority: 1,
  };
}

const counted: Operation[] = ["create", "update", "replace", "delete", "forget"];

function countsLine({ counts, isWhole }: Review): string {
  const parts = counted.flatMap((operation) => {
    const count = counts[operation];
    return count ? [`${signs[operation]} ${count}`] : [];
  });
  const unchanged = isWhole ? `${counts.same ?? 0} unchanged` : "unchanged ones not in this preview";
  return `**Resources:** ${[...parts, unchanged].join(" · ")}`;
}

const icons: Record<Level, string> = {
  "destroys-data": "🛑 ",
  "interrupts-service": "⚠️ ",
  "restarts-nodes": "🔁 ",
  safe: "",
};

function notices(heading: string, review: Review, audience: Notice["audience"]): Block {
  const lines = [...levels]
    .reverse()
    .flatMap((level) =>
      review.notices
        .filter((notice) => notice.audience === audience && notice.level === level)
        .map(({ text }) => `- ${icons[level]}${prose(review.labels.apply(text))}`),
    );
  return bullets(heading, lines.length > 0 ? lines : ["Nothing."], 2);
}

function expiries({ expiries: found }: Review): Block[] {
  const lines = found.map((expiry) => `- ⏳ ${prose(expiryText(expiry))}`);
  return lines.length === 0 ? [] : [bullets("What expires", lines, 2)];
}

const reaches: Record<Reach, string> = {
  open: "open",
  "no route": "permitted, but no route",
  "no listener": "permitted, but nothing listens",
  "not let out": "let in, but not out",
};

function exposure({ exposure: { rows }, isWhole }: Review): Block[] {
  const differs = (item: ExposureRow) => item.before !== item.after;
  const changed = rows.filter(differs);
  const unchanged = rows.filter((item) => !differs(item));
  const columns = ["", "Who", "Reaches", "Port", "Before", "After"];
  const state = (reach: Reach | undefined) => (reach === undefined ? "closed" : reaches[reach]);
  const line = (item: ExposureRow) =>
    row(
      isOpened(item) ? "🔓 opens" : isClosed(item) ? "🔒 closes" : "",
      prose(item.from),
      prose(item.to),
      prose(`${item.port}${item.purpose ? ` ${item.purpose}` : ""}`),
      state(item.before),
      differs(item) && item.after !== undefined ? `**${state(item.after)}**` : state(item.after),
    );
  const heading = ["### Who can reach what"];
  if (!isWhole) {
    heading.push(
      "",
      "This preview leaves out what does not change, so the table is not complete. Make it with `--show-sames`.",
    );
  }
  const summary = `<details><summary>As before: ${plural(unchanged.length, "way")}</summary>`;
  return [
    changed.length > 0
      ? table(heading, columns, changed.map(line), 2)
      : fixed("", ...heading, "", "No change."),
    ...(unchanged.length > 0 ? [table([summary], columns, unchanged.map(line), 6, ["", "</details>"])] : []),
  ];
}

/** What whoever arrives may do, and who may do what in AWS. */
function access({ access: changes, labels }: Review): Block[] {
  if (changes.length === 0) return [];
  const marks: Record<Direction, string> = {
    weaker: "🔓 looser",
    other: "🔓 may be looser",
    stronger: "🔒 stricter",
  };
  const rows = changes.map(({ what, owners, before, after, direction }) =>
    row(
      marks[direction],
      prose(labels.apply(what)),
      prose(labels.apply(shortened(owners))),
      prose(labels.apply(before)),
      `**${prose(labels.apply(after))}**`,
    ),
  );
  return [table(["### Who may do what"], ["", "What", "Of", "Before", "After"], rows, 2)];
}

function isDrawable({ topology: { zones, loadBalancers } }: Review): boolean {
  return zones.length + loadBalancers.length > 0;
}

function topology(review: Review): Block {
  const diagram = ["```mermaid", mermaidOf(review.topology), "```"].join("\n");
  return {
    head: ["", "### Topology", ""],
    // One piece: half a diagram is none.
    items: [diagram],
    tail: [],
    more: () => "The diagram is too large for this comment; `npm run diagram` writes it to a file.",
    priority: 1,
  };
}

function components(review: Review): Block[] {
  if (review.components.length === 0) return [];
  const shown = review.components.slice(0, mostComponents);
  const rest = review.components.length - shown.length;
  return [
    fixed("", "### Resources by component"),
    ...shown.map((component) =>
      table(
        [`<details><summary>${componentTitle(component)}</summary>`],
        ["", "Resource", "Type", "What changes"],
        resourceRows(component, review.labels),
        4,
        ["", "</details>"],
      ),
    ),
    ...(rest > 0 ? [fixed("", `… and ${plural(rest, "more component")}.`)] : []),
  ];
}

function componentTitle({
  path,
  type,
  operation,
  renamedFrom,
  resources,
  unchanged,
}: ComponentChange): string {
  const name = path.length === 0 ? "the program itself" : html(path.join(" › "));
  const kind = path.length === 0 ? "" : `${html(shortType(type))} `;
  const state =
    operation === "create"
      ? " (new)"
      : operation === "delete"
        ? " (goes)"
        : renamedFrom
          ? ` (was ${html(renamedFrom)})`
          : "";
  const counts = counted
    .map((wanted) => [wanted, resources.filter((resource) => resource.operation === wanted).length] as const)
    .filter(([, count]) => count > 0)
    .map(([wanted, count]) => `${signs[wanted]} ${count}`);
  const renamed = resources.filter((resource) => resource.renamedFrom !== undefined).length;
  const parts = [
    ...counts,
    ...(renamed > 0 ? [`${renamed} renamed`] : []),
    ...(unchanged > 0 ? [`${unchanged} unchanged`] : []),
  ];
  return `${kind}<b>${name}</b>${state}: ${parts.join(" · ") || "nothing in it"}`;
}

function html(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/@/g, "&#64;");
}

function texts({ texts: all }: Review): Block[] {
  if (all.length === 0) return [];
  const shown = all.slice(0, mostTexts);
  const rest = all.length - shown.length;
  return [
    fixed("", "### Texts that change"),
    ...shown.map(textBlock),
    ...(rest > 0 ? [fixed("", `… and ${plural(rest, "more text")}.`)] : []),
  ];
}

function textBlock({ property, resources, lines, added, removed }: TextChange): Block {
  const fence = fenceFor(lines);
  const alike = resources.length > 1 ? ", the same change in each" : "";
  return {
    head: [
      "",
      `<details><summary><code>${html(property)}</code> of ${html(shortened(resources))}${alike} (+${added} −${removed})</summary>`,
      "",
      `${fence}diff`,
    ],
    items: lines,
    tail: [fence, "", "</details>"],
    more: (left) => `@@ … and ${plural(left, "more line")} @@`,
    priority: 5,
  };
}

function messages({ messages: all }: Review): Block[] {
  const line = ({ severity, urn, text }: Review["messages"][number]) =>
    `- ${severity === "error" ? "❌ " : ""}${urn ? `${prose(nameOf(urn))}: ` : ""}${prose(text)}`;
  return all.length === 0 ? [] : [bullets("What the program says", all.map(line), 3)];
}

function footer({ isWhole }: Review): string {
  return (
    "<sub>A preview is an estimate: what depends on values that AWS only tells at the deployment may turn out smaller. " +
    `Secrets are never shown.${isWhole ? "" : " Made from a preview without unchanged resources."}</sub>`
  );
}

/** The program refused its settings, or the engine the program: say so, and nothing that would look like a review. */
function failureReport(review: Review, limit: number): string {
  const errors = review.messages.filter(({ severity }) => severity === "error");
  const lines = errors.sort((a, b) => byName(a.text, b.text)).flatMap(({ text }) => text.split("\n"));
  const fence = fenceFor(lines);
  const blocks: Block[] = [
    fixed(
      marker(review),
      `## ${headlineOf(review)}`,
      "",
      `Stack **${prose(review.subject.stack)}**, compared with ${prose(review.subject.base)}: the preview fails, so nothing would be changed.`,
      "",
    ),
    {
      head: [`${fence}text`],
      items: lines,
      tail: [fence],
      more: (left) => `… and ${plural(left, "more line")}`,
      priority: 1,
    },
    ...messages({ ...review, messages: review.messages.filter(({ severity }) => severity !== "error") }),
  ];
  return `${fitted(blocks, limit - 1)}\n`;
}
