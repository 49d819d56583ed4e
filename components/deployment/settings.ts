/** What EmqxDeployment can be told, and what can be wrong with it. */
import type * as pulumi from "@pulumi/pulumi";
import { groupNameProblems, groupSettings, quotaProblems } from "../access/settings";
import { backupInputs, backupNameProblems } from "../backup/settings";
import {
  elbNameProblems,
  elbRules,
  elbSettings,
  type EmqxAccessLogsArgs,
  type TlsPolicy,
} from "../classicElb/settings";
import type { ClusterPorts } from "../emqx/releases";
import { monitoringInputs, monitoringNameProblems } from "../monitoring/settings";
import { flowLogProblems, NatGateways, vpcInputs, vpcNameProblems } from "../network/settings";
import { nodeCountProblem, zoneSubnets } from "../network/subnets";
import { clusterNodesNameProblems, nodeSettingsRules } from "../nodes/problems";
import { mostNodes, nodeSettings } from "../nodes/settings";
import { userDataProblemsAt } from "../nodes/userData";
import {
  flag,
  problemsOf,
  wholeNumber,
  withDefaults,
  type Resolved,
  type Rule,
  type Shapes,
} from "../shared/inputs";
import type { Listener } from "../shared/listeners";
import { regionOf } from "../shared/place";
import { nodeTagRules, tagsInput } from "../shared/tags";
import { initialAddresses } from "./places";

export interface EmqxDeploymentArgs {
  /** Names of the Availability Zones to use, all of one region. Adding one moves no node. */
  availabilityZones: string[];
  /** Number of nodes, 1 to 100. A new node goes to the zone with the fewest. Default: 3. */
  nodeCount?: number;

  /** The VPC's IPv4 block, between /16 and /23. Default: 192.168.0.0/16. Changing it replaces everything. */
  cidrBlock?: string;
  /** NAT gateways for the nodes' subnets, Single or PerAvailabilityZone. Default: Single. */
  natGateways?: NatGateways;
  /** Whether the VPC's connections are logged to CloudWatch Logs. Default: false. */
  flowLogs?: boolean;
  /** Days that flow logs are kept. Default: 365. */
  flowLogRetentionDays?: number;

  /** IPv4 blocks that clients connect from. Default: 0.0.0.0/0, anywhere. */
  clientCidrBlocks?: string[];
  /** IPv4 blocks that may open the nodes' dashboard and management API, port 18083. Default: none. */
  adminCidrBlocks?: string[];
  /** Listeners for clients. Default: Mqtt and Mqtts. */
  listeners?: Listener[];
  /** The ports between nodes. Default: Documented (4369, 5369, 6369). */
  clusterPorts?: ClusterPorts;

  /** ARN of an ACM or IAM certificate in the same region for the TLS listeners. */
  certificateArn?: pulumi.Input<string>;
  /** Whether to make a self-signed certificate instead, to try things out. Default: false. */
  selfSignedCertificate?: boolean;
  /** Raise it for a new self-signed certificate by the same authority; the listeners stay. Default: 1. */
  selfSignedCertificateVersion?: number;
  /** The longest MQTT keep-alive of any client, in seconds, up to 2,380. Default: 300. */
  keepAliveSeconds?: number;
  /**
   * Seconds that open connections live on after their node was taken out, 1 to 3,600. A node takes at most 150 of them to
   * move its clients before it stops, and 30 where EMQX cannot evacuate. Default: 300.
   */
  drainingTimeoutSeconds?: number;
  /** TLS versions and ciphers of the TLS listeners. Default: Tls12, AWS's ELBSecurityPolicy-TLS-1-2-2017-01. */
  tlsPolicy?: TlsPolicy;
  /** Whether nodes learn the clients' addresses by PROXY protocol, set on both sides. Default: false. */
  proxyProtocol?: boolean;
  /** Whether the load balancer has private addresses only. Default: false. */
  internal?: boolean;
  /** Access logs of the load balancer. Default: none. */
  accessLogs?: EmqxAccessLogsArgs;
  /** Id of the Route 53 hosted zone for `hostname`. Default: no record. */
  hostedZoneId?: pulumi.Input<string>;
  /** Name that clients connect to. Default: the load balancer's own name. */
  hostname?: string;

  /** Version of EMQX. From 5.8.10 on, more than one node needs a licence. Default: 5.8.9. */
  emqxVersion?: string;
  /** Licence key for versions after 5.8.9. Default: none. */
  licenseKey?: pulumi.Input<string>;
  /** Name of the EMQX cluster. Changing it restarts all nodes together (`allowFullRestart`). Default: emqxcl. */
  clusterName?: string;
  /** Raise it for a new Erlang cookie, which restarts all nodes together (`allowFullRestart`). Default: 1. */
  cookieVersion?: number;
  /** Raise it for a new dashboard password; nodes take it up while they run. Default: 1. */
  dashboardPasswordVersion?: number;
  /** Raise it for a new password of the first MQTT user; nodes take it up while they run. Default: 1. */
  mqttPasswordVersion?: number;
  /** EC2 instance type, on Graviton or x86-64. Default: m7g.large. */
  instanceType?: string;
  /** Size of each node's data volume in GiB, 1 to 16,384; it can grow, never shrink. Default: 20. */
  dataVolumeSizeGiB?: number;
  /** Whether a node's data volume is kept in AWS when it leaves the stack; false deletes the data. Default: true. */
  retainDataVolumes?: boolean;
  /**
   * Whether Pulumi refuses to destroy the deployment, and to delete what clients and data depend on: the load balancer,
   * the backups' bucket, and data volumes that are not retained. Default: false.
   */
  protect?: boolean;
  /** Id of an Amazon Linux 2023 image. Default: the newest at the first deployment, kept from then on. */
  amiId?: string;
  /** More EMQX configuration in HOCON; settings that the components own are refused. Default: none. */
  extraConfig?: string;
  /** Whether no MQTT user is made: an authentication in `extraConfig` decides who may connect; without one, anybody may. Default: false. */
  anonymousAccess?: boolean;
  /** How many nodes are replaced at the same time. Default: 1. */
  rolloutBatchSize?: number;
  /** Whether a change that cannot be rolled is carried out, by replacing all nodes at once. Default: false. */
  allowFullRestart?: boolean;
  /** Seconds that a node may take from its creation until it serves, 60 to 7,200. Default: 900. */
  readinessTimeoutSeconds?: number;
  /** HTTPS address of the EMQX package for Amazon Linux 2023. Default: EMQX's own package repository. */
  packageUrl?: string;
  /** SHA-256 of the package, 64 hexadecimal digits. Default: the checksum published beside the package. */
  packageSha256?: string;
  /** Whether CloudWatch watches the cluster: alarms, a dashboard, memory, disks and logs of the nodes. Default: false. */
  monitoring?: boolean;
  /** ARN of the SNS topic that alarms tell, with `monitoring`. Default: a topic of the deployment's own. */
  alarmTopicArn?: pulumi.Input<string>;
  /** Days that the nodes' logs are kept, with `monitoring`. Default: 90. */
  logRetentionDays?: number;
  /** Whether EMQX's data is exported to a bucket, and snapshots of the data volumes are taken daily. Default: false. */
  backup?: boolean;
  /** Hours between two exports, with `backup`: 1, 2, 3, 4, 6, 8, 12 or 24. Default: 6. */
  backupIntervalHours?: number;
  /** Days that exports and snapshots are kept, with `backup`, 1 to 3,650. Default: 30. */
  backupRetentionDays?: number;
  /** ARN of the customer managed KMS key for disks, parameters, logs and backups. Default: AWS's own keys. */
  kmsKeyId?: pulumi.Input<string>;
  /** Whether CloudWatch gets the instances' metrics every minute instead of every five. Default: false. */
  detailedMonitoring?: boolean;
  /** Tags of every resource. Default: none but `Name`. */
  tags?: Record<string, pulumi.Input<string>>;
}

/** The parts' inputs, under their own names; of those that the deployment sets itself, none. */
export const deploymentInputs = {
  ...vpcInputs,
  nodeCount: { ...wholeNumber(1, mostNodes, "nodes"), default: 3 },
  ...groupSettings,
  ...elbSettings,
  ...nodeSettings,
  monitoring: { ...flag, default: false },
  alarmTopicArn: monitoringInputs.alarmTopicArn,
  logRetentionDays: monitoringInputs.logRetentionDays,
  backup: { ...flag, default: false },
  backupIntervalHours: backupInputs.intervalHours,
  backupRetentionDays: backupInputs.retentionDays,
  tags: tagsInput(nodeTagRules),
} satisfies Shapes<EmqxDeploymentArgs>;

export type DeploymentSettings = Resolved<EmqxDeploymentArgs, typeof deploymentInputs>;

/** Everything that is wrong with the input, one line each. */
export function deploymentProblems(name: string, args: EmqxDeploymentArgs): string[] {
  const region = regionOf(args);
  const problems = problemsOf<EmqxDeploymentArgs, typeof deploymentInputs>(
    deploymentInputs,
    args,
    { region },
    [
      () => deploymentNameProblems(name),
      ({ flowLogs }, given) => flowLogProblems(flowLogs, given, ["flowLogRetentionDays"]),
      ({ natGateways }) =>
        natGateways === NatGateways.None
          ? [
              `natGateways: None leaves the nodes without a way to their package and to AWS's APIs; ` +
                `use Single or PerAvailabilityZone`,
            ]
          : [],
      roomProblems,
      quotaProblems,
      ...elbRules,
      ...nodeSettingsRules<DeploymentSettings>(({ nodeCount }) => nodeCount),
      ...without("monitoring", ["alarmTopicArn", "logRetentionDays"]),
      ...without("backup", ["backupIntervalHours", "backupRetentionDays"]),
      snapshotTagProblems,
    ],
  );
  if (problems.length > 0 || region === undefined) {
    return problems;
  }
  const settings = withDefaults<EmqxDeploymentArgs, typeof deploymentInputs>(deploymentInputs, args);
  const nodes = { ...settings, loadBalancerNames: [`${name}-elb`] };
  return userDataProblemsAt(nodes, `${name}-nodes`, initialAddresses(settings), region);
}

/** The names of all parts, whether they are there now or only once a setting is on. */
function deploymentNameProblems(name: string): string[] {
  const [problem] = [
    elbNameProblems(name, "-elb"),
    groupNameProblems(name, "-sg"),
    vpcNameProblems(name, "-vpc"),
    clusterNodesNameProblems(name, "-nodes"),
    monitoringNameProblems(name, "-monitoring"),
    backupNameProblems(name, "-backup"),
  ].flat();
  return problem === undefined ? [] : [problem];
}

/** Whether the last node finds an address in the smallest subnet. */
function roomProblems({ cidrBlock, availabilityZones, nodeCount }: DeploymentSettings): string[] {
  const [firstZone] = zoneSubnets(cidrBlock, availabilityZones);
  const room = firstZone && nodeCountProblem(firstZone.privateBlock, nodeCount);
  return room === undefined ? [] : [room];
}

/** Settings that do nothing without the part that they are of. */
function without(
  part: "monitoring" | "backup",
  names: (keyof DeploymentSettings)[],
): Rule<DeploymentSettings>[] {
  return names.map(
    (name) => (settings, given) =>
      settings[part] || given[name] === undefined
        ? []
        : [`${name}: given, but ${part} is off; set ${part} to true, or leave it out`],
  );
}

/** With backups, the policy of the snapshots gets the tags, too, and has less room for them. */
function snapshotTagProblems({ backup, tags }: DeploymentSettings): string[] {
  return backup && tags !== undefined ? (backupInputs.tags.check?.("tags", tags) ?? []) : [];
}
