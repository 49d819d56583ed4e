/** The custom metrics that nodes send. They are in no resource, but follow from what parameters tell the nodes. */
import { list, number, record, text } from "../review/change/values";
import type { CostedResource } from "./charges";
import { hoursPerMonth } from "./prices";

const parameterType = "aws:ssm/parameter:Parameter";

interface NodeMetrics {
  /** At least. */
  metrics: number;
  /** Calls of CloudWatch in a month: one for each time of collecting. */
  requests: number;
}

/** What one node sends, or undefined where no agent is configured. */
export function nodeMetrics(resources: readonly CostedResource[]): NodeMetrics | undefined {
  const parameter = parameterNamed(resources, /\/monitoring$/);
  const configuration =
    parameter && parse(text(parameter.inputs.insecureValue) ?? text(parameter.inputs.value) ?? "");
  const metrics = countMetrics(configuration);
  if (metrics === 0) return undefined;
  const interval = number(record(record(configuration).agent).metrics_collection_interval) ?? 60;
  return { metrics, requests: (hoursPerMonth * 3600) / interval };
}

/** How many metrics the cluster sends as a whole: the result of its exports, where backups are on. */
export function clusterMetrics(resources: readonly CostedResource[]): number {
  return parameterNamed(resources, /\/backup$/) === undefined ? 0 : 1;
}

/** The operations that nodes fetch have parameters of these names, too, one level down. */
function parameterNamed(resources: readonly CostedResource[], name: RegExp): CostedResource | undefined {
  return resources.find(({ type, inputs }) => {
    const path = text(inputs.name) ?? "";
    return type === parameterType && name.test(path) && !path.includes("/operations/");
  });
}

/**
 * Counts what a configuration of the CloudWatch agent sends: every measurement, once for each resource that is named,
 * and every selector of Prometheus metrics. Dimensions that are only known on the node can make it more.
 */
export function countMetrics(configuration: unknown): number {
  const root = record(configuration);
  const measured = Object.values(record(record(root.metrics).metrics_collected)).flatMap((plugin) =>
    (Array.isArray(plugin) ? list(plugin) : [plugin]).map((entry) => {
      const { measurement, resources } = record(entry);
      return list(measurement).length * Math.max(1, list(resources).length);
    }),
  );
  const prometheus = record(record(record(root.logs).metrics_collected).prometheus);
  const selected = list(record(prometheus.emf_processor).metric_declaration).map(
    (declaration) => list(record(declaration).metric_selectors).length,
  );
  return [...measured, ...selected].reduce((sum, count) => sum + count, 0);
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
