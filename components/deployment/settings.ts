/** What EmqxDeployment can be told, and what can be wrong with it. */
import type * as pulumi from "@pulumi/pulumi";
import {
  accessInputs,
  clusterPortProblems,
  groupNameProblems,
  quotaProblems,
  type EmqxAccessArgs,
} from "../access/settings";
import {
  backupInputs,
  backupNameProblems,
  backupOptions,
  type EmqxBackupOptionsArgs,
} from "../backup/settings";
import {
  certificateInputs,
  certificateProblems,
  handedOnProblems,
  type EmqxCertificateArgs,
} from "../certificate/settings";
import {
  elbInputs,
  elbNameProblems,
  elbOptions,
  tlsPolicyProblems,
  type EmqxDnsArgs,
  type EmqxElbOptionsArgs,
} from "../classicElb/settings";
import {
  AddressType,
  networkKeepAliveProblems,
  networkLoadBalancerInputs,
  networkLoadBalancerNameProblems,
  networkLoadBalancerOptions,
  longestNetworkKeepAlive,
  networkOptionProblems,
  type EmqxNetworkLoadBalancerOptionsArgs,
} from "../networkLoadBalancer/settings";
import {
  monitoringNameProblems,
  monitoringOptions,
  type EmqxMonitoringOptionsArgs,
} from "../monitoring/settings";
import {
  existingVpcInputs,
  existingVpcProblems,
  NatGateways,
  networkInputs,
  type EmqxExistingVpcArgs,
  vpcInputs,
  vpcNameProblems,
  type EmqxNetworkArgs,
} from "../network/settings";
import { nodeCountProblem, zoneSubnets } from "../network/subnets";
import { clusterNodesNameProblems, nodeSettingsRules } from "../nodes/problems";
import { mostNodes, nodeOptions, type EmqxNodeOptionsArgs } from "../nodes/settings";
import { tlsEndsOf } from "../nodes/tls";
import { userDataProblemsAt } from "../nodes/userData";
import {
  checked,
  flag,
  group,
  problemsOf,
  wholeNumber,
  withDefaults,
  type Resolved,
  type Shapes,
} from "../shared/inputs";
import { kmsKeyInput } from "../shared/kmsKey";
import { usesTls } from "../shared/listeners";
import { regionOf } from "../shared/place";
import { wholeNumberProblems } from "../shared/words";
import { initialAddresses } from "./places";

/** A deployment is told what its nodes are told, how many they are and where, and what stands around them. */
export interface EmqxDeploymentArgs extends EmqxNodeOptionsArgs {
  /** Names of the Availability Zones to use, all of one region. Adding one moves no node. */
  availabilityZones: string[];
  /** Number of nodes, 1 to 100. A new node goes to the zone with the fewest. Default: 3. */
  nodeCount?: number;
  /** The VPC that is made. Default: one in 192.168.0.0/16, with a single NAT gateway. */
  vpc?: EmqxNetworkArgs;
  /** A VPC that there is already, to stand in instead. Going over replaces everything. Default: none. */
  existingVpc?: EmqxExistingVpcArgs;
  /** Who may reach the cluster, and whom it may reach. Default: clients from anywhere, administrators from nowhere. */
  access?: EmqxAccessArgs;
  /** The certificate of the TLS listeners, needed with one of them unless TLS ends at the nodes (`nodeTls`). */
  certificate?: EmqxCertificateArgs;
  /**
   * The longest MQTT keep-alive of any client, in seconds: up to 2,380 with a Classic ELB, up to 213 with a TLS listener of a
   * Network Load Balancer. Default: 300, and 213 there.
   */
  keepAliveSeconds?: number;
  /**
   * The Classic ELB; with `networkLoadBalancer` it stands only if it is given, `{}` is enough. Default: a public one, with all
   * defaults.
   */
  classicElb?: EmqxElbOptionsArgs;
  /**
   * A Network Load Balancer, `{}` is enough, instead of the Classic ELB, or beside one that is given. Clients are told the
   * name of this one. Default: none.
   */
  networkLoadBalancer?: EmqxNetworkLoadBalancerOptionsArgs;
  /** The name that clients connect to. Default: the load balancer's own. */
  dns?: EmqxDnsArgs;
  /** Watches the cluster with CloudWatch: alarms, a dashboard, memory, disks and logs of the nodes; `{}` is enough. Default: none. */
  monitoring?: EmqxMonitoringOptionsArgs;
  /** Exports EMQX's data to a bucket, and takes snapshots of the data volumes daily; `{}` is enough. Default: none. */
  backup?: EmqxBackupOptionsArgs;
  /** ARN of the customer managed KMS key for disks, parameters, logs and backups. Default: AWS's own keys. */
  kmsKeyId?: pulumi.Input<string>;
  /**
   * Whether Pulumi refuses to destroy the deployment, and to delete what clients and data depend on: the load balancer,
   * the backups' bucket, and data volumes that are not retained. Default: false.
   */
  protect?: boolean;
}

export const deploymentInputs = {
  availabilityZones: vpcInputs.availabilityZones,
  nodeCount: { ...wholeNumber(1, mostNodes, "nodes"), default: 3 },
  vpc: group(networkInputs, { default: {} }),
  existingVpc: group(existingVpcInputs),
  access: group(accessInputs, { default: {} }),
  certificate: group(certificateInputs),
  // Each load balancer has a limit of its own, and a default.
  keepAliveSeconds: checked("number", (input, value) =>
    typeof value === "number" ? [] : wholeNumberProblems(input, value, 1, longestNetworkKeepAlive, "seconds"),
  ),
  classicElb: group(elbOptions, { default: {} }),
  networkLoadBalancer: group(networkLoadBalancerOptions),
  dns: elbInputs.dns,
  ...nodeOptions,
  monitoring: group(monitoringOptions),
  backup: group(backupOptions),
  kmsKeyId: kmsKeyInput,
  protect: { ...flag, default: false },
} satisfies Shapes<EmqxDeploymentArgs>;

export type DeploymentSettings = Resolved<EmqxDeploymentArgs, typeof deploymentInputs>;

/** A Classic ELB stands unless a Network Load Balancer has taken its place. */
export function hasClassicElb({ classicElb, networkLoadBalancer }: EmqxDeploymentArgs): boolean {
  return networkLoadBalancer === undefined || classicElb !== undefined;
}

/** Everything that is wrong with the input, one line each. */
export function deploymentProblems(name: string, args: EmqxDeploymentArgs): string[] {
  const region = regionOf(args);
  const problems = problemsOf<EmqxDeploymentArgs, typeof deploymentInputs>(
    deploymentInputs,
    args,
    { region },
    [
      ({ networkLoadBalancer }) => deploymentNameProblems(name, networkLoadBalancer !== undefined),
      frontProblems,
      ({ existingVpc }, given) =>
        existingVpc !== undefined && given.vpc !== undefined
          ? [`existingVpc: given together with vpc, which is one to be made; choose one of the two`]
          : [],
      ({ existingVpc, availabilityZones, classicElb, networkLoadBalancer }, given) =>
        existingVpc === undefined
          ? []
          : existingVpcProblems(
              existingVpc,
              availabilityZones,
              (classicElb.internal || !hasClassicElb(given)) && (networkLoadBalancer?.internal ?? true),
            ),
      ({ vpc }) =>
        vpc.natGateways === NatGateways.None
          ? [
              `vpc.natGateways: None leaves the nodes without a way to their package and to AWS's APIs; ` +
                `use Single or PerAvailabilityZone`,
            ]
          : [],
      roomProblems,
      ({ access, listeners, clusterPorts, nodeTls }) =>
        quotaProblems({ ...access, listeners, tlsEnds: tlsEndsOf(nodeTls), clusterPorts }, "access."),
      ({ access, clusterPorts }) => clusterPortProblems({ ...access, clusterPorts }, "access."),
      ({ certificate, listeners, nodeTls }, { classicElb }) =>
        nodeTls === undefined
          ? certificateProblems(certificate, usesTls(listeners))
          : handedOnProblems({ certificate, tlsPolicy: classicElb?.tlsPolicy }, "classicElb."),
      ({ listeners }, { classicElb }) => tlsPolicyProblems(classicElb?.tlsPolicy, listeners, "classicElb."),
      ...nodeSettingsRules<DeploymentSettings>(({ nodeCount }) => nodeCount),
      snapshotTagProblems,
    ],
  );
  if (problems.length > 0 || region === undefined) {
    return problems;
  }
  const settings = withDefaults<EmqxDeploymentArgs, typeof deploymentInputs>(deploymentInputs, args);
  const nodes = {
    ...settings,
    proxyProtocol: speaksProxyProtocol(args, settings),
    loadBalancerNames: [`${name}-elb`],
    targetGroupArns: [],
  };
  return userDataProblemsAt(nodes, `${name}-nodes`, initialAddresses(settings), region);
}

/** The names of all parts, whether they are there now or only once a setting is on. */
function deploymentNameProblems(name: string, network: boolean): string[] {
  const [problem] = [
    ...(network ? [networkLoadBalancerNameProblems(name, "-nlb")] : []),
    elbNameProblems(name, "-elb"),
    groupNameProblems(name, "-sg"),
    vpcNameProblems(name, "-vpc"),
    clusterNodesNameProblems(name, "-nodes"),
    monitoringNameProblems(name, "-monitoring"),
    backupNameProblems(name, "-backup"),
  ].flat();
  return problem === undefined ? [] : [problem];
}

/** What each load balancer is told, and whether they go together. */
function frontProblems(settings: DeploymentSettings, given: EmqxDeploymentArgs): string[] {
  const { keepAliveSeconds, listeners, existingVpc, classicElb, networkLoadBalancer: network } = settings;
  const input = "keepAliveSeconds";
  const tlsEnds = tlsEndsOf(settings.nodeTls);
  return [
    ...(hasClassicElb(given) ? elbInputs.keepAliveSeconds.check(input, keepAliveSeconds, {}) : []),
    ...(network === undefined
      ? []
      : [
          ...networkLoadBalancerInputs.keepAliveSeconds.check(input, keepAliveSeconds, {}),
          ...networkKeepAliveProblems(keepAliveSeconds, listeners, tlsEnds),
          ...networkOptionProblems(
            network,
            given.networkLoadBalancer ?? {},
            listeners,
            tlsEnds,
            "networkLoadBalancer.",
          ),
          ...(network.addressType === AddressType.DualStack && existingVpc === undefined
            ? [
                `networkLoadBalancer.addressType: DualStack needs subnets with IPv6, which the VPC that is made has not; ` +
                  `leave it out, or use existingVpc`,
              ]
            : []),
          ...(hasClassicElb(given) && classicElb.proxyProtocol !== network.proxyProtocol
            ? [
                `networkLoadBalancer.proxyProtocol: is ${network.proxyProtocol}, and classicElb.proxyProtocol is ` +
                  `${classicElb.proxyProtocol}; nodes speak it with all load balancers or with none, so set both or neither`,
              ]
            : []),
        ]),
  ];
}

/** What works but deserves a second thought. */
export function frontWarnings({
  networkLoadBalancer,
  nodeCount,
  availabilityZones,
}: DeploymentSettings): string[] {
  const zones = availabilityZones.length;
  return networkLoadBalancer?.crossZone === false && nodeCount < 2 * zones
    ? [
        `networkLoadBalancer.crossZone: false, and ${nodeCount} nodes in ${zones} zones: while a zone's only node is replaced, clients ` +
          `that come to its address find none; use ${2 * zones} nodes, or leave it out`,
      ]
    : [];
}

export function speaksProxyProtocol(args: EmqxDeploymentArgs, settings: DeploymentSettings): boolean {
  return hasClassicElb(args)
    ? settings.classicElb.proxyProtocol
    : settings.networkLoadBalancer!.proxyProtocol;
}

/** Whether the last node finds an address in the smallest subnet. */
function roomProblems({ vpc, existingVpc, availabilityZones, nodeCount }: DeploymentSettings): string[] {
  if (existingVpc !== undefined) {
    return [];
  }
  const [firstZone] = zoneSubnets(vpc.cidrBlock, availabilityZones);
  const room = firstZone && nodeCountProblem(firstZone.privateBlock, nodeCount);
  return room === undefined ? [] : [room];
}

/** With backups, the policy of the snapshots gets the tags, too, and has less room for them. */
function snapshotTagProblems({ backup, tags }: DeploymentSettings): string[] {
  return backup !== undefined && tags !== undefined ? (backupInputs.tags.check?.("tags", tags) ?? []) : [];
}
