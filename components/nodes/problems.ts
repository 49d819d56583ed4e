/** What can be wrong with the inputs of EmqxClusterNodes together, and what deserves a second thought. */
import { aclDefault, askedAtListeners, parseHocon, safeguardsOf } from "../emqx/access";
import { aclProblems, AclPermission } from "../emqx/acl";
import { extraConfigProblems, extraConfigWarnings } from "../emqx/extraConfig";
import { licenseProblems } from "../emqx/license";
import { findRelease, releaseProblems, releaseWarnings } from "../emqx/releases";
import { packageTogetherProblems } from "../emqx/userData";
import { usersProblems } from "../emqx/users";
import { parseAvailabilityZone } from "../network/availabilityZones";
import { longestPrefix, parameterPrefixGrammar } from "../shared/awsNames";
import { problemsOf, withDefaults, type Rule } from "../shared/inputs";
import { nodeListeners } from "../shared/listeners";
import { nameProblems } from "../shared/names";
import { plain } from "../shared/problems";
import { wholeNumberProblems } from "../shared/words";
import { mqttUsername } from "./defaults";
import {
  clusterNodesInputs,
  type ClusterNodesSettings,
  type EmqxClusterNodesArgs,
  type EmqxNodeArgs,
  type EmqxNodeOptionsArgs,
  type NodeOptions,
} from "./settings";
import { nodeTlsProblems, tlsEndsOf, tlsOf } from "./tls";
import { parameterPrefixOf, userDataProblemsAt } from "./userData";

/** Everything that is wrong with the input, one line each. */
export function clusterNodesProblems(name: string, args: EmqxClusterNodesArgs): string[] {
  // A wrong node still counts.
  const nodeCount = Array.isArray(args?.nodes) ? args.nodes.length : 1;
  const problems = problemsOf<EmqxClusterNodesArgs, typeof clusterNodesInputs>(
    clusterNodesInputs,
    args,
    { region: zoneRegionOf(args) },
    [() => clusterNodesNameProblems(name), ...nodeSettingsRules(() => nodeCount)],
  );
  const addresses = problems.length === 0 ? args.nodes.map((node) => plain(node.privateIp)) : [];
  const known = addresses.filter((address) => address !== undefined);
  const region = zoneRegionOf(args);
  return region !== undefined && known.length > 0 && known.length === addresses.length
    ? userDataProblemsAt(withDefaults(clusterNodesInputs, args), name, known, region)
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
export function nodeSettingsRules<Settings extends NodeOptions>(
  nodeCountOf: (settings: Settings) => number,
): Rule<Settings, Pick<EmqxNodeOptionsArgs, "secretVersions">>[] {
  return [
    (settings) =>
      releaseProblems(
        settings.emqxVersion,
        settings.clusterPorts,
        nodeCountOf(settings),
        settings.licenseKey !== undefined,
      ),
    (settings) =>
      plain(settings.licenseKey) === undefined
        ? []
        : licenseProblems("licenseKey", settings.licenseKey, nodeCountOf(settings)),
    (settings) => batchProblems(settings.rollout.batchSize, nodeCountOf(settings)),
    ({ instance }) => packageTogetherProblems("instance.package", instance.package ?? {}),
    ({ anonymousAccess }, given) =>
      given.secretVersions?.mqttPassword !== undefined && anonymousAccess
        ? [
            `secretVersions.mqttPassword: given, but with anonymousAccess there is no such password; leave one of them out`,
          ]
        : [],
    ({ users, anonymousAccess }) =>
      users.length === 0 ? [] : usersProblems(users, mqttUsername, anonymousAccess),
    ({ nodeTls, listeners }) => nodeTlsProblems(nodeTls, listeners),
    ({ acl, emqxVersion }) => (acl === undefined ? [] : aclProblems("acl", acl, emqxVersion)),
    ({ secretConfig = {}, secretConfigFrom = {} }) =>
      Object.keys(secretConfigFrom)
        .filter((path) => Object.hasOwn(secretConfig, path))
        .map((path) => `secretConfigFrom.${path}: is also in secretConfig; leave one of them out`),
    ({ extraConfig, secretConfig, secretConfigFrom, acl, anonymousAccess, emqxVersion, nodeTls }) =>
      extraConfig === undefined && secretConfig === undefined && secretConfigFrom === undefined
        ? []
        : extraConfigProblems(extraConfig ?? "", {
            anonymousAccess,
            version: emqxVersion,
            secretPaths: Object.keys({ ...secretConfig, ...secretConfigFrom }),
            hasAcl: acl !== undefined,
            hasCommonNames: tlsOf(nodeTls)?.commonNames ?? false,
          }),
  ];
}

/** What works but deserves a second thought. */
export function clusterNodesWarnings(args: ClusterNodesSettings): string[] {
  const zones = args.nodes.map((node) => plain(node.availabilityZone));
  return [
    ...nodeCountWarnings(args.nodes.length),
    ...(zones.length > 1 && zones.every((zone) => zone !== undefined && zone === zones[0])
      ? [`nodes: all stand in ${zones[0]}; when that zone fails, so does the cluster`]
      : []),
    ...releaseWarnings(args.emqxVersion),
    ...licenseWarnings(args),
    ...(args.extraConfig === undefined
      ? []
      : extraConfigWarnings(args.extraConfig, args.emqxVersion, {
          anonymousAccess: args.anonymousAccess,
          secretPaths: Object.keys({ ...args.secretConfig, ...args.secretConfigFrom }),
        })),
    ...accessWarnings(args),
    ...aclWarnings(args),
  ];
}

/** What lets more people do more than a cluster is meant to. */
function accessWarnings({
  anonymousAccess,
  extraConfig,
  listeners,
  nodeTls,
}: ClusterNodesSettings): string[] {
  const open = nodeListeners(listeners, tlsEndsOf(nodeTls));
  const tls = tlsOf(nodeTls);
  const secure = (isOn = false) =>
    `enable = ${isOn}` +
    (tls?.clientCertificates ? ", ssl_options { verify = verify_peer, fail_if_no_peer_cert = true }" : "") +
    (tls?.commonNames ? ", enable_authn = false" : "");
  // What the component sets beside it, as far as it decides about access.
  const configuration = parseHocon(
    [
      "authorization.no_match = deny",
      `listeners { ssl.default { ${secure(open.ssl)} }, wss.default { ${secure(open.wss)} }, ws.default.enable = ${open.ws} }`,
      ...(anonymousAccess ? [] : ["authentication = [{ mechanism = password_based }]"]),
      (extraConfig ?? "").replaceAll("\r\n", "\n"),
    ].join("\n"),
  );
  const asked = [...askedAtListeners(configuration)];
  const unasked = asked.flatMap(([name, asks]) => (asks === undefined ? [name] : []));
  return [
    ...(unasked.length === 0
      ? []
      : [
          `${anonymousAccess ? "anonymousAccess" : "extraConfig"}: whoever reaches ` +
            `${unasked.length === asked.length ? "the cluster" : `EMQX's listener ${unasked.join(", ")}`} may connect, publish ` +
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

function aclWarnings({ acl, proxyProtocol, loadBalancerNames }: ClusterNodesSettings): string[] {
  const byAddress = acl?.rules?.findIndex(({ cidrBlocks }) => cidrBlocks !== undefined) ?? -1;
  return [
    ...(acl?.noMatch === AclPermission.Allow
      ? [
          `acl.noMatch: allow lets clients do whatever no rule forbids; leave it out, and allow what they need`,
        ]
      : []),
    ...(byAddress >= 0 && !proxyProtocol && loadBalancerNames.length > 0
      ? [
          `acl.rules[${byAddress}].cidrBlocks: EMQX sees the load balancer's address instead of its clients'; ` +
            `set proxyProtocol of the load balancer`,
        ]
      : []),
  ];
}

function licenseWarnings({ licenseKey, emqxVersion }: ClusterNodesSettings): string[] {
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

function batchProblems(batchSize: number | undefined, nodeCount: number): string[] {
  const atMost = Math.max(1, nodeCount - 1);
  return wholeNumberProblems("rollout.batchSize", batchSize, 1, atMost, "nodes").map(
    (problem) => `${problem}, so that some of the ${nodeCount} always serve`,
  );
}
