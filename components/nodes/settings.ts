/** What EmqxClusterNodes can be told, one by one. How inputs go together: problems.ts. */
import type * as pulumi from "@pulumi/pulumi";
import {
  AclAction,
  aclNameWords,
  aclPatternWords,
  AclPermission,
  aclTopicWords,
  type EmqxAclArgs,
  type EmqxAclRuleArgs,
} from "../emqx/acl";
import { isReservedWord } from "../emqx/hocon";
import { licenseProblems } from "../emqx/license";
import { ClusterPorts, releaseProblem } from "../emqx/releases";
import { secretPathProblems, secretSourceWords, secretValueProblems } from "../emqx/secretConfig";
import { passwordProblems, usernameWords, type EmqxUserArgs } from "../emqx/users";
import { packageSumProblems, packageUrlProblems } from "../emqx/userData";
import { availabilityZoneInput } from "../network/availabilityZones";
import { addressInput, blockInput } from "../network/ipv4";
import { imageId, loadBalancerName, securityGroupId, subnetId, targetGroupArn } from "../shared/awsNames";
import {
  checked,
  choice,
  flag,
  group,
  list,
  text,
  version,
  wholeNumber,
  type MapShape,
  type Resolved,
  type Shapes,
} from "../shared/inputs";
import { kmsKeyInput } from "../shared/kmsKey";
import { listenersInput, type Listener } from "../shared/listeners";
import { plain } from "../shared/problems";
import { nodeTagRules, tagsInput } from "../shared/tags";
import { shown, wholeNumberProblems } from "../shared/words";
import { defaultInstanceType } from "./defaults";
import { instanceTypeInput } from "./instanceTypes";
import { nodeTlsInputs, type EmqxNodeTlsArgs } from "./tls";

/** Where a node stands. Its number is its place in the list of nodes. */
export interface EmqxNodeArgs {
  /** Id of the node's subnet. */
  subnetId: pulumi.Input<string>;
  /** The subnet's Availability Zone; the data volume is made there. */
  availabilityZone: pulumi.Input<string>;
  /** The node's fixed private address. It is part of the node's name `emqx@<address>`, so its data depends on it. */
  privateIp: pulumi.Input<string>;
}

/** The EMQX package. */
export interface EmqxPackageArgs {
  /** HTTPS address of the EMQX package for Amazon Linux 2023. Default: EMQX's own package repository. */
  url?: string;
  /** SHA-256 of the package, 64 hexadecimal digits. Default: the checksum published beside the package. */
  sha256?: string;
}

/** The nodes' EC2 instances, and what is installed on them. */
export interface EmqxInstanceArgs {
  /** EC2 instance type, on Graviton or x86-64. Default: m7g.large. */
  type?: string;
  /** Id of an Amazon Linux 2023 image. Default: the newest at the first deployment, kept from then on. */
  amiId?: string;
  /** The EMQX package. Default: that of EMQX's own package repository. */
  package?: EmqxPackageArgs;
  /** Whether CloudWatch gets the instances' metrics every minute instead of every five. Default: false. */
  detailedMonitoring?: boolean;
}

/** The nodes' data volumes, which outlive their instances. */
export interface EmqxDataVolumeArgs {
  /** Size of each node's volume in GiB, 1 to 16,384; it can grow, never shrink. Default: 20. */
  sizeGiB?: number;
  /** Whether a node's volume is kept in AWS when it leaves the stack; false deletes the data. Default: true. */
  retain?: boolean;
}

/** How a change reaches the nodes. */
export interface EmqxRolloutArgs {
  /** How many nodes are replaced at the same time; new ones are created side by side. Default: 1. */
  batchSize?: number;
  /** Whether a change that cannot be rolled is carried out, by replacing all nodes at once. Default: false. */
  allowFullRestart?: boolean;
  /** Seconds that a node may take from its creation until it serves, 60 to 7,200. Default: 900. */
  readinessTimeoutSeconds?: number;
  /**
   * Seconds that open connections live on after their node was taken out, 1 to 3,600. A node takes at most 150 of them to
   * move its clients before it stops, and 30 where EMQX cannot evacuate. Default: 300.
   */
  drainingTimeoutSeconds?: number;
}

/** Versions of the secrets that are generated. Raise one for a new secret. */
export interface EmqxSecretVersionsArgs {
  /** The Erlang cookie, whose change restarts all nodes together (`rollout.allowFullRestart`). Default: 1. */
  cookie?: number;
  /** The dashboard's password; nodes take it up while they run. Default: 1. */
  dashboardPassword?: number;
  /** The password of the first MQTT user; nodes take it up while they run. Default: 1. */
  mqttPassword?: number;
}

/** What nodes are told, in a deployment and by themselves. */
export interface EmqxNodeOptionsArgs {
  /** Listeners for clients; the nodes serve WebSocket only if one of them does. Default: Mqtt and Mqtts. */
  listeners?: Listener[];
  /** The ports between nodes; the security group's and the nodes' are the same. Default: Documented (4369, 5369, 6369). */
  clusterPorts?: ClusterPorts;
  /** Version of EMQX, for example `5.8.9`. From 5.8.10 on, more than one node needs a licence. Default: 5.8.9. */
  emqxVersion?: string;
  /** Licence key for versions after 5.8.9. Default: none. */
  licenseKey?: pulumi.Input<string>;
  /** Name of the EMQX cluster. Changing it restarts all nodes together (`rollout.allowFullRestart`). Default: emqxcl. */
  clusterName?: string;
  /** More EMQX configuration in HOCON; settings that the components own are refused. Default: none. */
  extraConfig?: string;
  /**
   * More of it that is secret, by the path of each setting, for example `authentication.1.password`: read by the nodes from a
   * parameter, and taken up while they run. Default: none.
   */
  secretConfig?: Record<string, pulumi.Input<string>>;
  /**
   * More of it that somebody else keeps: by the path of each setting the name of a parameter of SSM, or the ARN of a secret of Secrets
   * Manager, `:field` after it for one of its fields. Nodes look every minute whether it has changed. Default: none.
   */
  secretConfigFrom?: Record<string, pulumi.Input<string>>;
  /** What clients may do. Default: EMQX's own rules: everything, but for `$SYS/#` and for subscribing to all topics. */
  acl?: EmqxAclArgs;
  /** MQTT users beside the first one, of EMQX's built-in database; nodes take them up while they run. Default: none. */
  users?: EmqxUserArgs[];
  /** Whether no MQTT user is made: an authentication in `extraConfig` decides who may connect; without one, anybody may. Default: false. */
  anonymousAccess?: boolean;
  /** TLS that ends at the nodes instead of the load balancer, if need be for clients' certificates. Default: none. */
  nodeTls?: EmqxNodeTlsArgs;
  /** Versions of the generated secrets. Default: the first of each. */
  secretVersions?: EmqxSecretVersionsArgs;
  /** The nodes' instances. Default: m7g.large, with all defaults. */
  instance?: EmqxInstanceArgs;
  /** The nodes' data volumes. Default: 20 GiB, with all defaults. */
  dataVolume?: EmqxDataVolumeArgs;
  /** How a change reaches the nodes. Default: one node after the other. */
  rollout?: EmqxRolloutArgs;
  /** Tags of every resource. Default: none but `Name`. */
  tags?: Record<string, pulumi.Input<string>>;
}

export interface EmqxClusterNodesArgs extends EmqxNodeOptionsArgs {
  /** The nodes, the first one first. New nodes are added at the end; the last one is the one that goes. */
  nodes: EmqxNodeArgs[];
  /** Ids of the nodes' security groups. */
  securityGroupIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Names of the Classic ELBs to register with. Append to the list; a name's place is its identity. Default: none. */
  loadBalancerNames?: pulumi.Input<string>[];
  /**
   * ARNs of target groups that the nodes register with; a new node is ready once each calls it healthy. Running nodes learn
   * of another one. A group's place in the list is its identity. Default: none.
   */
  targetGroupArns?: pulumi.Input<string>[];
  /** Whether the load balancer announces clients by PROXY protocol. Must be the load balancer's own. Default: false. */
  proxyProtocol?: boolean;
  /** Whether Pulumi refuses to delete or replace data volumes that are not retained. Default: false. */
  protect?: boolean;
  /** ARN of the customer managed KMS key for disks and parameters. Default: AWS's keys for EBS and SSM. */
  kmsKeyId?: pulumi.Input<string>;
}

/** Nodes of one cluster; beyond that, full mesh connections and the rollout grow unwieldy. */
export const mostNodes = 100;

const nodeInput = {
  kind: "object",
  fields: {
    subnetId: { ...subnetId, needed: "give the id of the node's subnet" },
    availabilityZone: availabilityZoneInput,
    privateIp: addressInput,
  } satisfies Shapes<EmqxNodeArgs>,
} as const;

const userInput = group({
  username: { ...text(usernameWords), needed: "give the user's name" },
  password: checked("text", passwordProblems, { later: true, secret: true }),
  passwordVersion: version,
  superuser: flag,
} satisfies Shapes<EmqxUserArgs>);

const aclRuleInput = group({
  permission: { ...choice(AclPermission), needed: "give allow or deny" },
  username: text(aclNameWords),
  usernamePattern: text(aclPatternWords),
  clientId: text(aclNameWords),
  clientIdPattern: text(aclPatternWords),
  cidrBlocks: list(blockInput, { least: "name at least one, or leave it out for all addresses" }),
  action: choice(AclAction),
  topics: list(text(aclTopicWords), {
    needed: 'give the topics, ["#"] for all',
    least: 'give the topics, ["#"] for all',
  }),
} satisfies Shapes<EmqxAclRuleArgs>);

/** What nodes are told, in a deployment and by themselves. */
export const nodeOptions = {
  listeners: listenersInput,
  clusterPorts: { ...choice(ClusterPorts), default: ClusterPorts.Documented },
  emqxVersion: {
    ...checked("text", (_input, value) => {
      const problem = releaseProblem(value);
      return problem === undefined ? [] : [problem];
    }),
    // The last open source release: it clusters without a licence.
    default: "5.8.9",
  },
  licenseKey: checked("text", (input, key) => licenseProblems(input, key), { later: true, secret: true }),
  // EMQX's own default (`cluster.name`).
  clusterName: { ...text(clusterNameWords), default: "emqxcl" },
  extraConfig: checked(
    "text",
    (input, hocon) =>
      // Whether it may set authentication, another setting decides.
      typeof hocon === "string" ? [] : [`${input}: ${shown(hocon)} is not a text in HOCON`],
    {
      instead:
        "write the text without it, and give the value, secret or not, by secretConfig at the path of its setting, for example " +
        "authentication.1.server",
    },
  ),
  secretConfig: {
    kind: "map",
    item: checked("text", secretValueProblems, { later: true, secret: true }),
    check: (input: string, entries: Record<string, unknown>) =>
      secretPathProblems(input, Object.keys(entries)),
  } satisfies MapShape,
  secretConfigFrom: {
    kind: "map",
    item: text(secretSourceWords, { later: true, regional: true }),
    check: (input: string, entries: Record<string, unknown>) =>
      secretPathProblems(input, Object.keys(entries)),
  } satisfies MapShape,
  acl: group({
    // A condition that is overlooked would make a rule one for everybody.
    rules: list(aclRuleInput, {
      check: (input, rules: object[]) =>
        rules.flatMap((rule, i) =>
          Object.keys(rule)
            .filter((key) => !Object.hasOwn(aclRuleInput.fields, key))
            .map(
              (key) =>
                `${input}[${i}].${key}: there is no such input; there are ${Object.keys(aclRuleInput.fields).join(", ")}`,
            ),
        ),
    }),
    // What is in it, the version decides, too.
    file: checked("text", (input, file) =>
      typeof file === "string" ? [] : [`${input}: ${shown(file)} is not a text`],
    ),
    noMatch: { ...choice(AclPermission), default: AclPermission.Deny },
  } satisfies Shapes<EmqxAclArgs>),
  users: list(userInput, { default: [] as EmqxUserArgs[] }),
  anonymousAccess: { ...flag, default: false },
  nodeTls: group(nodeTlsInputs),
  secretVersions: group(
    {
      cookie: { ...version, default: 1 },
      dashboardPassword: { ...version, default: 1 },
      mqttPassword: { ...version, default: 1 },
    } satisfies Shapes<EmqxSecretVersionsArgs>,
    { default: {} },
  ),
  instance: group(
    {
      type: { ...instanceTypeInput, default: defaultInstanceType },
      amiId: imageId,
      package: group({
        url: checked("text", packageUrlProblems),
        sha256: checked("text", packageSumProblems),
      } satisfies Shapes<EmqxPackageArgs>),
      detailedMonitoring: { ...flag, default: false },
    } satisfies Shapes<EmqxInstanceArgs>,
    { default: {} },
  ),
  dataVolume: group(
    {
      sizeGiB: { ...wholeNumber(1, 16384, "GiB"), default: 20 },
      retain: { ...flag, default: true },
    } satisfies Shapes<EmqxDataVolumeArgs>,
    { default: {} },
  ),
  rollout: group(
    {
      // How many it may be depends on the nodes: see batchProblems.
      batchSize: {
        ...checked("number", (input, value) =>
          Number.isInteger(value)
            ? []
            : [`${input}: ${shown(value)} is not a whole number, below that of the nodes`],
        ),
        default: 1,
      },
      allowFullRestart: { ...flag, default: false },
      // A node boots in about three minutes; the rest is for slow package downloads and large clusters.
      readinessTimeoutSeconds: { ...wholeNumber(60, 7200, "seconds"), default: 900 },
      // AWS's own default for a Classic ELB.
      drainingTimeoutSeconds: { ...wholeNumber(1, 3600, "seconds"), default: 300 },
    } satisfies Shapes<EmqxRolloutArgs>,
    { default: {} },
  ),
  tags: tagsInput(nodeTagRules),
} satisfies Shapes<EmqxNodeOptionsArgs>;

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
  ...nodeOptions,
  loadBalancerNames: list(loadBalancerName, { default: [] as pulumi.Input<string>[] }),
  targetGroupArns: list(targetGroupArn, { default: [] as pulumi.Input<string>[] }),
  proxyProtocol: { ...flag, default: false },
  protect: { ...flag, default: false },
  kmsKeyId: kmsKeyInput,
} satisfies Shapes<EmqxClusterNodesArgs>;

export type ClusterNodesSettings = Resolved<EmqxClusterNodesArgs, typeof clusterNodesInputs>;

export type NodeOptions = Resolved<EmqxNodeOptionsArgs, typeof nodeOptions>;

/** What does not depend on where the nodes stand. */
export type NodeSettings = Omit<ClusterNodesSettings, "nodes" | "securityGroupIds">;

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
