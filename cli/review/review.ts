/** From a preview to everything that a report says; no formatting. */
import { type AccessChange, isLoosened } from "./access/safeguard";
import { accessOf } from "./access/access";
import { changeOf, isChanged, isStack, isTagsOnly, type Operation } from "./change/change";
import { type ComponentChange, componentsOf } from "./change/components";
import { type Expiry, expiriesOf } from "./change/expiry";
import { type Exposure, exposureOf, opensFor } from "./change/exposure";
import { Labels } from "./change/labels";
import { type Monthly, monthlyOf } from "./change/monthly";
import { type Level, type Notice, levels } from "./change/notice";
import { noticesOf } from "./change/notices";
import { type Rollout, rolloutOf, rolloutsOf } from "./change/rollout";
import { Side } from "./change/side";
import { type TextChange, textChangesOf } from "./change/texts";
import { byName } from "./change/values";
import type { Gate } from "./gates";
import { gatesMet } from "./gatesMet";
import { type Message, type Preview, nameOf } from "./preview/read";
import { type Topology, topologyOf } from "./topology/topology";

export interface Review {
  /** What is compared with what, in the reader's words. */
  subject: { stack: string; base: string };
  level: Level;
  /** Why the level is what it is: the texts of the notices that have it. */
  reasons: string[];
  counts: Partial<Record<Operation, number>>;
  notices: Notice[];
  rollout: Rollout;
  exposure: Exposure;
  /** How many ways open. */
  opened: number;
  access: AccessChange[];
  /** How many safeguards are weaker afterwards, or may be. */
  loosened: number;
  /** What ends within two months, whether or not anything changes. */
  expiries: Expiry[];
  monthly: Monthly;
  components: ComponentChange[];
  texts: TextChange[];
  topology: Topology;
  messages: Message[];
  isTagsOnly: boolean;
  /** The program or the engine refused the change: there is nothing to review. */
  hasFailed: boolean;
  isWhole: boolean;
  labels: Labels;
  gates: Gate[];
}

export function reviewOf(preview: Preview, subject: Review["subject"], today = new Date()): Review {
  const change = changeOf(preview);
  const before = new Side(change, "before");
  const after = new Side(change, "after", before);
  const rollout = rolloutOf(change);
  const exposure = exposureOf(before, after);
  const access = accessOf(before, after, change);
  const rollouts = rolloutsOf(change);
  const notices = noticesOf({ change, before, after, rollout, rollouts, exposure, access });
  const level = levels[Math.max(0, ...notices.map((notice) => levels.indexOf(notice.level)))] ?? "safe";
  const labels = new Labels(change);
  const hasFailed = change.messages.some(({ severity }) => severity === "error");
  return {
    subject,
    level,
    reasons: level === "safe" ? [] : reasonsFor(level, notices),
    counts: countsOf(change.resources.filter((resource) => !isStack(resource) && resource.custom)),
    notices,
    rollout,
    exposure,
    opened: exposure.rows.filter(opensFor).length,
    access,
    loosened: access.filter(isLoosened).length,
    expiries: expiriesOf(change, today),
    monthly: monthlyOf(before, after, change.isWhole),
    components: componentsOf(change),
    texts: textChangesOf(change, labels),
    topology: topologyOf(change, before, after, exposure.rows),
    messages: unique(change.messages),
    isTagsOnly: change.resources
      .filter((resource) => isChanged(resource) && resource.custom)
      .every(isTagsOnly),
    hasFailed,
    isWhole: change.isWhole,
    labels,
    gates: gatesMet({ notices, exposure, access, rollout, level }),
  };
}

/** Operators' words first: they name the cause, those for clients the effect. */
function reasonsFor(level: Level, notices: Notice[]): string[] {
  const own = notices.filter((notice) => notice.level === level);
  const order = [...own.filter(({ audience }) => audience === "operators"), ...own].map(({ text }) => text);
  return [...new Set(order)];
}

function countsOf(resources: { operation: Operation }[]): Review["counts"] {
  const counts: Review["counts"] = {};
  for (const { operation } of resources) counts[operation] = (counts[operation] ?? 0) + 1;
  return counts;
}

function unique(messages: Message[]): Message[] {
  const seen = new Set<string>();
  return messages
    .filter(({ urn, text }) => !seen.has(`${urn} ${text}`) && seen.add(`${urn} ${text}`))
    .sort(
      (a, b) =>
        byName(a.severity, b.severity) ||
        byName(nameOf(a.urn ?? ""), nameOf(b.urn ?? "")) ||
        byName(a.text, b.text),
    );
}
