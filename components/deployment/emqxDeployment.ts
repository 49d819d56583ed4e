import * as pulumi from "@pulumi/pulumi";
import { EmqxSecurityGroup } from "../access/emqxSecurityGroup";
import type { EmqxSecurityGroupArgs } from "../access/settings";
import { EmqxBackup } from "../backup/emqxBackup";
import type { EmqxBackupArgs } from "../backup/settings";
import type { EmqxClassicElb } from "../classicElb/emqxClassicElb";
import { EmqxMonitoring } from "../monitoring/emqxMonitoring";
import type { EmqxMonitoringArgs } from "../monitoring/settings";
import { EmqxVpc } from "../network/emqxVpc";
import { existingNetwork, type Network } from "../network/existing";
import type { EmqxVpcArgs } from "../network/settings";
import { zoneSubnets } from "../network/subnets";
import type { EmqxNetworkLoadBalancer } from "../networkLoadBalancer/emqxNetworkLoadBalancer";
import { EmqxClusterNodes } from "../nodes/emqxClusterNodes";
import type { EmqxClusterNodesArgs } from "../nodes/settings";
import { tlsEndsOf } from "../nodes/tls";
import { Members } from "../shared/members";
import { checkDefaultTags } from "../shared/defaultTags";
import { checkedArgs, resolve } from "../shared/resolve";
import { nodeTagRules } from "../shared/tags";
import { createFronts, moveName } from "./fronts";
import { placeNodes } from "./places";
import { guardDeletion } from "./protection";
import { runError } from "../shared/problems";
import {
  deploymentInputs,
  deploymentProblems,
  frontWarnings,
  speaksProxyProtocol,
  type EmqxDeploymentArgs,
} from "./settings";

/**
 * An EMQX cluster on AWS, whole: a VPC, security groups, nodes, and a load balancer that ends TLS in front of them.
 *
 * @example
 * const emqx = new EmqxDeployment("mqtt", {
 *   availabilityZones: ["eu-west-1a", "eu-west-1b"],
 *   certificate: { selfSigned: {} },
 * });
 * export const url = emqx.mqttsUrl;
 */
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
  /** The load balancer's Elastic IPs, in the order of the zones; undefined unless they are static. */
  public readonly addresses?: pulumi.Output<string>[];
  /** Name of the endpoint service, for endpoints in other VPCs; undefined without one. */
  public readonly endpointServiceName?: pulumi.Output<string>;
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
  /** Name of the SSM parameter with the passwords of `users`, a line of name, password, superuser for each; undefined without them. */
  public readonly mqttUsersParameter?: pulumi.Output<string>;
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

  /** The network; undefined in a VPC that was there already. */
  public get vpc(): EmqxVpc | undefined {
    return members.of(this).vpc;
  }
  /** The security groups of load balancer and nodes. */
  public get securityGroup(): EmqxSecurityGroup {
    return members.of(this).securityGroup;
  }
  /** The Classic ELB, unless a Network Load Balancer stands alone. */
  public get classicElb(): EmqxClassicElb {
    const { classicElb } = members.of(this);
    if (classicElb === undefined) {
      throw runError("classicElb: there is none beside networkLoadBalancer, unless classicElb: {} is given");
    }
    return classicElb;
  }
  /** The Network Load Balancer; undefined without it. */
  public get networkLoadBalancer(): EmqxNetworkLoadBalancer | undefined {
    return members.of(this).networkLoadBalancer;
  }
  /** The nodes. */
  public get nodes(): EmqxClusterNodes {
    return members.of(this).nodes;
  }
  /** What watches the cluster; undefined without monitoring. */
  public get monitoring(): EmqxMonitoring | undefined {
    return members.of(this).monitoring;
  }
  /** The backups; undefined without them. */
  public get backup(): EmqxBackup | undefined {
    return members.of(this).backup;
  }

  constructor(name: string, args: EmqxDeploymentArgs, opts?: pulumi.ComponentResourceOptions) {
    const subject = `EmqxDeployment "${name}"`;
    const settings = resolve(subject, deploymentInputs, args, () => deploymentProblems(name, args));
    super("emqx-aws:index:EmqxDeployment", name, {}, opts);
    checkDefaultTags(subject, this, args.tags, nodeTagRules);
    const { availabilityZones, nodeCount, listeners, clusterPorts, kmsKeyId, protect, tags } = settings;
    const { access, rollout, instance, nodeTls } = settings;
    for (const warning of frontWarnings(settings)) {
      void pulumi.log.warn(warning, this);
    }
    if (availabilityZones.length === 1 && nodeCount > 1) {
      void pulumi.log.warn(
        `availabilityZones: all nodes stand in ${availabilityZones[0]}; when that zone fails, so does the cluster`,
        this,
      );
    }
    const parent = { parent: this };

    const { flowLogs, cidrBlock, natGateways } = settings.vpc;
    const vpc =
      settings.existingVpc === undefined
        ? new EmqxVpc(
            `${name}-vpc`,
            checkedArgs<EmqxVpcArgs>({
              availabilityZones,
              cidrBlock,
              natGateways,
              flowLogs: flowLogs && { ...flowLogs, kmsKeyId: flowLogs.kmsKeyId ?? kmsKeyId },
              tags,
            }),
            parent,
          )
        : undefined;
    const network = vpc
      ? networkOf(vpc, cidrBlock, availabilityZones)
      : existingNetwork(subject, this, availabilityZones, settings.existingVpc!);
    const privateSubnetIds = network.homes.map(({ subnetId }) => subnetId);
    const groups = new EmqxSecurityGroup(
      `${name}-sg`,
      checkedArgs<EmqxSecurityGroupArgs>({
        vpcId: network.vpcId,
        clientCidrBlocks: access.clientCidrBlocks,
        adminCidrBlocks: access.adminCidrBlocks,
        egress: access.egress,
        listeners,
        tlsEnds: tlsEndsOf(nodeTls),
        clusterPorts,
        tags,
      }),
      parent,
    );
    const fronts = createFronts(name, this, args, settings, network, [groups.loadBalancerSecurityGroupId]);
    const { classicElb, networkLoadBalancer, newest } = fronts;
    const nodes = new EmqxClusterNodes(
      `${name}-nodes`,
      checkedArgs<EmqxClusterNodesArgs>({
        nodes: placeNodes(subject, `${name}-nodes`, this, settings, network.homes),
        securityGroupIds: [groups.nodeSecurityGroupId],
        loadBalancerNames: classicElb ? [classicElb.loadBalancerName] : [],
        targetGroupArns: networkLoadBalancer?.targetGroupArns,
        emqxVersion: settings.emqxVersion,
        licenseKey: settings.licenseKey,
        clusterName: settings.clusterName,
        secretVersions: settings.secretVersions,
        clusterPorts,
        listeners,
        extraConfig: settings.extraConfig,
        secretConfig: settings.secretConfig,
        secretConfigFrom: settings.secretConfigFrom,
        acl: settings.acl,
        users: settings.users,
        anonymousAccess: settings.anonymousAccess,
        nodeTls:
          nodeTls?.selfSigned && settings.dns
            ? { ...nodeTls, hostnames: [...new Set([settings.dns.hostname, ...nodeTls.hostnames])] }
            : nodeTls,
        proxyProtocol: speaksProxyProtocol(args, settings),
        instance,
        dataVolume: settings.dataVolume,
        rollout,
        kmsKeyId,
        protect,
        tags,
      }),
      parent,
    );
    moveName(name, settings, fronts, nodes);
    const { parameterPrefix, roleName } = nodes;
    const monitoring =
      settings.monitoring &&
      new EmqxMonitoring(
        `${name}-monitoring`,
        checkedArgs<EmqxMonitoringArgs>({
          loadBalancerName: classicElb?.loadBalancerName,
          networkLoadBalancerArn: networkLoadBalancer?.loadBalancerArn,
          targetGroupArns: networkLoadBalancer?.targetGroupArns,
          nodes: nodes.instanceIds.map((instanceId, number) => ({
            instanceId,
            nodeName: nodes.nodeNames[number] as pulumi.Output<string>,
          })),
          parameterPrefix,
          roleName,
          instanceType: instance.type,
          alarmTopicArn: settings.monitoring.alarmTopicArn,
          certificateArn: settings.certificate?.arn ?? newest.certificateArn,
          backupIntervalHours: settings.backup?.intervalHours,
          logRetentionDays: settings.monitoring.logRetentionDays,
          kmsKeyId,
          tags,
        }),
        parent,
      );
    const backup =
      settings.backup &&
      new EmqxBackup(
        `${name}-backup`,
        checkedArgs<EmqxBackupArgs>({
          parameterPrefix,
          roleName,
          intervalHours: settings.backup.intervalHours,
          retentionDays: settings.backup.retentionDays,
          kmsKeyId,
          tags,
        }),
        { ...parent, ...(protect && { protect: true }) },
      );
    const parts = [vpc, groups, classicElb, networkLoadBalancer, nodes, monitoring, backup].filter(
      (part) => part !== undefined,
    );
    guardDeletion(`${name}-protection`, this, protect, parts);

    members.keep(this, {
      vpc,
      securityGroup: groups,
      classicElb,
      networkLoadBalancer,
      nodes,
      monitoring,
      backup,
    });
    const outputs = {
      mqttUrl: (this.mqttUrl = newest.mqttUrl),
      mqttsUrl: (this.mqttsUrl = newest.mqttsUrl),
      wsUrl: (this.wsUrl = newest.wsUrl),
      wssUrl: (this.wssUrl = newest.wssUrl),
      caCertificatePem: (this.caCertificatePem = newest.caCertificatePem ?? nodes.caCertificatePem),
      certificateExpires: (this.certificateExpires = newest.certificateExpires ?? nodes.certificateExpires),
      licenseExpires: (this.licenseExpires = nodes.licenseExpires),
      dnsName: (this.dnsName = newest.dnsName),
      zoneId: (this.zoneId = newest.zoneId),
      loadBalancerName: (this.loadBalancerName = newest.loadBalancerName),
      addresses: (this.addresses = networkLoadBalancer?.addresses.length
        ? networkLoadBalancer.addresses
        : undefined),
      endpointServiceName: (this.endpointServiceName = networkLoadBalancer?.endpointServiceName),
      vpcId: (this.vpcId = network.vpcId),
      publicSubnetIds: (this.publicSubnetIds = network.publicSubnetIds),
      privateSubnetIds: (this.privateSubnetIds = privateSubnetIds),
      loadBalancerSecurityGroupId: (this.loadBalancerSecurityGroupId = groups.loadBalancerSecurityGroupId),
      nodeSecurityGroupId: (this.nodeSecurityGroupId = groups.nodeSecurityGroupId),
      instanceIds: (this.instanceIds = nodes.instanceIds),
      privateIps: (this.privateIps = nodes.privateIps),
      nodeNames: (this.nodeNames = nodes.nodeNames),
      cookieParameter: (this.cookieParameter = nodes.cookieParameter),
      dashboardPasswordParameter: (this.dashboardPasswordParameter = nodes.dashboardPasswordParameter),
      mqttUsername: (this.mqttUsername = nodes.mqttUsername),
      mqttPasswordParameter: (this.mqttPasswordParameter = nodes.mqttPasswordParameter),
      mqttUsersParameter: (this.mqttUsersParameter = nodes.mqttUsersParameter),
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

/** A VPC that is made here: its subnets' blocks follow from its own. */
function networkOf(vpc: EmqxVpc, cidrBlock: string, availabilityZones: string[]): Network {
  return {
    vpcId: vpc.vpcId,
    publicSubnetIds: vpc.publicSubnetIds,
    homes: zoneSubnets(cidrBlock, availabilityZones).map(({ availabilityZone, privateBlock }, i) => ({
      availabilityZone,
      subnetId: vpc.privateSubnetIds[i]!,
      block: pulumi.output(privateBlock.text),
    })),
  };
}

interface Parts {
  vpc: EmqxVpc | undefined;
  securityGroup: EmqxSecurityGroup;
  classicElb: EmqxClassicElb | undefined;
  networkLoadBalancer: EmqxNetworkLoadBalancer | undefined;
  nodes: EmqxClusterNodes;
  monitoring: EmqxMonitoring | undefined;
  backup: EmqxBackup | undefined;
}
const members = new Members<EmqxDeployment, Parts>();
