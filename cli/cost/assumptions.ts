/** What nobody can know from a stack's settings. Every estimate that uses one of these says "assumed". */

/** GB in each bucket of the stack: exports of EMQX's data are small, and old ones expire. */
export const assumedBucketGB = 10;

/**
 * How much the snapshots of a volume hold, as a share of the volume's size. The first is a copy of what is used, later
 * ones of what has changed since; a volume that is full and hardly changes comes to one.
 */
export const assumedSnapshotsPerVolume = 1;
