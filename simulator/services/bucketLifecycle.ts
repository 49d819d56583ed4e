import { fail } from "../errors";
import { int, list, object, text, type ResourceType } from "../schema";
import type { Props } from "../values";
import { settingOf } from "./bucketSettings";
import * as names from "./names";
import { atLeast, oneOf } from "./validators";

const mostRules = 1000;

export const bucketLifecycleType: ResourceType = settingOf(
  names.bucketLifecycle,
  "S3 Bucket Lifecycle Configuration",
  {
    rules: list(
      object({
        id: text({
          required: true,
          check: (id: string) =>
            id.length >= 1 && id.length <= 255 ? undefined : `a rule's id has 1 to 255 characters`,
        }),
        status: text({ required: true, check: oneOf("Enabled", "Disabled") }),
        filter: object({
          prefix: text(),
        }),
        expiration: object({
          days: int(),
        }),
        noncurrentVersionExpiration: object({
          noncurrentDays: int({ required: true, check: atLeast(1) }),
        }),
        abortIncompleteMultipartUpload: object({ daysAfterInitiation: int() }),
      }),
    ),
  },
  {
    validate(inputs, problems) {
      const rules = (inputs["rules"] ?? []) as Props[];
      if (rules.length === 0) {
        problems.add("rules", "a lifecycle configuration needs at least one rule");
      }
    },
    refuse(_context, inputs) {
      const rules = inputs["rules"] as Props[];
      if (rules.length > mostRules) {
        fail("MalformedXML", `a bucket has at most ${mostRules} lifecycle rules, got ${rules.length}`);
      }
      const ids = new Set(rules.map(({ id }) => id));
      if (ids.size < rules.length) {
        fail("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule");
      }
      rules.forEach(refuseRule);
    },
  },
);

function refuseRule(rule: Props): void {
  const expiration = rule["expiration"] as Props | undefined;
  const abort = rule["abortIncompleteMultipartUpload"] as Props | undefined;
  if (!expiration && !abort && !rule["noncurrentVersionExpiration"]) {
    fail("InvalidRequest", `At least one action needs to be specified in a rule: ${String(rule["id"])}`);
  }
  if (!rule["filter"]) {
    fail("MalformedXML", `rule ${String(rule["id"])} has no filter; an empty one means all objects`);
  }
  if (expiration) {
    const { days } = expiration;
    if (days === undefined) {
      fail("MalformedXML", `the expiration of rule ${String(rule["id"])} needs days`);
    }
    positive("Days' for Expiration action", days);
  }
  if (abort) {
    positive(
      "DaysAfterInitiation' for AbortIncompleteMultipartUpload action",
      abort["daysAfterInitiation"] ?? 0,
    );
  }
}

function positive(what: string, days: unknown): void {
  if (days !== undefined && !(typeof days === "number" && days > 0)) {
    fail("InvalidArgument", `'${what} must be a positive integer`);
  }
}
