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
  setUserPassword(username: string, password: string, isSuperuser?: boolean): Promise<boolean>;
  /** Answers whether there was none of that name. */
  addUser(username: string, password: string, isSuperuser: boolean): Promise<boolean>;
  deleteUser(username: string): Promise<void>;
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const longestBody = 64 * 1024;
const userPath =
  /^\/api\/v5\/authentication\/password_based(?::|%3A)built_in_database\/users(?:\/([^/]+))?$/i;

export async function managementAnswer(request: IncomingMessage, node: ManagedNode): Promise<Answer> {
  const path = (request.url ?? "/").split("?")[0]!;
  const { nodeName, version } = node.settings;
  const users = userPath.exec(path);
  if (users !== null) {
    return (
      authorizationProblem(request.headers.authorization, node) ??
      (await changeUsers(
        request.method,
        users[1] && decodeURIComponent(users[1]),
        await readBody(request),
        node,
      ))
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

/** emqx/emqx@v5.8.9: apps/emqx_auth/src/emqx_authn/emqx_authn_api.erl, add_user/3, update_user/4, delete_user/3. */
async function changeUsers(
  method: string | undefined,
  username: string | undefined,
  body: string,
  node: ManagedNode,
): Promise<Answer> {
  const given = readJson(body) ?? {};
  const { password, user_id: added, is_superuser: superuser } = given;
  const isSuperuser = superuser === undefined ? undefined : superuser === true;
  try {
    if (method === "DELETE" && username !== undefined) {
      await node.deleteUser(username);
      return { status: 204, headers: {}, body: "" };
    }
    if (typeof password !== "string" || password === "") {
      return json(400, { code: "BAD_REQUEST", message: "the body must be JSON with a password" });
    }
    if (method === "POST" && username === undefined && typeof added === "string") {
      return (await node.addUser(added, password, isSuperuser ?? false))
        ? json(201, { user_id: added, is_superuser: isSuperuser ?? false })
        : json(409, { code: "ALREADY_EXISTS", message: "User already exists" });
    }
    return method === "PUT" && username !== undefined
      ? json(200, {
          user_id: username,
          is_superuser: await node.setUserPassword(username, password, isSuperuser),
        })
      : json(404, { code: "NOT_FOUND", message: "Request path not found" });
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
