/** The dashboard: states of all alarms, the load balancer, the nodes, EMQX's errors. In CloudWatch's 24 columns. */
import { metricsNamespace } from "../emqx/metrics";
import { dataVolumeDimensions, dataVolumeMetric, memoryDimensions, memoryMetric } from "./agent";
import { cpuThresholdPercent, dataVolumeThresholdPercent, memoryThresholdPercent } from "./alarms";

export interface DashboardArgs {
  region: string;
  /** Value of the dimension `Cluster`. */
  cluster: string;
  loadBalancerName: string | undefined;
  network: { LoadBalancer: string; TargetGroup: string } | undefined;
  logGroupName: string;
  certificateArn: string | undefined;
  nodes: { instanceId: string; nodeName: string }[];
  /** ARNs of the alarms of load balancer and certificate. */
  sharedAlarmArns: string[];
  /** ARNs of each node's alarms, node 0 first. */
  nodeAlarmArns: string[][];
}

/** A widget without its place. */
interface Widget {
  type: "alarm" | "log" | "metric";
  width: number;
  height: number;
  properties: Record<string, unknown>;
}

/** A metric with its dimensions, and how it is drawn. */
type Metric = (string | Record<string, unknown>)[];

const columns = 24;

/** An alarm widget shows 100 alarms at most (Dashboard Body Structure); five alarms a node make 20 nodes. */
const nodesPerAlarmWidget = 20;

export function dashboardBody(args: DashboardArgs): string {
  const rows = [
    [alarmWidget("Alarms of the cluster", args.sharedAlarmArns)],
    ...nodeAlarmWidgets(args.nodeAlarmArns).map((widget) => [widget]),
    ...(args.loadBalancerName === undefined ? [] : [loadBalancerWidgets(args, args.loadBalancerName)]),
    ...(args.network === undefined ? [] : [networkLoadBalancerWidgets(args, args.network)]),
    nodeWidgets(args),
    networkWidgets(args),
    logWidgets(args),
  ];
  return JSON.stringify({ widgets: placed(rows) });
}

/** Rows from the top, each as high as its highest widget. */
function placed(rows: Widget[][]): object[] {
  let y = 0;
  return rows.flatMap((row) => {
    let x = 0;
    const widgets = row.map(({ type, width, height, properties }) => {
      const widget = { type, x, y, width, height, properties };
      x += width;
      return widget;
    });
    y += Math.max(...row.map(({ height }) => height));
    return widgets;
  });
}

function alarmWidget(title: string, alarms: string[]): Widget {
  return {
    type: "alarm",
    width: columns,
    height: 2 + Math.ceil(alarms.length / 4),
    properties: { title, alarms },
  };
}

function nodeAlarmWidgets(nodeAlarmArns: string[][]): Widget[] {
  const widgets: Widget[] = [];
  for (let first = 0; first < nodeAlarmArns.length; first += nodesPerAlarmWidget) {
    const some = nodeAlarmArns.slice(first, first + nodesPerAlarmWidget);
    const last = first + some.length - 1;
    widgets.push(
      alarmWidget(
        first === last ? `Alarms of node ${first}` : `Alarms of nodes ${first} to ${last}`,
        some.flat(),
      ),
    );
  }
  return widgets;
}

function graph(
  args: DashboardArgs,
  title: string,
  width: number,
  metrics: Metric[],
  more: { period?: number; stat?: string; line?: number; most?: number } = {},
): Widget {
  const { period = 60, stat = "Average", line, most } = more;
  return {
    type: "metric",
    width,
    height: 6,
    properties: {
      title,
      region: args.region,
      view: "timeSeries",
      period,
      stat,
      metrics,
      yAxis: { left: { min: 0, ...(most === undefined ? {} : { max: most }) } },
      ...(line === undefined ? {} : { annotations: { horizontal: [{ label: "alarm", value: line }] } }),
    },
  };
}

function networkLoadBalancerWidgets(
  args: DashboardArgs,
  { LoadBalancer, TargetGroup }: { LoadBalancer: string; TargetGroup: string },
): Widget[] {
  const metric = (name: string, label: string, stat: string, group: string[] = []): Metric => [
    "AWS/NetworkELB",
    name,
    ...group,
    "LoadBalancer",
    LoadBalancer,
    { label, stat },
  ];
  const group = ["TargetGroup", TargetGroup];
  return [
    graph(args, "Nodes at the Network Load Balancer", 8, [
      metric("HealthyHostCount", "healthy", "Maximum", group),
      metric("UnHealthyHostCount", "unhealthy", "Maximum", group),
    ]),
    graph(args, "Connections at the Network Load Balancer", 8, [
      metric("ActiveFlowCount", "open", "Average"),
      metric("NewFlowCount", "made", "Sum"),
      metric("ClientTLSNegotiationErrorCount", "failed at TLS", "Sum"),
    ]),
    graph(args, "Connections turned away", 8, [
      metric("RejectedFlowCount", "turned away", "Sum"),
      metric("PortAllocationErrorCount", "without a port", "Sum"),
    ]),
  ];
}

function loadBalancerWidgets(args: DashboardArgs, loadBalancerName: string): Widget[] {
  const metric = (name: string, label: string, stat: string): Metric => [
    "AWS/ELB",
    name,
    "LoadBalancerName",
    loadBalancerName,
    { label, stat },
  ];
  return [
    graph(args, "Nodes at the load balancer", 8, [
      metric("HealthyHostCount", "in service", "Maximum"),
      metric("UnHealthyHostCount", "out of service", "Minimum"),
    ]),
    graph(args, "Connections a minute", 8, [
      // Of a TCP listener, RequestCount counts connections.
      metric("RequestCount", "made", "Sum"),
      metric("BackendConnectionErrors", "failed at a node", "Sum"),
    ]),
    graph(args, "Connections that wait", 8, [
      metric("SurgeQueueLength", "waiting", "Maximum"),
      metric("SpilloverCount", "turned away", "Sum"),
    ]),
  ];
}

function nodeWidgets(args: DashboardArgs): Widget[] {
  const percent = { period: 300, most: 100 };
  return [
    graph(args, "CPU, percent", 8, ofInstances(args, "CPUUtilization"), {
      ...percent,
      line: cpuThresholdPercent,
    }),
    graph(
      args,
      "Memory used, percent",
      8,
      ofNodes(args, memoryMetric, (nodeName) => memoryDimensions(args.cluster, nodeName)),
      { ...percent, line: memoryThresholdPercent },
    ),
    graph(
      args,
      "Data volume used, percent",
      8,
      ofNodes(args, dataVolumeMetric, (nodeName) => dataVolumeDimensions(args.cluster, nodeName)),
      { ...percent, line: dataVolumeThresholdPercent },
    ),
  ];
}

function networkWidgets(args: DashboardArgs): Widget[] {
  const sum = { period: 300, stat: "Sum" };
  return [
    graph(args, "Bytes received in 5 minutes", 12, ofInstances(args, "NetworkIn"), sum),
    graph(args, "Bytes sent in 5 minutes", 12, ofInstances(args, "NetworkOut"), sum),
  ];
}

function ofInstances({ nodes }: DashboardArgs, name: string): Metric[] {
  return nodes.map(({ instanceId }, k) => [
    "AWS/EC2",
    name,
    "InstanceId",
    instanceId,
    { label: `node ${k}` },
  ]);
}

function ofNodes(
  { nodes }: DashboardArgs,
  name: string,
  dimensionsOf: (nodeName: string) => Record<string, string>,
): Metric[] {
  return nodes.map(({ nodeName }, k) => [
    metricsNamespace,
    name,
    ...Object.entries(dimensionsOf(nodeName)).flat(),
    { label: `node ${k}` },
  ]);
}

function logWidgets(args: DashboardArgs): Widget[] {
  const levels = "error|critical|alert|emergency";
  const logs: Widget = {
    type: "log",
    width: args.certificateArn === undefined ? columns : columns - 6,
    height: 8,
    properties: {
      title: "EMQX's latest errors",
      region: args.region,
      view: "table",
      // Text lines say [error], JSON lines "level":"error".
      query:
        `SOURCE '${args.logGroupName}' | fields @timestamp, @logStream, @message` +
        ` | filter @message like /\\[(${levels})\\]|"level":"(${levels})"/` +
        " | sort @timestamp desc | limit 50",
    },
  };
  return args.certificateArn === undefined ? [logs] : [logs, certificateWidget(args, args.certificateArn)];
}

function certificateWidget(args: DashboardArgs, certificateArn: string): Widget {
  return {
    type: "metric",
    width: 6,
    height: 8,
    properties: {
      title: "Days until the certificate expires",
      region: args.region,
      view: "singleValue",
      period: 86_400,
      stat: "Minimum",
      metrics: [["AWS/CertificateManager", "DaysToExpiry", "CertificateArn", certificateArn]],
    },
  };
}
