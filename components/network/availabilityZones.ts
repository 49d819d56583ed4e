/** Availability Zones by name. A zone's letter, not its place in a list, is its identity here. */
import { regionName } from "../shared/arn";
import { list, text } from "../shared/inputs";

const zonePattern = new RegExp(`^(${regionName})([a-z])$`);

/**
 * The last letter that a zone has anywhere, us-east-1f (AWS Regions and Availability Zones user guide, 2026-11). Which
 * zones a region has for an account, only AWS can say: it is asked at preview.
 */
const lastLetter = "f";

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

function zoneWords(name: string): string | undefined {
  const zone = parseAvailabilityZone(name);
  if (!zone) {
    return `is not the name of an Availability Zone; write a region and a letter, for example "eu-west-1a"`;
  }
  return name.slice(-1) > lastLetter
    ? `is no Availability Zone: no region has one beyond ${zone.region}${lastLetter}`
    : undefined;
}

/** The zone of a node, which may be another resource's. */
export const availabilityZoneInput = text(zoneWords, {
  later: true,
  needed: "give the zone of the node's subnet",
});

/** A list of zones, all of one region. */
export const availabilityZonesInput = list(text(zoneWords), {
  needed: `name at least one zone, for example ["eu-west-1a", "eu-west-1b"]`,
  least: `name at least one zone, for example ["eu-west-1a", "eu-west-1b"]`,
  check: (_input, names) => availabilityZoneProblems(names),
});

/** What is wrong with a list of zones beyond the single one: one is listed twice, or of another region than the first. */
function availabilityZoneProblems(names: string[]): string[] {
  const region = parseAvailabilityZone(names[0] ?? "")?.region;
  return names.flatMap((name, i) => {
    if (names.indexOf(name) !== i) {
      return [`availabilityZones: "${name}" is listed twice; list every zone once`];
    }
    const own = parseAvailabilityZone(name)?.region;
    return own === region
      ? []
      : [
          `availabilityZones: "${name}" is a zone of ${own}, not of ${region}; ` +
            `all zones belong to the one region that is deployed to`,
        ];
  });
}
