/** Availability Zones by name. A zone's letter, not its place in a list, is its identity here. */

const zonePattern = /^([a-z]{2}(?:-[a-z]+)+-\d+)([a-z])$/;

export interface AvailabilityZone {
  name: string;
  region: string;
  /** 0 for zone a, 1 for zone b, … */
  index: number;
}

/** A zone of a region, for example `eu-west-1a`; undefined for anything else, Local and Wavelength Zones included. */
export function parseAvailabilityZone(name: string): AvailabilityZone | undefined {
  const match = typeof name === "string" ? zonePattern.exec(name) : null;
  const [, region, letter] = match ?? [];
  return region && letter ? { name, region, index: letter.charCodeAt(0) - "a".charCodeAt(0) } : undefined;
}

/** What is wrong with a list of zones: none, malformed, repeated, of several regions, or of another one than `region`. */
export function availabilityZoneProblems(names: string[], region?: string): string[] {
  if (!Array.isArray(names) || names.length === 0) {
    return [
      `availabilityZones: none given; name at least one zone, for example ["eu-west-1a", "eu-west-1b"]`,
    ];
  }
  const problems: string[] = [];
  const expected = region ?? parseAvailabilityZone(names[0] ?? "")?.region;
  for (const [i, name] of names.entries()) {
    const zone = parseAvailabilityZone(name);
    if (!zone) {
      problems.push(
        `availabilityZones: ${JSON.stringify(name)} is not the name of an Availability Zone; ` +
          `write a region and a letter, for example "eu-west-1a"`,
      );
    } else if (names.indexOf(name) !== i) {
      problems.push(`availabilityZones: "${name}" is listed twice; list every zone once`);
    } else if (expected && zone.region !== expected) {
      problems.push(
        `availabilityZones: "${name}" is a zone of ${zone.region}, not of ${expected}; ` +
          `all zones belong to the one region that is deployed to`,
      );
    }
  }
  return problems;
}
