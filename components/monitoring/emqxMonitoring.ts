import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import * as cloudwatch from "@pulumi/aws/cloudwatch";
import { getInstanceTypeOutput } from "@pulumi/aws/ec2";
import { getCallerIdentityOutput } from "@pulumi/aws/getCallerIdentity";
import { getPartitionOutput } from "@pulumi/aws/getPartition";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import * as iam from "@pulumi/aws/iam";
import * as sns from "@pulumi/aws/sns";
import * as ssm from "@pulumi/aws/ssm";
import { clusterDimensions, writeMetricsStatement } from "../emqx/metrics";
import {
  agentConfiguration,
  agentConfigurationProblems,
  dataVolumeDimensions,
  dataVolumeMetric,
  memoryDimensions,
} from "./agent";
import {
  certificateAlarm,
  exportAlarm,
  instanceAlarms,
  loadBalancerAlarms,
  networkLoadBalancerAlarms,
  targetGroupAlarms,
  nodeAlarms,
  type Alarm,
} from "./alarms";
import { dashboardBody } from "./dashboard";
import { isServerCertificate } from "../certificate/arn";
import { checkedLater } from "../shared/checkedLater";
import { Members } from "../shared/members";
import { checkDefaultTags } from "../shared/defaultTags";
import { plain, refuse } from "../shared/problems";
import { resolve } from "../shared/resolve";
import {
  monitoringInputs,
  monitoringProblems,
  monitoringWarnings,
  type EmqxMonitoredNodeArgs,
  type EmqxMonitoringArgs,
  type MonitoringSettings,
} from "./settings";
import { tagged } from "../shared/tags";

/**
 * Watches an EMQX cluster with CloudWatch: alarms of load balancer, nodes and certificate that tell an SNS topic, a
 * dashboard, and the nodes' memory, data volume and logs through the CloudWatch agent. The agent's configuration is an
 * SSM parameter that the nodes look for: with it they start the agent, without it they stop it.
 *
 * @example
 * // elb: EmqxClassicElb, nodes: EmqxClusterNodes
 * const monitoring = new EmqxMonitoring("emqx", {
 *   loadBalancerName: elb.loadBalancerName,
 *   nodes: nodes.instanceIds.map((instanceId, i) => ({ instanceId, nodeName: nodes.nodeNames[i] })),
 *   parameterPrefix: nodes.parameterPrefix,
 *   roleName: nodes.roleName,
 * });
 */
export class EmqxMonitoring extends pulumi.ComponentResource {
  /** ARN of the SNS topic that the alarms tell. */
  public readonly alarmTopicArn: pulumi.Output<string>;
  /** Name of the dashboard. */
  public readonly dashboardName: pulumi.Output<string>;
  /** Name of the log group with the nodes' logs. */
  public readonly logGroupName: pulumi.Output<string>;
  /** Names of all alarms. */
  public readonly alarmNames: pulumi.Output<string>[];

  /** All alarms, in the order of `alarmNames`. */
  public get alarms(): cloudwatch.MetricAlarm[] {
    return members.of(this).alarms;
  }
  /** The dashboard. */
  public get dashboard(): cloudwatch.Dashboard {
    return members.of(this).dashboard;
  }
  /** The log group with the nodes' logs. */
  public get logGroup(): cloudwatch.LogGroup {
    return members.of(this).logGroup;
  }

  constructor(name: string, args: EmqxMonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    const subject = `EmqxMonitoring "${name}"`;
    const resolved = resolve(subject, monitoringInputs, args, () => monitoringProblems(name, args));
    super("emqx-aws:index:EmqxMonitoring", name, {}, opts);
    checkDefaultTags(subject, this, args.tags);
    const known = plain(args.certificateArn);
    const { region } = getRegionOutput({}, { parent: this });
    const settings = checkedLater(subject, monitoringInputs, resolved, region);
    const context = createContext(name, this, settings, known);
    warn(this, settings);

    const logGroup = createLogGroup(context);
    const permissions = createPermissions(context);
    createAgentConfiguration(context, logGroup, [logGroup, permissions]);
    const topicArn =
      settings.alarmTopicArn === undefined ? createTopic(context) : pulumi.output(settings.alarmTopicArn);
    const shared = createSharedAlarms(context, topicArn);
    const ofNodes = settings.nodes.map((node, number) => createNodeAlarms(context, topicArn, node, number));
    const dashboard = createDashboard(context, shared, ofNodes);

    this.alarmTopicArn = topicArn;
    this.dashboardName = dashboard.dashboardName;
    this.logGroupName = logGroup.name;
    const alarms = [shared, ...ofNodes].flat();
    this.alarmNames = alarms.map((alarm) => alarm.name);
    members.keep(this, { alarms, dashboard, logGroup });
    this.registerOutputs({
      alarmTopicArn: this.alarmTopicArn,
      dashboardName: this.dashboardName,
      logGroupName: this.logGroupName,
      alarmNames: this.alarmNames,
    });
  }
}

const members = new Members<
  EmqxMonitoring,
  { alarms: cloudwatch.MetricAlarm[]; dashboard: cloudwatch.Dashboard; logGroup: cloudwatch.LogGroup }
>();

/** What everything here needs; all of it is known at preview if the arguments are. */
interface Context {
  name: string;
  parent: EmqxMonitoring;
  args: MonitoringSettings;
  prefix: pulumi.Output<string>;
  partition: pulumi.Output<string>;
  region: pulumi.Output<string>;
  accountId: pulumi.Output<string>;
  /** The certificate, if CloudWatch knows it. */
  certificateArn: pulumi.Input<string> | undefined;
  /** Whether EC2 recovers instances of the nodes' type. */
  recovers: pulumi.Output<boolean>;
}

function createContext(
  name: string,
  parent: EmqxMonitoring,
  args: MonitoringSettings,
  knownCertificateArn: string | undefined,
): Context {
  return {
    name,
    parent,
    args,
    prefix: pulumi.output(args.parameterPrefix),
    partition: getPartitionOutput({}, { parent }).partition,
    region: getRegionOutput({}, { parent }).region,
    accountId: getCallerIdentityOutput({}, { parent }).accountId,
    certificateArn:
      knownCertificateArn !== undefined && isServerCertificate(knownCertificateArn)
        ? undefined
        : args.certificateArn,
    recovers: recovers(parent, args.instanceType),
  };
}

/** CloudWatch refuses an alarm that is to recover an instance of a type for which EC2 cannot (InstanceTypeInfo, EC2 API). */
function recovers(parent: EmqxMonitoring, instanceType: string | undefined): pulumi.Output<boolean> {
  if (instanceType === undefined) {
    return pulumi.output(true);
  }
  return getInstanceTypeOutput({ instanceType }, { parent }).autoRecoverySupported.apply((supported) => {
    if (supported === false) {
      void pulumi.log.warn(
        `instanceType: EC2 cannot recover a ${instanceType} when the machine under it fails, because of its instance ` +
          `store volumes or because it is bare metal: the alarm tells the topic, and somebody has to replace the node`,
        parent,
      );
    }
    return supported !== false;
  });
}

/** Also when another resource tells the certificate's ARN, which is later. */
function warn(parent: EmqxMonitoring, { certificateArn }: MonitoringSettings): void {
  pulumi.output(certificateArn).apply((arn) => {
    for (const warning of monitoringWarnings(arn)) {
      void pulumi.log.warn(warning, parent);
    }
  });
}

/** The nodes' logs. Named after the prefix, because the agent's configuration names it, and has to be known. */
function createLogGroup({ name, parent, args, prefix }: Context): cloudwatch.LogGroup {
  const logName = `${name}-logs`;
  return new cloudwatch.LogGroup(
    logName,
    {
      name: prefix,
      retentionInDays: args.logRetentionDays,
      kmsKeyId: args.kmsKeyId,
      tags: tagged(logName, args.tags),
    },
    { parent },
  );
}

/** What the CloudWatch agent may do on a node, beside what the role allows already. */
function createPermissions({ name, parent, args, prefix, ...place }: Context): iam.RolePolicy {
  return new iam.RolePolicy(
    `${name}-agent`,
    {
      role: args.roleName,
      policy: pulumi
        .all([place.partition, place.region, place.accountId, prefix])
        .apply(([partition, region, accountId, path]) => {
          const logGroupArn = `arn:${partition}:logs:${region}:${accountId}:log-group:${path}`;
          return JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Sid: "WriteLogs",
                Effect: "Allow",
                Action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                Resource: [logGroupArn, `${logGroupArn}:*`],
              },
              writeMetricsStatement,
              {
                Sid: "ReadAgentConfiguration",
                Effect: "Allow",
                Action: ["ssm:GetParameter", "ssm:GetParameters"],
                Resource: `arn:${partition}:ssm:${region}:${accountId}:parameter${path}/monitoring`,
              },
            ],
          });
        }),
    },
    { parent },
  );
}

/** The nodes start the agent when they find this, so it comes after what the agent needs. */
function createAgentConfiguration(
  { name, parent, args, prefix }: Context,
  logGroup: cloudwatch.LogGroup,
  needed: pulumi.Resource[],
): void {
  new ssm.Parameter(
    `${name}-agent`,
    {
      name: pulumi.interpolate`${prefix}/monitoring`,
      type: "String",
      insecureValue: pulumi.all([prefix, logGroup.name]).apply(([cluster, logGroupName]) => {
        const configuration = agentConfiguration(cluster, logGroupName);
        refuse("EmqxMonitoring", agentConfigurationProblems(configuration));
        return configuration;
      }),
      description: "Configuration of the CloudWatch agent on the EMQX nodes",
      tags: tagged(`${name}-agent`, args.tags),
    },
    { parent, dependsOn: needed },
  );
}

/** Not encrypted: CloudWatch cannot publish to a topic under AWS's own key, and alarms hold no secrets. */
function createTopic({ name, parent, args }: Context): pulumi.Output<string> {
  const topicName = `${name}-alarms`;
  return new sns.Topic(topicName, { tags: tagged(topicName, args.tags) }, { parent }).arn;
}

/** What stands in front, as CloudWatch names it: of a Network Load Balancer one target group, which speaks for all. */
function frontsOf({ loadBalancerName, networkLoadBalancerArn: arn, targetGroupArns }: MonitoringSettings) {
  const last = (of: pulumi.Input<string>, pattern: RegExp) =>
    pulumi.output(of).apply((text) => text?.replace(pattern, ""));
  const [group] = targetGroupArns;
  const network =
    arn === undefined || group === undefined
      ? undefined
      : { LoadBalancer: last(arn, /^.*:loadbalancer\//), TargetGroup: last(group, /^.*:/) };
  return { loadBalancerName, network };
}

function createSharedAlarms(context: Context, topicArn: pulumi.Output<string>): cloudwatch.MetricAlarm[] {
  const { args, certificateArn, prefix } = context;
  const create = (alarm: Alarm, dimensions: pulumi.Input<Record<string, pulumi.Input<string>>>) =>
    createAlarm(context, topicArn, alarm.name, alarm, dimensions);
  const { loadBalancerName, network } = frontsOf(args);
  const alarms =
    loadBalancerName === undefined
      ? []
      : loadBalancerAlarms(args.nodes.length).map((alarm) =>
          create(alarm, { LoadBalancerName: loadBalancerName }),
        );
  if (network !== undefined) {
    const { LoadBalancer } = network;
    alarms.push(
      ...targetGroupAlarms.map((alarm) => create(alarm, network)),
      ...networkLoadBalancerAlarms.map((alarm) => create(alarm, { LoadBalancer })),
    );
  }
  if (certificateArn !== undefined) {
    alarms.push(create(certificateAlarm, { CertificateArn: certificateArn }));
  }
  if (args.backupIntervalHours !== undefined) {
    alarms.push(create(exportAlarm(args.backupIntervalHours), prefix.apply(clusterDimensions)));
  }
  return alarms;
}

function createNodeAlarms(
  context: Context,
  topicArn: pulumi.Output<string>,
  node: EmqxMonitoredNodeArgs,
  number: number,
): cloudwatch.MetricAlarm[] {
  return [
    ...instanceAlarms(number).map((alarm) =>
      createAlarm(context, topicArn, `${number}-${alarm.name}`, alarm, { InstanceId: node.instanceId }),
    ),
    ...nodeAlarms(number).map((alarm) => {
      const dimensionsOf = alarm.metricName === dataVolumeMetric ? dataVolumeDimensions : memoryDimensions;
      const dimensions = pulumi
        .all([context.prefix, node.nodeName])
        .apply(([cluster, nodeName]) => dimensionsOf(cluster, nodeName));
      return createAlarm(context, topicArn, `${number}-${alarm.name}`, alarm, dimensions);
    }),
  ];
}

/**
 * An alarm named after the prefix: its name is the subject of a mail at night, and has to tell which cluster it is.
 * `key` is its name within the cluster, `memory` of node 2 being `2-memory`.
 */
function createAlarm(
  { name, parent, args, prefix, partition, region, recovers }: Context,
  topicArn: pulumi.Output<string>,
  key: string,
  alarm: Alarm,
  dimensions: pulumi.Input<Record<string, pulumi.Input<string>>>,
): cloudwatch.MetricAlarm {
  const { instanceAction } = alarm;
  const alarmName = `${name}-${key}`;
  return new cloudwatch.MetricAlarm(
    alarmName,
    {
      name: pulumi.interpolate`${prefix}/${key}`,
      alarmDescription: alarm.description,
      namespace: alarm.namespace,
      metricName: alarm.metricName,
      dimensions,
      statistic: alarm.statistic,
      comparisonOperator: alarm.comparisonOperator,
      threshold: alarm.threshold,
      period: alarm.period,
      evaluationPeriods: alarm.evaluationPeriods,
      treatMissingData: alarm.treatMissingData,
      alarmActions: recovers.apply((possible) => [
        topicArn,
        ...(instanceAction === undefined || (instanceAction === "recover" && !possible)
          ? []
          : [pulumi.interpolate`arn:${partition}:automate:${region}:ec2:${instanceAction}`]),
      ]),
      okActions: [topicArn],
      insufficientDataActions: alarm.tellsSilence ? [topicArn] : [],
      tags: tagged(alarmName, args.tags),
    },
    { parent },
  );
}

function createDashboard(
  context: Context,
  shared: cloudwatch.MetricAlarm[],
  ofNodes: cloudwatch.MetricAlarm[][],
): cloudwatch.Dashboard {
  const { name, parent, args, prefix, region } = context;
  const fronts = frontsOf(args);
  const arnsOf = (alarms: cloudwatch.MetricAlarm[]) =>
    pulumi.all(alarms.map((alarm) => alarmArn(context, alarm)));
  const nodes = args.nodes.map(({ instanceId, nodeName }) =>
    pulumi.all([instanceId, nodeName]).apply(([id, known]) => ({ instanceId: id, nodeName: known })),
  );
  return new cloudwatch.Dashboard(
    name,
    {
      dashboardName: prefix.apply(dashboardNameOf),
      dashboardBody: pulumi
        .all([
          pulumi.all([region, prefix, fronts.loadBalancerName, context.certificateArn, fronts.network]),
          pulumi.all(nodes),
          arnsOf(shared),
          pulumi.all(ofNodes.map(arnsOf)),
        ])
        .apply(([facts, watched, sharedAlarmArns, nodeAlarmArns]) => {
          const [place, cluster, loadBalancerName, certificateArn, network] = facts;
          return dashboardBody({
            region: place,
            cluster,
            loadBalancerName,
            network,
            logGroupName: cluster,
            certificateArn,
            nodes: watched,
            sharedAlarmArns,
            nodeAlarmArns,
          });
        }),
    },
    { parent },
  );
}

/** Put together from what is known at preview, so that a preview shows the dashboard. */
function alarmArn(
  { partition, region, accountId }: Context,
  alarm: cloudwatch.MetricAlarm,
): pulumi.Output<string> {
  return pulumi.interpolate`arn:${partition}:cloudwatch:${region}:${accountId}:alarm:${alarm.name}`;
}

/**
 * A dashboard's name knows letters, digits, hyphen and underscore only, and one of the same name would be overwritten
 * without a word. The digest keeps apart what reads the same without slashes and dots.
 */
export function dashboardNameOf(prefix: string): string {
  const digest = createHash("sha256").update(prefix).digest("hex").slice(0, 7);
  return `${prefix.slice(1).replace(/[^A-Za-z0-9_]/g, "-")}-${digest}`;
}
