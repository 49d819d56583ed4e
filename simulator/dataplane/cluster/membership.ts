/**
 * Who joins whom, as ekka and mria decide it. Two nodes are in one cluster when each has the other in its database; a
 * node that finds an older seed outside its cluster gives up what it has and joins that one.
 */

/** What nodes tell each other about themselves. */
export interface About {
  /** When it started, or left a cluster: the lower, the older. */
  startedAt: number;
  /** Names of the other nodes in its cluster, and how often they have changed. */
  members: string[];
  membersVersion: number;
  /** Whose data it has, and how often that has changed. */
  clusterId: string;
  version: number;
}

export interface ClusterStatus {
  running: string[];
  stopped: string[];
}

/** What `emqx ctl cluster status --json` prints. */
export function statusJson({ running, stopped }: ClusterStatus): string {
  return JSON.stringify({ running_nodes: running, stopped_nodes: stopped });
}

export function inOneCluster(
  name: string,
  about: About,
  otherName: string,
  other: About | undefined,
): boolean {
  return other !== undefined && about.members.includes(otherName) && other.members.includes(name);
}

/** Members that can be talked to, and those that cannot: they stay listed until they leave or are removed. */
export function clusterStatus(
  name: string,
  about: About,
  reached: ReadonlyMap<string, About>,
): ClusterStatus {
  const running = [name];
  const stopped: string[] = [];
  for (const member of about.members) {
    (inOneCluster(name, about, member, reached.get(member)) ? running : stopped).push(member);
  }
  return { running: running.sort(), stopped: stopped.sort() };
}

/**
 * The node to join: the oldest of the seeds that can be reached, unless it is this node or in its cluster already. A
 * member that has forgotten this node is joined anew; one that has lost its disc is not, as that would lose the data.
 */
export function nodeToJoin(
  name: string,
  about: About,
  seeds: readonly string[],
  reached: ReadonlyMap<string, About>,
): string | undefined {
  let [oldest, oldestSince] = [name, about.startedAt];
  for (const seed of seeds) {
    const since = reached.get(seed)?.startedAt;
    if (since !== undefined && (since < oldestSince || (since === oldestSince && seed < oldest))) {
      [oldest, oldestSince] = [seed, since];
    }
  }
  const other = reached.get(oldest);
  if (oldest === name || inOneCluster(name, about, oldest, other)) {
    return undefined;
  }
  return about.members.includes(oldest) && other?.clusterId !== about.clusterId ? undefined : oldest;
}

/** What a node's members are after a look at another member's list; undefined when they stay as they are. */
export function membersAfter(
  name: string,
  about: About,
  otherName: string,
  other: About,
): Pick<About, "members" | "membersVersion"> | undefined {
  const theirs = [otherName, ...other.members].filter((member) => member !== name).sort();
  const same = theirs.join() === [...about.members].sort().join();
  if (
    other.membersVersion < about.membersVersion ||
    (other.membersVersion === about.membersVersion && same)
  ) {
    return undefined;
  }
  return other.membersVersion > about.membersVersion
    ? { members: theirs, membersVersion: other.membersVersion }
    : // Changed at two nodes at once.
      {
        members: [...new Set([...theirs, ...about.members])].sort(),
        membersVersion: about.membersVersion + 1,
      };
}

/** Stopped members that have been so for longer than `cluster.autoclean` allows. */
export function membersToClean(
  stoppedSince: ReadonlyMap<string, number>,
  now: number,
  autocleanMs: number | undefined,
): string[] {
  return autocleanMs === undefined
    ? []
    : [...stoppedSince].filter(([, since]) => now - since > autocleanMs).map(([name]) => name);
}
