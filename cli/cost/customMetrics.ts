/** The custom metrics that nodes send when monitoring is on. They are in no resource, but in the agent's configuration. */
import { list, record, text } from "../review/change/values";
import type { CostedResource } from "./charges";

const parameterType = "aws:ssm/parameter:Parameter";
const parameterName = /\/monitoring$/;

/** Metrics of one node at least, or undefined where no agent is configured. */
export function metricsPerNode(resources: readonly CostedResource[]): number | undefined {
  const parameter = resources.find(
    ({ type, inputs }) => type === parameterType && parameterName.test(text(inputs.name) ?? ""),
  );
  return parameter && countMetrics(parse(text(parameter.inputs.value) ?? ""));
}

/**
 * Counts what a configuration of the CloudWatch agent sends: every measurement, once for each resource that is named,
 * and every selector of Prometheus metrics. Dimensions that are only known on the node can make it more.
 */
export function countMetrics(configuration: unknown): number {
  const root = record(configuration);
  const measured = Object.values(record(record(root.metrics).metrics_collected)).flatMap((plugin) =>
    list(plugin).map((entry) => {
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
