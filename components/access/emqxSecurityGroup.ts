import * as pulumi from "@pulumi/pulumi";
import * as ec2 from "@pulumi/aws/ec2";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import * as vpc from "@pulumi/aws/vpc";
import { clusterPortList, ports } from "../emqx/ports";
import { ClusterPorts } from "../emqx/releases";
import { vpcId } from "../shared/awsNames";
import { checkedLater } from "../shared/checkedLater";
import { choice, list, problemsOf, without, type Shapes } from "../shared/inputs";
import { nameProblems } from "../shared/names";
import { blockInput, publicAddresses } from "../network/ipv4";
import {
  defaultListeners,
  instancePorts,
  Listener,
  listenerPorts,
  listenersInput,
} from "../shared/listeners";
import { refuse } from "../shared/problems";
import { tagged, tagsInput, type Tags } from "../shared/tags";

export interface EmqxSecurityGroupArgs {
  /** Id of the VPC that the groups belong to. */
  vpcId: pulumi.Input<string>;
  /** IPv4 blocks that clients connect from. Default: 0.0.0.0/0, anywhere. */
  clientCidrBlocks?: string[];
  /** Listeners that clients may use. Default: Mqtt and Mqtts. Must be the load balancer's own. */
  listeners?: Listener[];
  /** IPv4 blocks that may open the nodes' dashboard and management API, port 18083. Default: none. */
  adminCidrBlocks?: string[];
  /** The ports between nodes. Default: Documented (4369, 5369, 6369). Must be the nodes' own. */
  clusterPorts?: ClusterPorts;
  /** Tags of every resource. Default: none but `Name`. */
  tags?: Record<string, pulumi.Input<string>>;
}

/**
 * Two security groups, one for the load balancer and one for the nodes, with one rule resource per permission: clients
 * reach the load balancer's listeners, the load balancer reaches the nodes' MQTT ports and health check, nodes reach
 * each other's cluster ports and the internet's HTTPS. Nothing else is open.
 */
export class EmqxSecurityGroup extends pulumi.ComponentResource {
  /** Id of the load balancer's group. */
  public readonly loadBalancerSecurityGroupId: pulumi.Output<string>;
  /** Id of the nodes' group. */
  public readonly nodeSecurityGroupId: pulumi.Output<string>;

  constructor(name: string, args: EmqxSecurityGroupArgs, opts?: pulumi.ComponentResourceOptions) {
    const subject = `EmqxSecurityGroup "${name}"`;
    refuse(
      subject,
      problemsOf<EmqxSecurityGroupArgs>(groupInputs, args, {}, [
        () => groupNameProblems(name),
        quotaProblems,
      ]),
    );
    super("emqx-aws:index:EmqxSecurityGroup", name, {}, opts);
    args = checkedLater(subject, groupInputs, args, getRegionOutput({}, { parent: this }).region);
    for (const warning of securityGroupWarnings(args)) {
      void pulumi.log.warn(warning, this);
    }
    const listeners = args.listeners ?? defaultListeners;
    const create = (suffix: string, description: string) =>
      new ec2.SecurityGroup(
        `${name}-${suffix}`,
        { vpcId: args.vpcId, description, tags: tagged(`${name}-${suffix}`, args.tags) },
        { parent: this },
      );
    const loadBalancer = create("lb", "EMQX load balancer");
    const nodes = create("nodes", "EMQX nodes");

    const context: Context = { name, parent: this, tags: args.tags };
    admitClients(context, loadBalancer, listeners, args.clientCidrBlocks ?? anywhere);
    connectLoadBalancerToNodes(context, loadBalancer, nodes, listeners);
    connectNodes(context, nodes, args.clusterPorts ?? ClusterPorts.Documented);
    admitAdministrators(context, nodes, args.adminCidrBlocks ?? []);
    letNodesOut(context, nodes);

    this.loadBalancerSecurityGroupId = loadBalancer.id;
    this.nodeSecurityGroupId = nodes.id;
    this.registerOutputs({
      loadBalancerSecurityGroupId: this.loadBalancerSecurityGroupId,
      nodeSecurityGroupId: this.nodeSecurityGroupId,
    });
  }
}

const anywhere = ["0.0.0.0/0"];

/**
 * More addresses of the internet than this are no list of administrators, whatever blocks they are written as: a /8, the
 * most that any one organization was ever given.
 */
const mostAdministrators = 2n ** 24n;

function blocksInput(check: (input: string, blocks: string[]) => string[], least?: string) {
  return list(blockInput, {
    ...(least !== undefined && { least }),
    check: (input, blocks: string[]) => [
      ...blocks.flatMap((text, i) =>
        blocks.indexOf(text) === i ? [] : [`${input}: "${text}" is listed twice; list each block once`],
      ),
      ...check(input, blocks),
    ],
  });
}

export const groupInputs = {
  vpcId: { ...vpcId, needed: "give the id of the VPC" },
  clientCidrBlocks: blocksInput(
    () => [],
    "name at least one block, or leave it out to admit clients from anywhere",
  ),
  listeners: listenersInput,
  adminCidrBlocks: blocksInput(adminProblems),
  clusterPorts: choice(ClusterPorts),
  tags: tagsInput(),
} satisfies Shapes<EmqxSecurityGroupArgs>;

export const groupSettings = without(groupInputs, "vpcId");

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
export function securityGroupWarnings(
  args: Pick<EmqxSecurityGroupArgs, "listeners" | "clientCidrBlocks">,
): string[] {
  const open = publicAddresses(args.clientCidrBlocks ?? anywhere);
  const plainText = listenerPorts(args.listeners ?? defaultListeners).filter(
    ({ protocol }) => protocol === "TCP",
  );
  return open > mostAdministrators && plainText.length > 0
    ? [
        `clientCidrBlocks: ${shareOfInternet(open)} may use ${plainText.map(({ listener }) => listener).join(" and ")}, where ` +
          `passwords and messages travel unencrypted; leave plain listeners out or name the clients' blocks`,
      ]
    : [];
}

/** Inbound rules that one security group may have (Amazon VPC quotas, "Inbound or outbound rules per security group"). */
const rulesPerGroup = 60;

export function quotaProblems(args: Partial<EmqxSecurityGroupArgs>): string[] {
  const listeners = (args.listeners ?? defaultListeners).length;
  const clientRules = (args.clientCidrBlocks ?? anywhere).length * listeners;
  const nodeRules =
    instancePorts(args.listeners ?? defaultListeners).length +
    1 +
    clusterPortList(args.clusterPorts ?? ClusterPorts.Documented).length;
  const adminRules = (args.adminCidrBlocks ?? []).length;
  return [
    ...(clientRules > rulesPerGroup
      ? [
          `clientCidrBlocks: ${clientRules / listeners} blocks for ${listeners} listeners need ${clientRules} rules, and a ` +
            `security group holds ${rulesPerGroup}; use fewer or larger blocks`,
        ]
      : []),
    ...(adminRules > rulesPerGroup - nodeRules
      ? [
          `adminCidrBlocks: ${adminRules} blocks do not fit; a security group has room for ${rulesPerGroup - nodeRules}`,
        ]
      : []),
  ];
}

interface Context {
  name: string;
  parent: EmqxSecurityGroup;
  tags: Tags | undefined;
}

/** One permission, with its source or destination: exactly one of a block and a group. */
interface Permission {
  name: string;
  port: number;
  description: string;
  cidrIpv4?: string;
  referencedSecurityGroupId?: pulumi.Input<string>;
}

function admitClients(
  context: Context,
  loadBalancer: ec2.SecurityGroup,
  listeners: Listener[],
  clientBlocks: string[],
): void {
  for (const { listener, loadBalancerPort } of listenerPorts(listeners)) {
    for (const cidrIpv4 of clientBlocks) {
      allowIn(context, loadBalancer, {
        name: `lb-from-${blockName(cidrIpv4)}-${listener.toLowerCase()}`,
        port: loadBalancerPort,
        description: `${listener} from clients in ${cidrIpv4}`,
        cidrIpv4,
      });
    }
  }
}

function connectLoadBalancerToNodes(
  context: Context,
  loadBalancer: ec2.SecurityGroup,
  nodes: ec2.SecurityGroup,
  listeners: Listener[],
): void {
  const purposes: [number, string][] = [
    ...instancePorts(listeners).map((port): [number, string] => [
      port,
      port === ports.ws ? "WebSocket" : "MQTT",
    ]),
    [ports.dashboard, "health check"],
  ];
  for (const [port, purpose] of purposes) {
    allowOut(context, loadBalancer, {
      name: `lb-to-nodes-${port}`,
      port,
      description: `${purpose} to the nodes`,
      referencedSecurityGroupId: nodes.id,
    });
    allowIn(context, nodes, {
      name: `nodes-from-lb-${port}`,
      port,
      description: `${purpose} from the load balancer`,
      referencedSecurityGroupId: loadBalancer.id,
    });
  }
}

/** Cluster ports have the nodes' own group as their only source and destination, never a block of addresses. */
function connectNodes(context: Context, nodes: ec2.SecurityGroup, clusterPorts: ClusterPorts): void {
  for (const { port, purpose } of clusterPortList(clusterPorts)) {
    allowOut(context, nodes, {
      name: `nodes-to-nodes-${port}`,
      port,
      description: `${purpose} to the other nodes`,
      referencedSecurityGroupId: nodes.id,
    });
    allowIn(context, nodes, {
      name: `nodes-from-nodes-${port}`,
      port,
      description: `${purpose} from the other nodes`,
      referencedSecurityGroupId: nodes.id,
    });
  }
}

function admitAdministrators(context: Context, nodes: ec2.SecurityGroup, adminBlocks: string[]): void {
  for (const cidrIpv4 of adminBlocks) {
    allowIn(context, nodes, {
      name: `nodes-from-${blockName(cidrIpv4)}-${ports.dashboard}`,
      port: ports.dashboard,
      description: `dashboard and management API from administrators in ${cidrIpv4}`,
      cidrIpv4,
    });
  }
}

/** Packages, parameters and the SSM agent all speak HTTPS. DNS, time and metadata are not subject to security groups. */
function letNodesOut(context: Context, nodes: ec2.SecurityGroup): void {
  allowOut(context, nodes, {
    name: "nodes-to-internet-443",
    port: 443,
    description: "HTTPS to package repositories and AWS APIs",
    cidrIpv4: "0.0.0.0/0",
  });
}

function allowIn(context: Context, group: ec2.SecurityGroup, permission: Permission): void {
  const { name, rule } = ruleOf(context, group, permission);
  new vpc.SecurityGroupIngressRule(name, rule, { parent: context.parent });
}

function allowOut(context: Context, group: ec2.SecurityGroup, permission: Permission): void {
  const { name, rule } = ruleOf(context, group, permission);
  new vpc.SecurityGroupEgressRule(name, rule, { parent: context.parent });
}

function ruleOf(context: Context, group: ec2.SecurityGroup, { name, port, ...rest }: Permission) {
  const ruleName = `${context.name}-${name}`;
  return {
    name: ruleName,
    rule: {
      securityGroupId: group.id,
      ipProtocol: "tcp",
      fromPort: port,
      toPort: port,
      ...rest,
      tags: tagged(ruleName, context.tags),
    },
  };
}

/** A block as a part of a resource's name: the rule's identity is what it permits. */
function blockName(block: string): string {
  return block.replace("/", "-");
}
