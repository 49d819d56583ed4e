/** What EmqxVpc can be told, and what can be wrong with it. */
import type * as pulumi from "@pulumi/pulumi";
import { choice, group, list, problemsOf, wholeNumber, type Resolved, type Shapes } from "../shared/inputs";
import { subnetId, vpcId } from "../shared/awsNames";
import { kmsKeyInput } from "../shared/kmsKey";
import { logRetentionInput } from "../shared/logRetention";
import { nameProblems } from "../shared/names";
import { regionOf } from "../shared/place";
import { tagsInput } from "../shared/tags";
import { availabilityZonesInput } from "./availabilityZones";
import { firstNodeHostNumber, vpcBlockInput } from "./subnets";

/** How private subnets reach the internet. Each NAT gateway costs by the hour and by the gigabyte. */
export const NatGateways = {
  /** None: private subnets reach Amazon S3 only. */
  None: "None",
  /** One, in the first zone listed: the cheapest; without that zone, no node reaches the internet. */
  Single: "Single",
  /** One in every zone: a zone depends on no other. */
  PerAvailabilityZone: "PerAvailabilityZone",
} as const;
export type NatGateways = (typeof NatGateways)[keyof typeof NatGateways];

/** Flow logs of a VPC: its accepted and rejected connections, in CloudWatch Logs. */
export interface EmqxFlowLogsArgs {
  /** Days that flow logs are kept, one of the periods that CloudWatch Logs knows. Default: 365. */
  retentionDays?: number;
  /**
   * ARN of the customer managed KMS key that encrypts the flow logs; its policy must let CloudWatch Logs use it.
   * Default: a deployment's own `kmsKeyId`, else CloudWatch Logs' own encryption.
   */
  kmsKeyId?: pulumi.Input<string>;
}

/** A VPC and its way to the internet. */
export interface EmqxNetworkArgs {
  /** The VPC's IPv4 block, between /16 and /23. Default: 192.168.0.0/16. Changing it replaces everything. */
  cidrBlock?: string;
  /** NAT gateways for the private subnets. Default: Single. */
  natGateways?: NatGateways;
  /** Flow logs; `{}` for those with all defaults. Default: none. */
  flowLogs?: EmqxFlowLogsArgs;
}

/** A VPC that there is already. Its subnets are listed in the order of `availabilityZones`. */
export interface EmqxExistingVpcArgs {
  /** Id of the VPC. */
  vpcId: pulumi.Input<string>;
  /** Ids of the nodes' subnets, of any size, with a way to the internet: EMQX's package and AWS's APIs are there. */
  privateSubnetIds: pulumi.Input<string>[];
  /** Ids of the load balancer's subnets, /27 or larger. Default: none, for an internal load balancer, which stands in the nodes' subnets. */
  publicSubnetIds?: pulumi.Input<string>[];
  /**
   * Host number of node 0 in its subnet, from 4 on; node n has n more. A node's address is chosen when the node is new,
   * and remembered from then on. Default: 10.
   */
  firstHostNumber?: number;
}

export interface EmqxVpcArgs extends EmqxNetworkArgs {
  /**
   * Names of the Availability Zones to use, for example `eu-west-1a`, all of one region. Each gets a private and a
   * public subnet. A zone's addresses follow from its letter, so adding a zone changes nothing of the others.
   */
  availabilityZones: string[];
  /** Tags of every resource. Default: none but `Name`. */
  tags?: Record<string, pulumi.Input<string>>;
}

export const networkInputs = {
  // The guide's private network 192.168.0.0/24 is the private subnet of zone a in this block.
  cidrBlock: { ...vpcBlockInput, default: "192.168.0.0/16" },
  natGateways: { ...choice(NatGateways), default: NatGateways.Single },
  flowLogs: group({
    retentionDays: { ...logRetentionInput, default: 365 },
    kmsKeyId: kmsKeyInput,
  } satisfies Shapes<EmqxFlowLogsArgs>),
} satisfies Shapes<EmqxNetworkArgs>;

export const vpcInputs = {
  availabilityZones: availabilityZonesInput,
  ...networkInputs,
  tags: tagsInput(),
} satisfies Shapes<EmqxVpcArgs>;

export type VpcSettings = Resolved<EmqxVpcArgs, typeof vpcInputs>;

const subnets = { ...subnetId, needed: "give the id of the zone's subnet" };

export const existingVpcInputs = {
  vpcId: { ...vpcId, needed: "give the id of the VPC" },
  privateSubnetIds: list(subnets, {
    needed: "name a subnet for each zone",
    least: "name a subnet for each zone",
    check: distinct,
  }),
  publicSubnetIds: list(subnets, { check: distinct }),
  firstHostNumber: { ...wholeNumber(4, 65_000, "addresses"), default: firstNodeHostNumber },
} satisfies Shapes<EmqxExistingVpcArgs>;

export type ExistingVpcSettings = Resolved<EmqxExistingVpcArgs, typeof existingVpcInputs>;

function distinct(input: string, ids: unknown[]): string[] {
  return ids.flatMap((id, i) =>
    typeof id !== "string" || ids.indexOf(id) === i
      ? []
      : [`${input}: "${id}" is listed twice; list each once`],
  );
}

/** Whether there is a subnet for every zone, and for the load balancer. */
export function existingVpcProblems(
  { privateSubnetIds, publicSubnetIds }: ExistingVpcSettings,
  availabilityZones: string[],
  internal: boolean,
): string[] {
  const zones = availabilityZones.length;
  const count = (input: string, ids: unknown[]) =>
    ids.length === zones
      ? []
      : [
          `existingVpc.${input}: ${ids.length} for ${zones} zones; give one for each of availabilityZones, in their order`,
        ];
  return [
    ...count("privateSubnetIds", privateSubnetIds),
    ...(publicSubnetIds !== undefined
      ? count("publicSubnetIds", publicSubnetIds)
      : internal
        ? []
        : [
            `existingVpc.publicSubnetIds: missing; the load balancer stands in them, unless classicElb.internal is true`,
          ]),
  ];
}

/** Everything that is wrong with the input, one line each. */
export function vpcProblems(name: string, args: EmqxVpcArgs): string[] {
  return problemsOf<EmqxVpcArgs, typeof vpcInputs>(vpcInputs, args, { region: regionOf(args) }, [
    () => vpcNameProblems(name),
  ]);
}

export function vpcNameProblems(name: string, part?: string): string[] {
  return nameProblems(name, { made: [{ suffix: "-flow-logs", of: "an IAM role", longest: 64 }] }, part);
}
