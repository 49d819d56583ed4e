/**
 * EMQX's chain of authenticators. The first that has an answer decides; one that does not know the client leaves it to the
 * next (emqx/emqx@v5.8.9: apps/emqx_auth/src/emqx_authn/emqx_authn_chains.erl). Acted out are users of its own database, a service asked
 * by HTTP (apps/emqx_auth_http/src/emqx_authn_http.erl) and signed tokens (apps/emqx_auth_jwt/src/emqx_authn_jwt.erl).
 */
import type { LoginResult } from "../dataplane/broker/broker";
import { textAt, treeAt, type Tree } from "./tree";
import { verifiedClaims, type KeySource } from "./webToken";

export interface Credential {
  username: string | undefined;
  password: string | undefined;
  clientId: string;
}

export interface BackEnds {
  /** Users of EMQX's own database. */
  ownUser(credential: Credential): LoginResult;
  /** A request to a back end; throws where it cannot be reached or does not answer. */
  ask(request: BackEndRequest): Promise<BackEndAnswer>;
  log(line: string): void;
}

export interface BackEndRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string;
  timeoutMs: number;
  /** Whether a service's certificate has to be one that is trusted. */
  verifies: boolean;
}

export interface BackEndAnswer {
  status: number;
  contentType: string;
  body: string;
}

/** `ignore`: it does not know the client. */
type Answer = LoginResult | "ignore";
export type Authenticator = (credential: Credential, backEnds: BackEnds) => Promise<Answer>;

const notAuthorized = "unknown-user";

export async function authenticate(
  chain: readonly Authenticator[],
  credential: Credential,
  backEnds: BackEnds,
): Promise<LoginResult> {
  for (const authenticator of chain) {
    const answer = await authenticator(credential, backEnds);
    if (answer !== "ignore") return answer;
  }
  return notAuthorized;
}

/** An authenticator by its settings. What is not acted out is said once, and lets nobody in. */
export function authenticatorOf(settings: Tree, hardened: boolean, warnings: string[]): Authenticator {
  const { mechanism, backend } = settings;
  if (mechanism === "password_based" && backend === "built_in_database") return byOwnUsers;
  if (mechanism === "password_based" && backend === "http") return byHttp(settings, hardened);
  if (mechanism === "jwt") return byToken(settings, hardened);
  warnings.push(`authentication ${String(mechanism)}/${String(backend)} is not simulated: it lets nobody in`);
  return () => Promise.resolve(notAuthorized);
}

const byOwnUsers: Authenticator = (credential, { ownUser }) => {
  const answer = ownUser(credential);
  return Promise.resolve(answer === "unknown-user" ? "ignore" : answer);
};

const verifies = (settings: Tree) => textAt(settings, "ssl.verify") === "verify_peer";

/** In the hardened profile, a back end that cannot be asked refuses. */
const unanswered = (hardened: boolean): Answer => (hardened ? notAuthorized : "ignore");

function byHttp(settings: Tree, hardened: boolean): Authenticator {
  const method = (textAt(settings, "method") ?? "post").toUpperCase();
  const [url = "", headers, body] = [
    textAt(settings, "url"),
    treeAt(settings, "headers"),
    treeAt(settings, "body"),
  ];
  return async (credential, { ask, log }) => {
    const fill = (template: unknown) => filled(String(template), credential);
    const fields = Object.fromEntries(Object.entries(body).map(([key, value]) => [key, fill(value)]));
    const sent = Object.fromEntries(
      Object.entries(headers).map(([key, value]) => [key.toLowerCase(), fill(value)]),
    );
    const target = new URL(filled(url, credential, encodeURIComponent));
    if (method === "GET") {
      for (const [key, value] of Object.entries(fields)) target.searchParams.set(key, value);
    }
    const type = sent["content-type"] ?? "application/json";
    const request: BackEndRequest = {
      method,
      url: target.href,
      headers: method === "GET" ? sent : { ...sent, "content-type": type },
      timeoutMs: milliseconds(textAt(settings, "request_timeout"), 5000),
      verifies: verifies(settings),
      ...(method === "GET"
        ? {}
        : { body: /json/.test(type) ? JSON.stringify(fields) : String(new URLSearchParams(fields)) }),
    };
    try {
      return fromHttp(await ask(request), log);
    } catch (error) {
      log(`[error] authentication http: ${target.host}: ${(error as Error).message}`);
      return unanswered(hardened);
    }
  };
}

function fromHttp({ status, contentType, body }: BackEndAnswer, log: BackEnds["log"]): Answer {
  if (status === 204) return {};
  if (status !== 200) return "ignore";
  const said = parsed(contentType, body);
  if (said?.["result"] === "deny") return notAuthorized;
  return said?.["result"] === "allow" ? accepted(said, undefined, "http", log) : "ignore";
}

function parsed(contentType: string, body: string): Tree | undefined {
  try {
    return contentType.startsWith("application/x-www-form-urlencoded")
      ? Object.fromEntries(new URLSearchParams(body))
      : contentType.startsWith("application/json")
        ? (JSON.parse(body) as Tree)
        : undefined;
  } catch {
    return undefined;
  }
}

function byToken(settings: Tree, hardened: boolean): Authenticator {
  const jwks = settings["use_jwks"] === true ? textAt(settings, "endpoint") : undefined;
  const from = textAt(settings, "from") === "username" ? "username" : "password";
  const aclClaim = textAt(settings, "acl_claim_name") ?? "acl";
  let known: { keys: KeySource; at: number } | undefined;

  const keys = async (ask: BackEnds["ask"]): Promise<KeySource> => {
    if (jwks === undefined) {
      const secret = textAt(settings, "secret") ?? "";
      return textAt(settings, "algorithm") === "hmac-based"
        ? { secret: Buffer.from(secret, settings["secret_base64_encoded"] === true ? "base64" : "utf8") }
        : { pem: textAt(settings, "public_key") ?? "" };
    }
    const lasts = Number(textAt(settings, "refresh_interval") ?? 300) * 1000;
    if (known === undefined || Date.now() - known.at > lasts) {
      const { status, body } = await ask({
        ...{ method: "GET", url: jwks, headers: {}, timeoutMs: 5000 },
        verifies: verifies(settings),
      });
      if (status !== 200) throw new Error(`status ${status}`);
      known = { keys: { jwks: (JSON.parse(body) as { keys: Tree[] }).keys }, at: Date.now() };
    }
    return known.keys;
  };
  return async (credential, { ask, log }) => {
    const token = credential[from];
    if (token === undefined) return "ignore";
    let claims: Tree | undefined;
    try {
      claims = verifiedClaims(token, await keys(ask));
    } catch (error) {
      log(`[error] authentication jwt: ${jwks ?? "key"}: ${(error as Error).message}`);
      return unanswered(hardened);
    }
    if (claims === undefined) return "ignore";
    if (!fits(claims, expectedOf(settings), credential)) return "bad-password";
    const { exp, [aclClaim]: acl, ...others } = claims;
    const ends = settings["disconnect_after_expire"] !== false && exp !== undefined;
    return accepted({ ...others, acl }, ends ? Number(exp) * 1000 : undefined, "jwt", log);
  };
}

/** Claims that are expected, by name or as a list (emqx_authn_jwt_schema.erl, verify_claims/1). */
function expectedOf(settings: Tree): Tree {
  const list = settings["verify_claims"];
  return Array.isArray(list)
    ? Object.fromEntries((list as Tree[]).map(({ name, value }) => [String(name), value]))
    : treeAt(settings, "verify_claims");
}

function fits(claims: Tree, expected: Tree, credential: Credential): boolean {
  const now = Date.now() / 1000;
  const { exp, nbf } = claims;
  if ((exp !== undefined && !(now < Number(exp))) || (nbf !== undefined && !(Number(nbf) <= now)))
    return false;
  return Object.entries(expected).every(([name, template]) => {
    const [value, wanted] = [claims[name], filled(String(template), credential)];
    return name === "aud" && Array.isArray(value) ? value.includes(wanted) : value === wanted;
  });
}

/** Who was let in; what is not acted out of what was said with it would allow less, so nobody gets in by it. */
function accepted(
  said: Tree,
  expiresAt: number | undefined,
  which: string,
  log: BackEnds["log"],
): LoginResult {
  for (const name of ["acl", "clientid_override", "expire_at"]) {
    if (said[name] === undefined) continue;
    log(`[warning] authentication ${which}: ${name} is not simulated: it lets nobody in`);
    return notAuthorized;
  }
  const isSuperuser = [true, "true", 1, "1"].includes(said["is_superuser"] as string);
  return { isSuperuser, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** `${username}`, `${password}` and `${clientid}` of a template. */
function filled(template: string, credential: Credential, encode = (text: string) => text): string {
  const values: Record<string, string | undefined> = {
    username: credential.username,
    password: credential.password,
    clientid: credential.clientId,
  };
  return template.replace(/\$\{(\w+)\}/g, (whole, name: string) =>
    name in values ? encode(values[name] ?? "") : whole,
  );
}

function milliseconds(written: string | undefined, otherwise: number): number {
  const [, count, unit = "ms"] = /^(\d+)(ms|s|m)?$/.exec(written ?? "") ?? [];
  return count === undefined ? otherwise : Number(count) * { ms: 1, s: 1000, m: 60_000 }[unit]!;
}
