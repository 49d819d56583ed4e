import * as semver from "semver";
import { shown } from "../shared/words";

/** Which ports the nodes use among themselves. */
export const ClusterPorts = {
  /** 4369, 5369 and 6369: the three ports of the deployment guide. */
  Documented: "Documented",
  /** 4370 and 5370: what EMQX's packages use when nobody says otherwise. */
  Package: "Package",
} as const;
export type ClusterPorts = (typeof ClusterPorts)[keyof typeof ClusterPorts];

/** A processor architecture, as Amazon Linux names it. */
export const Architecture = { Arm64: "arm64", X86_64: "x86_64" } as const;
export type Architecture = (typeof Architecture)[keyof typeof Architecture];

export interface Release {
  version: string;
  edition: "opensource" | "enterprise";
  /** Without a licence key this release runs as a single node (or, 5.8.10 and later 5.8.x, with 25 connections). */
  clusterNeedsLicense: boolean;
  /** `emqx ctl rebalance start --evacuation` moves a node's clients and sessions to other nodes. */
  canEvacuate: boolean;
  /** Name of the installed RPM. */
  packageName: string;
  /** Where EMQ publishes packages, up to "-<system>-<architecture>.<kind>"; a checksum is at the same address + ".sha256". */
  packageBase: string;
  /** The RPM for Amazon Linux 2023. */
  packageUrl(architecture: Architecture): string;
  /** Whether `EPMD_ARGS` is read, and with it whether ClusterPorts.Documented can be had. */
  supportsDocumentedPorts: boolean;
  /** `EMQX_SECURITY_PROFILE=hardened` exists. */
  supportsSecurityProfile: boolean;
  /** The package's acl.conf allows nothing in the hardened profile. */
  deniesWhenHardened: boolean;
  /** Last day of EMQ's support (YYYY-MM-DD), where EMQ has published one. */
  endOfSupport?: string;
}

// First release whose built-in user database reads a bootstrap file, from which the first MQTT user comes
// (apps/emqx_auth_mnesia/src/emqx_authn_mnesia_schema.erl: in v5.8.0, not in v5.7.0).
const oldest = "5.8.0";
// bin/emqx overwrote EPMD_ARGS until 5.8.1 (commit 05f7ade050).
const oldestWithDocumentedPorts = "5.8.2";
// 5.8.9 is the last open source release: the tags after it are e5.8.10 and later.
const lastOpenSource = "5.8.9";
// apps/emqx/src/emqx_security_profile.erl: in 6.2.0.
const oldestWithSecurityProfile = "6.2.0";
// apps/emqx_auth/etc/acl.conf: its last rule is {allow, {security_profile, legacy}}.
const oldestDenyingWhenHardened = "6.2.1";
const firstUnknownMajor = "7.0.0";

/**
 * The last patch release of every line; there are all from .0 on (tags of github.com/emqx/emqx, and
 * docs.emqx.com's release notes, as of 2026-08).
 */
const lastPatches: [line: string, patch: number][] = [
  ["5.8", 11],
  ["5.9", 3],
  ["5.10", 4],
  ["6.0", 3],
  ["6.1", 4],
  ["6.2", 3],
];
const listedOn = "2026-08";
/** Releases come one after the other: a number further on than this is a slip of the hand rather than tomorrow's. */
const plausiblyNewer = { patches: 10, lines: 5 };

const allowed =
  `give a released version as three numbers: ${oldest} to ${lastOpenSource} (open source), or a later one below ` +
  `${firstUnknownMajor} (Enterprise; needs licenseKey for more than one node), such as 5.8.9, 5.10.4 or 6.2.3.`;

/** What this version is and where it comes from. Tomorrow's patch release works as well as one that is listed. */
export function findRelease(version: string): Release {
  const problem = releaseProblem(version);
  if (problem) throw new Error(problem);
  const enterprise = semver.gt(version, lastOpenSource);
  const packageName = enterprise ? "emqx-enterprise" : "emqx";
  // packages.emqx.io: emqx-ce/v5.8.9, emqx-ee/e5.10.4, emqx-ee/6.2.3.
  const folder = !enterprise
    ? `emqx-ce/v${version}`
    : semver.major(version) < 6
      ? `emqx-ee/e${version}`
      : `emqx-ee/${version}`;
  const packageBase = `https://packages.emqx.io/${folder}/${packageName}-${version}`;
  return {
    version,
    edition: enterprise ? "enterprise" : "opensource",
    clusterNeedsLicense: enterprise,
    // apps/emqx_node_rebalance is in the Enterprise edition of 5.x and in all versions from 5.9 on.
    canEvacuate: enterprise,
    packageName,
    packageBase,
    packageUrl: (architecture) =>
      `${packageBase}-amzn2023-${architecture === Architecture.Arm64 ? "arm64" : "amd64"}.rpm`,
    supportsDocumentedPorts: semver.gte(version, oldestWithDocumentedPorts),
    supportsSecurityProfile: semver.gte(version, oldestWithSecurityProfile),
    deniesWhenHardened: semver.gte(version, oldestDenyingWhenHardened),
    endOfSupport: endOfSupport(version, enterprise),
  };
}

/** Everything that speaks against running this release this way; empty when nothing does. */
export function releaseProblems(
  version: string,
  clusterPorts: ClusterPorts,
  nodeCount: number,
  hasLicense: boolean,
): string[] {
  const problem = releaseProblem(version);
  if (problem) return [problem];
  const release = findRelease(version);
  const problems: string[] = [];
  if (clusterPorts === ClusterPorts.Documented && !release.supportsDocumentedPorts) {
    problems.push(
      `emqxVersion ${version} cannot use clusterPorts Documented (4369, 5369, 6369): EMQX takes them from ` +
        `${oldestWithDocumentedPorts} on. Choose a newer version, or clusterPorts Package.`,
    );
  }
  if (release.clusterNeedsLicense && nodeCount > 1 && !hasLicense) {
    problems.push(
      `emqxVersion ${version} needs licenseKey for ${nodeCount} nodes: without one it runs as a single node only. ` +
        `Set licenseKey, or one node, or ${lastOpenSource}, the last open source release.`,
    );
  }
  return problems;
}

/** What somebody should know before deploying this release. */
export function releaseWarnings(version: string, today: Date = new Date()): string[] {
  if (releaseProblem(version)) return [];
  const { endOfSupport, edition } = findRelease(version);
  const warnings: string[] = [];
  if (newness(version) === "newer") {
    warnings.push(
      `emqxVersion ${version} is newer than the releases that this library knows (of ${listedOn}): ` +
        `see that EMQ has published it, or the nodes will not find their package.`,
    );
  }
  if (endOfSupport !== undefined && today.toISOString().slice(0, 10) > endOfSupport) {
    const advice =
      edition === "opensource"
        ? `later security fixes are in EMQX Enterprise only (which needs licenseKey for more than one node)`
        : `upgrade to a supported release`;
    warnings.push(`emqxVersion ${version}: support ended on ${endOfSupport}; ${advice}.`);
  }
  return warnings;
}

/** What is wrong with the version alone. */
export function releaseProblem(version: unknown): string | undefined {
  // semver's own reading is looser: it accepts "v5.8.9" and " 5.8.9".
  if (typeof version !== "string" || !/^\d+\.\d+\.\d+$/.test(version) || !semver.valid(version)) {
    return `emqxVersion ${shown(version)} is not a version: ${allowed}`;
  }
  if (semver.lt(version, oldest) || semver.gte(version, firstUnknownMajor)) {
    return `emqxVersion ${version} is not supported: ${allowed}`;
  }
  if (newness(version) === "never") {
    const last = lastPatches.map(([line, patch]) => `${line}.${patch}`).join(", ");
    return `emqxVersion ${version} was never released: the last ones of ${listedOn} are ${last}; ${allowed}`;
  }
  return undefined;
}

/** Whether a version is listed, could have been released since, or cannot. */
function newness(version: string): "listed" | "newer" | "never" {
  const { major, minor, patch } = semver.parse(version) as semver.SemVer;
  const last = new Map(lastPatches).get(`${major}.${minor}`);
  if (last !== undefined) {
    return patch <= last ? "listed" : patch <= last + plausiblyNewer.patches ? "newer" : "never";
  }
  const newest = semver.parse(`${lastPatches.at(-1)?.[0]}.0`) as semver.SemVer;
  const linesOn = major === newest.major ? minor - newest.minor : 0;
  return linesOn > 0 && linesOn <= plausiblyNewer.lines && patch <= plausiblyNewer.patches
    ? "newer"
    : "never";
}

/**
 * Sources: EMQ's "Version Lifecycle and End-of-Life Dates" (docs.emqx.com, release-notes/eol-ee) for 5.8 LTS, 5.9 and
 * 5.10; github.com/emqx/emqx/issues/15226 for the open source edition. No date is published for 6.x yet.
 */
function endOfSupport(version: string, enterprise: boolean): string | undefined {
  const line = `${semver.major(version)}.${semver.minor(version)}`;
  if (!enterprise) return "2026-02-27";
  return { "5.8": "2027-08-27", "5.9": "2026-11-01", "5.10": "2026-12-08" }[line];
}
