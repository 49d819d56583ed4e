/** What AWS refuses of alarms, dashboards and topics, and the code it answers with, at both doors. */
import { names } from "..";
import type { Props } from "../values";
import { MocksDoor, Provider } from "./doors";
import type { Door } from "./world";

interface Row {
  rule: string;
  type: string;
  /** What exists before. */
  given?: (door: Door) => Promise<unknown>;
  inputs: Props;
  /** Nothing: it is accepted. */
  error?: string | RegExp;
}

const topic = "arn:aws:sns:eu-west-1:123456789012:alarms";
const recover = "arn:aws:automate:eu-west-1:ec2:recover";
const reboot = "arn:aws:automate:eu-west-1:ec2:reboot";

const queue: Props = {
  name: "queue",
  namespace: "AWS/ELB",
  metricName: "SurgeQueueLength",
  dimensions: { LoadBalancerName: "emqx-elb" },
  statistic: "Maximum",
  comparisonOperator: "GreaterThanThreshold",
  threshold: 100,
  period: 60,
  evaluationPeriods: 5,
};
const system: Props = {
  ...queue,
  namespace: "AWS/EC2",
  metricName: "StatusCheckFailed_System",
  dimensions: { InstanceId: "i-0123456789abcdef0" },
};
const without = (inputs: Props, ...keys: string[]): Props =>
  Object.fromEntries(Object.entries(inputs).filter(([key]) => !keys.includes(key)));

const graph = {
  type: "metric",
  x: 0,
  y: 0,
  width: 12,
  height: 6,
  properties: { region: "eu-west-1", metrics: [["AWS/ELB", "RequestCount", "LoadBalancerName", "emqx-elb"]] },
};
const dashboard = (...widgets: unknown[]): Props => ({
  dashboardName: "board",
  dashboardBody: JSON.stringify({ widgets }),
});
const drawing = (changes: object) => ({ ...graph, properties: { ...graph.properties, ...changes } });
const alarms = (...list: string[]) => ({ type: "alarm", properties: { alarms: list } });
const alarmArn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:queue";

const alarmRows: Omit<Row, "type">[] = [
  { rule: "alarm as it should be", inputs: { ...queue, alarmActions: [topic], okActions: [topic] } },
  {
    rule: "alarm that exists",
    given: (door) => door.create(names.metricAlarm, "first", queue),
    inputs: queue,
    error: "AlarmAlreadyExists",
  },
  { rule: "alarm name too long", inputs: { ...queue, name: "n".repeat(256) }, error: /1 to 255 characters/ },
  {
    rule: "alarm description too long",
    inputs: { ...queue, alarmDescription: "d".repeat(1025) },
    error: /at most 1024/,
  },
  {
    rule: "comparison operator",
    inputs: { ...queue, comparisonOperator: "GreaterThan" },
    error: /expected one of GreaterThanOrEqualToThreshold/,
  },
  {
    rule: "comparison missing",
    inputs: without(queue, "comparisonOperator"),
    error: /'comparisonOperator'/,
  },
  { rule: "period 0", inputs: { ...queue, period: 0 }, error: /multiple of 60, got 0/ },
  { rule: "period 90", inputs: { ...queue, period: 90 }, error: /multiple of 60, got 90/ },
  { rule: "high-resolution period", inputs: { ...queue, period: 10 } },
  { rule: "statistic", inputs: { ...queue, statistic: "Max" }, error: /expected one of SampleCount/ },
  { rule: "no evaluation", inputs: { ...queue, evaluationPeriods: 0 }, error: /expected at least 1/ },
  {
    rule: "more than a day of short periods",
    inputs: { ...queue, period: 1800, evaluationPeriods: 49 },
    error: /ValidationError: .*more than a day/,
  },
  { rule: "seven days of long periods", inputs: { ...queue, period: 86_400, evaluationPeriods: 7 } },
  {
    rule: "more than seven days",
    inputs: { ...queue, period: 86_400, evaluationPeriods: 8 },
    error: /ValidationError: .*more than seven days/,
  },
  { rule: "no threshold", inputs: without(queue, "threshold"), error: "ValidationError" },
  { rule: "missing data", inputs: { ...queue, treatMissingData: "ok" }, error: /expected one of missing/ },
  { rule: "unit", inputs: { ...queue, unit: "Connections" }, error: /expected one of Seconds/ },
  { rule: "namespace", inputs: { ...queue, namespace: ":EMQX" }, error: /no colon first/ },
  {
    rule: "empty dimension",
    inputs: { ...queue, dimensions: { LoadBalancerName: "" } },
    error: "ValidationError: Dimension value",
  },
  {
    rule: "dimension that is not ASCII",
    inputs: { ...queue, dimensions: { Cluster: "käse" } },
    error: "ValidationError: Dimension value",
  },
  {
    rule: "too many dimensions",
    inputs: { ...queue, dimensions: Object.fromEntries([...Array(31).keys()].map((i) => [`d${i}`, "x"])) },
    error: "ValidationError: An alarm has at most 30 dimensions",
  },
  {
    rule: "too many actions",
    inputs: { ...queue, okActions: [1, 2, 3, 4, 5, 6].map((i) => `${topic}-${i}`) },
    error: /at most 5 actions, got 6/,
  },
  { rule: "action malformed", inputs: { ...queue, alarmActions: ["alarms"] }, error: /SNS topic/ },
  {
    rule: "action in another region",
    inputs: { ...queue, alarmActions: ["arn:aws:sns:us-east-1:123456789012:alarms"] },
    error: "ValidationError: Invalid region us-east-1 specified. Only eu-west-1 is supported.",
  },
  {
    rule: "recovery in another region",
    inputs: { ...system, alarmActions: ["arn:aws:automate:us-east-1:ec2:recover"] },
    error: "ValidationError: Invalid region us-east-1",
  },
  { rule: "recovery of an instance", inputs: { ...system, alarmActions: [recover] } },
  {
    rule: "recovery for another metric",
    inputs: { ...system, metricName: "StatusCheckFailed_Instance", alarmActions: [recover] },
    error: "ValidationError: The recover action",
  },
  {
    rule: "reboot for the instance check",
    inputs: { ...system, metricName: "StatusCheckFailed_Instance", alarmActions: [reboot] },
  },
  {
    rule: "reboot of no instance",
    inputs: { ...queue, alarmActions: [reboot] },
    error: "ValidationError: An EC2 action",
  },
  {
    rule: "metric math is not modelled",
    inputs: { ...queue, metricQueries: [] },
    error: /has no input "metricQueries" in the simulated region/,
  },
];

const dashboardRows: Omit<Row, "type">[] = [
  { rule: "dashboard as it should be", inputs: dashboard(graph, alarms(alarmArn)) },
  { rule: "dashboard without widgets", inputs: dashboard() },
  {
    rule: "dashboard that exists",
    given: (door) => door.create(names.dashboard, "first", dashboard()),
    inputs: dashboard(),
    error: "DashboardAlreadyExists",
  },
  {
    rule: "dashboard name",
    inputs: { ...dashboard(), dashboardName: "emqx/prod" },
    error: /1 to 255 characters/,
  },
  { rule: "dashboard body", inputs: { ...dashboard(), dashboardBody: "{" }, error: /invalid JSON/ },
  {
    rule: "no widgets",
    inputs: { ...dashboard(), dashboardBody: "{}" },
    error: /InvalidParameterInput: .*there are 1 validation errors.*required property 'widgets'/,
  },
  {
    rule: "unknown part of the body",
    inputs: { ...dashboard(), dashboardBody: '{"widgets":[],"title":"x"}' },
    error: /InvalidParameterInput.*\/title/,
  },
  {
    rule: "widget type",
    inputs: dashboard({ ...graph, type: "graph" }),
    error: /InvalidParameterInput.*one of alarm, log/,
  },
  { rule: "widget right of the grid", inputs: dashboard({ ...graph, x: 24 }), error: /from 0 to 23/ },
  { rule: "widget too wide", inputs: dashboard({ ...graph, width: 25 }), error: /from 1 to 24/ },
  { rule: "widget over the edge", inputs: dashboard({ ...graph, x: 13 }), error: /24 columns, ends at 25/ },
  { rule: "half a column", inputs: dashboard({ ...graph, width: 1.5 }), error: /whole number from 1 to 24/ },
  {
    rule: "widget without properties",
    inputs: dashboard({ type: "text" }),
    error: /required property 'properties'/,
  },
  {
    rule: "text without text",
    inputs: dashboard({ type: "text", properties: {} }),
    error: /required property 'markdown'/,
  },
  {
    rule: "graph without a region",
    inputs: dashboard({ ...graph, properties: { metrics: [["A", "b"]] } }),
    error: /required property 'region'/,
  },
  {
    rule: "graph of nothing",
    inputs: dashboard({ ...graph, properties: { region: "eu-west-1" } }),
    error: /required property 'metrics'/,
  },
  {
    rule: "dimension without a value",
    inputs: dashboard(drawing({ metrics: [["AWS/ELB", "RequestCount", "LoadBalancerName"]] })),
    error: /metrics\/0.*pairs of dimension and value/,
  },
  { rule: "graph's period", inputs: dashboard(drawing({ period: 90 })), error: /multiple of 60/ },
  {
    rule: "line without a value",
    inputs: dashboard(drawing({ annotations: { horizontal: [{ label: "x" }] } })),
    error: /required property 'value'/,
  },
  { rule: "no alarms", inputs: dashboard(alarms()), error: /list of 1 to 100/ },
  {
    rule: "too many alarms",
    inputs: dashboard(alarms(...Array<string>(101).fill(alarmArn))),
    error: /list of 1 to 100/,
  },
  { rule: "alarm by name", inputs: dashboard(alarms("queue")), error: /the ARN of an alarm/ },
  {
    rule: "too many widgets",
    inputs: dashboard(...Array<unknown>(501).fill(graph)),
    error: /list of 0 to 500/,
  },
  {
    rule: "too many metrics",
    inputs: dashboard(...Array<unknown>(6).fill(drawing({ metrics: Array<string[]>(500).fill(["A", "b"]) }))),
    error: /at most 2500 metrics, has 3000/,
  },
];

const topicRows: Omit<Row, "type">[] = [
  { rule: "topic as it should be", inputs: { name: "alarms" } },
  {
    rule: "topic that exists",
    given: (door) => door.create(names.topic, "first", { name: "alarms" }),
    inputs: { name: "alarms" },
    error: "InvalidParameter: Invalid parameter: Topic already exists",
  },
  { rule: "topic name", inputs: { name: "emqx/alarms" }, error: /1 to 256 characters/ },
  { rule: "topic's key", inputs: { kmsMasterKeyId: "alias/nowhere" }, error: "KMSNotFound" },
  {
    rule: "FIFO topic",
    inputs: { fifoTopic: true },
    error: /has no input "fifoTopic" in the simulated region/,
  },
];

const rows: Row[] = [
  ...alarmRows.map((row) => ({ ...row, type: names.metricAlarm })),
  ...dashboardRows.map((row) => ({ ...row, type: names.dashboard })),
  ...topicRows.map((row) => ({ ...row, type: names.topic })),
];

let provider: Provider;
beforeAll(async () => {
  provider = await Provider.start();
});
afterAll(() => provider.stop());
beforeEach(() => {
  for (const type of [names.metricAlarm, names.dashboard, names.topic]) {
    provider.cloud.account.list(type, "eu-west-1").forEach((one) => provider.cloud.account.delete(one));
  }
});

async function answer(door: Door, { type, given, inputs }: Row): Promise<string> {
  await given?.(door);
  return door.create(type, "subject", inputs).then(
    () => "(accepted)",
    (error: Error) => error.message,
  );
}

test.each(rows.map((row): [string, Row] => [row.rule, row]))("%s", async (_, row) => {
  const atProvider = await answer(await provider.engine(), row);
  const { error = "(accepted)" } = row;
  if (typeof error === "string") {
    expect(atProvider).toContain(error);
  } else {
    expect(atProvider).toMatch(error);
  }
  // Both doors say the same, in the same words.
  expect(await answer(new MocksDoor(), row)).toBe(atProvider);
});

test("an account has no more alarms than its quota", async () => {
  const { quotas } = provider.cloud.account.seeds;
  const usual = quotas.alarmsPerRegion;
  quotas.alarmsPerRegion = 1;
  try {
    const engine = await provider.engine();
    await engine.create(names.metricAlarm, "first", queue);
    await expect(engine.create(names.metricAlarm, "second", { ...queue, name: "second" })).rejects.toThrow(
      "LimitExceeded: The maximum number of alarms per region (1) has been reached.",
    );
  } finally {
    quotas.alarmsPerRegion = usual;
  }
});

test("everything but its name changes an alarm in place", async () => {
  const engine = await provider.engine();
  const alarm = await engine.create(names.metricAlarm, "a", queue);
  const changed = { ...queue, threshold: 200, dimensions: { LoadBalancerName: "other" }, tags: { a: "b" } };
  expect((await engine.diff(names.metricAlarm, "a", alarm, changed)).replaces).toEqual([]);
  expect(await engine.update(names.metricAlarm, "a", alarm, changed)).toMatchObject({ threshold: 200 });
  expect((await engine.diff(names.metricAlarm, "a", alarm, { ...queue, name: "b" })).replaces).toEqual([
    "name",
  ]);
  await expect(
    engine.update(names.metricAlarm, "a", alarm, { ...queue, evaluationPeriods: 100_000 }),
  ).rejects.toThrow("ValidationError");
});

test("a dashboard's body is compared by meaning, and checked at every change", async () => {
  const engine = await provider.engine();
  const board = await engine.create(names.dashboard, "d", dashboard(graph));
  const spaced = { ...dashboard(), dashboardBody: JSON.stringify({ widgets: [graph] }, null, 2) };
  expect((await engine.diff(names.dashboard, "d", board, spaced)).detailed).toEqual({});
  await expect(engine.update(names.dashboard, "d", board, dashboard({ type: "x" }))).rejects.toThrow(
    "InvalidParameterInput",
  );
  expect(board.outputs["dashboardArn"]).toBe("arn:aws:cloudwatch::123456789012:dashboard/board");
});

test("a topic lets its own account publish", async () => {
  const made = await (await provider.engine()).create(names.topic, "t", { name: "alarms" });
  expect(made.id).toBe("arn:aws:sns:eu-west-1:123456789012:alarms");
  expect(JSON.parse(made.outputs["policy"] as string)).toMatchObject({
    Statement: [{ Condition: { StringEquals: { "AWS:SourceOwner": "123456789012" } } }],
  });
});
