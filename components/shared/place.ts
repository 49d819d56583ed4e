/** Whether a deployment's place is what the provider and AWS say it is: asked at preview, before anything is made. */
import * as pulumi from "@pulumi/pulumi";
import { getAvailabilityZonesOutput } from "@pulumi/aws/getAvailabilityZones";
import { getInstanceTypeOfferingsOutput } from "@pulumi/aws/ec2";
import { getRegionOutput } from "@pulumi/aws/getRegion";
import { refuseLater } from "./problems";
import { parseAvailabilityZone } from "../network/availabilityZones";

/** The region that a list of zones tells; undefined where it tells none. */
export function regionOf(args: unknown): string | undefined {
  const zones = (args as { availabilityZones?: unknown } | null | undefined)?.availabilityZones;
  const [first] = Array.isArray(zones) ? (zones as unknown[]) : [];
  return typeof first === "string" ? parseAvailabilityZone(first)?.region : undefined;
}

/**
 * The zones once they are known to be of the provider's region and open to the account. A zone that AWS says nothing about,
 * as in a unit test whose mocks answer nothing, is taken for right.
 */
export function checkedZones(
  subject: string,
  parent: pulumi.Resource,
  input: string,
  zones: pulumi.Input<pulumi.Input<string>[]>,
): pulumi.Output<string[]> {
  const { region } = getRegionOutput({}, { parent });
  const open = getAvailabilityZonesOutput(
    // Without Local and Wavelength Zones, in which nothing of this library stands; in whatever state a zone may be.
    { filters: [{ name: "zone-type", values: ["availability-zone"] }] },
    { parent },
  ).names;
  return pulumi.all([zones, region, open]).apply(([wanted, own, names]) => {
    refuseLater(subject, zoneProblems(input, wanted, own, names));
    return wanted;
  });
}

function zoneProblems(
  input: string,
  wanted: string[],
  region: string | undefined,
  open: string[] | undefined,
): string[] {
  const elsewhere = [...new Set(wanted)].filter(
    (zone) => region !== undefined && regionOfZone(zone) !== region,
  );
  if (elsewhere.length > 0) {
    return [
      `${input}: ${elsewhere.join(", ")} ${elsewhere.length > 1 ? "are" : "is"} not in ${region}, the region of the aws ` +
        `provider; change aws:region (or the provider's region), or the zones`,
    ];
  }
  const closed = [...new Set(wanted)].filter((zone) => open !== undefined && !open.includes(zone));
  return closed.length === 0
    ? []
    : [
        `${input}: ${closed.join(", ")} ${closed.length > 1 ? "are no zones" : "is no zone"} of this account in ${region}; ` +
          `it has ${open?.join(", ")}`,
      ];
}

const regionOfZone = (zone: string) => parseAvailabilityZone(zone)?.region;

/** The instance type once AWS has said that all of the zones have it. */
export function checkedInstanceType(
  subject: string,
  parent: pulumi.Resource,
  instanceType: string,
  zones: pulumi.Output<string[]>,
): pulumi.Output<string> {
  const offered = zones.apply((names) =>
    getInstanceTypeOfferingsOutput(
      {
        locationType: "availability-zone",
        filters: [
          { name: "instance-type", values: [instanceType] },
          { name: "location", values: [...new Set(names)] },
        ],
      },
      { parent },
    ),
  );
  return pulumi.all([zones, offered.locations]).apply(([wanted, locations]) => {
    const lacking = [...new Set(wanted)].filter(
      (zone) => locations !== undefined && !locations.includes(zone),
    );
    refuseLater(
      subject,
      lacking.length === 0
        ? []
        : [
            `instance.type: ${lacking.join(", ")} ${lacking.length > 1 ? "do" : "does"} not offer "${instanceType}"; ` +
              (locations.length > 0
                ? `use another type, or the zones that have it: ${[...locations].sort().join(", ")}`
                : "use another type"),
          ],
    );
    return instanceType;
  });
}
