/**
 * The alarms, as a table. A description is what the person reads who is woken: what it means, and what to do first.
 * docs/monitoring.md says more under the alarm's name.
 */
import { exportFailedMetric, metricsNamespace } from "../emqx/metrics";
import { dataVolumeMetric, memoryMetric } from "./agent";

export interface Alarm {
  /** The end of the alarm's name. */
  name: string;
  description: string;
  namespace: string;
  metricName: string;
  statistic: "Average" | "Maximum" | "Minimum" | "Sum";
  comparisonOperator: "GreaterThanOrEqualToThreshold" | "GreaterThanThreshold" | "LessThanThreshold";
  threshold: number;
  /** Seconds of one data point. */
  period: number;
  /** How many data points in a row must be beyond the threshold. */
  evaluationPeriods: number;
  treatMissingData: "missing" | "ignore" | "breaching" | "notBreaching";
  /** What EC2 does with the instance by itself. */
  instanceAction?: "recover" | "reboot";
  /** Whether silence is told, too. */
  tellsSilence?: boolean;
}

/** Where EMQX raises its own alarm: sysmon.os.cpu_high_watermark, default 80%. */
export const cpuThresholdPercent = 80;
/** Likewise: sysmon.os.sysmem_high_watermark, default 70%. */
export const memoryThresholdPercent = 70;
/** A fifth is left: growing takes a person, and a volume that was changed cannot be changed again for hours. */
export const dataVolumeThresholdPercent = 80;

const minute = 60;
const fiveMinutes = 300;
const hour = 3600;
const day = 86_400;

/**
 * Of a Network Load Balancer: of one of its target groups, all of which have the same targets and the same check ("Reporting
 * criteria" in CloudWatch metrics for your Network Load Balancer), and of itself.
 */
export const targetGroupAlarms: Alarm[] = [
  {
    namespace: "AWS/NetworkELB",
    period: minute,
    name: "no-healthy-target",
    description:
      "No node has been healthy at the Network Load Balancer for 3 minutes: it sends clients to all nodes alike, and none may " +
      "answer. If the only node is being replaced, wait for it. Else first: are the instances running (aws ec2 " +
      "describe-instance-status), and what does the target group say of them (aws elbv2 describe-target-health)?",
    metricName: "HealthyHostCount",
    statistic: "Maximum",
    comparisonOperator: "LessThanThreshold",
    threshold: 1,
    evaluationPeriods: 3,
    treatMissingData: "breaching",
  },
  {
    namespace: "AWS/NetworkELB",
    period: minute,
    name: "unhealthy-targets",
    description:
      "A registered node has failed the Network Load Balancer's health check (HTTP /status on port 18083) for 10 minutes: " +
      "EMQX does not run there, or the machine is stuck. Its clients stay connected, new ones go elsewhere. First: the reason " +
      "(aws elbv2 describe-target-health), then on the node: systemctl status emqx, and /var/log/emqx.",
    metricName: "UnHealthyHostCount",
    statistic: "Minimum",
    comparisonOperator: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    evaluationPeriods: 10,
    treatMissingData: "notBreaching",
  },
];

export const networkLoadBalancerAlarms: Alarm[] = [
  {
    namespace: "AWS/NetworkELB",
    period: fiveMinutes,
    name: "port-allocation-errors",
    description:
      "The Network Load Balancer has run out of ports to a node for 5 minutes: new clients fail to connect. It has 55,000 to a " +
      "node and zone for clients whose address it does not pass on (PrivateLink, IPv6). First: which clients are these? More " +
      "nodes help at once.",
    metricName: "PortAllocationErrorCount",
    statistic: "Sum",
    comparisonOperator: "GreaterThanThreshold",
    threshold: 0,
    evaluationPeriods: 1,
    treatMissingData: "notBreaching",
  },
  {
    namespace: "AWS/NetworkELB",
    period: fiveMinutes,
    name: "rejected-flows",
    description:
      "The Network Load Balancer has turned connections away for 15 minutes, because it grew slower than they came. First: did " +
      "all clients lose their connection at once and come back together? If they are many all the time, ask AWS to reserve " +
      "capacity (aws elbv2 modify-capacity-reservation).",
    metricName: "RejectedFlowCount",
    statistic: "Sum",
    comparisonOperator: "GreaterThanThreshold",
    threshold: 0,
    evaluationPeriods: 3,
    treatMissingData: "notBreaching",
  },
];

/**
 * Of the load balancer. Its metrics come every minute, and but for the two counts of hosts only when there is something
 * to count ("Reporting criteria" in CloudWatch metrics for your Classic Load Balancer): no data is good news there.
 */
export function loadBalancerAlarms(nodeCount: number): Alarm[] {
  const common = { namespace: "AWS/ELB", period: minute };
  return [
    {
      ...common,
      name: "no-healthy-host",
      description:
        "No node has been in service at the load balancer for 3 minutes: no client can connect. If the only node is " +
        "being replaced, wait for it. Else first: are the instances running (aws ec2 describe-instance-status), and " +
        "what does the load balancer say of them (aws elb describe-instance-health)?",
      metricName: "HealthyHostCount",
      statistic: "Maximum",
      comparisonOperator: "LessThanThreshold",
      threshold: 1,
      evaluationPeriods: 3,
      // The count is reported as long as instances are registered: none reported is none registered.
      treatMissingData: "breaching",
    },
    {
      ...common,
      name: "healthy-hosts",
      description:
        `Fewer than ${nodeCount} nodes have been in service at the load balancer for 20 minutes, longer than the ` +
        "replacement of one node takes. The others serve. First: which instance is missing or out of service, and " +
        "why (aws elb describe-instance-health)? Then its console log, which ends with what its boot waits for.",
      metricName: "HealthyHostCount",
      // The load balancer's own nodes may disagree for a moment; Average and Maximum are what AWS advises.
      statistic: "Maximum",
      comparisonOperator: "LessThanThreshold",
      threshold: nodeCount,
      // A node has 15 minutes to become ready unless rollout.readinessTimeoutSeconds says otherwise, and 5 to go and come back.
      evaluationPeriods: 20,
      treatMissingData: "breaching",
    },
    {
      ...common,
      name: "unhealthy-hosts",
      description:
        "A registered node has failed the load balancer's health check (HTTP /status on port 18083) for 10 minutes: " +
        "EMQX does not run there, or the machine is stuck. First: the reason (aws elb describe-instance-health), then " +
        "on the node: systemctl status emqx, and /var/log/emqx.",
      metricName: "UnHealthyHostCount",
      statistic: "Minimum",
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      threshold: 1,
      // A new node is registered before EMQX runs, and takes a few minutes; between two nodes the count is 0 again.
      evaluationPeriods: 10,
      treatMissingData: "notBreaching",
    },
    {
      ...common,
      name: "surge-queue",
      description:
        "More than 100 connections have waited for a node for 5 minutes; at 1,024 the load balancer turns clients " +
        "away. First: are all nodes in service, and is one busy (CPU on the dashboard)? Did all clients lose their " +
        "connection at once and come back together?",
      metricName: "SurgeQueueLength",
      // The peak is what fills the queue.
      statistic: "Maximum",
      comparisonOperator: "GreaterThanThreshold",
      // A tenth of the queue's 1,024 places (same page of AWS, SpilloverCount).
      threshold: 100,
      evaluationPeriods: 5,
      treatMissingData: "notBreaching",
    },
    {
      ...common,
      name: "spillover",
      description:
        "The load balancer has turned connections away, because its queue of 1,024 was full: clients fail to connect. " +
        "First: are all nodes in service and below full CPU? If so, the cluster is too small for this many " +
        "connections at once: more nodes, or a larger instance type.",
      metricName: "SpilloverCount",
      statistic: "Sum",
      comparisonOperator: "GreaterThanThreshold",
      threshold: 0,
      evaluationPeriods: 1,
      treatMissingData: "notBreaching",
    },
    {
      ...common,
      name: "backend-connection-errors",
      description:
        "For 15 minutes the load balancer has failed to connect to nodes, more often than the health checks of a " +
        "booting node explain. First: which node is out of service (aws elb describe-instance-health)? If none is: " +
        "has a node reached its limit of connections or files (journalctl -u emqx, /var/log/emqx)?",
      metricName: "BackendConnectionErrors",
      statistic: "Sum",
      comparisonOperator: "GreaterThanThreshold",
      // Failed health checks count as well: one every 10 s from each zone makes 30 in 5 minutes, 240 with eight zones.
      threshold: 300,
      period: fiveMinutes,
      evaluationPeriods: 3,
      treatMissingData: "notBreaching",
    },
  ];
}

/**
 * Of a node's instance, by its id. Its metrics stop with it, at every replacement: no data says nothing, and for
 * alarms that act on an instance AWS advises the same.
 */
export function instanceAlarms(node: number): Alarm[] {
  const common = { namespace: "AWS/EC2", treatMissingData: "missing" as const };
  const check = {
    ...common,
    statistic: "Maximum" as const,
    comparisonOperator: "GreaterThanOrEqualToThreshold" as const,
    threshold: 1,
    period: minute,
  };
  return [
    {
      ...check,
      name: "system-check",
      description:
        `The machine under node ${node} fails AWS's system status check. EC2 is moving the instance to another one ` +
        "(recover): same id, address and disks, and EMQX starts again with it. First: wait 10 minutes. If it does not " +
        "come back, stop and start the instance, or replace it (see the documentation).",
      metricName: "StatusCheckFailed_System",
      // Two minutes before recovery and three before a reboot, so that they do not meet: AWS's own advice for the pair.
      evaluationPeriods: 2,
      instanceAction: "recover",
    },
    {
      ...check,
      name: "instance-check",
      description:
        `Node ${node}'s operating system fails AWS's instance status check: it does not answer. EC2 is rebooting it. ` +
        "First: wait 5 minutes. If the alarm stays or returns, read the instance's console log (memory used up, file " +
        "system errors) and replace the instance; the data volume stays.",
      metricName: "StatusCheckFailed_Instance",
      evaluationPeriods: 3,
      instanceAction: "reboot",
    },
    {
      ...common,
      name: "cpu",
      description:
        `Node ${node} has used ${cpuThresholdPercent} % of its CPU for 15 minutes. First: is it this node only (a subscriber of ` +
        "everything, a rule that loops) or all (more traffic than before: a larger instance type or more nodes)? " +
        "emqx ctl broker stats and the dashboard's top clients tell.",
      metricName: "CPUUtilization",
      statistic: "Average",
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      threshold: cpuThresholdPercent,
      // Without detailed monitoring there is a data point every five minutes.
      period: fiveMinutes,
      evaluationPeriods: 3,
    },
  ];
}

/**
 * Of a node, by its name: what the CloudWatch agent on it measures. A node that is being replaced is silent for some
 * minutes, which must neither raise an alarm nor end one.
 */
export function nodeAlarms(node: number): Alarm[] {
  const common = {
    namespace: metricsNamespace,
    statistic: "Average" as const,
    comparisonOperator: "GreaterThanOrEqualToThreshold" as const,
    period: fiveMinutes,
    evaluationPeriods: 3,
    treatMissingData: "missing" as const,
  };
  return [
    {
      ...common,
      name: "memory",
      description:
        `Node ${node} has used ${memoryThresholdPercent} % of its memory for 15 minutes; when it is all used, Linux ends EMQX. First: many ` +
        "more clients or sessions than usual, or messages piling up for slow ones (emqx ctl broker stats)? A larger " +
        "instance type is rolled out node by node.",
      metricName: memoryMetric,
      threshold: memoryThresholdPercent,
    },
    {
      ...common,
      name: "data-volume",
      description:
        `Node ${node}'s data volume /var/lib/emqx is ${dataVolumeThresholdPercent} % full; when it is full, EMQX fails. Or, with insufficient ` +
        "data: its CloudWatch agent has been silent for 15 minutes. First: what grows (du -x -d 2 /var/lib/emqx)? " +
        "Raise dataVolume.sizeGiB, then sudo xfs_growfs /var/lib/emqx on the node.",
      metricName: dataVolumeMetric,
      threshold: dataVolumeThresholdPercent,
      // Else a dead agent would never be noticed. One alarm of a node is enough for that.
      tellsSilence: true,
    },
  ];
}

/** Of the exports of EMQX's data, which the cluster makes every so many hours. */
export function exportAlarm(intervalHours: number): Alarm {
  return {
    name: "export",
    description:
      "The last export of EMQX's data has failed, so the newest backup is older than it should be. Or, with " +
      "insufficient data: no node has tried to export for longer than the interval. First: journalctl -u emqx-backup on " +
      "the node with the smallest address, which exports; then by hand: npm run node -- 0 backup here.",
    namespace: metricsNamespace,
    metricName: exportFailedMetric,
    // One that succeeds, by hand say, makes up for one that failed.
    statistic: "Minimum",
    comparisonOperator: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    period: intervalHours * hour,
    evaluationPeriods: 1,
    treatMissingData: "missing",
    // A timer that does not run complains about nothing.
    tellsSilence: true,
  };
}

/** Of a certificate in ACM. */
export const certificateAlarm: Alarm = {
  name: "certificate",
  description:
    "The load balancer's certificate expires in less than 30 days; then no client can connect through TLS. ACM renews " +
    "its own certificates 60 days before, so this one's renewal has failed, or it was imported and nobody renewed it. " +
    "First: aws acm describe-certificate tells which (RenewalSummary, Type).",
  namespace: "AWS/CertificateManager",
  metricName: "DaysToExpiry",
  statistic: "Minimum",
  comparisonOperator: "LessThanThreshold",
  threshold: 30,
  // ACM reports twice a day.
  period: day,
  evaluationPeriods: 1,
  // A new certificate has no data yet, and an expired one has none any more: the alarm stays as it is.
  treatMissingData: "ignore",
};
