/** What can be wrong with the input of EmqxClusterNodes. */
import type { EmqxClusterNodesArgs, EmqxNodeArgs } from "./emqxClusterNodes";
import { extraConfigProblems, extraConfigWarnings } from "./emqx/extraConfig";
import { architectureOf } from "./emqx/instanceTypes";
import { ClusterPorts, releaseProblems, releaseWarnings } from "./emqx/releases";
import { packageProblems } from "./emqx/userData";
import { kmsKeyProblems } from "./kmsKey";
import { parseAvailabilityZone } from "./network/availabilityZones";
import { isAddress } from "./network/ipv4";
import { defaultListeners, listenerProblems } from "./network/listeners";
import { defaultEmqxVersion, defaultInstanceType } from "./nodeDefaults";
import { userDataProblemsAt } from "./nodeUserData";
import { choiceProblems, plain, wholeNumberProblems } from "./problems";

/** Nodes of one cluster; beyond that, full mesh connections and the rollout grow unwieldy. */
export const mostNodes = 100;

/** The settings of EmqxClusterNodes that do not depend on where its nodes stand. */
export type NodeSettings = Omit<EmqxClusterNodesArgs, "nodes" | "securityGroupIds">;

/** Everything that is wrong with the input, one line each. */
export function clusterNodesProblems(name: string, args: EmqxClusterNodesArgs): string[] {
  const problems = [
    ...placeProblems(args.nodes),
    ...(plain(args.securityGroupIds)?.length === 0
      ? [`securityGroupIds: none given; name at least one`]
      : []),
    ...nodeSettingsProblems(args, args.nodes.length),
  ];
  const addresses = args.nodes.map((node) => plain(node.privateIp));
  const [zone] = args.nodes.map((node) => parseAvailabilityZone(plain(node.availabilityZone) ?? ""));
  const known = addresses.filter((address) => address !== undefined);
  return problems.length === 0 && zone && known.length === addresses.length
    ? userDataProblemsAt(args, name, known, zone.region)
    : problems;
}

/** What is wrong with everything but the places of the nodes; `region` is the deployment's, where it is known. */
export function nodeSettingsProblems(args: NodeSettings, nodeCount: number, region?: string): string[] {
  const clusterPorts = choiceProblems("clusterPorts", args.clusterPorts, ClusterPorts);
  return [
    ...clusterPorts,
    ...(clusterPorts.length > 0
      ? []
      : releaseProblems(
          args.emqxVersion ?? defaultEmqxVersion,
          args.clusterPorts ?? ClusterPorts.Documented,
          nodeCount,
          args.licenseKey !== undefined,
        )),
    ...licenseProblems(plain(args.licenseKey)),
    ...instanceTypeProblems(args.instanceType ?? defaultInstanceType),
    ...imageProblems(args.amiId),
    ...wholeNumberProblems("dataVolumeSizeGiB", args.dataVolumeSizeGiB, 1, 16384, "GiB"),
    ...clusterNameProblems(args.clusterName),
    ...wholeNumberProblems("cookieVersion", args.cookieVersion, 1, 1_000_000, "versions"),
    ...wholeNumberProblems(
      "dashboardPasswordVersion",
      args.dashboardPasswordVersion,
      1,
      1_000_000,
      "versions",
    ),
    ...wholeNumberProblems("mqttPasswordVersion", args.mqttPasswordVersion, 1, 1_000_000, "versions"),
    ...wholeNumberProblems("drainingTimeoutSeconds", args.drainingTimeoutSeconds, 1, 3600, "seconds"),
    ...wholeNumberProblems("readinessTimeoutSeconds", args.readinessTimeoutSeconds, 60, 7200, "seconds"),
    ...batchProblems(args.rolloutBatchSize, nodeCount),
    ...listenerProblems(args.listeners ?? defaultListeners),
    ...packageProblems(args.packageUrl, args.packageSha256),
    ...kmsKeyProblems(plain(args.kmsKeyId), region),
    ...(args.extraConfig === undefined
      ? []
      : extraConfigProblems(args.extraConfig, {
          anonymousAccess: args.anonymousAccess,
          version: args.emqxVersion ?? defaultEmqxVersion,
        })),
  ];
}

/** What works but deserves a second thought. */
export function clusterNodesWarnings(args: EmqxClusterNodesArgs): string[] {
  const zones = args.nodes.map((node) => plain(node.availabilityZone));
  return [
    ...nodeCountWarnings(args.nodes.length),
    ...(zones.length > 1 && zones.every((zone) => zone !== undefined && zone === zones[0])
      ? [`nodes: all stand in ${zones[0]}; when that zone fails, so does the cluster`]
      : []),
    ...releaseWarnings(args.emqxVersion ?? defaultEmqxVersion),
    ...(args.extraConfig === undefined
      ? []
      : extraConfigWarnings(args.extraConfig, args.emqxVersion ?? defaultEmqxVersion, args)),
  ];
}

function nodeCountWarnings(nodeCount: number): string[] {
  return nodeCount % 2 === 0
    ? [
        `nodes: ${nodeCount} is an even number; when the network splits them in half, neither half is the majority ` +
          `that keeps the data. Use ${nodeCount + 1}`,
      ]
    : [];
}

function placeProblems(nodes: EmqxNodeArgs[]): string[] {
  if (!Array.isArray(nodes) || nodes.length === 0) {
    return [`nodes: none given; name at least one`];
  }
  const addresses = nodes.map((node) => plain(node.privateIp));
  return [
    ...wholeNumberProblems("nodes", nodes.length, 1, mostNodes, "nodes"),
    ...nodes.flatMap((node, i) => {
      const address = addresses[i];
      const zone = plain(node.availabilityZone);
      return [
        ...(address !== undefined && !isAddress(address)
          ? [`nodes[${i}].privateIp: ${JSON.stringify(address)} is not an IPv4 address`]
          : []),
        ...(address !== undefined && addresses.indexOf(address) !== i
          ? [
              `nodes[${i}].privateIp: "${address}" is also node ${addresses.indexOf(address)}'s; give each its own`,
            ]
          : []),
        ...(zone !== undefined && !parseAvailabilityZone(zone)
          ? [`nodes[${i}].availabilityZone: ${JSON.stringify(zone)} is not the name of an Availability Zone`]
          : []),
      ];
    }),
  ];
}

/** What EMQX takes as an unquoted word in HOCON, and reads as an Erlang atom. */
function clusterNameProblems(clusterName: string | undefined): string[] {
  return clusterName === undefined || /^[a-z][a-zA-Z0-9_]{0,63}$/.test(clusterName)
    ? []
    : [
        `clusterName: ${JSON.stringify(clusterName)} is not a name of 1 to 64 letters, digits and _, a small letter first`,
      ];
}

function licenseProblems(licenseKey: string | undefined): string[] {
  return licenseKey !== undefined && licenseKey.trim() === ""
    ? [`licenseKey: is empty; give the key, or leave it out`]
    : [];
}

/** EC2 refuses these as EBS-optimized instances (EC2 user guide, "Amazon EBS-optimized instance types"). */
const withoutEbsOptimization = /^(t1|t2|m1|m2|m3|c1|c3|cc2|cr1|hs1|r3|i2|g2)\./;

function instanceTypeProblems(instanceType: string): string[] {
  try {
    architectureOf(instanceType);
    return withoutEbsOptimization.test(instanceType)
      ? [
          `instanceType: "${instanceType}" is of a previous generation without EBS optimization; ` +
            `use a current one, for example ${defaultInstanceType}`,
        ]
      : [];
  } catch (error) {
    return [(error as Error).message];
  }
}

function imageProblems(amiId: string | undefined): string[] {
  return amiId === undefined || /^ami-[0-9a-f]{8,17}$/.test(amiId)
    ? []
    : [`amiId: ${JSON.stringify(amiId)} is not the id of an image, for example ami-0123456789abcdef0`];
}

function batchProblems(batchSize: number | undefined, nodeCount: number): string[] {
  const atMost = Math.max(1, nodeCount - 1);
  return wholeNumberProblems("rolloutBatchSize", batchSize, 1, atMost, "nodes").map(
    (problem) => `${problem}, so that some of the ${nodeCount} always serve`,
  );
}
