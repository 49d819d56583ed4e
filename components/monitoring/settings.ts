/** What EmqxMonitoring can be told, and what can be wrong with it. */
import type * as pulumi from "@pulumi/pulumi";
import { arn, arnPattern } from "../shared/arn";
import {
  instanceId,
  loadBalancerName,
  networkLoadBalancerArn,
  nodeName,
  parameterPrefix,
  roleName,
  targetGroupArn,
} from "../shared/awsNames";
import { certificateInput, isServerCertificate } from "../certificate/arn";
import { backupIntervalInput } from "../backup/settings";
import { instanceTypeInput } from "../nodes/instanceTypes";
import { list, problemsOf, text, type Resolved, type Shapes } from "../shared/inputs";
import { kmsKeyInput } from "../shared/kmsKey";
import { logRetentionInput } from "../shared/logRetention";
import { nameProblems } from "../shared/names";
import { tagsInput } from "../shared/tags";

/** A node to watch. Its number is its place in the list of nodes. */
export interface EmqxMonitoredNodeArgs {
  /** Id of the node's instance, which changes when the node is replaced. */
  instanceId: pulumi.Input<string>;
  /** The node's EMQX name `emqx@<address>`, which stays. */
  nodeName: pulumi.Input<string>;
}

/** How a cluster is watched, in a deployment and by itself. */
export interface EmqxMonitoringOptionsArgs {
  /**
   * ARN of the SNS topic, in the same region, that is told when an alarm begins and when it ends. Its policy must let
   * CloudWatch publish. Default: a topic of its own, to subscribe to.
   */
  alarmTopicArn?: pulumi.Input<string>;
  /** Days that the nodes' logs are kept, one of the periods that CloudWatch Logs knows. Default: 90. */
  logRetentionDays?: number;
}

export interface EmqxMonitoringArgs extends EmqxMonitoringOptionsArgs {
  /** Name of the Classic ELB that the nodes are registered with. Default: none, with `networkLoadBalancerArn`. */
  loadBalancerName?: pulumi.Input<string>;
  /** ARN of the Network Load Balancer with whose target groups they are registered. Default: none. */
  networkLoadBalancerArn?: pulumi.Input<string>;
  /** ARNs of these target groups. Default: none. */
  targetGroupArns?: pulumi.Input<string>[];
  /** The nodes, node 0 first. */
  nodes: EmqxMonitoredNodeArgs[];
  /**
   * Path of the cluster's SSM parameters, without a slash at the end (`parameterPrefix` of EmqxClusterNodes), up to
   * 200 characters. Names of alarms and log group begin with it, so that two stacks in one account never share one.
   */
  parameterPrefix: pulumi.Input<string>;
  /** Name of the nodes' IAM role (`roleName` of EmqxClusterNodes); it gets the permissions of the CloudWatch agent. */
  roleName: pulumi.Input<string>;
  /**
   * Type of the nodes' instances. EC2 recovers no bare metal instance and none with instance store volumes; of such a type
   * an alarm only tells the topic. Default: a type that EC2 can recover.
   */
  instanceType?: string;
  /**
   * ARN of the load balancer's certificate. One in ACM gets an alarm 30 days before it expires; of one in IAM
   * CloudWatch knows nothing, which a warning says. Default: no alarm about a certificate.
   */
  certificateArn?: pulumi.Input<string>;
  /**
   * Hours between two exports of EMQX's data (`intervalHours` of EmqxBackup), 1, 2, 3, 4, 6, 8, 12 or 24: an alarm
   * tells when one has failed, or was not tried. Default: no alarm about exports.
   */
  backupIntervalHours?: number;
  /**
   * ARN of the customer managed KMS key that encrypts the logs; its policy must let CloudWatch Logs use it.
   * Default: CloudWatch Logs' own encryption.
   */
  kmsKeyId?: pulumi.Input<string>;
  /** Tags of every resource that can have tags. Default: none but `Name`. */
  tags?: Record<string, pulumi.Input<string>>;
}

/** As many as a deployment has at most. */
const mostNodes = 100;

/** A standard topic: alarms cannot tell a FIFO one (CloudWatch user guide, "Notifying users on alarm changes"). */
const topicInput = text(
  arn([arnPattern("sns", "[\\w-]{1,256}")], "arn:aws:sns:<region>:<account>:<topic>, of a standard topic"),
  { later: true, regional: true },
);

const monitoredNode = {
  kind: "object",
  fields: {
    instanceId: { ...instanceId, needed: "give the id of the node's instance" },
    nodeName,
  } satisfies Shapes<EmqxMonitoredNodeArgs>,
} as const;

export const monitoringOptions = {
  alarmTopicArn: topicInput,
  logRetentionDays: { ...logRetentionInput, default: 90 },
} satisfies Shapes<EmqxMonitoringOptionsArgs>;

export const monitoringInputs = {
  loadBalancerName,
  networkLoadBalancerArn,
  targetGroupArns: list(targetGroupArn, { default: [] as pulumi.Input<string>[] }),
  nodes: list(monitoredNode, {
    needed: "name at least one",
    least: "name at least one",
    check: (input, nodes) =>
      nodes.length > mostNodes
        ? [`${input}: ${nodes.length} given; one dashboard shows ${mostNodes} at most`]
        : [],
  }),
  parameterPrefix,
  roleName: { ...roleName, needed: "give roleName of EmqxClusterNodes" },
  instanceType: instanceTypeInput,
  ...monitoringOptions,
  certificateArn: certificateInput,
  backupIntervalHours: backupIntervalInput,
  kmsKeyId: kmsKeyInput,
  tags: tagsInput(),
} satisfies Shapes<EmqxMonitoringArgs>;

export type MonitoringSettings = Resolved<EmqxMonitoringArgs, typeof monitoringInputs>;

/** Everything that is wrong with the input, one line each. */
export function monitoringProblems(name: string, args: EmqxMonitoringArgs, region?: string): string[] {
  const where = region === undefined ? {} : { region };
  return problemsOf<EmqxMonitoringArgs, typeof monitoringInputs>(monitoringInputs, args, where, [
    () => monitoringNameProblems(name),
    (settings) =>
      settings.loadBalancerName === undefined && settings.networkLoadBalancerArn === undefined
        ? [
            `loadBalancerName: missing; give loadBalancerName of EmqxClassicElb, or loadBalancerArn and targetGroupArns of ` +
              `EmqxNetworkLoadBalancer as networkLoadBalancerArn and targetGroupArns`,
          ]
        : [],
  ]);
}

/** SNS takes fewer characters than IAM and SSM do (SNS API reference, CreateTopic). */
export function monitoringNameProblems(name: string, part?: string): string[] {
  return nameProblems(
    name,
    {
      pattern: /^[A-Za-z0-9][\w-]*$/,
      characters: "letters, digits, _ and hyphens, a letter or digit first",
      made: [
        { suffix: "-agent", of: "an IAM policy", longest: 128 },
        { suffix: "-alarms", of: "an SNS topic", longest: 256 },
      ],
    },
    part,
  );
}

/** What works but leaves something unwatched. */
export function monitoringWarnings(certificateArn: string | undefined): string[] {
  return certificateArn !== undefined && isServerCertificate(certificateArn)
    ? [
        `certificateArn: ${certificateArn} is a certificate of IAM, of which CloudWatch has no metrics: no alarm tells ` +
          `when it expires. Import it into ACM, or watch its date yourself`,
      ]
    : [];
}
