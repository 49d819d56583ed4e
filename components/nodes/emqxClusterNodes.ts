import * as pulumi from "@pulumi/pulumi";
import * as ebs from "@pulumi/aws/ebs";
import * as ec2 from "@pulumi/aws/ec2";
import * as elb from "@pulumi/aws/elb";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import * as ssm from "@pulumi/aws/ssm";
import { clusterNodesInputs, clusterNodesProblems, clusterNodesWarnings } from "./problems";
import { licenseExpiry, licenseProblems, licenseWarnings, normalizeLicense } from "../emqx/license";
import { ClusterPorts } from "../emqx/releases";
import { userDataProblems } from "../emqx/userData";
import { rfc3339 } from "../shared/expiry";
import type { Listener } from "../shared/listeners";
import { remember, rememberedUntilRestart } from "../shared/memory";
import { parseAvailabilityZone } from "../network/availabilityZones";
import { checkedAddress } from "./address";
import {
  defaultClusterName,
  defaultDrainingTimeoutSeconds,
  defaultEmqxVersion,
  defaultInstanceType,
  defaultReadinessTimeoutSeconds,
  mqttUsername,
} from "./defaults";
import { nodeImage } from "./image";
import { createNodeOperations, drainSeconds } from "./operations";
import { createNodeRole, type NodeRole } from "./role";
import { createNodeSecrets, type NodeSecrets } from "./secrets";
import { nodeUserData, parameterPrefixOf } from "./userData";
import { checkedLater } from "../shared/checkedLater";
import { checkedInstanceType, checkedZones } from "../shared/place";
import { refuse, refuseLater } from "../shared/problems";
import { afterReady, Waits, whenReported } from "./readiness";
import { hasAll, isSame, notReportedYet } from "./reports";
import { dataVolumeTag, tagged } from "../shared/tags";

/** Where a node stands. Its number is its place in the list of nodes. */
export interface EmqxNodeArgs {
  /** Id of the node's subnet. */
  subnetId: pulumi.Input<string>;
  /** The subnet's Availability Zone; the data volume is made there. */
  availabilityZone: pulumi.Input<string>;
  /** The node's fixed private address. It is part of the node's name `emqx@<address>`, so its data depends on it. */
  privateIp: pulumi.Input<string>;
}

export interface EmqxClusterNodesArgs {
  /** The nodes, the first one first. New nodes are added at the end; the last one is the one that goes. */
  nodes: EmqxNodeArgs[];
  /** Ids of the nodes' security groups. */
  securityGroupIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Version of EMQX, for example `5.8.9`. From 5.8.10 on, more than one node needs a licence. Default: 5.8.9. */
  emqxVersion?: string;
  /** Licence key for versions after 5.8.9. Default: none. */
  licenseKey?: pulumi.Input<string>;
  /** EC2 instance type, on Graviton or x86-64. Default: m7g.large. */
  instanceType?: string;
  /** Size of each node's data volume in GiB, 1 to 16,384; it can grow, never shrink. Default: 20. */
  dataVolumeSizeGiB?: number;
  /** Whether a node's data volume is kept in AWS when it leaves the stack; false deletes the data. Default: true. */
  retainDataVolumes?: boolean;
  /** Whether Pulumi refuses to delete or replace data volumes that are not retained. Default: false. */
  protect?: boolean;
  /** Name of the EMQX cluster. Changing it restarts all nodes together (`allowFullRestart`). Default: emqxcl. */
  clusterName?: string;
  /** Raise it for a new Erlang cookie, which restarts all nodes together (`allowFullRestart`). Default: 1. */
  cookieVersion?: number;
  /** Raise it for a new dashboard password; nodes take it up while they run. Default: 1. */
  dashboardPasswordVersion?: number;
  /** Raise it for a new password of the first MQTT user; nodes take it up while they run. Default: 1. */
  mqttPasswordVersion?: number;
  /** The ports between nodes. Default: Documented (4369, 5369, 6369). Must be the security group's own. */
  clusterPorts?: ClusterPorts;
  /** Listeners of the load balancer; the nodes serve WebSocket only if one of them does. Default: Mqtt and Mqtts. */
  listeners?: Listener[];
  /** Names of the Classic ELBs to register with. Append to the list; a name's place is its identity. Default: none. */
  loadBalancerNames?: pulumi.Input<string>[];
  /** Id of an Amazon Linux 2023 image. Default: the newest at the first deployment, kept from then on. */
  amiId?: string;
  /** More EMQX configuration in HOCON; settings that this component owns are refused. Default: none. */
  extraConfig?: string;
  /** Whether no MQTT user is made: an authentication in `extraConfig` decides who may connect; without one, anybody may. Default: false. */
  anonymousAccess?: boolean;
  /**
   * Seconds, 1 to 3,600, that a node may take to move its clients before it stops; at most 150 are used, and 30 where
   * EMQX cannot evacuate. Best the load balancer's own. Default: 300.
   */
  drainingTimeoutSeconds?: number;
  /** Whether the load balancer announces clients by PROXY protocol. Must be the load balancer's own. Default: false. */
  proxyProtocol?: boolean;
  /** How many nodes are replaced at the same time, and created at the same time. Default: 1. */
  rolloutBatchSize?: number;
  /** Whether a change that cannot be rolled is carried out, by replacing all nodes at once. Default: false. */
  allowFullRestart?: boolean;
  /** Seconds that a node may take from its creation until it serves, 60 to 7,200. Default: 900. */
  readinessTimeoutSeconds?: number;
  /** HTTPS address of the EMQX package for Amazon Linux 2023. Default: EMQX's own package repository. */
  packageUrl?: string;
  /** SHA-256 of the package, 64 hexadecimal digits. Default: the checksum published beside the package. */
  packageSha256?: string;
  /** ARN of the customer managed KMS key for disks and parameters. Default: AWS's keys for EBS and SSM. */
  kmsKeyId?: pulumi.Input<string>;
  /** Whether CloudWatch gets the instances' metrics every minute instead of every five. Default: false. */
  detailedMonitoring?: boolean;
  /** Tags of every resource. Default: none but `Name`. */
  tags?: Record<string, pulumi.Input<string>>;
}

/**
 * EMQX nodes on EC2: each with a fixed address, a data volume that outlives its instance, and a first boot that ends
 * in a cluster. Changes replace one batch of instances after the other and wait until each batch serves.
 */
export class EmqxClusterNodes extends pulumi.ComponentResource {
  /** Ids of the instances, node 0 first; known once the node is ready. */
  public readonly instanceIds: pulumi.Output<string>[];
  /** The nodes' private addresses, node 0 first. */
  public readonly privateIps: pulumi.Output<string>[];
  /** The nodes' EMQX names, `emqx@<address>`, node 0 first. */
  public readonly nodeNames: pulumi.Output<string>[];
  /** Name of the SSM parameter with the cluster's Erlang cookie. */
  public readonly cookieParameter: pulumi.Output<string>;
  /** Name of the SSM parameter with the password of the dashboard's user `admin`. */
  public readonly dashboardPasswordParameter: pulumi.Output<string>;
  /** The first MQTT user; undefined with anonymous access. */
  public readonly mqttUsername?: pulumi.Output<string>;
  /** Name of the SSM parameter with that user's password; undefined with anonymous access. */
  public readonly mqttPasswordParameter?: pulumi.Output<string>;
  /** The last day of the licence, RFC 3339; undefined without a licence key, or where the key does not say. */
  public readonly licenseExpires?: pulumi.Output<string>;
  /** Path of the cluster's SSM parameters, without a slash at the end. */
  public readonly parameterPrefix: pulumi.Output<string>;
  /** Name of the nodes' IAM role, for further permissions. */
  public readonly roleName: pulumi.Output<string>;
  /** Ids of the data volumes, node 0 first. */
  public readonly dataVolumeIds: pulumi.Output<string>[];

  constructor(name: string, args: EmqxClusterNodesArgs, opts?: pulumi.ComponentResourceOptions) {
    const subject = `EmqxClusterNodes "${name}"`;
    refuse(subject, clusterNodesProblems(name, args));
    super("emqx-aws:index:EmqxClusterNodes", name, {}, opts);
    args = checkedLater(subject, clusterNodesInputs, args, getRegionOutput({}, { parent: this }).region);
    args = withCheckedLicense(subject, args);
    for (const warning of clusterNodesWarnings(args)) {
      void pulumi.log.warn(warning, this);
    }
    const cluster = createSharedParts(name, this, args, checkedZonesOf(subject, this, args));
    const nodes = createStandingNodes(cluster);
    const readyInstanceIds = rollOut(cluster, nodes);

    this.instanceIds = readyInstanceIds;
    this.privateIps = nodes.map((node) => node.privateIp);
    this.nodeNames = this.privateIps.map(nodeName);
    this.cookieParameter = pulumi.output(cluster.secrets.cookie);
    this.dashboardPasswordParameter = pulumi.output(cluster.secrets.dashboardPassword);
    if (cluster.secrets.mqttPassword !== undefined) {
      this.mqttUsername = pulumi.output(mqttUsername);
      this.mqttPasswordParameter = pulumi.output(cluster.secrets.mqttPassword);
    }
    if (args.licenseKey !== undefined) {
      this.licenseExpires = readLicenseExpiry(this, args.licenseKey);
    }
    this.parameterPrefix = pulumi.output(cluster.parameterPrefix);
    this.roleName = cluster.role.role.name;
    this.dataVolumeIds = nodes.map((node) => node.volume.id);
    this.registerOutputs({
      instanceIds: this.instanceIds,
      privateIps: this.privateIps,
      nodeNames: this.nodeNames,
      cookieParameter: this.cookieParameter,
      dashboardPasswordParameter: this.dashboardPasswordParameter,
      mqttUsername: this.mqttUsername,
      mqttPasswordParameter: this.mqttPasswordParameter,
      licenseExpires: this.licenseExpires,
      parameterPrefix: this.parameterPrefix,
      roleName: this.roleName,
      dataVolumeIds: this.dataVolumeIds,
    });
  }
}

/** The image's own size is 8 GiB (Amazon Linux 2023); the rest is for packages, logs and crash dumps. */
const rootVolumeSizeGiB = 16;

/** What all nodes share. */
interface Cluster {
  name: string;
  parent: EmqxClusterNodes;
  args: EmqxClusterNodesArgs;
  parameterPrefix: string;
  secrets: NodeSecrets;
  role: NodeRole;
  image: pulumi.Output<string>;
  firstSeeds: pulumi.Output<string[]>;
  region: pulumi.Output<string>;
  /** By the nodes' numbers, once AWS has said that they are the account's. */
  zones: pulumi.Output<string[]>;
  /** Once AWS has said that the zones have it. */
  instanceType: pulumi.Output<string>;
  clusterPorts: pulumi.Output<ClusterPorts>;
  clusterName: pulumi.Output<string>;
  /** What an instance's first boot reads, beside its own parameters. */
  parameters: ssm.Parameter[];
  waits: Waits;
}

/** What stays when a node's instance is replaced. */
interface StandingParts {
  number: number;
  privateIp: pulumi.Output<string>;
  /** Of this node and those before it. */
  addressesUpToHere: pulumi.Output<string[]>;
  networkInterface: ec2.NetworkInterface;
  volume: ebs.Volume;
  ready: ssm.Parameter;
  applied: ssm.Parameter;
}

/** What comes and goes with a node's instance. */
interface RunningNode {
  instance: ec2.Instance;
  attachments: pulumi.Resource[];
  ready: pulumi.Output<void>;
  /** The node has taken up the present secrets. */
  applied: pulumi.Output<void>;
}

function checkedZonesOf(
  subject: string,
  parent: EmqxClusterNodes,
  args: EmqxClusterNodesArgs,
): pulumi.Output<string[]> {
  const zones = args.nodes.map((node) => node.availabilityZone);
  return checkedZones(subject, parent, "nodes", zones);
}

/** The key as one line, which is what a node's boot takes; one for a single node is no key for more. */
function withCheckedLicense(subject: string, args: EmqxClusterNodesArgs): EmqxClusterNodesArgs {
  if (args.licenseKey === undefined) {
    return args;
  }
  const licenseKey = pulumi.output(args.licenseKey).apply((key) => {
    refuseLater(subject, licenseProblems("licenseKey", key, args.nodes.length));
    return normalizeLicense(key);
  });
  return { ...args, licenseKey };
}

function createSharedParts(
  name: string,
  parent: EmqxClusterNodes,
  args: EmqxClusterNodesArgs,
  zones: pulumi.Output<string[]>,
): Cluster {
  const parameterPrefix = parameterPrefixOf(name);
  const loadBalancerNames = args.loadBalancerNames ?? [];
  const untilRestart = <T extends string>(suffix: string, setting: string, wanted: T) =>
    rememberedUntilRestart(`${name}-${suffix}`, parent, setting, wanted, args.allowFullRestart ?? false);
  const secrets = createNodeSecrets(name, parent, {
    parameterPrefix,
    anonymousAccess: args.anonymousAccess ?? false,
    cookieVersion: untilRestart("cookie-version", "cookieVersion", String(args.cookieVersion ?? 1)),
    dashboardPasswordVersion: args.dashboardPasswordVersion ?? 1,
    mqttPasswordVersion: args.mqttPasswordVersion ?? 1,
    licenseKey: args.licenseKey,
    kmsKeyId: args.kmsKeyId,
    tags: args.tags,
  });
  const operations = createNodeOperations(name, parent, {
    parameterPrefix,
    addresses: args.nodes.map((node) => node.privateIp),
    loadBalancerNames,
    drainSeconds: drainSeconds(
      args.emqxVersion ?? defaultEmqxVersion,
      args.drainingTimeoutSeconds ?? defaultDrainingTimeoutSeconds,
    ),
    tags: args.tags,
  });
  const role = createNodeRole(name, parent, {
    parameterPrefix,
    hasLoadBalancers: loadBalancerNames.length > 0,
    kmsKeyId: args.kmsKeyId,
    tags: args.tags,
  });
  return {
    name,
    parent,
    args,
    parameterPrefix,
    secrets,
    role,
    image: nodeImage(name, parent, args.instanceType ?? defaultInstanceType, args.amiId),
    region: regionOf(parent, args.nodes),
    zones,
    instanceType: checkedInstanceType(
      `EmqxClusterNodes "${name}"`,
      parent,
      args.instanceType ?? defaultInstanceType,
      zones,
    ),
    firstSeeds: remember<string[]>(
      `${name}-seeds`,
      parent,
      args.nodes.map((node) => node.privateIp) as pulumi.Input<string[]>,
    ),
    clusterPorts: untilRestart("cluster-ports", "clusterPorts", args.clusterPorts ?? ClusterPorts.Documented),
    clusterName: untilRestart("cluster-name", "clusterName", args.clusterName ?? defaultClusterName),
    parameters: [...secrets.parameters, ...operations],
    waits: new Waits(),
  };
}

/** When the licence ends, which is no secret as the key is. Warns when that is soon. */
function readLicenseExpiry(parent: pulumi.Resource, licenseKey: pulumi.Input<string>): pulumi.Output<string> {
  const expires = pulumi.output(licenseKey).apply((key) => {
    for (const warning of licenseWarnings(key, new Date())) {
      void pulumi.log.warn(warning, parent);
    }
    const end = licenseExpiry(key);
    return end && rfc3339(end);
  });
  // An output whose value is undefined, where the key does not say: the schema for other languages knows no unions.
  return pulumi.unsecret(expires) as pulumi.Output<string>;
}

function createStandingNodes(cluster: Cluster): StandingParts[] {
  let earlier = pulumi.output<string[]>([]);
  return cluster.args.nodes.map((node, number) => {
    const parts = createStandingParts(cluster, node, number, earlier);
    earlier = parts.addressesUpToHere;
    return parts;
  });
}

function createStandingParts(
  cluster: Cluster,
  node: EmqxNodeArgs,
  number: number,
  earlierAddresses: pulumi.Output<string[]>,
): StandingParts {
  const { parent, args } = cluster;
  const name = `${cluster.name}-${number}`;
  const privateIp = checkedAddress(parent, node, number);
  const networkInterface = new ec2.NetworkInterface(
    name,
    {
      subnetId: node.subnetId,
      privateIps: [privateIp],
      securityGroups: args.securityGroupIds,
      description: pulumi.interpolate`EMQX node ${nodeName(privateIp)}`,
      tags: tagged(name, args.tags),
    },
    { parent },
  );
  const retain = args.retainDataVolumes ?? true;
  const volume = new ebs.Volume(
    `${name}-data`,
    {
      availabilityZone: cluster.zones.apply((zones) => zones[number] as string),
      size: args.dataVolumeSizeGiB ?? 20,
      type: "gp3",
      encrypted: true,
      kmsKeyId: args.kmsKeyId,
      tags: {
        ...tagged(`${name}-data`, args.tags),
        // Which volumes are this cluster's, for whoever makes snapshots of them.
        [dataVolumeTag]: cluster.parameterPrefix,
      },
    },
    { parent, retainOnDelete: retain, ...(args.protect && !retain && { protect: true }) },
  );
  const ready = createReport(
    cluster,
    number,
    "ready",
    "Id of the instance that last became ready as this node",
  );
  const applied = createReport(
    cluster,
    number,
    "applied",
    "Versions of the secrets that this node has taken up",
  );
  const addressesUpToHere = pulumi
    .all([earlierAddresses, privateIp])
    .apply(([earlier, own]) => [...earlier, own]);
  return { number, privateIp, addressesUpToHere, networkInterface, volume, ready, applied };
}

/** A parameter whose value the node writes; Pulumi only makes and removes it. */
function createReport(cluster: Cluster, number: number, report: string, description: string): ssm.Parameter {
  const name = `${cluster.name}-${number}-${report}`;
  return new ssm.Parameter(
    name,
    {
      name: reportName(cluster, number, report),
      type: "String",
      insecureValue: notReportedYet,
      description,
      tags: tagged(name, cluster.args.tags),
    },
    { parent: cluster.parent, ignoreChanges: ["insecureValue"] },
  );
}

function reportName(cluster: Cluster, number: number, report: string): string {
  return `${cluster.parameterPrefix}/nodes/${number}/${report}`;
}

/** Creates the instances batch by batch, each batch after the one before is ready. Returns their ids, once ready. */
function rollOut(cluster: Cluster, nodes: StandingParts[]): pulumi.Output<string>[] {
  const { args } = cluster;
  const batchSize = args.allowFullRestart ? nodes.length : (args.rolloutBatchSize ?? 1);
  const ids: pulumi.Output<string>[] = [];
  let earlier: RunningNode[] = [];
  for (let first = 0; first < nodes.length; first += batchSize) {
    const batch = nodes.slice(first, first + batchSize).map((node) => createInstance(cluster, node, earlier));
    ids.push(
      ...batch.map(({ instance, ready, applied }) =>
        pulumi.all([instance.id, ready, applied]).apply(([id]) => id),
      ),
    );
    earlier = batch;
  }
  return ids;
}

function createInstance(cluster: Cluster, node: StandingParts, earlier: RunningNode[]): RunningNode {
  const { parent, args, role } = cluster;
  const name = `${cluster.name}-${node.number}`;
  const needed = [role.permissions, node.ready, node.applied, ...cluster.parameters];
  const instance = new ec2.Instance(
    name,
    {
      ami: cluster.image,
      instanceType: cluster.instanceType,
      primaryNetworkInterface: { networkInterfaceId: node.networkInterface.id },
      iamInstanceProfile: role.profile.name,
      userData: userDataOf(cluster, node),
      userDataReplaceOnChange: true,
      ebsOptimized: true,
      monitoring: args.detailedMonitoring ?? false,
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: {
        volumeType: "gp3",
        volumeSize: rootVolumeSizeGiB,
        encrypted: true,
        kmsKeyId: args.kmsKeyId,
        tags: tagged(`${name}-root`, args.tags),
      },
      tags: tagged(name, args.tags),
    },
    {
      parent,
      dependsOn: afterReady(
        [...needed, ...earlier.flatMap(({ attachments }) => attachments)],
        earlier.map(({ ready }) => ready),
        cluster.waits,
      ),
      // The interface has room for one instance, so the old one goes first.
      deleteBeforeReplace: true,
      // The provider would stop, change and start the instance, and nothing would wait for EMQX to come back.
      replaceOnChanges: ["instanceType"],
    },
  );
  const attachments = attach(cluster, node, instance);
  const report = {
    nodeName: `node ${node.number}`,
    timeoutSeconds: args.readinessTimeoutSeconds ?? defaultReadinessTimeoutSeconds,
    instance,
    waits: cluster.waits,
  };
  const ready = whenReported(
    parent,
    {
      ...report,
      parameterName: reportName(cluster, node.number, "ready"),
      goal: "to be ready",
      fits: isSame,
      failure: {
        happened: "did not become ready",
        consequence: "The nodes after it were left as they were.",
        remedy: (_, urn) =>
          "The node tries its boot again every two minutes. If its cause is elsewhere, mend it, wait, and run pulumi up again; a " +
          `change of the node's configuration, or pulumi up --replace '${urn}', makes the instance anew, with its address and data`,
      },
    },
    instance.id,
    attachments.map((resource) => resource.urn),
  );
  const applied = whenReported(
    parent,
    {
      ...report,
      parameterName: reportName(cluster, node.number, "applied"),
      goal: "to take up its secrets",
      fits: hasAll,
      failure: {
        happened: "did not take up the present passwords and licence",
        consequence: "It goes on with those that it has, and tries again every minute.",
        remedy: () =>
          "There, sudo /var/lib/cloud/scripts/per-boot/emqx-node sync tries now and says what is in the way",
      },
    },
    cluster.secrets.applied,
    [ready],
  );
  return { instance, attachments, ready, applied };
}

/** The data volume, then the load balancers; taken apart the other way round: no new clients, then a clean stop. */
function attach(cluster: Cluster, node: StandingParts, instance: ec2.Instance): pulumi.Resource[] {
  const { parent, args } = cluster;
  const name = `${cluster.name}-${node.number}`;
  const data = new ec2.VolumeAttachment(
    `${name}-data`,
    {
      deviceName: "/dev/sdf",
      instanceId: instance.id,
      volumeId: node.volume.id,
      // The operating system shuts EMQX down and flushes its files before the disk goes.
      stopInstanceBeforeDetaching: true,
    },
    { parent },
  );
  const registrations = (args.loadBalancerNames ?? []).map(
    (loadBalancerName, k) =>
      new elb.Attachment(
        `${name}-lb-${k}`,
        { elb: loadBalancerName, instance: instance.id },
        { parent, dependsOn: data },
      ),
  );
  return [data, ...registrations];
}

/** The provider's region; what a unit test's mocks do not tell, the nodes' zone does. */
function regionOf(parent: pulumi.Resource, [first]: EmqxNodeArgs[]): pulumi.Output<string> {
  const own = getRegionOutput({}, { parent }).region as pulumi.Output<string | undefined>;
  return own.apply((region): pulumi.Output<string> => {
    const zone = pulumi.output(first?.availabilityZone ?? "");
    return region === undefined
      ? zone.apply((name) => parseAvailabilityZone(name)?.region ?? "")
      : pulumi.output(region);
  });
}

function userDataOf(cluster: Cluster, node: StandingParts): pulumi.Output<string> {
  const { args, parameterPrefix } = cluster;
  return pulumi
    .all([node.privateIp, seedsOf(cluster, node), cluster.clusterPorts, cluster.clusterName, cluster.region])
    .apply(([privateIp, seeds, clusterPorts, clusterName, region]) => {
      const place = { number: node.number, privateIp, seeds, region, parameterPrefix };
      const userData = nodeUserData({ ...args, clusterPorts, clusterName }, place);
      refuse(`node ${node.number} of EmqxClusterNodes "${cluster.name}"`, userDataProblems(userData));
      return userData;
    });
}

/**
 * A node's static seeds: the nodes of the first deployment, and those that were added before it and itself. A node that
 * joins later is no seed of those before it, because their user data, and with it they themselves, would have to change.
 */
function seedsOf(cluster: Cluster, node: StandingParts): pulumi.Output<string[]> {
  return pulumi
    .all([cluster.firstSeeds, node.addressesUpToHere])
    .apply(([first, later]) => [...new Set([...first, ...later])]);
}

function nodeName(privateIp: pulumi.Output<string>): pulumi.Output<string> {
  return pulumi.interpolate`emqx@${privateIp}`;
}
