/**
 * What EMQX makes of its files and environment on a node: names, ports, listeners, users. Read the way EMQX 5 and 6 do
 * (etc/emqx.conf below the EMQX_* environment; EPMD_ARGS and vm.args for the distribution).
 */
import { parse } from "@pushcorn/hocon-parser";
import * as semver from "semver";
import { configurationProblems } from "../../components/emqx/schema/check";
import type { HoconValue } from "../../components/emqx/hocon";
import { knownVersion } from "../../components/emqx/schema/table";
import { readAcl } from "../../components/emqx/acl";
import { type Authorization, notActedOut, packageRules } from "../dataplane/broker/authorization";
import type { BrokerLimits } from "../dataplane/broker/broker";
import { edition, needsClusterLicence } from "./editions";
import { FileSystem } from "./fileSystem";
import { type Authenticator, authenticatorOf } from "./authentication";
import { isForOneNode, unreadable } from "./licences";
import { tlsSettingsOf, type TlsSettings } from "./tlsListener";
import { at, isTree, text, type Tree } from "./tree";

export interface ListenerSettings {
  port: number;
  /** False when it is bound to the machine's own loopback address only. */
  reachable: boolean;
  proxyProtocol: boolean;
}

export interface TlsListenerSettings extends ListenerSettings {
  tls: TlsSettings;
  /** Whether the authenticators are asked about its clients (`enable_authn`). */
  asks: boolean;
}

export interface EmqxSettings {
  version: string;
  nodeName: string;
  cookie: string;
  seeds: string[];
  ports: { epmd?: number; distribution: number; rpc: number };
  mqtt?: ListenerSettings;
  ws?: ListenerSettings & { path: string };
  ssl?: TlsListenerSettings;
  wss?: TlsListenerSettings & { path: string };
  /** Whether a certificate's common name is the user name (`mqtt.peer_cert_as_username`). */
  commonNames: boolean;
  dashboard?: { port: number; reachable: boolean };
  /** `dashboard.default_password`: what `admin` has as long as the database does not know better. */
  dashboardPassword: string;
  /**
   * Names and passwords of the bootstrap file, for users that the database does not know yet; undefined when nothing
   * authenticates, so that everybody may connect.
   */
  users?: Map<string, string>;
  /** Who is asked about a client, in this order. Nobody, where nothing authenticates. */
  authenticators: Authenticator[];
  /** Keys for the REST API and their secrets (`api_key.bootstrap_file`). */
  apiKeys: Map<string, string>;
  /** `license.key`, which may name a file, and the key itself. */
  licence: { source?: string; key?: string };
  /** Why this node may not be in a cluster with others, if so. */
  licenceProblem?: string;
  /** Seconds after which a stopped node is removed from the cluster; undefined for never. */
  autocleanSeconds?: number;
  /** What MQTT clients may do. */
  limits: BrokerLimits;
  /** Where retained messages live. */
  retainedOnDisc: boolean;
  /** The top of its files. */
  roots: string[];
  warnings: string[];
}

const paths = { configuration: "/etc/emqx/emqx.conf", vmArgs: "/etc/emqx/vm.args" };
const defaults = {
  nodeName: "emqx@127.0.0.1",
  cookie: "emqxsecretcookie",
  dashboardPassword: "public",
  epmd: 4369,
  ekkaBase: 4370,
  rpcManual: 5369,
  rpcStateless: 5370,
  // Without limits Erlang takes any free port; no security group opens it.
  anyDistribution: 45678,
  autocleanSeconds: 24 * 3600,
  // emqx/emqx@v5.8.9:apps/emqx/src/emqx_schema.erl, fields("mqtt").
  maxPacketSize: 1024 ** 2,
  maxTopicLevels: 128,
};

/** What holds of the environment when a running EMQX reads its files again: it has no setting of the files. */
export const profileOf = ({
  EMQX_SECURITY_PROFILE: profile,
}: Record<string, string>): Record<string, string> =>
  profile === undefined ? {} : { EMQX_SECURITY_PROFILE: profile };

/** EPMD_ARGS is overwritten by bin/emqx in older versions. */
const epmdArgsSince = "5.8.2";

export async function readEmqxSettings(
  files: FileSystem,
  environment: Record<string, string>,
  version: string,
): Promise<EmqxSettings> {
  const warnings: string[] = [];
  const configuration = files.get(paths.configuration)?.content;
  if (configuration === undefined) {
    throw new BadHocon(`${paths.configuration} is missing`);
  }
  const tree = await parseConfiguration(configuration, files);
  const roots = Object.keys(tree);
  await applyEnvironment(tree, environment);
  checkSchema(tree, environment, version, warnings);
  const nodeName = text(at(tree, "node.name")) ?? defaults.nodeName;
  if (!/^[0-9A-Za-z_-]+@[0-9A-Za-z.-]+$/.test(nodeName)) {
    throw new Error(`node.name "${nodeName}" is not name@host`);
  }
  const hardened = environment["EMQX_SECURITY_PROFILE"] === "hardened";
  const listener = (kind: string, port: number) =>
    readListener(tree, `listeners.${kind}.default`, port, hardened);
  const pathOf = (kind: "ws" | "wss") =>
    text(at(tree, `listeners.${kind}.default.websocket.mqtt_path`)) ?? "/mqtt";
  const ws = listener("ws", 8083);
  const secure = (kind: "ssl" | "wss", port: number): TlsListenerSettings | undefined => {
    const block = at(tree, `listeners.${kind}.default`);
    const settings = listener(kind, port);
    const tls = settings && isTree(block) ? tlsSettingsOf(block) : undefined;
    if (settings !== undefined && tls === undefined) {
      warnings.push(
        `listener ${kind}:default on port ${port} would be on with EMQX's demo key; that is not simulated`,
      );
    }
    return settings && tls && { ...settings, tls, asks: at(block as Tree, "enable_authn") !== false };
  };
  const wss = secure("wss", 8084);
  const licence = readLicence(text(at(tree, "license.key")), files);
  if (licence.source !== undefined && edition(version) === "ee") {
    const problem = unreadable(licence.key);
    if (problem !== undefined) {
      throw new Error(`license.key: ${problem}`);
    }
  }
  return {
    version,
    nodeName,
    cookie: readCookie(tree),
    seeds: at(tree, "cluster.discovery_strategy") === "static" ? list(at(tree, "cluster.static.seeds")) : [],
    ports: readClusterPorts(tree, files, environment, version, nodeName),
    ...optional("mqtt", listener("tcp", 1883)),
    ...optional("ws", ws && { ...ws, path: pathOf("ws") }),
    ...optional("ssl", secure("ssl", 8883)),
    ...optional("wss", wss && { ...wss, path: pathOf("wss") }),
    commonNames: at(tree, "mqtt.peer_cert_as_username") === "cn",
    ...optional("dashboard", readDashboard(tree, hardened)),
    dashboardPassword: text(at(tree, "dashboard.default_password")) ?? defaults.dashboardPassword,
    ...readAuthentication(tree, files, hardened, warnings),
    apiKeys: readApiKeys(tree, files),
    licence,
    ...optional("licenceProblem", licenceProblem(licence.key, version)),
    ...optional("autocleanSeconds", readDuration(at(tree, "cluster.autoclean"), defaults.autocleanSeconds)),
    limits: readLimits(tree, readAuthorization(tree, files, version, hardened, warnings)),
    retainedOnDisc: at(tree, "retainer.backend.storage_type") === "disc",
    roots,
    warnings,
  };
}

/** Its files cannot be read at all. */
export class BadHocon extends Error {}

/**
 * A file that the last line includes is merged over the rest, `authentication.1.password` into the list's first item
 * (emqx/hocon@0.44.0: src/hocon_token.erl load_include, src/hocon_maps.erl merge_array); one that is not there is nothing,
 * one that may not be read an error.
 */
async function parseConfiguration(source: string, files: FileSystem): Promise<Tree> {
  const [, rest = source, path] = /^([^]*\n)include "(\/[^"]*)"\s*$/.exec(source) ?? [];
  const tree = await parseHocon(rest, paths.configuration);
  const included = path === undefined ? undefined : files.get(path)?.content;
  if (included === undefined && path !== undefined && files.has(path)) {
    throw new BadHocon(`{eacces,"${path}"}`);
  }
  return included === undefined ? tree : (merged(tree, await parseHocon(included, path!)) as Tree);
}

function merged(base: unknown, top: unknown): unknown {
  if (!isTree(top)) return top;
  if (Array.isArray(base) && Object.keys(top).every((key) => /^\d+$/.test(key))) {
    const items = [...(base as unknown[])];
    for (const [key, value] of Object.entries(top)) {
      if (Number(key) < 1 || Number(key) > items.length + 1) throw new Error(`bad_array_index: ${key}`);
      items[Number(key) - 1] = merged(items[Number(key) - 1], value);
    }
    return items;
  }
  const result: Tree = isTree(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(top)) result[key] = merged(result[key], value);
  return result;
}

/** Comments, and texts in quotes. */
const texts = /"""[^]*?"""+|(?:#|\/\/).*|"(?:[^"\\\n]|\\.)*"/g;
/** EMQX takes a backslash before another sign for one (emqx/hocon@0.44.0: src/hocon_scanner.xrl, unesc/1). */
const withKnownEscapes = (text: string) =>
  /^"(?!"")/.test(text)
    ? text.replace(/\\(["\\bfnrtu])|\\/g, (whole, known) => (known ? whole : "\\\\"))
    : text;

async function parseHocon(source: string, name: string): Promise<Tree> {
  if (/^\s*include\b/m.test(source)) {
    throw new BadHocon(`${name}: include is simulated in the last line of emqx.conf only`);
  }
  try {
    return await parse({ text: source.replace(texts, withKnownEscapes) });
  } catch (error) {
    throw new BadHocon(`${name} is not HOCON: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * EMQX checks its configuration before it starts, in the words of emqx/hocon@0.44.0: src/hocon_cli.erl
 * (handle_schema_errors) and hocon_tconf.erl. Unknown names at the top are dropped without a word there
 * (filter_by_roots), as are unknown names in the environment (unknown_env_vars), and so they are here.
 */
function checkSchema(
  tree: Tree,
  environment: Record<string, string>,
  version: string,
  warnings: string[],
): void {
  const known = knownVersion(version);
  const errors = configurationProblems(tree as { [key: string]: HoconValue }, known)
    .filter(
      ({ kind, path }) => kind !== "unknown" || (path.length > 1 && !isFromEnvironment(path, environment)),
    )
    .map(({ kind, path, says, known: names = [] }) => {
      const [parent, reason, rest] =
        kind === "unknown"
          ? [
              path.slice(0, -1),
              "unknown_fields",
              `,unknown => "${path.at(-1)}",unmatched => "${names.slice(0, 3).join(",")},..."`,
            ]
          : [path, kind === "required" ? "required_field" : `"${says}"`, ""];
      return `#{kind => validation_error,path => "${parent.join(".")}",reason => ${reason}${rest}}`;
    });
  if (errors.length === 0) return;
  const report = `failed_to_check_schema: ${edition(version) === "ee" ? "emqx_enterprise_schema" : "emqx_conf_schema"}\n${errors.join("\n")}`;
  if (known !== version) {
    warnings.push(`the settings of EMQX ${version} are not known; ${known} would not start: ${report}`);
    return;
  }
  throw new Error(report);
}

function isFromEnvironment(path: string[], environment: Record<string, string>): boolean {
  const name = `EMQX_${path.join("__").toUpperCase()}`;
  return Object.keys(environment).some((variable) => variable === name || variable.startsWith(`${name}__`));
}

/** `EMQX_NODE__COOKIE` is `node.cookie`; values are HOCON, as is. */
async function applyEnvironment(tree: Tree, environment: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith("EMQX_") || name === "EMQX_SECURITY_PROFILE") {
      continue;
    }
    const path = name.slice("EMQX_".length).toLowerCase().split("__");
    const { value: parsed } = await parseHocon(`value = ${value}`, `environment variable ${name}`);
    let node = tree;
    for (const key of path.slice(0, -1)) {
      node = isTree(node[key]) ? node[key] : (node[key] = {});
    }
    node[path.at(-1)!] = parsed;
  }
}

function readCookie(tree: Tree): string {
  const cookie = text(at(tree, "node.cookie")) ?? defaults.cookie;
  if (!/^[^\\'"\s]{1,255}$/.test(cookie)) {
    throw new Error("node.cookie must be 1 to 255 characters without quotes, backslash or space");
  }
  return cookie;
}

function readListener(
  tree: Tree,
  path: string,
  port: number,
  hardened: boolean,
): ListenerSettings | undefined {
  const block = at(tree, path);
  const settings = isTree(block) ? block : {};
  if (settings["enable"] === false) {
    return undefined;
  }
  const bind = readBind(settings["bind"], port, hardened);
  return { ...bind, proxyProtocol: settings["proxy_protocol"] === true };
}

/** `"0.0.0.0:1883"`, `1883` or nothing; the hardened profile takes what names no address as loopback. */
function readBind(bind: unknown, port: number, hardened: boolean): { port: number; reachable: boolean } {
  const written = text(bind) ?? String(port);
  const [, host, digits] = /^(?:(.*):)?(\d+)$/.exec(written) ?? [];
  if (digits === undefined) {
    throw new Error(`"${written}" is not an address to bind to`);
  }
  const reachable =
    host === undefined || host === "" ? !hardened : !host.startsWith("127.") && host !== "[::1]";
  return { port: Number(digits), reachable };
}

function readDashboard(tree: Tree, hardened: boolean): { port: number; reachable: boolean } | undefined {
  const bind = at(tree, "dashboard.listeners.http.bind");
  // In 5.8 the shipped emqx.conf carries the dashboard's port; a file without it has no dashboard at all.
  const { port, reachable } = readBind(bind, 0, hardened);
  return port === 0 ? undefined : { port, reachable };
}

function readClusterPorts(
  tree: Tree,
  files: FileSystem,
  environment: Record<string, string>,
  version: string,
  nodeName: string,
): EmqxSettings["ports"] {
  const offset = Number(/(\d+)@/.exec(nodeName)?.[1] ?? 0);
  const rpc =
    at(tree, "rpc.port_discovery") === "manual"
      ? number(at(tree, "rpc.server_port") ?? at(tree, "rpc.tcp_server_port"), defaults.rpcManual)
      : defaults.rpcStateless + offset;
  const args = semver.gte(version, epmdArgsSince) ? environment["EPMD_ARGS"] : undefined;
  if (args === undefined || /-epmd_module\s+ekka_epmd/.test(args)) {
    const base = number(/-kernel\s+inet_dist_base_port\s+(\d+)/.exec(args ?? "")?.[1], defaults.ekkaBase);
    return { distribution: base + offset, rpc };
  }
  const vmArgs = files.get(paths.vmArgs)?.content ?? "";
  const listenMin = /^\s*-kernel\s+inet_dist_listen_min\s+(\d+)/m.exec(vmArgs)?.[1];
  const distribution = number(listenMin, defaults.anyDistribution);
  return /-start_epmd\s+false/.test(args)
    ? { distribution, rpc }
    : { epmd: defaults.epmd, distribution, rpc };
}

function readAuthentication(
  tree: Tree,
  files: FileSystem,
  hardened: boolean,
  warnings: string[],
): Pick<EmqxSettings, "users" | "authenticators"> {
  const authentication = tree["authentication"];
  const all = Array.isArray(authentication) ? authentication : [authentication];
  // emqx/emqx@e5.8.9:apps/emqx_auth/src/emqx_authn/emqx_authn_chains.erl authenticate/2: a chain of which none is on is none.
  const chain = all.filter(isTree).filter((entry) => entry["enable"] !== false);
  if (chain.length === 0) {
    return { ...optional("users", hardened ? new Map() : undefined), authenticators: [] };
  }
  const users = new Map<string, string>();
  for (const { backend, bootstrap_file: file } of chain) {
    const path = backend === "built_in_database" ? text(file) : undefined;
    if (path === undefined) continue;
    const csv = files.get(path)?.content;
    if (csv === undefined) {
      warnings.push(`authentication: bootstrap file ${path} is missing, so it brings no MQTT users`);
      continue;
    }
    for (const [name, password] of readCsv(csv)) {
      users.set(name, password);
    }
  }
  return { users, authenticators: chain.map((entry) => authenticatorOf(entry, hardened, warnings)) };
}

function readLimits(tree: Tree, authorization: Authorization): BrokerLimits {
  const maxPacketSize = readBytes(at(tree, "mqtt.max_packet_size"), defaults.maxPacketSize);
  return {
    maxPacketSize,
    maxTopicLevels: number(at(tree, "mqtt.max_topic_levels"), defaults.maxTopicLevels),
    authorization,
  };
}

/** Sources are asked in their order; one that is not acted out denies whatever comes to it. */
function readAuthorization(
  tree: Tree,
  files: FileSystem,
  version: string,
  hardened: boolean,
  warnings: string[],
): Authorization {
  const sources = at(tree, "authorization.sources");
  const listed = Array.isArray(sources) ? sources.filter(isTree) : [{ type: "file" }];
  const rules = listed
    .filter(({ enable }) => enable !== false)
    .flatMap(({ type, path }) => {
      if (type === "file") return rulesIn(text(path), files, version, hardened);
      warnings.push(`authorization ${String(type)} is not simulated: it denies whatever it is asked`);
      return readAcl("{deny, all}.");
    });
  for (const name of notActedOut(rules)) {
    // The package's own rule of the node's own address does not matter: no client stands there.
    if (name === "ipaddr" && !Array.isArray(sources)) continue;
    warnings.push(`authorization: the condition ${name} is not simulated: it never allows and always denies`);
  }
  return {
    rules,
    noMatch: at(tree, "authorization.no_match") === "deny" ? "deny" : "allow",
    denyAction: at(tree, "authorization.deny_action") === "disconnect" ? "disconnect" : "ignore",
  };
}

const packageAcl = ["/etc/emqx/acl.conf", "${EMQX_ETC_DIR}/acl.conf", "etc/acl.conf"];

function rulesIn(path: string | undefined, files: FileSystem, version: string, hardened: boolean) {
  if (path === undefined || packageAcl.includes(path)) {
    return hardened && semver.gte(version, "6.2.1") ? packageRules.slice(0, -1) : packageRules;
  }
  const content = files.get(path)?.content;
  if (content === undefined) throw new Error(`failed_to_read_acl_file: ${path}`);
  try {
    return readAcl(content);
  } catch (error) {
    throw new Error(`bad_acl_file_content: ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** `1MB`; a bare number is bytes. */
function readBytes(value: unknown, otherwise: number): number {
  const [, count, unit = ""] = /^(\d+)(b|kb|mb|gb|)$/i.exec(text(value) ?? "") ?? [];
  const factors: Record<string, number> = { "": 1, b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };
  return count === undefined ? otherwise : Number(count) * factors[unit.toLowerCase()]!;
}

function readCsv(csv: string): [string, string][] {
  const [header = "", ...lines] = csv.split(/\r?\n/).filter((line) => line !== "");
  const columns = header.split(",");
  const name = columns.indexOf("user_id");
  const password = columns.indexOf("password");
  return lines.map((line) => {
    const fields = line.split(",");
    return [fields[name] ?? "", fields[password] ?? ""];
  });
}

/** Lines of `key:secret` or `key:secret:role`; those that may only look are not simulated and left out. */
function readApiKeys(tree: Tree, files: FileSystem): Map<string, string> {
  const path = text(at(tree, "api_key.bootstrap_file"));
  const lines = (path === undefined ? undefined : files.get(path)?.content)?.split(/\r?\n/) ?? [];
  return new Map(
    lines
      .map((line) => line.split(":"))
      .filter(([key, secret, role]) => key && secret && (role ?? "administrator") === "administrator")
      .map(([key, secret]) => [key!, secret!]),
  );
}

/** What `license.key` says; EMQX reads a file that it names again every two minutes. */
export function readLicence(
  source: string | undefined,
  files: FileSystem,
): { source?: string; key?: string } {
  const prefix = "file://";
  const key = source?.startsWith(prefix) ? files.get(source.slice(prefix.length))?.content.trim() : source;
  return { ...optional("source", source), ...optional("key", key) };
}

export function licenceProblem(key: string | undefined, version: string): string | undefined {
  return needsClusterLicence(version) && isForOneNode(key)
    ? `SINGLE_NODE_LICENSE: EMQX ${version} without a licence key runs as a single node`
    : undefined;
}

/** `24h`, `5m` or `infinity`, in seconds. */
function readDuration(value: unknown, otherwise: number): number | undefined {
  const written = text(value);
  if (written === undefined) {
    return otherwise;
  }
  if (written === "infinity") {
    return undefined;
  }
  const [, count, unit] = /^(\d+)\s*(ms|s|m|h|d)$/.exec(written) ?? [];
  if (count === undefined || unit === undefined) {
    throw new Error(`"${written}" is not a duration such as 24h`);
  }
  return Number(count) * { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400 }[unit]!;
}

function number(value: unknown, otherwise: number): number {
  const read = Number(value);
  return value === undefined || Number.isNaN(read) ? otherwise : read;
}

/** EMQX takes an array, or one string with commas. */
function list(value: unknown): string[] {
  const items = Array.isArray(value) ? value.map(String) : String(value ?? "").split(",");
  return items.map((item) => item.trim()).filter((item) => item !== "");
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
