/** What EmqxSecurityGroup can be told, and what can be wrong with it. */
import type * as pulumi from "@pulumi/pulumi";
import { clusterPortList } from "../emqx/ports";
import { ClusterPorts } from "../emqx/releases";
import { blockInput, publicAddresses } from "../network/ipv4";
import { prefixListId, ruleDescription, securityGroupId, vpcId } from "../shared/awsNames";
import { choice, group, list, problemsOf, wholeNumber, type Resolved, type Shapes } from "../shared/inputs";
import {
  instancePorts,
  listenerPorts,
  listenersInput,
  tlsEndsInput,
  type Listener,
  type TlsEnd,
} from "../shared/listeners";
import { nameProblems } from "../shared/names";
import { tagsInput } from "../shared/tags";
import { isLater } from "../shared/words";

/** A way out of the nodes, to a back end of EMQX's: exactly one of a block, a security group and a prefix list. */
export interface EmqxEgressArgs {
  /** TCP port of the back end. */
  port: number;
  /** IPv4 block that the back end is in. */
  cidrBlock?: string;
  /** Id of the back end's security group, which has to admit the nodes' group (`nodeSecurityGroupId`). */
  securityGroupId?: pulumi.Input<string>;
  /** Id of the prefix list that the back end is in. */
  prefixListId?: pulumi.Input<string>;
  /** What the back end is: the rule's description. Default: its port and where it is. */
  description?: string;
}

/** Who may reach the cluster, and whom its nodes may reach. */
export interface EmqxAccessArgs {
  /** IPv4 blocks that clients connect from. Default: 0.0.0.0/0, anywhere. */
  clientCidrBlocks?: string[];
  /** IPv4 blocks that may open the nodes' dashboard and management API, port 18083. Default: none. */
  adminCidrBlocks?: string[];
  /** Back ends that the nodes may reach beside HTTPS anywhere: databases, brokers, other clusters. Default: none. */
  egress?: EmqxEgressArgs[];
}

export interface EmqxSecurityGroupArgs extends EmqxAccessArgs {
  /** Id of the VPC that the groups belong to. */
  vpcId: pulumi.Input<string>;
  /** Listeners that clients may use. Default: Mqtt and Mqtts. Must be the load balancer's own. */
  listeners?: Listener[];
  /** Where the TLS of Mqtts and Wss ends. Default: LoadBalancer. Must be the load balancer's own. */
  tlsEnds?: TlsEnd;
  /** The ports between nodes. Default: Documented (4369, 5369, 6369). Must be the nodes' own. */
  clusterPorts?: ClusterPorts;
  /** Tags of every resource. Default: none but `Name`. */
  tags?: Record<string, pulumi.Input<string>>;
}

/**
 * More addresses of the internet than this are no list of administrators, whatever blocks they are written as: a /8, the
 * most that any one organization was ever given.
 */
const mostAdministrators = 2n ** 24n;

function blocksInput(
  defaults: string[],
  check: (input: string, blocks: string[]) => string[],
  least?: string,
) {
  return list(blockInput, {
    default: defaults,
    ...(least !== undefined && { least }),
    check: (input, blocks: string[]) => [
      ...blocks.flatMap((text, i) =>
        blocks.indexOf(text) === i ? [] : [`${input}: "${text}" is listed twice; list each block once`],
      ),
      ...check(input, blocks),
    ],
  });
}

const egressInput = group({
  port: { ...wholeNumber(1, 65535, "a port"), needed: "give the port of the back end" },
  cidrBlock: blockInput,
  securityGroupId,
  prefixListId,
  description: ruleDescription,
} satisfies Shapes<EmqxEgressArgs>);

export const accessInputs = {
  clientCidrBlocks: blocksInput(
    ["0.0.0.0/0"],
    () => [],
    "name at least one block, or leave it out to admit clients from anywhere",
  ),
  adminCidrBlocks: blocksInput([], adminProblems),
  egress: list(egressInput, { default: [] as EmqxEgressArgs[], check: egressProblems }),
} satisfies Shapes<EmqxAccessArgs>;

export const groupInputs = {
  vpcId: { ...vpcId, needed: "give the id of the VPC" },
  ...accessInputs,
  listeners: listenersInput,
  tlsEnds: tlsEndsInput,
  clusterPorts: { ...choice(ClusterPorts), default: ClusterPorts.Documented },
  tags: tagsInput(),
} satisfies Shapes<EmqxSecurityGroupArgs>;

export type GroupSettings = Resolved<EmqxSecurityGroupArgs, typeof groupInputs>;

/** Everything that is wrong with the input, one line each. */
export function groupProblems(name: string, args: EmqxSecurityGroupArgs): string[] {
  return problemsOf<EmqxSecurityGroupArgs, typeof groupInputs>(groupInputs, args, {}, [
    () => groupNameProblems(name),
    (settings) => quotaProblems(settings),
    (settings) => clusterPortProblems(settings),
  ]);
}

/** A sum of blocks is judged as the addresses that are in it: two halves of the internet are the internet. */
function adminProblems(input: string, blocks: string[]): string[] {
  const open = publicAddresses(blocks);
  return open > mostAdministrators
    ? [
        `${input}: ${blocks.map((block) => `"${block}"`).join(", ")} would open the dashboard and the management API to ` +
          `${shareOfInternet(open)}; name the blocks that administrators connect from`,
      ]
    : [];
}

/** Where a way out leads. */
export function destinationOf({ cidrBlock, securityGroupId, prefixListId }: EmqxEgressArgs) {
  return [
    { kind: "block", id: cidrBlock },
    { kind: "group", id: securityGroupId },
    { kind: "prefix-list", id: prefixListId },
  ].filter((destination) => destination.id !== undefined);
}

/** The identity of a way out: what it permits, and for an id that is not known yet, of which kind it is. */
export function egressName(egress: EmqxEgressArgs): string {
  const [destination] = destinationOf(egress);
  const { kind, id } = destination!;
  return `nodes-to-${isLater(id) ? kind : (id as string).replace("/", "-")}-${egress.port}`;
}

/** What every deployment lets its nodes reach. */
export const httpsAnywhere: EmqxEgressArgs = { port: 443, cidrBlock: "0.0.0.0/0" };

function egressProblems(input: string, ways: EmqxEgressArgs[]): string[] {
  return ways.flatMap((way, i) => {
    const given = destinationOf(way).length;
    if (given !== 1) {
      return [
        `${input}[${i}]: has ${given === 0 ? "none" : `${given}`} of cidrBlock, securityGroupId and prefixListId; ` +
          `give exactly one`,
      ];
    }
    if (egressName(way) === egressName(httpsAnywhere)) {
      return [`${input}[${i}]: port 443 is open to 0.0.0.0/0 anyway; leave it out`];
    }
    const first = ways.findIndex(
      (other) => destinationOf(other).length === 1 && egressName(other) === egressName(way),
    );
    if (first === i) {
      return [];
    }
    const { kind, id } = destinationOf(way)[0]!;
    return [
      isLater(id)
        ? `${input}[${i}]: port ${way.port} to a ${kind.replace("-", " ")} that another resource gives is ${input}[${first}], too, ` +
          `and one could not be told from the other; make this rule yourself, from the group nodeSecurityGroupId`
        : `${input}[${i}]: port ${way.port} to ${id as string} is listed twice; list each way once`,
    ];
  });
}

/** Who reaches a cluster port can run code on a node; the nodes reach each other by rules of their own. */
export function clusterPortProblems(
  { egress, clusterPorts }: Pick<GroupSettings, "egress" | "clusterPorts">,
  path = "",
): string[] {
  const own = clusterPortList(clusterPorts);
  return egress.flatMap(({ port }, i) => {
    const purpose = own.find((cluster) => cluster.port === port)?.purpose;
    return purpose === undefined
      ? []
      : [
          `${path}egress[${i}].port: ${port} is for ${purpose} and open to their own group alone; ` +
            `give the port of a back end`,
        ];
  });
}

/** Addresses that are not special: 3,702 million of the 4,295 million. */
const internet = publicAddresses(["0.0.0.0/0"]);

function shareOfInternet(addresses: bigint): string {
  return addresses === internet
    ? "the whole internet"
    : `${addresses.toLocaleString("en-US")} addresses of the internet`;
}

/** AWS keeps names that begin with `sg-` for the ids of groups (CreateSecurityGroup, API reference). */
export function groupNameProblems(name: string, part?: string): string[] {
  return /^sg(-|$)/i.test(name)
    ? [`name: "${name}" makes names of groups that begin with "sg-", which AWS keeps for ids; choose another`]
    : nameProblems(
        name,
        {
          pattern: /^[A-Za-z0-9][\w.-]*$/,
          characters: "letters, digits and _.-, a letter or digit first",
          // The name of a rule is its tag `Name`; the longest is that of a block and the dashboard's port.
          made: [
            { suffix: "-nodes", of: "a security group", longest: 255 },
            { suffix: "-nodes-from-255.255.255.255-32-18083", of: "a tag", longest: 256 },
          ],
        },
        part,
      );
}

/** What works but deserves a second thought. */
export function securityGroupWarnings({
  clientCidrBlocks,
  listeners,
}: Pick<GroupSettings, "listeners" | "clientCidrBlocks">): string[] {
  const open = publicAddresses(clientCidrBlocks);
  const plainText = listenerPorts(listeners).filter(({ isTls }) => !isTls);
  return open > mostAdministrators && plainText.length > 0
    ? [
        `clientCidrBlocks: ${shareOfInternet(open)} may use ${plainText.map(({ listener }) => listener).join(" and ")}, where ` +
          `passwords and messages travel unencrypted; leave plain listeners out or name the clients' blocks`,
      ]
    : [];
}

/** Rules of one direction that one security group may have (Amazon VPC quotas, "Inbound or outbound rules per security group"). */
const rulesPerGroup = 60;

export function quotaProblems(
  {
    clientCidrBlocks,
    adminCidrBlocks,
    clusterPorts,
    egress,
    ...args
  }: Pick<
    GroupSettings,
    "clientCidrBlocks" | "listeners" | "tlsEnds" | "clusterPorts" | "adminCidrBlocks" | "egress"
  >,
  path = "",
): string[] {
  const listeners = args.listeners.length;
  const clientRules = clientCidrBlocks.length * listeners;
  const clusterRules = clusterPortList(clusterPorts).length;
  const nodeRules = instancePorts(args.listeners, args.tlsEnds).length + 1 + clusterRules;
  const waysOut = rulesPerGroup - clusterRules - 1;
  const adminRules = adminCidrBlocks.length;
  return [
    ...(clientRules > rulesPerGroup
      ? [
          `${path}clientCidrBlocks: ${clientRules / listeners} blocks for ${listeners} listeners need ${clientRules} rules, and a ` +
            `security group holds ${rulesPerGroup}; use fewer or larger blocks`,
        ]
      : []),
    ...(adminRules > rulesPerGroup - nodeRules
      ? [
          `${path}adminCidrBlocks: ${adminRules} blocks do not fit; a security group has room for ${rulesPerGroup - nodeRules}`,
        ]
      : []),
    ...(egress.length > waysOut
      ? [`${path}egress: ${egress.length} ways do not fit; a security group has room for ${waysOut}`]
      : []),
  ];
}
