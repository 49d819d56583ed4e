/** EMQX's port 18083 as far as probes, people and scrapers need it: /status, a page, the log-in, Prometheus. */
import { IncomingMessage } from "node:http";
import * as semver from "semver";
import { ClusterStatus } from "../dataplane/cluster/member";
import { EmqxSettings } from "./emqxSettings";

export interface NodeState {
  settings: EmqxSettings;
  /** The emqx application does not run although the port answers. */
  broken: boolean;
  connections: number;
  cluster: ClusterStatus;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const longestBody = 64 * 1024;
const availabilityCheckSince = "5.9.0";

export async function managementAnswer(request: IncomingMessage, node: NodeState): Promise<Answer> {
  const path = (request.url ?? "/").split("?")[0];
  const { nodeName, version } = node.settings;
  switch (`${request.method} ${path}`) {
    case "GET /status":
    case "GET /api/v5/status":
    case "HEAD /status":
      return node.broken
        ? {
            status: 503,
            headers: { "retry-after": "15" },
            body: `Node ${nodeName} is stopped\nemqx is not_running`,
          }
        : plain(200, `Node ${nodeName} is started\nemqx is running`);
    case "GET /api/v5/load_rebalance/availability_check":
      return semver.gte(version, availabilityCheckSince) ? json(200, {}) : json(404, { code: "NOT_FOUND" });
    case "GET /api/v5/prometheus/stats":
      return plain(200, `# TYPE emqx_connections_count gauge\nemqx_connections_count ${node.connections}\n`);
    case "POST /api/v5/login":
      return logIn(await readBody(request), node.settings);
    case "GET /":
      return page(node);
    default:
      return json(404, { code: "NOT_FOUND", message: "Request path not found" });
  }
}

function logIn(body: string, settings: EmqxSettings): Answer {
  let given: { username?: unknown; password?: unknown } = {};
  try {
    given = JSON.parse(body) as typeof given;
  } catch {
    return json(400, { code: "BAD_REQUEST", message: "the body is not JSON" });
  }
  return given.username === "admin" && given.password === settings.dashboardPassword
    ? json(200, { version: settings.version, role: "administrator" })
    : json(401, { code: "BAD_USERNAME_OR_PWD", message: "Auth failed" });
}

function page(node: NodeState): Answer {
  const { nodeName, version } = node.settings;
  const body =
    `<!doctype html><meta charset="utf-8"><title>EMQX ${version}</title><h1>${nodeName}</h1>` +
    `<p>EMQX ${version} (simulated), ${node.connections} connections</p>` +
    `<p>Running nodes: ${node.cluster.running.join(", ")}</p>` +
    `<p>Stopped nodes: ${node.cluster.stopped.join(", ") || "none"}</p>\n`;
  return { status: 200, headers: { "content-type": "text/html; charset=utf-8" }, body };
}

function plain(status: number, body: string): Answer {
  return { status, headers: { "content-type": "text/plain" }, body };
}

function json(status: number, value: object): Answer {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > longestBody) {
      break;
    }
  }
  return body;
}
