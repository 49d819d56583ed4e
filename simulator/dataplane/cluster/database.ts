/**
 * EMQX's built-in database (mnesia): MQTT users, dashboard users, who is in the cluster. Every node of a cluster has a
 * copy on its data volume and all copies are the same; retained messages are in it where the retainer keeps them on disc.
 */
import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { Message } from "../broker/broker";

export interface UserRecord {
  passwordHash: string;
  salt: string;
  isSuperuser: boolean;
}

export interface DashboardUserRecord {
  passwordHash: string;
  salt: string;
  role: string;
}

/** What the nodes of a cluster have in common. */
export interface ClusterData {
  /** Made with the first node's database; whoever joins takes it over. */
  clusterId: string;
  /** Counts the changes, so that of two copies the newer one is known. */
  version: number;
  users: Record<string, UserRecord>;
  dashboardUsers: Record<string, DashboardUserRecord>;
}

/** Records that are added or overwritten, or with null, deleted. */
export interface Change {
  users?: Record<string, UserRecord | null>;
  dashboardUsers?: ClusterData["dashboardUsers"];
}

/** One node's database, `/var/lib/emqx/mnesia/<node name>`. */
export interface Database extends ClusterData {
  /** Names of the other nodes in the cluster, running or not. */
  members: string[];
  /** Counts the changes of membership. */
  membersVersion: number;
  retained: Message[];
  /** `/var/lib/emqx/.evacuation`: an evacuation goes on after a restart. */
  evacuation?: object;
}

/** EMQX's data on a volume. */
export interface DiscContents {
  /** By node name: a node with another name finds nothing. */
  databases: Map<string, Database>;
}

export function emptyDisc(): DiscContents {
  return { databases: new Map() };
}

/** What a node brings along for users that the database does not know yet. */
export interface Bootstrap {
  /** Users of the bootstrap file, with their passwords; undefined when nothing authenticates. */
  users: ReadonlyMap<string, string> | undefined;
  dashboardPassword: string;
}

/** The dashboard's first user (`dashboard.default_username`). */
export const defaultDashboardUser = "admin";

const administrator = "administrator";

export function emptyDatabase(): Database {
  return {
    clusterId: randomUUID(),
    version: 0,
    users: {},
    dashboardUsers: {},
    members: [],
    membersVersion: 0,
    retained: [],
  };
}

/** The database of a node on a disc, made when it is not there. */
export function databaseOn(disc: DiscContents, nodeName: string): Database {
  const database = disc.databases.get(nodeName) ?? emptyDatabase();
  disc.databases.set(nodeName, database);
  return database;
}

export function userRecord(password: string, isSuperuser = false): UserRecord {
  return { ...hashed(password), isSuperuser };
}

export function dashboardUserRecord(password: string): DashboardUserRecord {
  return { ...hashed(password), role: administrator };
}

export function passwordFits(
  record: { passwordHash: string; salt: string },
  password: string | undefined,
): boolean {
  if (password === undefined) {
    return false;
  }
  const [given, known] = [Buffer.from(hash(record.salt, password)), Buffer.from(record.passwordHash)];
  return given.length === known.length && timingSafeEqual(given, known);
}

/**
 * The users that a node adds when it starts: those of its bootstrap file and `dashboard.default_password`, unless they
 * exist. A file with another password for a user who exists changes nothing.
 */
export function bootstrapChange(data: ClusterData, { users, dashboardPassword }: Bootstrap): Change {
  const missing = [...(users ?? [])].filter(([name]) => !Object.hasOwn(data.users, name));
  return {
    ...(missing.length === 0
      ? {}
      : { users: Object.fromEntries(missing.map(([name, password]) => [name, userRecord(password)])) }),
    ...(Object.hasOwn(data.dashboardUsers, defaultDashboardUser)
      ? {}
      : { dashboardUsers: { [defaultDashboardUser]: dashboardUserRecord(dashboardPassword) } }),
  };
}

export function isEmptyChange({ users, dashboardUsers }: Change): boolean {
  return Object.keys({ ...users, ...dashboardUsers }).length === 0;
}

export function applyChange(data: ClusterData, { users, dashboardUsers }: Change): void {
  const all = Object.entries({ ...data.users, ...users });
  data.users = Object.fromEntries(all.filter((entry): entry is [string, UserRecord] => entry[1] !== null));
  data.dashboardUsers = { ...data.dashboardUsers, ...dashboardUsers };
}

/** Takes another node's copy in place of the own one. */
export function takeCopy(data: ClusterData, copy: ClusterData): void {
  data.clusterId = copy.clusterId;
  data.version = copy.version;
  data.users = { ...copy.users };
  data.dashboardUsers = { ...copy.dashboardUsers };
}

/** Forgets users and members, as a node does that leaves its cluster. */
export function wipe(database: Database): void {
  Object.assign(database, emptyDatabase());
}

/** Why a dashboard password is refused, in EMQX's words. `dashboard.default_password` is not asked: it may be `public`. */
export function dashboardPasswordProblem(password: string): string | undefined {
  if (password.length < 8 || password.length > 64) {
    return "The range of password length is 8~64";
  }
  if (!/^[\x20-\x7e]*$/.test(password)) {
    return "Only ascii characters are allowed in the password";
  }
  const kinds = [/[0-9]/, /[A-Za-z]/, /[^0-9A-Za-z]/].filter((kind) => kind.test(password));
  return kinds.length >= 2
    ? undefined
    : "Bad password. At least two different kind of characters from groups of letters, numbers, and special " +
        "characters. For example, if password is composed from letters, it must contain at least one number or a " +
        "special character.";
}

function hashed(password: string): { passwordHash: string; salt: string } {
  const salt = randomBytes(16).toString("hex");
  return { passwordHash: hash(salt, password), salt };
}

/** EMQX's defaults: SHA-256, the salt before the password. */
function hash(salt: string, password: string): string {
  return createHash("sha256")
    .update(salt + password)
    .digest("hex");
}
