/** A VPC that there is already: its subnets, once AWS has said that they are what the settings take them for. */
import * as pulumi from "@pulumi/pulumi";
import { getNetworkInterfacesOutput, getSubnetOutput } from "@pulumi/aws/ec2";
import { refuseLater } from "../shared/problems";
import { parseBlock, type Block } from "./ipv4";
import type { ExistingVpcSettings } from "./settings";
import { smallestPublicPrefix } from "./subnets";

/** Where nodes can stand: a zone's subnet for them. */
export interface Home {
  availabilityZone: string;
  subnetId: pulumi.Output<string>;
  /** The subnet's IPv4 block. */
  block: pulumi.Output<string>;
}

/** What a deployment needs of its network. */
export interface Network {
  vpcId: pulumi.Output<string>;
  publicSubnetIds: pulumi.Output<string>[];
  homes: Home[];
}

export function existingNetwork(
  subject: string,
  parent: pulumi.Resource,
  availabilityZones: string[],
  { vpcId, privateSubnetIds, publicSubnetIds = [] }: ExistingVpcSettings,
): Network {
  const look = (input: string, id: pulumi.Input<string>, i: number) =>
    checkedSubnet(subject, parent, {
      input: `existingVpc.${input}[${i}]`,
      id,
      vpcId,
      zone: availabilityZones[i]!,
    });
  return {
    vpcId: pulumi.output(vpcId),
    publicSubnetIds: publicSubnetIds.map((id, i) => {
      const subnet = look("publicSubnetIds", id, i);
      return subnet.apply(({ subnetId, block }) => {
        refuseLater(
          subject,
          block !== undefined && block.prefix > smallestPublicPrefix
            ? [
                `existingVpc.publicSubnetIds[${i}]: ${subnetId} is ${block.text}; a Classic ELB needs subnets of ` +
                  `/${smallestPublicPrefix} or larger`,
              ]
            : [],
        );
        return subnetId;
      });
    }),
    homes: privateSubnetIds.map((id, i) => {
      const subnet = look("privateSubnetIds", id, i);
      return {
        availabilityZone: availabilityZones[i]!,
        subnetId: subnet.apply(({ subnetId }) => subnetId),
        // A unit test's mocks may know nothing of a subnet.
        block: subnet.apply(({ block }) => block?.text ?? "10.0.0.0/24"),
      };
    }),
  };
}

interface Wanted {
  input: string;
  id: pulumi.Input<string>;
  vpcId: pulumi.Input<string>;
  zone: string;
}

function checkedSubnet(
  subject: string,
  parent: pulumi.Resource,
  { input, id, vpcId, zone }: Wanted,
): pulumi.Output<{ subnetId: string; block: Block | undefined }> {
  const subnet = getSubnetOutput({ id }, { parent });
  return pulumi
    .all([id, vpcId, subnet.availabilityZone, subnet.vpcId, subnet.cidrBlock])
    .apply(
      ([subnetId, vpc, subnetZone, subnetVpc, cidrBlock]: [string, string, string?, string?, string?]) => {
        refuseLater(subject, [
          ...(subnetVpc === undefined || subnetVpc === vpc
            ? []
            : [`${input}: ${subnetId} is a subnet of ${subnetVpc}, not of existingVpc.vpcId ${vpc}`]),
          ...(subnetZone === undefined || subnetZone === zone
            ? []
            : [
                `${input}: ${subnetId} is in ${subnetZone}, and availabilityZones has ${zone} in its place; ` +
                  `list the subnets in the order of the zones`,
              ]),
        ]);
        const block = cidrBlock === undefined ? undefined : parseBlock(cidrBlock);
        return { subnetId, block: typeof block === "string" ? undefined : block };
      },
    );
}

/** The description of a node's network interface, by which a deployment knows its own. */
export const interfaceDescription = (address: string) => `EMQX node emqx@${address}`;

/**
 * A node's address, once AWS has said that nobody else in the subnet has it: it would refuse that when the interface is
 * made, with others half done.
 */
export function freeAddress(
  subject: string,
  parent: pulumi.Resource,
  number: number,
  subnetId: pulumi.Output<string>,
  address: pulumi.Output<string>,
): pulumi.Output<string> {
  const having = (more: { name: string; values: pulumi.Output<string>[] }[]) =>
    getNetworkInterfacesOutput(
      {
        filters: [
          { name: "subnet-id", values: [subnetId] },
          { name: "addresses.private-ip-address", values: [address] },
          ...more,
        ],
      },
      { parent },
    ).ids;
  const all = having([]);
  const own = having([{ name: "description", values: [address.apply(interfaceDescription)] }]);
  return pulumi
    .all([address, subnetId, all, own])
    .apply(([chosen, subnet, holders, mine]: [string, string, string[]?, string[]?]) => {
      const others = (holders ?? []).filter((id) => !mine?.includes(id));
      refuseLater(
        subject,
        others.map(
          (holder) =>
            `existingVpc: ${chosen}, the address of node ${number} in ${subnet}, is taken by the network interface ` +
            `${holder}; free it, or give a firstHostNumber from which on addresses are free`,
        ),
      );
      return chosen;
    });
}
