import { type Context } from "../context";
import { fail } from "../errors";
import { bool, int, json, map, num, out, set, text, type ResourceType } from "../schema";
import type { Props } from "../values";
import { dashboardProblems, type DashboardProblem } from "./dashboardBody";
import { canRecover, instanceTypeFacts } from "./instanceTypes";
import * as names from "./names";
import { atLeast, matches, maxLength, oneOf } from "./validators";

const comparisons = [
  "GreaterThanOrEqualToThreshold",
  "GreaterThanThreshold",
  "LessThanThreshold",
  "LessThanOrEqualToThreshold",
];
const statistics = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];
const sizes = ["Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes"];
const bits = ["Bits", "Kilobits", "Megabits", "Gigabits", "Terabits"];
const units = [
  ...["Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"],
  ...[...sizes, ...bits].flatMap((unit) => [unit, `${unit}/Second`]),
];

const topicArn = /^arn:aws[\w-]*:sns:([\w-]+):\d{12}:[\w-]{1,256}$/;
const ec2Action = /^arn:aws[\w-]*:automate:([\w-]+):ec2:(stop|terminate|reboot|recover)$/;

const action = (value: string): string | undefined =>
  topicArn.test(value) || ec2Action.test(value)
    ? undefined
    : `the simulated region models actions that notify an SNS topic (arn:aws:sns:REGION:ACCOUNT:TOPIC) or ` +
      `stop, terminate, reboot or recover an instance (arn:aws:automate:REGION:ec2:ACTION), got ${JSON.stringify(value)}`;
/** PutMetricAlarm takes five of each. */
const actions = () =>
  set(text({ check: action }), {
    check: (list: string[]) =>
      list.length <= 5 ? undefined : `expected at most 5 actions, got ${list.length}`,
  });

/** 10, 20, 30 or a multiple of 60 seconds. */
const period = (value: number): string | undefined =>
  [10, 20, 30].includes(value) || (value > 0 && value % 60 === 0)
    ? undefined
    : `expected 10, 20, 30 or a multiple of 60, got ${value}`;

export const metricAlarmType: ResourceType = {
  token: names.metricAlarm,
  title: "CloudWatch Metric Alarm",
  tagged: true,
  autoName: { maxLength: 255 },
  properties: {
    actionsEnabled: bool({ default: true }),
    alarmActions: actions(),
    alarmDescription: text({ check: maxLength(1024) }),
    comparisonOperator: text({ check: oneOf(...comparisons) }),
    dimensions: map(text()),
    evaluationPeriods: int({ check: atLeast(1) }),
    insufficientDataActions: actions(),
    metricName: text({ check: maxLength(255) }),
    name: text({
      computed: true,
      forceNew: true,
      check: matches(/^[^]{1,255}$/, "an alarm's name has 1 to 255 characters"),
    }),
    namespace: text({
      check: matches(/^[^:][^]{0,254}$/, "a namespace has 1 to 255 characters and no colon first"),
    }),
    okActions: actions(),
    period: int({ check: period }),
    statistic: text({ check: oneOf(...statistics) }),
    threshold: num(),
    treatMissingData: text({
      default: "missing",
      check: oneOf("missing", "ignore", "breaching", "notBreaching"),
    }),
    unit: text({ check: oneOf(...units) }),
    arn: out(),
  },
  validate(_inputs, problems, given) {
    for (const property of [
      "comparisonOperator",
      "evaluationPeriods",
      "metricName",
      "namespace",
      "period",
      "statistic",
    ]) {
      if (!given.has(property)) {
        problems.add("", `Missing required property '${property}'`);
      }
    }
  },
  create(context, inputs) {
    const name = inputs["name"] as string;
    if (context.find(names.metricAlarm, name)) {
      // PutMetricAlarm would let the second owner overwrite what the first one made, and tell neither.
      fail("AlarmAlreadyExists", `the simulated region keeps two owners from one alarm: ${name} exists`);
    }
    const quota = context.account.seeds.quotas.alarmsPerRegion;
    if (context.list(names.metricAlarm).length >= quota) {
      fail("LimitExceeded", `The maximum number of alarms per region (${quota}) has been reached.`);
    }
    checkAlarm(context, inputs);
    return {
      id: name,
      attributes: {
        name,
        arn: context.arn("cloudwatch", `alarm:${name}`),
      },
    };
  },
  update(context, _alarm, inputs) {
    checkAlarm(context, inputs);
  },
};

/** What PutMetricAlarm refuses beyond the form of single values. */
function checkAlarm(context: Context, inputs: Props): void {
  const invalid = (detail: string) => fail("ValidationError", detail);
  const seconds = inputs["period"] as number;
  const periods = inputs["evaluationPeriods"] as number;
  if (inputs["threshold"] === undefined) {
    invalid("A static threshold alarm needs Threshold");
  }
  // A day where the period is below an hour, else seven (PutMetricAlarm, Period).
  const longest = seconds < 3600 ? 86_400 : 604_800;
  if (seconds * periods > longest) {
    invalid(
      `Metrics cannot be checked across more than ${longest === 86_400 ? "a day" : "seven days"} ` +
        `(EvaluationPeriods * Period must be <= ${longest})`,
    );
  }
  checkDimensions((inputs["dimensions"] ?? {}) as Record<string, string>);
  for (const list of ["alarmActions", "okActions", "insufficientDataActions"]) {
    ((inputs[list] ?? []) as string[]).forEach((arn) => checkAction(context, inputs, arn));
  }
}

function checkDimensions(dimensions: Record<string, string>): void {
  const invalid = (detail: string) => fail("ValidationError", detail);
  if (Object.keys(dimensions).length > 30) {
    invalid("An alarm has at most 30 dimensions");
  }
  for (const [name, value] of Object.entries(dimensions)) {
    if (!/^[\x21-\x7e][\x20-\x7e]{0,254}$/.test(name) || name.startsWith(":")) {
      invalid(
        `Dimension name ${JSON.stringify(name)}: 1 to 255 ASCII characters, neither colon nor blank first`,
      );
    }
    if (!/^[\x20-\x7e]{1,1024}$/.test(value) || value.trim() === "") {
      invalid(`Dimension value ${JSON.stringify(value)}: 1 to 1024 ASCII characters, not all blank`);
    }
  }
}

function checkAction(context: Context, inputs: Props, arn: string): void {
  const invalid = (detail: string) => fail("ValidationError", detail);
  const [, ofTopic] = topicArn.exec(arn) ?? [];
  const [, ofInstance, what] = ec2Action.exec(arn) ?? [];
  const place = ofTopic ?? ofInstance;
  if (place !== context.region) {
    invalid(`Invalid region ${place} specified. Only ${context.region} is supported. (${arn})`);
  }
  if (ofInstance === undefined) {
    return;
  }
  const instance = (inputs["dimensions"] as Record<string, string> | undefined)?.["InstanceId"];
  if (instance === undefined) {
    invalid(`An EC2 action needs the dimension InstanceId: ${arn}`);
  }
  // "The recover action can be used only with StatusCheckFailed_System" (EC2 User Guide, alarm actions).
  if (what === "recover" && inputs["metricName"] !== "StatusCheckFailed_System") {
    invalid(`The recover action is for StatusCheckFailed_System only, not ${String(inputs["metricName"])}`);
  }
  const type = instance && context.find(names.instance, instance)?.attributes["instanceType"];
  const facts = typeof type === "string" ? instanceTypeFacts(type) : undefined;
  // EC2 API reference, InstanceTypeInfo: AutoRecoverySupported is about this very action.
  if (what === "recover" && facts && !canRecover(facts)) {
    invalid(`The recover action is not supported for instance ${instance} of type ${String(type)}.`);
  }
}

export const dashboardType: ResourceType = {
  token: names.dashboard,
  title: "CloudWatch Dashboard",
  properties: {
    dashboardBody: json({ required: true }),
    dashboardName: text({
      required: true,
      forceNew: true,
      check: matches(/^[0-9A-Za-z_-]{1,255}$/, "a dashboard's name has 1 to 255 characters of 0-9A-Za-z_-"),
    }),
    dashboardArn: out(),
  },
  create(context, inputs) {
    const name = inputs["dashboardName"] as string;
    if (context.find(names.dashboard, name)) {
      // PutDashboard would overwrite, as PutMetricAlarm does.
      fail(
        "DashboardAlreadyExists",
        `the simulated region keeps two owners from one dashboard: ${name} exists`,
      );
    }
    checkDashboard(inputs);
    return {
      id: name,
      attributes: { dashboardArn: context.globalArn("cloudwatch", `dashboard/${name}`) },
    };
  },
  update(_context, _dashboard, inputs) {
    checkDashboard(inputs);
  },
};

function checkDashboard(inputs: Props): void {
  const problems: DashboardProblem[] = dashboardProblems(JSON.parse(inputs["dashboardBody"] as string));
  if (problems.length > 0) {
    fail(
      "InvalidParameterInput",
      `The dashboard body is invalid, there are ${problems.length} validation errors: ${JSON.stringify(problems)}`,
    );
  }
}
