/** The review for machines. `version` changes when a field changes its meaning or goes. */
import { nameOf } from "../preview/read";
import type { Review } from "../review";
import { headlineOf } from "./markdown";

export function jsonOf(review: Review): object {
  const { subject, level, reasons, counts, notices, rollout, exposure, components, texts, messages } = review;
  const names = (resources: { name: string }[]) => resources.map(({ name }) => name);
  return {
    version: 2,
    stack: subject.stack,
    base: subject.base,
    verdict: { level: review.hasFailed ? "fails" : level, headline: headlineOf(review), reasons },
    gates: review.gates,
    isWhole: review.isWhole,
    counts,
    notices: notices.map(({ audience, level: own, text }) => ({
      audience,
      level: own,
      text: review.labels.apply(text),
    })),
    expiries: review.expiries.map(({ what, name, ends, days }) => ({
      what,
      resource: name,
      expires: ends.toISOString(),
      days,
    })),
    nodes: {
      total: rollout.total,
      restarted: names(rollout.restarted),
      added: names(rollout.added),
      removed: names(rollout.removed),
      atOnce: rollout.atOnce,
      turns: rollout.turns,
      reasons: rollout.reasons,
    },
    exposure: {
      alarms: exposure.alarms,
      ways: exposure.rows.map(({ from, to, port, purpose, before, after }) => ({
        from,
        to,
        port,
        purpose,
        before: before ?? "closed",
        after: after ?? "closed",
      })),
    },
    access: review.access,
    monthly: review.monthly,
    components: components.map(({ path, type, operation, renamedFrom, resources, unchanged }) => ({
      path,
      type,
      operation,
      renamedFrom,
      unchanged,
      resources: resources.map((resource) => ({
        name: resource.name,
        type: resource.type,
        operation: resource.operation,
        renamedFrom: resource.renamedFrom && nameOf(resource.renamedFrom),
        properties: resource.properties.map(({ path: property, forcesReplacement }) => ({
          path: property,
          forcesReplacement,
        })),
      })),
    })),
    texts: texts.map(({ property, resources, added, removed }) => ({ property, resources, added, removed })),
    messages: messages.map(({ severity, urn, text }) => ({ severity, resource: urn && nameOf(urn), text })),
  };
}
