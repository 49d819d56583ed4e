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
    for (const { before, custom } of change.resources) {
      if (!before || !custom || before.type.startsWith("pulumi:")) continue;
      const add = (value: unknown, what: string) => {
        const found = text(value);
        if (found !== undefined && found.length >= 8 && !labels.has(found)) labels.set(found, `(${what} of ${before.name})`);
      };
      const isGenerated = (value: string | undefined) =>
        value !== undefined && value.startsWith(before.name) && suffix.test(value.slice(before.name.length));
      add(before.outputs.arn, "ARN");
      add(before.outputs.dnsName, "DNS name");
      if (/^[a-z]+-[0-9a-f]{8,17}$/.test(before.id ?? "")) add(before.id, "id");
      const name = text(before.outputs.name);
      if (isGenerated(name)) add(name, "name");
      if (isGenerated(before.id)) add(before.id, "name");
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
