import * as pulumi from "@pulumi/pulumi";
import { getSubnetOutput } from "@pulumi/aws/ec2";
import type { EmqxNodeArgs } from "./settings";
import { addressProblem, parseBlock } from "../network/ipv4";
import { plain, refuse } from "../shared/problems";

/**
 * A node's address, checked against a subnet that exists already: AWS would refuse an address outside it or one of its
 * own only when the interface is made, with others half done. A subnet made by the same program is not there to ask.
 */
export function checkedAddress(
  parent: pulumi.Resource,
  node: EmqxNodeArgs,
  number: number,
): pulumi.Output<string> {
  const subnetId = plain(node.subnetId);
  if (subnetId === undefined) {
    return pulumi.output(node.privateIp);
  }
  const subnet = getSubnetOutput({ id: subnetId }, { parent });
  return pulumi
    .all([node.privateIp, node.availabilityZone, subnet.cidrBlock, subnet.availabilityZone])
    .apply(([privateIp, zone, cidrBlock, subnetZone]: [string, string, string?, string?]) => {
      // Unit tests' mocks may know nothing of a subnet.
      if (cidrBlock === undefined || subnetZone === undefined) {
        return privateIp;
      }
      const block = parseBlock(cidrBlock);
      const problem = typeof block === "string" ? undefined : addressProblem(block, privateIp);
      refuse("EmqxClusterNodes", [
        ...(problem === undefined ? [] : [`nodes[${number}].privateIp: "${privateIp}" ${problem}`]),
        ...(subnetZone === undefined || zone === subnetZone
          ? []
          : [
              `nodes[${number}].availabilityZone: "${zone}" is not the zone of ${subnetId}, which is in ${subnetZone}`,
            ]),
      ]);
      return privateIp;
    });
}
