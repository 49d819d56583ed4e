import * as pulumi from "@pulumi/pulumi";
import * as ec2 from "@pulumi/aws/ec2";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import * as vpc from "@pulumi/aws/vpc";
import { clusterPortList, ports } from "../emqx/ports";
import type { ClusterPorts } from "../emqx/releases";
import { checkedLater } from "../shared/checkedLater";
import { checkDefaultTags } from "../shared/defaultTags";
import { instancePorts, listenerPorts, type ListenerPorts } from "../shared/listeners";
import { Members } from "../shared/members";
import { resolve } from "../shared/resolve";
import { tagged, type Tags } from "../shared/tags";
import {
  egressName,
  groupInputs,
  groupProblems,
  httpsAnywhere,
  securityGroupWarnings,
  type EmqxEgressArgs,
  type EmqxSecurityGroupArgs,
} from "./settings";

/**
 * Two security groups, one for the load balancer and one for the nodes, with one rule resource per permission: clients
 * reach the load balancer's listeners, the load balancer reaches the nodes' MQTT ports and health check, nodes reach
 * each other's cluster ports, the internet's HTTPS and the back ends that are named. Nothing else is open.
 *
 * @example
 * // vpc: EmqxVpc
 * const groups = new EmqxSecurityGroup("emqx", { vpcId: vpc.vpcId, clientCidrBlocks: ["10.0.0.0/8"] });
 */
export class EmqxSecurityGroup extends pulumi.ComponentResource {
  /** Id of the load balancer's group. */
  public readonly loadBalancerSecurityGroupId: pulumi.Output<string>;
  /** Id of the nodes' group. */
  public readonly nodeSecurityGroupId: pulumi.Output<string>;

  /** The load balancer's group. */
  public get loadBalancerSecurityGroup(): ec2.SecurityGroup {
    return members.of(this).loadBalancer;
  }
  /** The nodes' group. */
  public get nodeSecurityGroup(): ec2.SecurityGroup {
    return members.of(this).nodes;
  }

  constructor(name: string, args: EmqxSecurityGroupArgs, opts?: pulumi.ComponentResourceOptions) {
    const subject = `EmqxSecurityGroup "${name}"`;
    const resolved = resolve(subject, groupInputs, args, () => groupProblems(name, args));
    super("emqx-aws:index:EmqxSecurityGroup", name, {}, opts);
    checkDefaultTags(subject, this, args.tags, { ec2Only: true });
    const { region } = getRegionOutput({}, { parent: this });
    const settings = checkedLater(subject, groupInputs, resolved, region);
    for (const warning of securityGroupWarnings(settings)) {
      void pulumi.log.warn(warning, this);
    }
    const { vpcId, tags } = settings;
    const listeners = listenerPorts(settings.listeners, settings.tlsEnds);
    const create = (suffix: string, description: string) =>
      new ec2.SecurityGroup(
        `${name}-${suffix}`,
        { vpcId, description, tags: tagged(`${name}-${suffix}`, tags) },
        { parent: this },
      );
    const loadBalancer = create("lb", "EMQX load balancer");
    const nodes = create("nodes", "EMQX nodes");

    const context: Context = { name, parent: this, tags };
    admitClients(context, loadBalancer, listeners, settings.clientCidrBlocks);
    connectLoadBalancerToNodes(
      context,
      loadBalancer,
      nodes,
      instancePorts(settings.listeners, settings.tlsEnds),
    );
    connectNodes(context, nodes, settings.clusterPorts);
    admitAdministrators(context, nodes, settings.adminCidrBlocks);
    letNodesOut(context, nodes, settings.egress);

    this.loadBalancerSecurityGroupId = loadBalancer.id;
    this.nodeSecurityGroupId = nodes.id;
    members.keep(this, { loadBalancer, nodes });
    this.registerOutputs({
      loadBalancerSecurityGroupId: this.loadBalancerSecurityGroupId,
      nodeSecurityGroupId: this.nodeSecurityGroupId,
    });
  }
}

const members = new Members<
  EmqxSecurityGroup,
  { loadBalancer: ec2.SecurityGroup; nodes: ec2.SecurityGroup }
>();

interface Context {
  name: string;
  parent: EmqxSecurityGroup;
  tags: Tags | undefined;
}

/** One permission, with its source or destination: exactly one of a block, a group and a prefix list. */
interface Permission {
  name: string;
  port: number;
  description: string;
  cidrIpv4?: string;
  referencedSecurityGroupId?: pulumi.Input<string>;
  prefixListId?: pulumi.Input<string>;
}

function admitClients(
  context: Context,
  loadBalancer: ec2.SecurityGroup,
  listeners: ListenerPorts[],
  clientBlocks: string[],
): void {
  for (const { listener, loadBalancerPort } of listeners) {
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

const purposeOf: Record<number, string> = {
  [ports.ws]: "WebSocket",
  [ports.mqtts]: "MQTT over TLS",
  [ports.wss]: "secure WebSocket",
};

function connectLoadBalancerToNodes(
  context: Context,
  loadBalancer: ec2.SecurityGroup,
  nodes: ec2.SecurityGroup,
  instancePorts: number[],
): void {
  const purposes: [number, string][] = [
    ...instancePorts.map((port): [number, string] => [port, purposeOf[port] ?? "MQTT"]),
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
function letNodesOut(context: Context, nodes: ec2.SecurityGroup, egress: EmqxEgressArgs[]): void {
  allowOut(context, nodes, {
    name: "nodes-to-internet-443",
    port: httpsAnywhere.port,
    description: "HTTPS to package repositories and AWS APIs",
    cidrIpv4: httpsAnywhere.cidrBlock,
  });
  for (const way of egress) {
    const { port, cidrBlock: cidrIpv4, securityGroupId, prefixListId } = way;
    allowOut(context, nodes, {
      name: egressName(way),
      port,
      description: way.description ?? `port ${port} of a back end`,
      ...(cidrIpv4 !== undefined && { cidrIpv4 }),
      ...(securityGroupId !== undefined && { referencedSecurityGroupId: securityGroupId }),
      ...(prefixListId !== undefined && { prefixListId }),
    });
  }
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
