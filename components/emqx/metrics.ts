/** What nodes tell CloudWatch: where their metrics are, and what they may write. Pure. */

/** Namespace of the nodes' metrics. Their role may write to this one only. */
export const metricsNamespace = "EMQX";

/** 0 for an export of EMQX's data that was stored, 1 for one that failed; told by the node that exports. */
export const exportFailedMetric = "ExportFailed";

/** The dimensions of what is measured of the cluster as a whole. */
export function clusterDimensions(cluster: string): Record<string, string> {
  return { Cluster: cluster };
}

/** For a policy of the nodes' role. The action knows no resources (Service Authorization Reference, Amazon CloudWatch). */
export const writeMetricsStatement = {
  Sid: "WriteMetrics",
  Effect: "Allow",
  Action: "cloudwatch:PutMetricData",
  Resource: "*",
  Condition: { StringEquals: { "cloudwatch:namespace": metricsNamespace } },
};
