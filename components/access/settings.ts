/** What EmqxSecurityGroup can be told, and what can be wrong with it. */
import type * as pulumi from "@pulumi/pulumi";
import { clusterPortList } from "../emqx/ports";
import { ClusterPorts } from "../emqx/releases";
import { blockInput, publicAddresses } from "../network/ipv4";
import { vpcId } from "../shared/awsNames";
import { choice, list, problemsOf, type Resolved, type Shapes } from "../shared/inputs";
import { instancePorts, listenerPorts, listenersInput, type Listener } from "../shared/listeners";
import { nameProblems } from "../shared/names";
import { tagsInput } from "../shared/tags";

/** Who may reach the cluster. */
export interface EmqxAccessArgs {
  /** IPv4 blocks that clients connect from. Default: 0.0.0.0/0, anywhere. */
  clientCidrBlocks?: string[];
  /** IPv4 blocks that may open the nodes' dashboard and management API, port 18083. Default: none. */
  adminCidrBlocks?: string[];
}

export interface EmqxSecurityGroupArgs extends EmqxAccessArgs {
  /** Id of the VPC that the groups belong to. */
  vpcId: pulumi.Input<string>;
  /** Listeners that clients may use. Default: Mqtt and Mqtts. Must be the load balancer's own. */
  listeners?: Listener[];
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

export const accessInputs = {
  clientCidrBlocks: blocksInput(
    ["0.0.0.0/0"],
    () => [],
    "name at least one block, or leave it out to admit clients from anywhere",
  ),
  adminCidrBlocks: blocksInput([], adminProblems),
} satisfies Shapes<EmqxAccessArgs>;

export const groupInputs = {
  vpcId: { ...vpcId, needed: "give the id of the VPC" },
  ...accessInputs,
  listeners: listenersInput,
  clusterPorts: { ...choice(ClusterPorts), default: ClusterPorts.Documented },
  tags: tagsInput(),
} satisfies Shapes<EmqxSecurityGroupArgs>;

export type GroupSettings = Resolved<EmqxSecurityGroupArgs, typeof groupInputs>;

/** Everything that is wrong with the input, one line each. */
export function groupProblems(name: string, args: EmqxSecurityGroupArgs): string[] {
  return problemsOf<EmqxSecurityGroupArgs, typeof groupInputs>(groupInputs, args, {}, [
    () => groupNameProblems(name),
    (settings) => quotaProblems(settings),
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
  const plainText = listenerPorts(listeners).filter(({ protocol }) => protocol === "TCP");
  return open > mostAdministrators && plainText.length > 0
    ? [
        `clientCidrBlocks: ${shareOfInternet(open)} may use ${plainText.map(({ listener }) => listener).join(" and ")}, where ` +
          `passwords and messages travel unencrypted; leave plain listeners out or name the clients' blocks`,
      ]
    : [];
}

/** Inbound rules that one security group may have (Amazon VPC quotas, "Inbound or outbound rules per security group"). */
const rulesPerGroup = 60;

export function quotaProblems(
  {
    clientCidrBlocks,
    adminCidrBlocks,
    clusterPorts,
    ...args
  }: Pick<GroupSettings, "clientCidrBlocks" | "listeners" | "clusterPorts" | "adminCidrBlocks">,
  path = "",
): string[] {
  const listeners = args.listeners.length;
  const clientRules = clientCidrBlocks.length * listeners;
  const nodeRules = instancePorts(args.listeners).length + 1 + clusterPortList(clusterPorts).length;
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
  ];
}
