import { accountNumber } from "../storedResource";
import { type Context } from "../context";
import { fail } from "../errors";
import { bool, int, list, map, object, out, text, type ResourceType } from "../schema";
import type { Props } from "../values";
import * as names from "./names";
import { trusts } from "./policyDocuments";
import { arn, between, matches, oneOf } from "./validators";

const policiesPerRegion = 100;
const mostSchedules = 4;
const mostTags = 45;
const mostYears = 100;
const daysOf: Record<string, number> = { DAYS: 1, WEEKS: 7, MONTHS: 31, YEARS: 366 };

const schedule = object({
  name: text({
    required: true,
    check: (name: string) =>
      name.length <= 120 ? undefined : `a schedule's name has at most 120 characters, got ${name.length}`,
  }),
  copyTags: bool({ computed: true }),
  createRule: object(
    {
      interval: int({ check: oneOf(1, 2, 3, 4, 6, 8, 12, 24) }),
      intervalUnit: text({ computed: true, check: oneOf("HOURS") }),
      times: text({ check: matches(/^([01]\d|2[0-3]):[0-5]\d$/, "a time is HH:MM, 00:00 to 23:59") }),
    },
    { required: true },
  ),
  retainRule: object(
    {
      count: int({ check: between(1, 1000) }),
      interval: int({ check: (n: number) => (n >= 1 ? undefined : `expected at least 1, got ${n}`) }),
      intervalUnit: text({ check: oneOf(...Object.keys(daysOf)) }),
    },
    { required: true },
  ),
});

/** Data Lifecycle Manager's snapshots of volumes. Nothing here ever takes one: the region has no snapshots. */
export const snapshotPolicyType: ResourceType = {
  token: names.snapshotPolicy,
  title: "DLM Lifecycle Policy",
  tagged: true,
  properties: {
    description: text({
      required: true,
      check: matches(/^[0-9A-Za-z _-]{1,500}$/, "1 to 500 letters, digits, spaces, hyphens or underscores"),
    }),
    executionRoleArn: text({ required: true, check: arn }),
    state: text({ default: "ENABLED", check: oneOf("ENABLED", "DISABLED") }),
    policyDetails: object(
      {
        policyType: text({ default: "EBS_SNAPSHOT_MANAGEMENT", check: oneOf("EBS_SNAPSHOT_MANAGEMENT") }),
        resourceTypes: list(text({ check: oneOf("VOLUME") })),
        targetTags: map(text()),
        schedules: list(schedule),
      },
      { required: true },
    ),
    arn: out(),
  },
  create(context, inputs) {
    if (context.list(names.snapshotPolicy).length >= policiesPerRegion) {
      fail("LimitExceededException", `at most ${policiesPerRegion} lifecycle policies in a region`);
    }
    refuse(context, inputs);
    const id = `policy-0${context.account.hex(16)}`;
    return { id, attributes: { arn: context.arn("dlm", `policy/${id}`) } };
  },
  update(context, policy, inputs) {
    refuse(context, inputs, policy.id);
  },
};

function refuse(context: Context, inputs: Props, self?: string): void {
  const bad = (detail: string) => fail("InvalidRequestException", detail);
  checkRole(context, inputs["executionRoleArn"] as string);
  const details = inputs["policyDetails"] as Props;
  const targets = Object.entries((details["targetTags"] ?? {}) as Record<string, string>);
  const schedules = (details["schedules"] ?? []) as Props[];
  if (((details["resourceTypes"] ?? []) as string[]).length !== 1) {
    bad("resourceTypes is required, with exactly one type of resource");
  }
  if (targets.length === 0 || targets.length > mostTags) {
    bad(`targetTags needs 1 to ${mostTags} tags, got ${targets.length}`);
  }
  if (schedules.length === 0 || schedules.length > mostSchedules) {
    bad(`a policy has 1 to ${mostSchedules} schedules, got ${schedules.length}`);
  }
  schedules.forEach(refuseSchedule);
  for (const other of context.list(names.snapshotPolicy)) {
    const tags = ((other.attributes["policyDetails"] as Props)["targetTags"] ?? {}) as Record<string, string>;
    const shared = targets.find(([key, value]) => tags[key] === value);
    if (other.id !== self && shared) {
      bad(`The following target tags are already in use by ${other.id}: ${shared.join("=")}`);
    }
  }
}

function refuseSchedule(given: Props): void {
  const bad = (detail: string) => fail("InvalidRequestException", `${String(given["name"])}: ${detail}`);
  const create = given["createRule"] as Props;
  if (create["interval"] === undefined) {
    bad("the create rule needs an interval");
  }
  const { count, interval, intervalUnit } = given["retainRule"] as Record<string, number | string>;
  if ((count === undefined) === (interval === undefined)) {
    bad("the retain rule needs either a count or an interval");
  }
  if ((interval === undefined) !== (intervalUnit === undefined)) {
    bad("the retain rule needs an interval and its unit together");
  }
  const days = Number(interval ?? 0) * (daysOf[String(intervalUnit)] ?? 0);
  if (days > mostYears * daysOf["YEARS"]!) {
    bad(`snapshots are kept for at most ${mostYears} years`);
  }
}

function checkRole(context: Context, roleArn: string): void {
  const name = new RegExp(`^arn:[\\w-]+:iam::${accountNumber}:role/(?:.*/)?([^/]+)$`).exec(roleArn)?.[1];
  const role = name === undefined ? undefined : context.findGlobal(names.role, name);
  if (!role || !trusts(role.attributes["assumeRolePolicy"] as string, "dlm.amazonaws.com")) {
    fail(
      "InvalidRequestException",
      `Invalid execution role: ${roleArn} must exist and trust dlm.amazonaws.com`,
    );
  }
}
