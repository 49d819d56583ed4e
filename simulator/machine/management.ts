/**
 * EMQX's port 18083 as far as probes, people, scripts and scrapers need it: /status, a page, the log-in, Prometheus, the
 * password of an MQTT user, the availability check.
 */
import { IncomingMessage } from "node:http";
import { ClusterStatus } from "../dataplane/cluster/membership";
import { hasEvacuation } from "./editions";
import { EmqxSettings } from "./emqxSettings";

/** What the port asks of its node. */
interface ManagedNode {
  settings: EmqxSettings;
  /** The emqx application does not run although the port answers. */
  broken: boolean;
  connections: number;
  cluster(): ClusterStatus;
  evacuating: boolean;
  /** A token for who knows a dashboard user's password. */
  logIn(username: string, password: string): string | undefined;
  tokenIsValid(token: string): boolean;
  /** Answers whether the user is a superuser; fails when there is no such user. */
  setUserPassword(username: string, password: string): Promise<boolean>;
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const longestBody = 64 * 1024;
const userPath = /^\/api\/v5\/authentication\/password_based(?::|%3A)built_in_database\/users\/([^/]+)$/i;

export async function managementAnswer(request: IncomingMessage, node: ManagedNode): Promise<Answer> {
  const path = (request.url ?? "/").split("?")[0]!;
  const { nodeName, version } = node.settings;
  const user = userPath.exec(path)?.[1];
  if (user !== undefined && request.method === "PUT") {
    return (
      authorizationProblem(request.headers.authorization, node) ??
      (await putUser(decodeURIComponent(user), await readBody(request), node))
    );
  }
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
      if (!hasEvacuation(version)) {
        return json(404, { code: "NOT_FOUND" });
      }
      return node.evacuating
        ? json(503, { code: "NODE_EVACUATING", message: "Node Evacuating" })
        : json(200, {});
    case "GET /api/v5/prometheus/stats":
      return plain(200, `# TYPE emqx_connections_count gauge\nemqx_connections_count ${node.connections}\n`);
    case "POST /api/v5/login":
      return logIn(await readBody(request), node);
    case "GET /":
      return page(node);
    default:
      return json(404, { code: "NOT_FOUND", message: "Request path not found" });
  }
}

/** A token from the log-in, or an API key and its secret. */
function authorizationProblem(header: string | undefined, node: ManagedNode): Answer | undefined {
  const [scheme = "", value = ""] = (header ?? "").split(" ");
  switch (scheme.toLowerCase()) {
    case "bearer":
      return node.tokenIsValid(value)
        ? undefined
        : json(401, { code: "BAD_TOKEN", message: "Get a token by POST /login" });
    case "basic": {
      const [key = "", secret] = Buffer.from(value, "base64").toString().split(":");
      return secret !== undefined && node.settings.apiKeys.get(key) === secret
        ? undefined
        : json(401, { code: "BAD_API_KEY_OR_SECRET", message: "Check api_key/api_secret" });
    }
    default:
      return json(401, {
        code: "AUTHORIZATION_HEADER_ERROR",
        message: "Support authorization: basic/bearer ",
      });
  }
}

async function putUser(username: string, body: string, node: ManagedNode): Promise<Answer> {
  const password = readJson(body)?.["password"];
  if (typeof password !== "string" || password === "") {
    return json(400, { code: "BAD_REQUEST", message: "the body must be JSON with a password" });
  }
  try {
    return json(200, {
      user_id: username,
      is_superuser: await node.setUserPassword(username, password),
    });
  } catch (error) {
    return json(404, { code: "NOT_FOUND", message: (error as Error).message });
  }
}

function logIn(body: string, node: ManagedNode): Answer {
  const given = readJson(body);
  if (given === undefined) {
    return json(400, { code: "BAD_REQUEST", message: "the body is not JSON" });
  }
  const { username, password } = given;
  const token =
    typeof username === "string" && typeof password === "string" ? node.logIn(username, password) : undefined;
  return token === undefined
    ? json(401, { code: "BAD_USERNAME_OR_PWD", message: "Auth failed" })
    : json(200, { version: node.settings.version, role: "administrator", token });
}

function page(node: ManagedNode): Answer {
  const { nodeName, version } = node.settings;
  const { running, stopped } = node.cluster();
  const body =
    `<!doctype html><meta charset="utf-8"><title>EMQX ${version}</title><h1>${nodeName}</h1>` +
    `<p>EMQX ${version} (simulated), ${node.connections} connections</p>` +
    `<p>Running nodes: ${running.join(", ")}</p>` +
    `<p>Stopped nodes: ${stopped.join(", ") || "none"}</p>\n`;
  return { status: 200, headers: { "content-type": "text/html; charset=utf-8" }, body };
}

function plain(status: number, body: string): Answer {
  return { status, headers: { "content-type": "text/plain" }, body };
}

function json(status: number, value: object): Answer {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}

function readJson(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
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
