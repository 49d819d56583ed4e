/** Which zone a node goes to: the one with the fewest nodes so far, the first listed of these. */
export function chooseZone(availabilityZones: string[], zonesOfEarlierNodes: string[]): string {
  const nodesIn = (zone: string) => zonesOfEarlierNodes.filter((z) => z === zone).length;
  const fewest = Math.min(...availabilityZones.map(nodesIn));
  const zone = availabilityZones.find((z) => nodesIn(z) === fewest);
  if (zone === undefined) {
    throw new Error("availabilityZones: none given; a node needs a zone");
  }
  return zone;
}

/** The zones of `nodeCount` nodes in a new deployment: one after the other, round and round. */
export function initialZones(availabilityZones: string[], nodeCount: number): string[] {
  const zones: string[] = [];
  for (let i = 0; i < nodeCount; i++) {
    zones.push(chooseZone(availabilityZones, zones));
  }
  return zones;
}
