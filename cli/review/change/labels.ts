import type { Change } from "./change";
import { text } from "./values";

const suffix = /^-[0-9a-f]{6,}$/;

/**
 * Puts names in the place of ids, ARNs and generated names, which say nothing to a reader and are others in every
 * deployment.
 */
export class Labels {
  private readonly labels: [string, string][];

  constructor(change: Change) {
    const labels = new Map<string, string>();
    for (const { before, after, operation, custom } of change.resources) {
      const nextName = text(after?.inputs.name) ?? text(after?.inputs.bucket);
      if (
        (operation === "create" || operation === "replace") &&
        after &&
        nextName &&
        isGenerated(nextName, after.name)
      ) {
        labels.set(nextName, `(new name of ${after.name})`);
      }
      if (!before || !custom || before.type.startsWith("pulumi:")) continue;
      const add = (value: unknown, what: string) => {
        const found = text(value);
        if (found !== undefined && found.length >= 8 && !labels.has(found))
          labels.set(found, `(${what} of ${before.name})`);
      };
      add(before.outputs.arn, "ARN");
      add(before.outputs.dnsName, "DNS name");
      if (/^[a-z]+-[0-9a-f]{8,17}$/.test(before.id ?? "")) add(before.id, "id");
      const name = text(before.outputs.name);
      if (name && isGenerated(name, before.name)) add(name, "name");
      if (before.id && isGenerated(before.id, before.name)) add(before.id, "name");
    }
    this.labels = [...labels].sort(([a], [b]) => b.length - a.length);
  }

  apply(value: string): string {
    return this.labels.reduce(
      (labelled, [id, label]) => (labelled.includes(id) ? labelled.replaceAll(id, label) : labelled),
      value,
    );
  }
}

/** A name with the suffix that the engine gives it, another one in every deployment. */
function isGenerated(value: string, logicalName: string): boolean {
  return value.startsWith(logicalName) && suffix.test(value.slice(logicalName.length));
}
