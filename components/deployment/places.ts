/** Where a deployment's nodes stand. */
import * as pulumi from "@pulumi/pulumi";
import { chooseZone, initialZones } from "../network/placement";
import { nodeAddress, zoneSubnets } from "../network/subnets";
import type { EmqxNodeArgs } from "../nodes/settings";
import { remember } from "../shared/memory";
import { runError } from "../shared/problems";

interface Places {
  availabilityZones: string[];
  vpc: { cidrBlock: string };
  nodeCount: number;
}

/** The nodes' addresses in a new deployment; no later one has longer or more addresses. */
export function initialAddresses({ availabilityZones, vpc, nodeCount }: Places): string[] {
  const zones = zoneSubnets(vpc.cidrBlock, availabilityZones);
  return initialZones(availabilityZones, nodeCount).flatMap((name, number) =>
    zones
      .filter((zone) => zone.availabilityZone === name)
      .map((zone) => nodeAddress(zone.privateBlock, number)),
  );
}

/** A place for every node. Its zone is chosen when the node is new and remembered from then on. */
export function placeNodes(
  name: string,
  parent: pulumi.Resource,
  { availabilityZones, vpc, nodeCount }: Places,
  privateSubnetIds: pulumi.Output<string>[],
): EmqxNodeArgs[] {
  const zones = zoneSubnets(vpc.cidrBlock, availabilityZones).map(
    ({ availabilityZone, privateBlock }, i) => ({
      availabilityZone,
      privateBlock,
      subnetId: privateSubnetIds[i] as pulumi.Output<string>,
    }),
  );
  let earlier = pulumi.output<string[]>([]);
  return Array.from({ length: nodeCount }, (_, number) => {
    const choice = earlier.apply((taken) => chooseZone(availabilityZones, taken));
    const availabilityZone = remember(`${name}-${number}-zone`, parent, choice);
    earlier = pulumi.all([earlier, availabilityZone]).apply(([taken, zone]) => [...taken, zone]);
    const home = availabilityZone.apply((zoneName) => {
      const zone = zones.find((candidate) => candidate.availabilityZone === zoneName);
      if (!zone) {
        throw runError(
          `availabilityZones: node ${number} stands in ${zoneName}, which is no longer listed; put ${zoneName} back, ` +
            `or remove the nodes from ${number} on first (nodeCount: ${number})`,
        );
      }
      return zone;
    });
    return {
      availabilityZone,
      subnetId: home.apply(({ subnetId }) => subnetId),
      privateIp: home.apply(({ privateBlock }) => nodeAddress(privateBlock, number)),
    };
  });
}
