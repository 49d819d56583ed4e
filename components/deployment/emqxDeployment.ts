import * as pulumi from "@pulumi/pulumi";
import {
  clusterNodesNameProblems,
  mostNodes,
  nodeSettings,
  nodeSettingsRules,
  type NodeSettings,
} from "../nodes/problems";
import {
  EmqxClassicElb,
  elbNameProblems,
  elbSettings,
  elbRules,
  type EmqxAccessLogsArgs,
  type TlsPolicy,
} from "../classicElb/emqxClassicElb";
import { backupNameProblems } from "../backup/plan";
import { backupInputs, defaultBackupIntervalHours, EmqxBackup } from "../backup/emqxBackup";
import { EmqxClusterNodes, type EmqxNodeArgs } from "../nodes/emqxClusterNodes";
import { EmqxMonitoring } from "../monitoring/emqxMonitoring";
import {
  EmqxSecurityGroup,
  groupNameProblems,
  groupSettings,
  quotaProblems,
} from "../access/emqxSecurityGroup";
import {
  defaultVpcBlock,
  EmqxVpc,
  flowLogProblems,
  NatGateways,
  vpcInputs,
  vpcNameProblems,
} from "../network/emqxVpc";
import type { ClusterPorts } from "../emqx/releases";
import { flag, problemsOf, wholeNumber, type Rule, type Shapes } from "../shared/inputs";
import { remember } from "../shared/memory";
import type { Listener } from "../shared/listeners";
import { regionOf } from "../shared/place";
import { chooseZone, initialZones } from "../network/placement";
import { nodeAddress, nodeCountProblem, zoneSubnets } from "../network/subnets";
import { monitoringInputs, monitoringNameProblems } from "../monitoring/problems";
import { defaultInstanceType } from "../nodes/defaults";
import { userDataProblemsAt } from "../nodes/userData";
import { guardDeletion } from "./protection";
import { refuse, runError } from "../shared/problems";
import { dataVolumeTag, tagsInput } from "../shared/tags";

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

/** An EMQX cluster on AWS, whole: a VPC, security groups, nodes, and a Classic ELB that ends TLS in front of them. */
export class EmqxDeployment extends pulumi.ComponentResource {
  /** Where clients speak plain MQTT; undefined without that listener. */
  public readonly mqttUrl?: pulumi.Output<string>;
  /** Where clients speak MQTT over TLS; undefined without that listener. */
  public readonly mqttsUrl?: pulumi.Output<string>;
  /** Where clients speak MQTT over WebSocket; undefined without that listener. */
  public readonly wsUrl?: pulumi.Output<string>;
  /** Where clients speak MQTT over secure WebSocket; undefined without that listener. */
  public readonly wssUrl?: pulumi.Output<string>;
  /**
   * Certificate, PEM, of the authority that issues the self-signed certificate, for clients to trust; undefined with a
   * certificate of your own.
   */
  public readonly caCertificatePem?: pulumi.Output<string>;
  /** When the certificate ends, RFC 3339; undefined without a TLS listener. */
  public readonly certificateExpires?: pulumi.Output<string>;
  /** The last day of the licence, RFC 3339; undefined without a licence key, or where the key does not say. */
  public readonly licenseExpires?: pulumi.Output<string>;
  /** The load balancer's DNS name. */
  public readonly dnsName: pulumi.Output<string>;
  /** Hosted zone of the load balancer's name, for alias records. */
  public readonly zoneId: pulumi.Output<string>;
  /** Name of the load balancer. */
  public readonly loadBalancerName: pulumi.Output<string>;
  /** Id of the VPC. */
  public readonly vpcId: pulumi.Output<string>;
  /** Ids of the public subnets, in the order of the zones. */
  public readonly publicSubnetIds: pulumi.Output<string>[];
  /** Ids of the private subnets, in the order of the zones. */
  public readonly privateSubnetIds: pulumi.Output<string>[];
  /** Id of the load balancer's security group. */
  public readonly loadBalancerSecurityGroupId: pulumi.Output<string>;
  /** Id of the nodes' security group. */
  public readonly nodeSecurityGroupId: pulumi.Output<string>;
  /** Ids of the instances, node 0 first; known once the node is ready. */
  public readonly instanceIds: pulumi.Output<string>[];
  /** The nodes' private addresses, node 0 first. */
  public readonly privateIps: pulumi.Output<string>[];
  /** The nodes' EMQX names, node 0 first. */
  public readonly nodeNames: pulumi.Output<string>[];
  /** Name of the SSM parameter with the cluster's Erlang cookie. */
  public readonly cookieParameter: pulumi.Output<string>;
  /** Name of the SSM parameter with the password of the dashboard's user `admin`. */
  public readonly dashboardPasswordParameter: pulumi.Output<string>;
  /** The first MQTT user; undefined with anonymous access. */
  public readonly mqttUsername?: pulumi.Output<string>;
  /** Name of the SSM parameter with that user's password; undefined with anonymous access. */
  public readonly mqttPasswordParameter?: pulumi.Output<string>;
  /** Path of the cluster's SSM parameters, without a slash at the end. */
  public readonly parameterPrefix: pulumi.Output<string>;
  /** Name of the nodes' IAM role, for further permissions. */
  public readonly roleName: pulumi.Output<string>;
  /** Ids of the data volumes, node 0 first. */
  public readonly dataVolumeIds: pulumi.Output<string>[];
  /** ARN of the SNS topic that alarms tell; undefined without monitoring. */
  public readonly alarmTopicArn?: pulumi.Output<string>;
  /** Name of the CloudWatch dashboard; undefined without monitoring. */
  public readonly dashboardName?: pulumi.Output<string>;
  /** Name of the log group with the nodes' logs; undefined without monitoring. */
  public readonly logGroupName?: pulumi.Output<string>;
  /** Name of the bucket with the exports of EMQX's data; undefined without backups. */
  public readonly backupBucketName?: pulumi.Output<string>;

  constructor(name: string, args: EmqxDeploymentArgs, opts?: pulumi.ComponentResourceOptions) {
    refuse(`EmqxDeployment "${name}"`, deploymentProblems(name, args));
    super("emqx-aws:index:EmqxDeployment", name, {}, opts);
    if (args.availabilityZones.length === 1 && (args.nodeCount ?? defaultNodeCount) > 1) {
      const [zone] = args.availabilityZones;
      void pulumi.log.warn(
        `availabilityZones: all nodes stand in ${zone}; when that zone fails, so does the cluster`,
        this,
      );
    }
    const parent = { parent: this };

    // The key is for much else, of which the VPC knows nothing.
    const { kmsKeyId, ...withoutKey } = args;
    const vpc = new EmqxVpc(`${name}-vpc`, args.flowLogs ? { ...withoutKey, kmsKeyId } : withoutKey, parent);
    const groups = new EmqxSecurityGroup(`${name}-sg`, { ...args, vpcId: vpc.vpcId }, parent);
    const elb = new EmqxClassicElb(
      `${name}-elb`,
      {
        ...args,
        subnetIds: args.internal ? vpc.privateSubnetIds : vpc.publicSubnetIds,
        securityGroupIds: [groups.loadBalancerSecurityGroupId],
      },
      parent,
    );
    const nodes = new EmqxClusterNodes(
      `${name}-nodes`,
      {
        ...args,
        nodes: placeNodes(`${name}-nodes`, this, args, vpc),
        securityGroupIds: [groups.nodeSecurityGroupId],
        loadBalancerNames: [elb.loadBalancerName],
      },
      parent,
    );
    const monitoring = args.monitoring
      ? createMonitoring(`${name}-monitoring`, this, args, elb, nodes)
      : undefined;
    const backup = args.backup ? createBackup(`${name}-backup`, this, args, nodes) : undefined;
    const parts = [vpc, groups, elb, nodes, monitoring, backup].filter((part) => part !== undefined);
    guardDeletion(`${name}-protection`, this, args.protect ?? false, parts);

    const outputs = {
      mqttUrl: (this.mqttUrl = elb.mqttUrl),
      mqttsUrl: (this.mqttsUrl = elb.mqttsUrl),
      wsUrl: (this.wsUrl = elb.wsUrl),
      wssUrl: (this.wssUrl = elb.wssUrl),
      caCertificatePem: (this.caCertificatePem = elb.caCertificatePem),
      certificateExpires: (this.certificateExpires = elb.certificateExpires),
      licenseExpires: (this.licenseExpires = nodes.licenseExpires),
      dnsName: (this.dnsName = elb.dnsName),
      zoneId: (this.zoneId = elb.zoneId),
      loadBalancerName: (this.loadBalancerName = elb.loadBalancerName),
      vpcId: (this.vpcId = vpc.vpcId),
      publicSubnetIds: (this.publicSubnetIds = vpc.publicSubnetIds),
      privateSubnetIds: (this.privateSubnetIds = vpc.privateSubnetIds),
      loadBalancerSecurityGroupId: (this.loadBalancerSecurityGroupId = groups.loadBalancerSecurityGroupId),
      nodeSecurityGroupId: (this.nodeSecurityGroupId = groups.nodeSecurityGroupId),
      instanceIds: (this.instanceIds = nodes.instanceIds),
      privateIps: (this.privateIps = nodes.privateIps),
      nodeNames: (this.nodeNames = nodes.nodeNames),
      cookieParameter: (this.cookieParameter = nodes.cookieParameter),
      dashboardPasswordParameter: (this.dashboardPasswordParameter = nodes.dashboardPasswordParameter),
      mqttUsername: (this.mqttUsername = nodes.mqttUsername),
      mqttPasswordParameter: (this.mqttPasswordParameter = nodes.mqttPasswordParameter),
      parameterPrefix: (this.parameterPrefix = nodes.parameterPrefix),
      roleName: (this.roleName = nodes.roleName),
      dataVolumeIds: (this.dataVolumeIds = nodes.dataVolumeIds),
      alarmTopicArn: (this.alarmTopicArn = monitoring?.alarmTopicArn),
      dashboardName: (this.dashboardName = monitoring?.dashboardName),
      logGroupName: (this.logGroupName = monitoring?.logGroupName),
      backupBucketName: (this.backupBucketName = backup?.bucketName),
    };
    this.registerOutputs(outputs);
  }
}

const defaultNodeCount = 3;

/** The parts' inputs, under their own names; of those that the deployment sets itself, none. */
export const deploymentInputs = {
  ...vpcInputs,
  nodeCount: wholeNumber(1, mostNodes, "nodes"),
  ...groupSettings,
  ...elbSettings,
  ...nodeSettings,
  monitoring: flag,
  alarmTopicArn: monitoringInputs.alarmTopicArn,
  logRetentionDays: monitoringInputs.logRetentionDays,
  backup: flag,
  backupIntervalHours: backupInputs.intervalHours,
  backupRetentionDays: backupInputs.retentionDays,
  tags: tagsInput([dataVolumeTag]),
} satisfies Shapes<EmqxDeploymentArgs>;

/** Everything that is wrong with the input, one line each. */
export function deploymentProblems(name: string, args: EmqxDeploymentArgs): string[] {
  const region = regionOf(args);
  const problems = problemsOf<EmqxDeploymentArgs>(deploymentInputs, args, { region }, [
    () => deploymentNameProblems(name),
    (sound) => flowLogProblems(sound, ["flowLogRetentionDays"]),
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
    ...nodeSettingsRules<EmqxDeploymentArgs>((sound) => sound.nodeCount ?? defaultNodeCount),
    ...without("monitoring", ["alarmTopicArn", "logRetentionDays"]),
    ...without("backup", ["backupIntervalHours", "backupRetentionDays"]),
    snapshotTagProblems,
  ]);
  if (problems.length > 0 || region === undefined) {
    return problems;
  }
  const nodes: NodeSettings = { ...args, loadBalancerNames: [`${name}-elb`] };
  const addresses = initialAddresses(args, args.nodeCount ?? defaultNodeCount);
  return userDataProblemsAt(nodes, `${name}-nodes`, addresses, region);
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
function roomProblems({ cidrBlock, availabilityZones, nodeCount }: Partial<EmqxDeploymentArgs>): string[] {
  const [firstZone] = zoneSubnets(cidrBlock ?? defaultVpcBlock, availabilityZones ?? []);
  const room = firstZone && nodeCountProblem(firstZone.privateBlock, nodeCount ?? defaultNodeCount);
  return room === undefined ? [] : [room];
}

/** Settings that do nothing without the part that they are of. */
function without(
  part: "monitoring" | "backup",
  settings: (keyof EmqxDeploymentArgs)[],
): Rule<EmqxDeploymentArgs>[] {
  return settings.map(
    (setting) => (args) =>
      args[part] || args[setting] === undefined
        ? []
        : [`${setting}: given, but ${part} is off; set ${part} to true, or leave it out`],
  );
}

/** With backups, the policy of the snapshots gets the tags, too, and has less room for them. */
function snapshotTagProblems({ backup, tags }: Partial<EmqxDeploymentArgs>): string[] {
  return backup && tags !== undefined ? (backupInputs.tags.check?.("tags", tags) ?? []) : [];
}

function createMonitoring(
  name: string,
  parent: EmqxDeployment,
  args: EmqxDeploymentArgs,
  elb: EmqxClassicElb,
  nodes: EmqxClusterNodes,
): EmqxMonitoring {
  return new EmqxMonitoring(
    name,
    {
      loadBalancerName: elb.loadBalancerName,
      nodes: nodes.instanceIds.map((instanceId, number) => ({
        instanceId,
        nodeName: nodes.nodeNames[number] as pulumi.Output<string>,
      })),
      parameterPrefix: nodes.parameterPrefix,
      roleName: nodes.roleName,
      instanceType: args.instanceType ?? defaultInstanceType,
      alarmTopicArn: args.alarmTopicArn,
      certificateArn: args.certificateArn ?? elb.certificateArn,
      ...(args.backup && { backupIntervalHours: args.backupIntervalHours ?? defaultBackupIntervalHours }),
      logRetentionDays: args.logRetentionDays,
      kmsKeyId: args.kmsKeyId,
      tags: args.tags,
    },
    { parent },
  );
}

function createBackup(
  name: string,
  parent: EmqxDeployment,
  args: EmqxDeploymentArgs,
  nodes: EmqxClusterNodes,
): EmqxBackup {
  return new EmqxBackup(
    name,
    {
      parameterPrefix: nodes.parameterPrefix,
      roleName: nodes.roleName,
      intervalHours: args.backupIntervalHours,
      retentionDays: args.backupRetentionDays,
      kmsKeyId: args.kmsKeyId,
      tags: args.tags,
    },
    { parent, ...(args.protect && { protect: true }) },
  );
}

/** The nodes' addresses in a new deployment; no later one has longer or more addresses. */
function initialAddresses(args: EmqxDeploymentArgs, nodeCount: number): string[] {
  const zones = zoneSubnets(args.cidrBlock ?? defaultVpcBlock, args.availabilityZones);
  return initialZones(args.availabilityZones, nodeCount).flatMap((name, number) =>
    zones
      .filter((zone) => zone.availabilityZone === name)
      .map((zone) => nodeAddress(zone.privateBlock, number)),
  );
}

/** A place for every node. Its zone is chosen when the node is new and remembered from then on. */
function placeNodes(
  name: string,
  parent: EmqxDeployment,
  args: EmqxDeploymentArgs,
  vpc: EmqxVpc,
): EmqxNodeArgs[] {
  const zones = zoneSubnets(args.cidrBlock ?? defaultVpcBlock, args.availabilityZones).map(
    ({ availabilityZone, privateBlock }, i) => ({
      availabilityZone,
      privateBlock,
      subnetId: vpc.privateSubnetIds[i] as pulumi.Output<string>,
    }),
  );
  let earlier = pulumi.output<string[]>([]);
  return Array.from({ length: args.nodeCount ?? defaultNodeCount }, (_, number) => {
    const choice = earlier.apply((taken) => chooseZone(args.availabilityZones, taken));
    const availabilityZone = remember(`${name}-${number}-zone`, parent, choice);
    earlier = pulumi.all([earlier, availabilityZone]).apply(([taken, zone]) => [...taken, zone]);
    const home = availabilityZone.apply((zoneName) => {
      const zone = zones.find((candidate) => candidate.availabilityZone === zoneName);
      if (!zone) {
        throw runError(
          `availabilityZones: node ${number} stands in ${zoneName}, which is no longer listed; put ${zoneName} back, ` +
            `or remove the nodes from ${number} on first (nodeCount: ${number})`,
        );
      }
      return zone;
    });
    return {
      availabilityZone,
      subnetId: home.apply(({ subnetId }) => subnetId),
      privateIp: home.apply(({ privateBlock }) => nodeAddress(privateBlock, number)),
    };
  });
}
