/**
 * What keeps clients and others from doing things in EMQX, as its configuration says. Pure: text in, safeguards out. The
 * same for a configuration that the components render and for one that somebody wrote by hand.
 *
 * Defaults are EMQX's (apps/emqx/src/emqx_schema.erl and apps/emqx_auth/src/emqx_authz/emqx_authz_schema.erl, 5.8.9):
 * `no_match` is allow and `deny_action` is ignore. A chain in which no authenticator is enabled lets
 * everybody in, and so does a listener with `enable_authn = false`; a chain of a listener's own replaces the global one
 * (emqx/emqx@e5.8.9:apps/emqx_auth/src/emqx_authn/emqx_authn_chains.erl, authenticate/2 and get_authenticators/2).
 */
import { parse } from "yaml";
import { includeSecrets, nodeFiles } from "./configuration";
import { HoconError, hoconTree, readHocon, type HoconValue } from "./hocon";

type Tree = { [key: string]: HoconValue };

/** One thing that keeps somebody from something. */
export interface Safeguard {
  /** What it is about, a sentence's subject: the same on both sides of a change. */
  what: string;
  /** What holds, for a reader. */
  state: string;
  /** Higher keeps more from more people; undefined where that cannot be ranked. */
  rank?: number;
  /** All that `state` leaves out, to tell two apart. */
  detail?: string;
  /** Whether clients that are admitted today may be refused when it changes: to something stricter, or in any case. */
  affectsClients?: "stricter" | "always";
}

export const authentication = "Authentication of MQTT clients";
export const aclDefault = "What no ACL rule decides";

/** The files that a cloud-config writes, by their path; undefined for anything else than a cloud-config. */
export function filesOf(userData: string): Map<string, string> | undefined {
  if (!userData.startsWith("#cloud-config")) return undefined;
  try {
    const { write_files: files = [] } = parse(userData) as {
      write_files?: { path?: unknown; content?: unknown }[];
    };
    return new Map(files.map(({ path, content }) => [String(path), String(content)]));
  } catch {
    return undefined;
  }
}

/** What a node's user data says; undefined where it holds no configuration of EMQX that can be read. */
export function safeguardsOfNode(userData: string): Safeguard[] | undefined {
  const files = filesOf(userData);
  const configuration = configurationIn(files);
  if (!files || !configuration) return undefined;
  return [
    ...safeguardsOf(configuration),
    ...profileOf(files.get(nodeFiles.emqxEnvironment) ?? ""),
    ...packageOf(files.get(nodeFiles.nodeEnvironment) ?? ""),
  ];
}

/** The listeners of a node that believe a PROXY header, as `tcp.default`; undefined where that cannot be read. */
export function proxyListenersOf(userData: string): string[] | undefined {
  const configuration = configurationIn(filesOf(userData));
  return (
    configuration &&
    listenersOf(configuration)
      .filter(([, listener]) => isOn(listener) && text(listener.proxy_protocol) === "true")
      .map(([name]) => name)
  );
}

/**
 * What a node asks of clients at each of EMQX's listeners that are on, by the listener's name; undefined lets anybody in.
 * Nothing where the user data holds no configuration of EMQX that can be read.
 */
export function askedByNode(userData: string): Map<string, string | undefined> | undefined {
  const configuration = configurationIn(filesOf(userData));
  return configuration && askedAtListeners(configuration);
}

export function askedAtListeners(configuration: Tree): Map<string, string | undefined> {
  return new Map(
    listenersOf(configuration)
      .filter(([, listener]) => isOn(listener))
      .map(([name, listener]) => [name, askedAt(listener, configuration)]),
  );
}

function askedAt(listener: Tree, configuration: Tree): string | undefined {
  const { state, rank } = chain(ownChain(listener) ?? configuration.authentication);
  const certificate = asksCertificate(listener) ? "a client certificate" : undefined;
  return text(listener.enable_authn) === "false" || rank === 0
    ? certificate
    : [certificate, state].filter(Boolean).join(", then ");
}

/** Who has no certificate of the authorities that the listener knows does not get as far as MQTT. */
function asksCertificate(listener: Tree): boolean {
  const { verify, fail_if_no_peer_cert: fails } = tree(listener.ssl_options);
  return text(verify) === "verify_peer" && text(fails) === "true";
}

/** What EMQX makes of a configuration, but for what is secret. Throws a HoconError where it is not HOCON. */
export function parseHocon(configuration: string): Tree {
  return hoconTree(readHocon(configuration.replace(`\n${includeSecrets}\n`, "\n")));
}

function configurationIn(files: Map<string, string> | undefined): Tree | undefined {
  const text = files?.get(nodeFiles.configuration);
  try {
    return text === undefined ? undefined : parseHocon(text);
  } catch (error) {
    if (error instanceof HoconError) return undefined;
    throw error;
  }
}

export function safeguardsOf(configuration: Tree): Safeguard[] {
  const authorization = tree(configuration.authorization);
  return [
    { what: authentication, ...chain(configuration.authentication), affectsClients: "stricter" },
    ...listenersOf(configuration).map(([name, listener]): Safeguard => ({
      what: `EMQX's listener ${name}`,
      ...listenerState(listener),
      affectsClients: "stricter",
    })),
    {
      what: aclDefault,
      ...(text(authorization.no_match) === "deny"
        ? { state: "is denied", rank: 1 }
        : { state: "is allowed", rank: 0 }),
      affectsClients: "stricter",
    },
    {
      what: "A client that does what the ACL denies",
      ...(text(authorization.deny_action) === "disconnect"
        ? { state: "is disconnected", rank: 1 }
        : { state: "stays connected", rank: 0 }),
      affectsClients: "stricter",
    },
    { what: "ACL sources", ...sources(authorization.sources), affectsClients: "stricter" },
    ...doors.flatMap((path) => door(configuration, path)),
  ];
}

/**
 * Further ways to EMQX or out of it. What they say is not judged here: that they change is.
 */
const doors = [
  ["api_key", "Keys for the REST API"],
  ["dashboard", "EMQX's dashboard"],
  ["gateway", "Gateways for other protocols"],
  ["psk_authentication", "Pre-shared keys"],
  ["exhook", "Hooks outside of EMQX"],
  ["plugins", "Plugins"],
  ["rpc", "Calls between nodes"],
  ["prometheus", "Prometheus metrics"],
  ["connectors", "Connectors to other systems"],
  ["actions", "Actions that send data out"],
  ["sources", "Sources that take data in"],
  ["bridges", "Bridges to other systems"],
  ["rule_engine", "Rules"],
  ["cluster.links", "Links to other clusters"],
] as const;

function door(configuration: Tree, [path, what]: (typeof doors)[number]): Safeguard[] {
  const value = path
    .split(".")
    .reduce<HoconValue | undefined>((at, key) => tree(at)[key], configuration as HoconValue);
  const detail = Object.fromEntries(
    Object.entries(tree(value)).filter(([key]) => !asideOf[path]?.includes(key)),
  );
  return Object.keys(detail).length === 0
    ? []
    : [{ what, state: `\`${path}\` as configured`, rank: 0, detail: stable(detail) }];
}

/** Which port nodes call each other on: security groups decide who reaches it. */
const asideOf: Record<string, string[]> = { rpc: ["port_discovery", "server_port"] };

/** Authenticators are asked in their order; one that is off is not asked, and none lets everybody in. */
function chain(value: HoconValue | undefined): Pick<Safeguard, "state" | "rank" | "detail"> {
  const all = Array.isArray(value) ? value : value === undefined || value === "" ? [] : [value];
  const asked = all.map(tree).filter(isOn);
  return asked.length === 0
    ? { state: "none: anybody may connect", rank: 0 }
    : { state: asked.map(authenticator).join(", then "), rank: 1, detail: stable(asked) };
}

function authenticator({ mechanism, backend }: Tree): string {
  return [mechanism, backend].map(text).filter(Boolean).join(" by ") || "an authenticator";
}

function sources(value: HoconValue | undefined): Pick<Safeguard, "state" | "rank" | "detail"> {
  if (value === undefined) return { state: "EMQX's own (acl.conf)" };
  const asked = (Array.isArray(value) ? value : [value]).map(tree).filter(isOn);
  return asked.length === 0
    ? { state: "none", rank: 0 }
    : { state: asked.map(({ type }) => text(type) ?? "?").join(", then "), detail: stable(asked) };
}

/** On unless said otherwise, as EMQX has it. */
function isOn(item: Tree): boolean {
  return text(item.enable) !== "false" && text(item.enabled) !== "false";
}

/** EMQX brings these along, on. */
const ownListeners = ["tcp.default", "ssl.default", "ws.default", "wss.default"];

function listenersOf(configuration: Tree): [string, Tree][] {
  const written = Object.entries(tree(configuration.listeners)).flatMap(([type, named]) =>
    Object.entries(tree(named)).map(([name, listener]): [string, Tree] => [
      `${type}.${name}`,
      tree(listener),
    ]),
  );
  const missing = ownListeners.filter((name) => !written.some(([known]) => known === name));
  return [...written, ...missing.map((name): [string, Tree] => [name, {}])];
}

/** What decides who gets through a listener; how fast it is does not matter here. */
const deciding = ["bind", "authentication", "access_rules", "ssl_options", "websocket", "enable_authn"];

function listenerState(listener: Tree): Pick<Safeguard, "state" | "rank" | "detail"> {
  if (!isOn(listener)) return { state: "off", rank: 2 };
  const detail = stable(Object.fromEntries(deciding.map((key) => [key, listener[key] ?? ""])));
  const own = ownChain(listener);
  if (asksCertificate(listener)) return { state: "on, for client certificates", rank: 1.5, detail };
  return text(listener.enable_authn) === "false" || (own !== undefined && chain(own).rank === 0)
    ? { state: "on, without authentication", rank: 0, detail }
    : { state: "on", rank: 1, detail };
}

/** A chain of the listener's own replaces the global one; an empty one is none. */
function ownChain({ authentication: own }: Tree): HoconValue | undefined {
  return own === undefined || stable(own) === "[]" ? undefined : own;
}

/** What a listener that is not there amounts to. */
export const noListener: Pick<Safeguard, "state" | "rank"> = { state: "not there", rank: 2 };

function profileOf(environment: string): Safeguard[] {
  const profile = /^EMQX_SECURITY_PROFILE=["']?(\w+)/m.exec(environment)?.[1];
  return profile === undefined
    ? []
    : [{ what: "EMQX's security profile", state: profile, rank: profile === "hardened" ? 1 : 0 }];
}

function packageOf(environment: string): Safeguard[] {
  const read = (name: string) => new RegExp(`^${name}='([^']*)'`, "m").exec(environment)?.[1] ?? "";
  const url = read("PACKAGE_URL");
  if (url === "") return [];
  const isPinned = read("PACKAGE_SHA256") !== "";
  return [
    { what: "Server of the EMQX package", state: /^https?:\/\/([^/]*)/.exec(url)?.[1] ?? url },
    {
      what: "Checksum of the EMQX package",
      ...(isPinned
        ? { state: "in the settings", rank: 1 }
        : { state: "published beside the package", rank: 0 }),
    },
  ];
}

function tree(value: HoconValue | undefined): Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

function text(value: HoconValue | undefined): string | undefined {
  return typeof value === "object" || value === undefined ? undefined : String(value);
}

/** Equal for equal values, whatever the order of keys. */
function stable(value: HoconValue): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
