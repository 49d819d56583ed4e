/** Which edition a version is: the last open source release is 5.8.9. */
import * as semver from "semver";

const enterpriseSince = "5.8.10";
const clusterLicenceSince = "5.9.0";

type Edition = "ce" | "ee";

export function edition(version: string): Edition {
  return semver.gte(version, enterpriseSince) ? "ee" : "ce";
}

/** Node evacuation, and the availability check that goes with it, are Enterprise's. */
export function hasEvacuation(version: string): boolean {
  return edition(version) === "ee";
}

/** Whether more than one node needs a licence key. */
export function needsClusterLicence(version: string): boolean {
  return semver.gte(version, clusterLicenceSince);
}
