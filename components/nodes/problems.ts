/** What can be wrong with the input of EmqxClusterNodes. */
import {
  imageId,
  loadBalancerName,
  longestPrefix,
  parameterPrefixGrammar,
  securityGroupId,
  subnetId,
} from "../shared/awsNames";
import type { EmqxClusterNodesArgs, EmqxNodeArgs } from "./emqxClusterNodes";
import { aclDefault, askedAtListeners, parseHocon, safeguardsOf } from "../emqx/access";
import { extraConfigProblems, extraConfigWarnings } from "../emqx/extraConfig";
import { isReservedWord } from "../emqx/hocon";
import { instanceTypeInput } from "./instanceTypes";
import { licenseProblems } from "../emqx/license";
import {
  ClusterPorts,
  findRelease,
  releaseProblem,
  releaseProblems,
  releaseWarnings,
} from "../emqx/releases";
import { packageSumProblems, packageTogetherProblems, packageUrlProblems } from "../emqx/userData";
import {
  checked,
  choice,
  flag,
  list,
  problemsOf,
  text,
  version,
  wholeNumber,
  without,
  type Rule,
  type Shapes,
} from "../shared/inputs";
import { kmsKeyInput } from "../shared/kmsKey";
import { nameProblems } from "../shared/names";
import { availabilityZoneInput, parseAvailabilityZone } from "../network/availabilityZones";
import { addressInput } from "../network/ipv4";
import { defaultListeners, listenersInput, usesWebSocket } from "../shared/listeners";
import { defaultEmqxVersion } from "./defaults";
import { parameterPrefixOf, userDataProblemsAt } from "./userData";
import { plain } from "../shared/problems";
import { shown, wholeNumberProblems } from "../shared/words";
import { dataVolumeTag, tagsInput } from "../shared/tags";

/** Nodes of one cluster; beyond that, full mesh connections and the rollout grow unwieldy. */
export const mostNodes = 100;

/** The settings of EmqxClusterNodes that do not depend on where its nodes stand. */
export type NodeSettings = Omit<EmqxClusterNodesArgs, "nodes" | "securityGroupIds">;

const nodeInput = {
  kind: "object",
  fields: {
    subnetId: { ...subnetId, needed: "give the id of the node's subnet" },
    availabilityZone: availabilityZoneInput,
    privateIp: addressInput,
  } satisfies Shapes<EmqxNodeArgs>,
} as const;

export const clusterNodesInputs = {
  nodes: list(nodeInput, {
    needed: "name at least one",
    least: "name at least one",
    check: (input, nodes: EmqxNodeArgs[]) => [
      ...wholeNumberProblems(input, nodes.length, 1, mostNodes, "nodes"),
      ...sharedAddressProblems(nodes),
    ],
  }),
  securityGroupIds: list(securityGroupId, {
    later: true,
    needed: "name at least one",
    least: "name at least one",
  }),
  emqxVersion: checked("text", (_input, value) => {
    const problem = releaseProblem(value);
    return problem === undefined ? [] : [problem];
  }),
  licenseKey: checked("text", (input, key) => licenseProblems(input, key), { later: true }),
  instanceType: instanceTypeInput,
  dataVolumeSizeGiB: wholeNumber(1, 16384, "GiB"),
  retainDataVolumes: flag,
  protect: flag,
  clusterName: text(clusterNameWords),
  cookieVersion: version,
  dashboardPasswordVersion: version,
  mqttPasswordVersion: version,
  clusterPorts: choice(ClusterPorts),
  listeners: listenersInput,
  loadBalancerNames: list(loadBalancerName),
  amiId: imageId,
  extraConfig: checked("text", (input, hocon) =>
    // Whether it may set authentication, another setting decides.
    typeof hocon === "string" ? [] : [`${input}: ${shown(hocon)} is not a text in HOCON`],
  ),
  anonymousAccess: flag,
  drainingTimeoutSeconds: wholeNumber(1, 3600, "seconds"),
  proxyProtocol: flag,
  // How many it may be depends on the nodes: see batchProblems.
  rolloutBatchSize: checked("number", (input, value) =>
    Number.isInteger(value)
      ? []
      : [`${input}: ${shown(value)} is not a whole number, below that of the nodes`],
  ),
  allowFullRestart: flag,
  readinessTimeoutSeconds: wholeNumber(60, 7200, "seconds"),
  packageUrl: checked("text", (_input, url) => packageUrlProblems(url)),
  packageSha256: checked("text", (_input, sum) => packageSumProblems(sum)),
  kmsKeyId: kmsKeyInput,
  detailedMonitoring: flag,
  tags: tagsInput([dataVolumeTag]),
} satisfies Shapes<EmqxClusterNodesArgs>;

export const nodeSettings = without(clusterNodesInputs, "nodes", "securityGroupIds", "loadBalancerNames");

/** Everything that is wrong with the input, one line each. */
export function clusterNodesProblems(name: string, args: EmqxClusterNodesArgs): string[] {
  // A wrong node still counts.
  const nodeCount = Array.isArray(args?.nodes) ? args.nodes.length : 1;
  const problems = problemsOf<EmqxClusterNodesArgs>(
    clusterNodesInputs,
    args,
    { region: zoneRegionOf(args) },
    [() => clusterNodesNameProblems(name), ...nodeSettingsRules(() => nodeCount)],
  );
  const addresses = problems.length === 0 ? args.nodes.map((node) => plain(node.privateIp)) : [];
  const known = addresses.filter((address) => address !== undefined);
  const region = zoneRegionOf(args);
  return region !== undefined && known.length > 0 && known.length === addresses.length
    ? userDataProblemsAt(args, name, known, region)
    : problems;
}

/** The names of what the nodes share; their parameters' path is a tag and the beginning of alarms' names, too. */
export function clusterNodesNameProblems(name: string, part = ""): string[] {
  const problems = nameProblems(
    name,
    {
      pattern: /^[A-Za-z0-9][\w.-]*$/,
      characters: "letters, digits and _.-, a letter or digit first",
      made: [{ suffix: "", of: "an IAM role", longest: 64 }],
    },
    part,
  );
  if (problems.length > 0) {
    return problems;
  }
  const prefix = parameterPrefixOf(`${name}${part}`);
  const words = parameterPrefixGrammar(prefix, {});
  return words === undefined
    ? []
    : [
        `name: the path of the cluster's parameters, "${prefix}", ${words} (it has room for ${longestPrefix} characters)`,
      ];
}

function zoneRegionOf(args: unknown): string | undefined {
  const nodes = (args as { nodes?: unknown } | null)?.nodes;
  const [first] = Array.isArray(nodes) ? (nodes as (EmqxNodeArgs | null | undefined)[]) : [];
  return parseAvailabilityZone(plain(first?.availabilityZone) ?? "")?.region;
}

/** How settings go together that are right one by one, whatever the places of the nodes. */
export function nodeSettingsRules<Args extends Partial<NodeSettings>>(
  nodeCountOf: (args: Partial<Args>) => number,
): Rule<Args>[] {
  return [
    (args) =>
      releaseProblems(
        args.emqxVersion ?? defaultEmqxVersion,
        args.clusterPorts ?? ClusterPorts.Documented,
        nodeCountOf(args),
        args.licenseKey !== undefined,
      ),
    (args) =>
      plain(args.licenseKey) === undefined
        ? []
        : licenseProblems("licenseKey", args.licenseKey, nodeCountOf(args)),
    (args) => batchProblems(args.rolloutBatchSize, nodeCountOf(args)),
    ({ packageUrl, packageSha256 }) => packageTogetherProblems(packageUrl, packageSha256),
    ({ mqttPasswordVersion, anonymousAccess }) =>
      mqttPasswordVersion !== undefined && anonymousAccess
        ? [
            `mqttPasswordVersion: given, but with anonymousAccess there is no such password; leave one of them out`,
          ]
        : [],
    ({ extraConfig, anonymousAccess, emqxVersion }) =>
      extraConfig === undefined
        ? []
        : extraConfigProblems(extraConfig, { anonymousAccess, version: emqxVersion ?? defaultEmqxVersion }),
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
    ...licenseWarnings(args),
    ...(args.extraConfig === undefined
      ? []
      : extraConfigWarnings(args.extraConfig, args.emqxVersion ?? defaultEmqxVersion, args)),
    ...accessWarnings(args),
  ];
}

/** What lets more people do more than a cluster is meant to. */
function accessWarnings({
  anonymousAccess,
  extraConfig,
  listeners = defaultListeners,
}: EmqxClusterNodesArgs): string[] {
  // What the component sets beside it, as far as it decides about access.
  const configuration = parseHocon(
    [
      "authorization.no_match = deny",
      `listeners { ssl.default.enable = false, wss.default.enable = false, ws.default.enable = ${usesWebSocket(listeners)} }`,
      ...(anonymousAccess ? [] : ["authentication = [{ mechanism = password_based }]"]),
      (extraConfig ?? "").replaceAll("\r\n", "\n"),
    ].join("\n"),
  );
  const asked = [...askedAtListeners(configuration)];
  const open = asked.flatMap(([name, asks]) => (asks === undefined ? [name] : []));
  return [
    ...(open.length === 0
      ? []
      : [
          `${anonymousAccess ? "anonymousAccess" : "extraConfig"}: whoever reaches ` +
            `${open.length === asked.length ? "the cluster" : `EMQX's listener ${open.join(", ")}`} may connect, publish ` +
            `and subscribe without saying who they are; leave it out, or set an authentication of your own in extraConfig`,
        ]),
    ...(safeguardsOf(configuration).some(({ what, rank }) => what === aclDefault && rank === 0)
      ? [
          `extraConfig: authorization.no_match = allow lets clients do whatever no ACL rule forbids; ` +
            `leave it out, or see to it that the last rule denies the rest`,
        ]
      : []),
  ];
}

function licenseWarnings({ licenseKey, emqxVersion = defaultEmqxVersion }: EmqxClusterNodesArgs): string[] {
  return licenseKey !== undefined && findRelease(emqxVersion).edition === "opensource"
    ? [
        `licenseKey: EMQX ${emqxVersion} is open source and reads no licence; leave it out until emqxVersion is a later one`,
      ]
    : [];
}

function nodeCountWarnings(nodeCount: number): string[] {
  return nodeCount % 2 === 0
    ? [
        `nodes: ${nodeCount} is an even number; when the network splits them in half, neither half is the majority ` +
          `that keeps the data. Use ${nodeCount + 1}`,
      ]
    : [];
}

function sharedAddressProblems(nodes: EmqxNodeArgs[]): string[] {
  const addresses = nodes.map((node) => plain(node.privateIp));
  return addresses.flatMap((address, i) =>
    address === undefined || addresses.indexOf(address) === i
      ? []
      : [
          `nodes[${i}].privateIp: "${address}" is also node ${addresses.indexOf(address)}'s; give each its own`,
        ],
  );
}

/** What EMQX takes as an unquoted word in HOCON, and reads as an Erlang atom. */
function clusterNameWords(clusterName: string): string | undefined {
  if (!/^[a-z][a-zA-Z0-9_]{0,63}$/.test(clusterName)) {
    return "is not a name of 1 to 64 letters, digits and _, a small letter first";
  }
  return isReservedWord(clusterName)
    ? `is a word of HOCON, which EMQX would not take for a name; choose another, for example emqx_${clusterName}`
    : undefined;
}

function batchProblems(batchSize: number | undefined, nodeCount: number): string[] {
  const atMost = Math.max(1, nodeCount - 1);
  return wholeNumberProblems("rolloutBatchSize", batchSize, 1, atMost, "nodes").map(
    (problem) => `${problem}, so that some of the ${nodeCount} always serve`,
  );
}
