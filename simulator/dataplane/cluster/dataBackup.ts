/**
 * What `emqx ctl data export` writes and `data import` reads, as far as the simulated EMQX knows it: users, dashboard
 * users and retained messages. An import overwrites records of the same key and leaves the others alone.
 */
import { Message } from "../broker/broker";
import { ClusterData, DashboardUserRecord, UserRecord } from "./database";

/** Plain JSON. */
export interface DataExport {
  /** META.hocon in the archive. */
  meta: { version: string; edition: "ce" | "ee" };
  users: Record<string, UserRecord>;
  dashboardUsers: Record<string, DashboardUserRecord>;
  retained: ExportedMessage[];
}

interface ExportedMessage {
  topic: string;
  /** Base64. */
  payload: string;
  qos: 0 | 1 | 2;
  properties?: Record<string, unknown>;
  messageExpiry?: number;
}

export function exportOf(
  meta: DataExport["meta"],
  { users, dashboardUsers }: ClusterData,
  retained: Message[],
): DataExport {
  return {
    meta,
    users: { ...users },
    dashboardUsers: { ...dashboardUsers },
    retained: retained.map(({ topic, payload, qos, properties, messageExpiry }) => ({
      topic,
      payload: payload.toString("base64"),
      qos,
      ...(properties === undefined ? {} : { properties: encode(properties) }),
      ...(messageExpiry === undefined ? {} : { messageExpiry }),
    })),
  };
}

export function retainedOf({ retained }: DataExport): Message[] {
  return retained.map(({ topic, payload, qos, properties, messageExpiry }) => ({
    topic,
    payload: Buffer.from(payload, "base64"),
    qos,
    retain: true,
    ...(properties === undefined ? {} : { properties: decode(properties) }),
    ...(messageExpiry === undefined ? {} : { messageExpiry }),
  }));
}

/** Why EMQX refuses an import, in its words, or undefined when it does not. */
export function importProblem(data: unknown, meta: DataExport["meta"]): string | undefined {
  if (!isExport(data)) {
    return "invalid backup archive file: missing META.hocon";
  }
  if (data.meta.edition === "ee" && meta.edition === "ce") {
    return "importing EMQX Enterprise data backup to EMQX is not allowed";
  }
  const [theirs, ours] = [data.meta.version, meta.version].map((version) => version.split(".").map(Number));
  const isNewer = theirs![0]! > ours![0]! || (theirs![0] === ours![0] && (theirs![1] ?? 0) > (ours![1] ?? 0));
  return isNewer
    ? `[warning] Backup version "${data.meta.version}" is newer than EMQX version "${meta.version}", ` +
        "import is not allowed."
    : undefined;
}

function isExport(data: unknown): data is DataExport {
  const { meta, users, dashboardUsers, retained } = (data ?? {}) as Partial<DataExport>;
  return (
    typeof meta?.version === "string" &&
    (meta.edition === "ce" || meta.edition === "ee") &&
    typeof users === "object" &&
    typeof dashboardUsers === "object" &&
    Array.isArray(retained)
  );
}

/** MQTT 5 properties may hold buffers, which JSON writes as objects of their own. */
function encode(properties: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(properties)) as Record<string, unknown>;
}

function decode(properties: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(properties), (_key, value: unknown) =>
    isBufferJson(value) ? Buffer.from(value.data) : value,
  ) as Record<string, unknown>;
}

function isBufferJson(value: unknown): value is { type: "Buffer"; data: number[] } {
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown };
  return type === "Buffer" && Array.isArray(data);
}
