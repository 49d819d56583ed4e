import * as pulumi from "@pulumi/pulumi";
import * as ebs from "@pulumi/aws/ebs";
import * as ec2 from "@pulumi/aws/ec2";
import * as elb from "@pulumi/aws/elb";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import type * as iam from "@pulumi/aws/iam";
import * as lb from "@pulumi/aws/lb";
import * as ssm from "@pulumi/aws/ssm";
import { clusterNodesProblems, clusterNodesWarnings } from "./problems";
import type { NodeCertificate } from "../certificate/selfSigned";
import { licenseExpiry, licenseProblems, licenseWarnings, normalizeLicense } from "../emqx/license";
import type { ClusterPorts } from "../emqx/releases";
import { userDataProblems } from "../emqx/userData";
import { rfc3339 } from "../shared/expiry";
import { remember, rememberedUntilRestart } from "../shared/memory";
import { interfaceDescription } from "../network/existing";
import { parseAvailabilityZone } from "../network/availabilityZones";
import { checkedAddress } from "./address";
import { mqttUsername } from "./defaults";
import { nodeImage } from "./image";
import { createNodeOperations, drainSeconds } from "./operations";
import { createNodeRole, type NodeRole } from "./role";
import { checkedSources, createNodeSecrets, type NodeSecrets } from "./secrets";
import { aclOf, nodeUserData, parameterPrefixOf } from "./userData";
import { checkedLater } from "../shared/checkedLater";
import { checkDefaultTags } from "../shared/defaultTags";
import { checkedInstanceType, checkedZones } from "../shared/place";
import { refuse, refuseLater } from "../shared/problems";
import { nodeCertificate } from "./tls";
import { Waits, whenReported } from "./readiness";
import { hasAll, isSame, notReportedYet } from "./reports";
import { Turns } from "./turns";
import { Members } from "../shared/members";
import { resolve } from "../shared/resolve";
import { dataVolumeTag, nodeTagRules, tagged } from "../shared/tags";
import {
  clusterNodesInputs,
  type ClusterNodesSettings,
  type EmqxClusterNodesArgs,
  type EmqxNodeArgs,
} from "./settings";

/**
 * EMQX nodes on EC2: each with a fixed address, a data volume that outlives its instance, and a first boot that ends
 * in a cluster. New nodes come side by side; changes replace one batch of instances after the other and wait until each
 * batch serves.
 *
 * @example
 * // vpc: EmqxVpc of zones eu-west-1a and eu-west-1b, groups: EmqxSecurityGroup, elb: EmqxClassicElb
 * const [inZoneA, inZoneB] = vpc.privateSubnetIds;
 * const nodes = new EmqxClusterNodes("emqx", {
 *   nodes: [
 *     { subnetId: inZoneA, availabilityZone: "eu-west-1a", privateIp: "192.168.0.100" },
 *     { subnetId: inZoneB, availabilityZone: "eu-west-1b", privateIp: "192.168.1.101" },
 *     { subnetId: inZoneA, availabilityZone: "eu-west-1a", privateIp: "192.168.0.102" },
 *   ],
 *   securityGroupIds: [groups.nodeSecurityGroupId],
 *   loadBalancerNames: [elb.loadBalancerName],
 * });
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
  /** Name of the SSM parameter with the passwords of `users`, a line of name, password, superuser for each; undefined without them. */
  public readonly mqttUsersParameter?: pulumi.Output<string>;
  /** The last day of the licence, RFC 3339; undefined without a licence key, or where the key does not say. */
  public readonly licenseExpires?: pulumi.Output<string>;
  /** The certificate, PEM, of the authority that issues the nodes' self-signed certificate; undefined without one. */
  public readonly caCertificatePem?: pulumi.Output<string>;
  /** When that certificate ends, as RFC 3339 text in UTC; undefined without one. */
  public readonly certificateExpires?: pulumi.Output<string>;
  /** Path of the cluster's SSM parameters, without a slash at the end. */
  public readonly parameterPrefix: pulumi.Output<string>;
  /** Name of the nodes' IAM role, for further permissions. */
  public readonly roleName: pulumi.Output<string>;
  /** Ids of the data volumes, node 0 first. */
  public readonly dataVolumeIds: pulumi.Output<string>[];

  /** The instances, node 0 first. */
  public get instances(): ec2.Instance[] {
    return members.of(this).instances;
  }
  /** The data volumes, node 0 first. */
  public get dataVolumes(): ebs.Volume[] {
    return members.of(this).dataVolumes;
  }
  /** The nodes' IAM role. */
  public get role(): iam.Role {
    return members.of(this).role;
  }

  constructor(name: string, args: EmqxClusterNodesArgs, opts?: pulumi.ComponentResourceOptions) {
    const subject = `EmqxClusterNodes "${name}"`;
    const resolved = resolve(subject, clusterNodesInputs, args, () => clusterNodesProblems(name, args));
    super("emqx-aws:index:EmqxClusterNodes", name, {}, opts);
    checkDefaultTags(subject, this, args.tags, nodeTagRules);
    const { region } = getRegionOutput({}, { parent: this });
    const found = resolved.secretConfigFrom && checkedSources(subject, this, resolved.secretConfigFrom);
    const known = { ...resolved, secretConfigFrom: found };
    const settings = withCheckedLicense(subject, checkedLater(subject, clusterNodesInputs, known, region));
    for (const warning of clusterNodesWarnings(settings)) {
      void pulumi.log.warn(warning, this);
    }
    const cluster = createSharedParts(name, this, settings, checkedZonesOf(subject, this, settings));
    const nodes = createStandingNodes(cluster);
    const running = rollOut(cluster, nodes);

    this.instanceIds = running.map(readyId);
    this.privateIps = nodes.map((node) => node.privateIp);
    this.nodeNames = this.privateIps.map(nodeName);
    this.cookieParameter = pulumi.output(cluster.secrets.cookie);
    this.dashboardPasswordParameter = pulumi.output(cluster.secrets.dashboardPassword);
    if (cluster.secrets.mqttPassword !== undefined) {
      this.mqttUsername = pulumi.output(mqttUsername);
      this.mqttPasswordParameter = pulumi.output(cluster.secrets.mqttPassword);
    }
    if (cluster.secrets.mqttUsers !== undefined) {
      this.mqttUsersParameter = pulumi.output(cluster.secrets.mqttUsers);
    }
    if (settings.licenseKey !== undefined) {
      this.licenseExpires = readLicenseExpiry(this, settings.licenseKey);
    }
    const { certificate } = cluster;
    if (certificate !== undefined) {
      this.caCertificatePem = certificate.authorityPem;
      this.certificateExpires = certificate.ends;
    }
    this.parameterPrefix = pulumi.output(cluster.parameterPrefix);
    this.roleName = cluster.role.role.name;
    this.dataVolumeIds = nodes.map((node) => node.volume.id);
    members.keep(this, {
      instances: running.map(({ instance }) => instance),
      dataVolumes: nodes.map(({ volume }) => volume),
      role: cluster.role.role,
    });
    this.registerOutputs({
      instanceIds: this.instanceIds,
      privateIps: this.privateIps,
      nodeNames: this.nodeNames,
      cookieParameter: this.cookieParameter,
      dashboardPasswordParameter: this.dashboardPasswordParameter,
      mqttUsername: this.mqttUsername,
      mqttPasswordParameter: this.mqttPasswordParameter,
      mqttUsersParameter: this.mqttUsersParameter,
      licenseExpires: this.licenseExpires,
      caCertificatePem: this.caCertificatePem,
      certificateExpires: this.certificateExpires,
      parameterPrefix: this.parameterPrefix,
      roleName: this.roleName,
      dataVolumeIds: this.dataVolumeIds,
    });
  }
}

const members = new Members<
  EmqxClusterNodes,
  { instances: ec2.Instance[]; dataVolumes: ebs.Volume[]; role: iam.Role }
>();

/** The image's own size is 8 GiB (Amazon Linux 2023); the rest is for packages, logs and crash dumps. */
const rootVolumeSizeGiB = 16;

/** What all nodes share. */
interface Cluster {
  name: string;
  parent: EmqxClusterNodes;
  settings: ClusterNodesSettings;
  parameterPrefix: string;
  secrets: NodeSecrets;
  /** What the TLS listeners have, where the component makes it. */
  certificate: NodeCertificate | undefined;
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
  /** The attachment of its data volume. */
  data: pulumi.Resource;
  ready: pulumi.Output<void>;
  /** The node has taken up the present secrets. */
  applied: pulumi.Output<void>;
}

function checkedZonesOf(
  subject: string,
  parent: EmqxClusterNodes,
  settings: ClusterNodesSettings,
): pulumi.Output<string[]> {
  const zones = settings.nodes.map((node) => node.availabilityZone);
  return checkedZones(subject, parent, "nodes", zones);
}

/** The key as one line, which is what a node's boot takes; one for a single node is no key for more. */
function withCheckedLicense(subject: string, settings: ClusterNodesSettings): ClusterNodesSettings {
  if (settings.licenseKey === undefined) {
    return settings;
  }
  const licenseKey = pulumi.output(settings.licenseKey).apply((key) => {
    refuseLater(subject, licenseProblems("licenseKey", key, settings.nodes.length));
    return normalizeLicense(key);
  });
  return { ...settings, licenseKey };
}

function createSharedParts(
  name: string,
  parent: EmqxClusterNodes,
  settings: ClusterNodesSettings,
  zones: pulumi.Output<string[]>,
): Cluster {
  const parameterPrefix = parameterPrefixOf(name);
  const { loadBalancerNames, targetGroupArns, secretVersions, instance, nodeTls } = settings;
  const untilRestart = <T extends string>(suffix: string, setting: string, wanted: T) =>
    rememberedUntilRestart(`${name}-${suffix}`, parent, setting, wanted, settings.rollout.allowFullRestart);
  const certificate = nodeCertificate(name, parent, nodeTls);
  const secrets = createNodeSecrets(name, parent, {
    parameterPrefix,
    anonymousAccess: settings.anonymousAccess,
    cookieVersion: untilRestart("cookie-version", "secretVersions.cookie", String(secretVersions.cookie)),
    dashboardPasswordVersion: secretVersions.dashboardPassword,
    mqttPasswordVersion: secretVersions.mqttPassword,
    licenseKey: settings.licenseKey,
    secretConfig: settings.secretConfig,
    secretConfigFrom: settings.secretConfigFrom,
    acl: aclOf(settings),
    certificate: certificate?.pem,
    clientAuthorities: nodeTls?.clientCertificateAuthorities,
    users: settings.users,
    kmsKeyId: settings.kmsKeyId,
    tags: settings.tags,
  });
  const operations = createNodeOperations(name, parent, {
    parameterPrefix,
    addresses: settings.nodes.map((node) => node.privateIp),
    loadBalancerNames,
    targetGroupArns,
    drainSeconds: drainSeconds(settings.emqxVersion, settings.rollout.drainingTimeoutSeconds),
    versions: secrets.further,
    hasSources: settings.secretConfigFrom !== undefined,
    certificateParameter: nodeTls?.certificateParameter,
    tags: settings.tags,
  });
  const role = createNodeRole(name, parent, {
    parameterPrefix,
    hasLoadBalancers: loadBalancerNames.length > 0,
    hasTargetGroups: targetGroupArns.length > 0,
    certificateParameter: nodeTls?.certificateParameter,
    kmsKeyId: settings.kmsKeyId,
    sources: Object.values(settings.secretConfigFrom ?? {}),
    tags: settings.tags,
  });
  return {
    name,
    parent,
    settings,
    parameterPrefix,
    secrets,
    certificate,
    role,
    image: nodeImage(name, parent, instance.type, instance.amiId),
    region: regionOf(parent, settings.nodes),
    zones,
    instanceType: checkedInstanceType(`EmqxClusterNodes "${name}"`, parent, instance.type, zones),
    firstSeeds: remember<string[]>(
      `${name}-seeds`,
      parent,
      settings.nodes.map((node) => node.privateIp) as pulumi.Input<string[]>,
    ),
    clusterPorts: untilRestart("cluster-ports", "clusterPorts", settings.clusterPorts),
    clusterName: untilRestart("cluster-name", "clusterName", settings.clusterName),
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
  return cluster.settings.nodes.map((node, number) => {
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
  const { parent, settings } = cluster;
  const name = `${cluster.name}-${number}`;
  const privateIp = checkedAddress(parent, node, number);
  const networkInterface = new ec2.NetworkInterface(
    name,
    {
      subnetId: node.subnetId,
      privateIps: [privateIp],
      securityGroups: settings.securityGroupIds,
      description: privateIp.apply(interfaceDescription),
      tags: tagged(name, settings.tags),
    },
    { parent },
  );
  const retain = settings.dataVolume.retain;
  const volume = new ebs.Volume(
    `${name}-data`,
    {
      availabilityZone: cluster.zones.apply((zones) => zones[number] as string),
      size: settings.dataVolume.sizeGiB,
      type: "gp3",
      encrypted: true,
      kmsKeyId: settings.kmsKeyId,
      tags: {
        ...tagged(`${name}-data`, settings.tags),
        // Which volumes are this cluster's, for whoever makes snapshots of them.
        [dataVolumeTag]: cluster.parameterPrefix,
      },
    },
    { parent, retainOnDelete: retain, ...(settings.protect && !retain && { protect: true }) },
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
      tags: tagged(name, cluster.settings.tags),
    },
    { parent: cluster.parent, ignoreChanges: ["insecureValue"] },
  );
}

function reportName(cluster: Cluster, number: number, report: string): string {
  return `${cluster.parameterPrefix}/nodes/${number}/${report}`;
}

/** Creates the instances, each in its turn. */
function rollOut(cluster: Cluster, nodes: StandingParts[]): RunningNode[] {
  const { parent, settings, waits } = cluster;
  const places = nodes.map(({ number, networkInterface, privateIp, ready }) =>
    pulumi.all([networkInterface.id, privateIp, ready.urn]).apply(([networkInterfaceId, address]) => ({
      networkInterfaceId,
      privateIp: address,
      parameterName: reportName(cluster, number, "ready"),
    })),
  );
  const { allowFullRestart, batchSize } = settings.rollout;
  const turns = new Turns(parent, places, allowFullRestart ? nodes.length : batchSize, waits);
  return nodes.map((node) => turns.add(createInstance(cluster, node, turns)));
}

/** The instance's id, once the node is ready and has taken up the present secrets. */
function readyId({ instance, ready, applied }: RunningNode): pulumi.Output<string> {
  return pulumi.all([instance.id, ready, applied]).apply(([id]) => id);
}

function createInstance(cluster: Cluster, node: StandingParts, turns: Turns): RunningNode {
  const { parent, settings, role } = cluster;
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
      monitoring: settings.instance.detailedMonitoring,
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: {
        volumeType: "gp3",
        volumeSize: rootVolumeSizeGiB,
        encrypted: true,
        kmsKeyId: settings.kmsKeyId,
        tags: tagged(`${name}-root`, settings.tags),
      },
      tags: tagged(name, settings.tags),
    },
    {
      parent,
      dependsOn: turns.inTurn(node.number, needed),
      // The interface has room for one instance, so the old one goes first.
      deleteBeforeReplace: true,
      // The provider would stop, change and start the instance, and nothing would wait for EMQX to come back.
      replaceOnChanges: ["instanceType"],
    },
  );
  const { data, registrations } = attach(cluster, node, instance, turns.stoppedAfter(node.number));
  const report = {
    nodeName: `node ${node.number}`,
    timeoutSeconds: settings.rollout.readinessTimeoutSeconds,
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
        consequence: "Nodes whose turn comes after it were left as they were.",
        remedy: (_, urn) =>
          "The node tries its boot again every two minutes. If its cause is elsewhere, mend it, wait, and run pulumi up again; a " +
          `change of the node's configuration, or pulumi up --replace '${urn}', makes the instance anew, with its address and data`,
      },
    },
    instance.id,
    [data, ...registrations].map((resource) => resource.urn),
  );
  const applied = whenReported(
    parent,
    {
      ...report,
      parameterName: reportName(cluster, node.number, "applied"),
      goal: "to take up its secrets",
      fits: hasAll,
      failure: {
        happened: "did not take up the present secrets",
        consequence: "It goes on with those that it has, and tries again every minute.",
        remedy: () =>
          "There, sudo /var/lib/cloud/scripts/per-boot/emqx-node sync tries now and says what is in the way",
      },
    },
    cluster.secrets.applied,
    [ready],
  );
  return { instance, data, ready, applied };
}

/**
 * Target groups, then the data volume, with whose end the instance stops, then Classic ELBs; taken apart the other way round. A Classic ELB
 * sends nothing more to who has left it, and drains him. To a target group a node belongs until it has stopped: only while it is
 * registered does the failing health check, by which it drains, keep new clients away.
 */
function attach(
  cluster: Cluster,
  node: StandingParts,
  instance: ec2.Instance,
  stoppedAfter: pulumi.Resource[],
): { data: pulumi.Resource; registrations: pulumi.Resource[] } {
  const { parent, settings } = cluster;
  const name = `${cluster.name}-${node.number}`;
  const targets = settings.targetGroupArns.map(
    (targetGroupArn, k) =>
      new lb.TargetGroupAttachment(`${name}-tg-${k}`, { targetGroupArn, targetId: instance.id }, { parent }),
  );
  const data = new ec2.VolumeAttachment(
    `${name}-data`,
    {
      deviceName: "/dev/sdf",
      instanceId: instance.id,
      volumeId: node.volume.id,
      // The operating system shuts EMQX down and flushes its files before the disk goes.
      stopInstanceBeforeDetaching: true,
    },
    {
      parent,
      // What comes later stops first: a node's volume is detached after theirs.
      dependsOn: [...stoppedAfter, ...targets],
      // What a killed update deleted for a replacement, the engine does not delete again, but only where this is said.
      deleteBeforeReplace: true,
    },
  );
  const registrations = settings.loadBalancerNames.map(
    (loadBalancerName, k) =>
      new elb.Attachment(
        `${name}-lb-${k}`,
        { elb: loadBalancerName, instance: instance.id },
        { parent, dependsOn: data },
      ),
  );
  return { data, registrations: [...targets, ...registrations] };
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
  const { settings, parameterPrefix } = cluster;
  return pulumi
    .all([node.privateIp, seedsOf(cluster, node), cluster.clusterPorts, cluster.clusterName, cluster.region])
    .apply(([privateIp, seeds, clusterPorts, clusterName, region]) => {
      const place = { number: node.number, privateIp, seeds, region, parameterPrefix };
      const userData = nodeUserData({ ...settings, clusterPorts, clusterName }, place);
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
