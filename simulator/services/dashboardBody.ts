/**
 * A dashboard's body, checked against "Dashboard Body Structure and Syntax" (CloudWatch API Reference). Widget types
 * and properties that nothing here uses are refused as not modelled.
 */
export interface DashboardProblem {
  dataPath: string;
  message: string;
}

type Fields = Record<string, unknown>;

/** The check of one value: what is wrong with it, or nothing. */
type Check = (value: unknown) => string | undefined;

interface Field {
  check: Check;
  required?: boolean;
}

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const wholeNumber =
  (min: number, max: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : `Should be a whole number from ${min} to ${max}`;
const string: Check = (value) => (typeof value === "string" ? undefined : "Should be a string");
const boolean: Check = (value) => (typeof value === "boolean" ? undefined : "Should be true or false");
const number: Check = (value) => (typeof value === "number" ? undefined : "Should be a number");
const object: Check = (value) => (isObject(value) ? undefined : "Should be an object");
const oneOf =
  (...allowed: string[]): Check =>
  (value) =>
    allowed.includes(value as string) ? undefined : `Should be one of ${allowed.join(", ")}`;
const listOf =
  (min: number, max: number): Check =>
  (value) =>
    Array.isArray(value) && value.length >= min && value.length <= max
      ? undefined
      : `Should be a list of ${min} to ${max}`;

const body: Record<string, Field> = {
  widgets: { check: listOf(0, 500), required: true },
  start: { check: string },
  end: { check: string },
  periodOverride: { check: oneOf("auto", "inherit") },
};

/** The grid has 24 columns. */
const widget: Record<string, Field> = {
  type: { check: oneOf("alarm", "log", "metric", "text"), required: true },
  x: { check: wholeNumber(0, 23) },
  y: { check: wholeNumber(0, Number.MAX_SAFE_INTEGER) },
  width: { check: wholeNumber(1, 24) },
  height: { check: wholeNumber(1, 1000) },
  properties: { check: object, required: true },
};

const period: Check = (value) =>
  [1, 5, 10, 20, 30].includes(value as number) || (typeof value === "number" && value > 0 && value % 60 === 0)
    ? undefined
    : "Should be 1, 5, 10, 20, 30 or a multiple of 60";

const properties: Record<string, Record<string, Field>> = {
  alarm: {
    alarms: { check: listOf(1, 100), required: true },
    sortBy: { check: oneOf("default", "stateUpdatedTimestamp", "timestamp") },
    states: { check: listOf(1, 3) },
    title: { check: string },
  },
  log: {
    query: { check: string, required: true },
    region: { check: string, required: true },
    title: { check: string },
    view: { check: oneOf("table", "timeSeries", "bar", "pie") },
  },
  metric: {
    annotations: { check: object },
    legend: { check: object },
    metrics: { check: listOf(1, 500) },
    period: { check: period },
    region: { check: string, required: true },
    stacked: { check: boolean },
    stat: { check: string },
    title: { check: string },
    view: { check: oneOf("timeSeries", "singleValue", "gauge", "bar", "pie", "table") },
    yAxis: { check: object },
  },
  text: {
    background: { check: oneOf("solid", "transparent") },
    markdown: { check: string, required: true },
  },
};

/** What one metric of a graph may say about itself. */
const rendering: Record<string, Field> = {
  color: { check: string },
  id: { check: string },
  label: { check: string },
  period: { check: period },
  stat: { check: string },
  visible: { check: boolean },
  yAxis: { check: oneOf("left", "right") },
};

const horizontal: Record<string, Field> = {
  color: { check: string },
  fill: { check: oneOf("above", "below", "none") },
  label: { check: string },
  value: { check: number, required: true },
  yAxis: { check: oneOf("left", "right") },
};

/** Metrics of a whole dashboard (CloudWatch service quotas). */
const mostMetrics = 2500;

export function dashboardProblems(dashboard: unknown): DashboardProblem[] {
  const problems: DashboardProblem[] = [];
  const add = (dataPath: string, message: string) => problems.push({ dataPath, message });
  if (!isObject(dashboard)) {
    add("", "Should be an object");
    return problems;
  }
  checkFields(body, dashboard, "", add);
  const widgets = Array.isArray(dashboard["widgets"]) ? dashboard["widgets"] : [];
  widgets.forEach((entry, i) => checkWidget(entry, `/widgets/${i}`, add));
  const metrics = widgets.flatMap((entry: unknown) => metricsOf(entry));
  if (metrics.length > mostMetrics) {
    add("/widgets", `Should have at most ${mostMetrics} metrics, has ${metrics.length}`);
  }
  return problems;
}

type Add = (dataPath: string, message: string) => void;

function checkFields(fields: Record<string, Field>, value: Fields, path: string, add: Add): void {
  for (const [key, field] of Object.entries(fields)) {
    if (value[key] === undefined) {
      if (field.required) {
        add(path, `Should have required property '${key}'`);
      }
    } else {
      const problem = field.check(value[key]);
      if (problem !== undefined) {
        add(`${path}/${key}`, problem);
      }
    }
  }
  for (const key of Object.keys(value).filter((key) => !fields[key])) {
    add(`${path}/${key}`, "Is not a property, or not one that the simulated region models");
  }
}

function checkWidget(entry: unknown, path: string, add: Add): void {
  if (!isObject(entry)) {
    add(path, "Should be an object");
    return;
  }
  checkFields(widget, entry, path, add);
  const { x, width, type } = entry;
  if (typeof x === "number" && typeof width === "number" && x + width > 24) {
    add(path, `Should end within the 24 columns, ends at ${x + width}`);
  }
  const fields = properties[type as string];
  if (!fields || !isObject(entry["properties"])) {
    return;
  }
  const own = entry["properties"];
  checkFields(fields, own, `${path}/properties`, add);
  if (type === "metric") {
    checkMetricWidget(own, `${path}/properties`, add);
  }
  if (type === "alarm" && Array.isArray(own["alarms"])) {
    own["alarms"].forEach((arn: unknown, i) => {
      if (!/^arn:aws[\w-]*:cloudwatch:[\w-]+:\d{12}:alarm:.{1,255}$/.test(String(arn))) {
        add(`${path}/properties/alarms/${i}`, "Should be the ARN of an alarm");
      }
    });
  }
}

function checkMetricWidget(own: Fields, path: string, add: Add): void {
  if (own["metrics"] === undefined && own["annotations"] === undefined) {
    add(path, "Should have required property 'metrics'");
  }
  (Array.isArray(own["metrics"]) ? own["metrics"] : []).forEach((metric: unknown, i) =>
    checkMetric(metric, `${path}/metrics/${i}`, add),
  );
  const lines = isObject(own["annotations"]) ? own["annotations"]["horizontal"] : undefined;
  (Array.isArray(lines) ? lines : []).forEach((line: unknown, i) =>
    checkFields(horizontal, isObject(line) ? line : {}, `${path}/annotations/horizontal/${i}`, add),
  );
}

/** `[namespace, name, dimension, value, …, { rendering }]`. */
function checkMetric(metric: unknown, path: string, add: Add): void {
  if (!Array.isArray(metric)) {
    add(path, "Should be a list");
    return;
  }
  const words: unknown[] = metric.filter((word) => typeof word === "string");
  const last: unknown = metric.at(-1);
  const options = isObject(last) ? [last] : [];
  if (words.length + options.length !== metric.length || words.length < 2 || words.length % 2 !== 0) {
    add(path, "Should be namespace, metric name, pairs of dimension and value, and at most one object");
  }
  options.forEach((fields) => checkFields(rendering, fields, path, add));
}

function metricsOf(entry: unknown): unknown[] {
  const own = isObject(entry) && isObject(entry["properties"]) ? entry["properties"] : {};
  return Array.isArray(own["metrics"]) ? own["metrics"] : [];
}
