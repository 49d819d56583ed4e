/** Where a deployment's nodes stand. */
import * as pulumi from "@pulumi/pulumi";
import { freeAddress, type Home } from "../network/existing";
import { addressProblem, parseBlock, type Block } from "../network/ipv4";
import { chooseZone, initialZones } from "../network/placement";
import { nodeAddress, zoneSubnets } from "../network/subnets";
import type { EmqxNodeArgs } from "../nodes/settings";
import { remember } from "../shared/memory";
import { promiseOf } from "../shared/promiseOf";
import { runError } from "../shared/problems";

interface Places {
  availabilityZones: string[];
  vpc: { cidrBlock: string };
  existingVpc?: { firstHostNumber: number } | undefined;
  nodeCount: number;
}

/** The nodes' addresses in a new deployment, or others as long: no later one has longer or more addresses. */
export function initialAddresses({ availabilityZones, vpc, existingVpc, nodeCount }: Places): string[] {
  if (existingVpc !== undefined) {
    return Array.from({ length: nodeCount }, (_, number) => `192.168.100.${100 + number}`);
  }
  const zones = zoneSubnets(vpc.cidrBlock, availabilityZones);
  return initialZones(availabilityZones, nodeCount).flatMap((name, number) =>
    zones
      .filter((zone) => zone.availabilityZone === name)
      .map((zone) => nodeAddress(zone.privateBlock, number)),
  );
}

/** A place for every node. Its zone is chosen when the node is new and remembered from then on. */
export function placeNodes(
  subject: string,
  name: string,
  parent: pulumi.Resource,
  { availabilityZones, existingVpc, nodeCount }: Places,
  homes: Home[],
): EmqxNodeArgs[] {
  let earlier = pulumi.output<string[]>([]);
  return Array.from({ length: nodeCount }, (_, number) => {
    const choice = alone(earlier.apply((taken) => chooseZone(availabilityZones, taken)));
    const availabilityZone = remember(`${name}-${number}-zone`, parent, choice);
    earlier = pulumi.all([earlier, availabilityZone]).apply(([taken, zone]) => [...taken, zone]);
    const home = availabilityZone.apply((zoneName) => homeIn(zoneName, homes, number));
    const subnetId = home.apply((place) => place.subnetId);
    const block = home.apply((place) => place.block).apply((text) => parseBlock(text) as Block);
    return {
      availabilityZone,
      subnetId,
      privateIp:
        existingVpc === undefined
          ? block.apply((subnet) => nodeAddress(subnet, number))
          : addressAmongOthers(subject, name, parent, number, existingVpc.firstHostNumber, subnetId, block),
    };
  });
}

/**
 * An output's value without what it depends on: the zones would be one chain of dependencies, as long as there are nodes. Where it is
 * not known, which the SDK's types do not tell, there is no value to wait for.
 */
function alone<T>(output: pulumi.Output<T>): pulumi.Output<T> {
  const { isKnown } = output as unknown as { isKnown: Promise<boolean> };
  return pulumi.output(
    isKnown.then((known): unknown => (known ? promiseOf(output) : output)),
  ) as pulumi.Output<T>;
}

function homeIn(zoneName: string, homes: Home[], number: number): Home {
  const home = homes.find(({ availabilityZone }) => availabilityZone === zoneName);
  if (!home) {
    throw runError(
      `availabilityZones: node ${number} stands in ${zoneName}, which is no longer listed; put ${zoneName} back, ` +
        `or remove the nodes from ${number} on first (nodeCount: ${number})`,
    );
  }
  return home;
}

/** An address in a subnet in which others stand, too: chosen when the node is new and remembered from then on. */
function addressAmongOthers(
  subject: string,
  name: string,
  parent: pulumi.Resource,
  number: number,
  firstHostNumber: number,
  subnetId: pulumi.Output<string>,
  block: pulumi.Output<Block>,
): pulumi.Output<string> {
  const choice = block.apply((subnet) => {
    const address = nodeAddress(subnet, number, firstHostNumber);
    const problem = addressProblem(subnet, address);
    if (problem !== undefined) {
      throw runError(
        `existingVpc.firstHostNumber: ${firstHostNumber} makes ${address} the address of node ${number}, which ${problem}; ` +
          `use a lower one, fewer nodes or a larger subnet`,
      );
    }
    return address;
  });
  const address = remember(`${name}-${number}-address`, parent, choice);
  return freeAddress(subject, parent, number, subnetId, address);
}
