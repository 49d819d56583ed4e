import { nodeFiles, renderConfiguration } from "./configuration";
import { Assignment, HoconError, hoconTree, readHocon, type HoconValue } from "./hocon";
import { ClusterPorts } from "./releases";
import { configurationProblems } from "./schema/check";
import { knownVersion } from "./schema/table";

/**
 * What the component decides, and why somebody who needs it otherwise cannot simply set it: the second column
 * completes "… is set by the component: ".
 */
const owned: [key: string, instead: string][] = [
  ["node.name", "it is emqx@<private address>"],
  ["node.cookie", "it is generated and read from a parameter"],
  ["node.data_dir", "it is the data volume"],
  ["node.role", "every node is a core node with data of its own"],
  ["cluster.name", "use clusterName"],
  ["cluster.discovery_strategy", "nodes find each other by a list of their addresses"],
  ["cluster.static", "it is the list of the nodes' addresses"],
  ["cluster.dns", "nodes find each other by a list of their addresses"],
  ["cluster.etcd", "nodes find each other by a list of their addresses"],
  ["cluster.k8s", "nodes find each other by a list of their addresses"],
  ["cluster.proto_dist", "the cluster ports and security groups are made for plain TCP between the nodes"],
  ["cluster.autoclean", "it is 24 hours, within which a replaced node is back"],
  ["cluster.autoheal", "nodes that the network parted must find each other again"],
  ["rpc.port_discovery", "use clusterPorts"],
  ["rpc.server_port", "use clusterPorts"],
  ["rpc.tcp_server_port", "use clusterPorts"],
  ["rpc.listen_address", "security groups decide who reaches it"],
  ["listeners.tcp.default.enable", "the load balancer needs it"],
  ["listeners.tcp.default.enabled", "the load balancer needs it"],
  ["listeners.tcp.default.bind", "the load balancer and the security groups use 1883"],
  ["listeners.tcp.default.proxy_protocol", "use classicElb.proxyProtocol, which sets the load balancer too"],
  ["listeners.ssl.default", "use nodeTls, without which TLS ends at the load balancer"],
  ["listeners.ws.default.enable", "use listeners"],
  ["listeners.ws.default.enabled", "use listeners"],
  ["listeners.ws.default.bind", "the load balancer and the security groups use 8083"],
  ["listeners.ws.default.proxy_protocol", "use classicElb.proxyProtocol, which sets the load balancer too"],
  ["listeners.ws.default.websocket.mqtt_path", "the endpoint's URL ends in /mqtt"],
  ["listeners.ws.default.websocket.proxy_address_header", "clients could forge their address with it"],
  ["listeners.ws.default.websocket.proxy_port_header", "clients could forge their address with it"],
  ["listeners.wss.default", "use nodeTls, without which TLS ends at the load balancer"],
  ["dashboard.listeners.http.bind", "the health check and the security groups use 18083"],
  ["dashboard.listeners.http.enable", "the health check needs it"],
  ["dashboard.listeners.http.inet6", "the health check comes by IPv4"],
  ["dashboard.listeners.http.ipv6_v6only", "the health check comes by IPv4"],
  ["dashboard.listeners.http.proxy_header", "the health check comes without a PROXY header"],
  ["dashboard.default_username", "the first user is admin"],
  ["dashboard.default_password", "it is generated and read from a parameter"],
  ["license.key", "use licenseKey"],
];

/** As long as clients must authenticate, nothing may open a way around it. */
const ownedWithAuthentication: [key: string, instead: string][] = [
  [
    "authentication",
    "the first MQTT user is generated; name EMQX's own users in it, { mechanism = password_based, backend = built_in_database }, " +
      "or set anonymousAccess",
  ],
  ["listeners.tcp.default.enable_authn", "use anonymousAccess"],
  ["listeners.tcp.default.authentication", "use anonymousAccess"],
  ["listeners.ws.default.enable_authn", "use anonymousAccess"],
  ["listeners.ws.default.authentication", "use anonymousAccess"],
];

/** As long as certificates name the users, nothing may name them otherwise. */
const ownedWithCommonNames: [key: string, instead: string][] = [
  ["mqtt.peer_cert_as_username", "use nodeTls.usernameFrom"],
  ["zones.default.mqtt.peer_cert_as_username", "use nodeTls.usernameFrom"],
];

export interface ExtraConfigOptions {
  /** The component configures no authentication, so this text may. */
  anonymousAccess?: boolean;
  /** The EMQX version whose settings are allowed. Without it only the text's form is looked at. */
  version?: string;
  /** Settings that a file of their own sets after this text. */
  secretPaths?: string[];
  /** The component has EMQX read a file of rules. */
  hasAcl?: boolean;
  /** The component has EMQX take user names from certificates. */
  hasCommonNames?: boolean;
}

/**
 * Why this text cannot be appended to emqx.conf: it is not HOCON, it sets what the component owns, or EMQX would not
 * start on it.
 */
export function extraConfigProblems(hocon: string, options: ExtraConfigOptions = {}): string[] {
  const { assignments, problems } = readExtraConfig(hocon);
  if (problems.length > 0) return problems;
  const table = [
    ...owned,
    ...(options.hasCommonNames ? ownedWithCommonNames : []),
    ...(options.anonymousAccess
      ? []
      : ownedWithAuthentication.filter(([key]) => key !== "authentication" || !asksOwnUsers(assignments))),
  ];
  const collision = (where: string, assignment: Pick<Assignment, "path" | "isObject">) => {
    const hit = table.find(([key]) => collides(assignment, key.split(".")));
    if (!hit) return [];
    const [key, instead] = hit;
    return [
      `${where} sets ${assignment.path.join(".")}, but ${key} is set by the component: ${instead}. Remove it.`,
    ];
  };
  const collisions = [
    ...assignments.flatMap((assignment) => collision(`extraConfig line ${assignment.line}`, assignment)),
    ...(options.secretPaths ?? []).flatMap((path) =>
      collision("secretConfig", { path: path.split("."), isObject: false }),
    ),
  ];
  collisions.push(...(options.hasAcl ? lostAclProblems(assignments) : []));
  const { version } = options;
  return collisions.length > 0 || version === undefined || knownVersion(version) !== version
    ? collisions
    : schemaProblems(hocon, assignments, version, options);
}

/** Whether a chain of authenticators asks EMQX's own users, too. */
function asksOwnUsers(assignments: Assignment[]): boolean {
  const { authentication } = hoconTree(assignments);
  return (
    authentication !== undefined &&
    [authentication].flat().some((each) => {
      const { mechanism, backend, enable, user_id_type: by } = Object(each) as Record<string, HoconValue>;
      const isOn = mechanism === "password_based" && backend === "built_in_database" && enable !== false;
      return isOn && (by === undefined || by === "username");
    })
  );
}

/** Sources of one's own take the place of the component's. */
function lostAclProblems(assignments: Assignment[]): string[] {
  const { authorization } = hoconTree(assignments) as { authorization?: { sources?: HoconValue } | string };
  const sources = typeof authorization === "object" ? authorization?.sources : undefined;
  return sources === undefined || JSON.stringify(sources).includes(`"${nodeFiles.acl}"`)
    ? []
    : [
        `extraConfig: authorization.sources leaves out the rules of acl; add { type = file, path = "${nodeFiles.acl}" } at their ` +
          `place among the others, or leave acl out`,
      ];
}

/** For a version newer than the settings that are known here: what is new to them need not be wrong. */
export function extraConfigWarnings(
  hocon: string,
  version: string,
  options: ExtraConfigOptions = {},
): string[] {
  const known = knownVersion(version);
  const { assignments } = readExtraConfig(hocon);
  const readable = credentialsIn(assignments).map(
    ({ line, path }) =>
      `extraConfig line ${line}: ${path} looks like a credential, and everybody can read it who reads the stack's state, its ` +
      `user data or a review; give it by secretConfig instead, and change it`,
  );
  if (known === version || assignments.length === 0) return readable;
  return [
    ...readable,
    `extraConfig: the settings of EMQX ${version} are not known here, so it was compared with those of ${known}`,
    ...schemaProblems(hocon, assignments, known, options).map((problem) => problem.replace(/\.$/, "")),
  ];
}

function readExtraConfig(hocon: string): { assignments: Assignment[]; problems: string[] } {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const control = /[\u0000-\u0008\u000b-\u001f\u007f\u0085\u2028\u2029\ufeff]/.exec(
    hocon.replaceAll("\r\n", "\n"),
  );
  if (control) {
    const code = control[0].charCodeAt(0).toString(16).padStart(4, "0");
    return {
      assignments: [],
      problems: [`extraConfig contains the control character U+${code}: remove it.`],
    };
  }
  try {
    return { assignments: readHocon(hocon), problems: [] };
  } catch (error) {
    if (!(error instanceof HoconError)) throw error;
    const problem = `extraConfig is not HOCON that can be appended to emqx.conf: ${error.message}.`;
    return { assignments: [], problems: [problem] };
  }
}

/** The whole emqx.conf is judged, as something in it may lack what another part requires. */
function schemaProblems(
  hocon: string,
  assignments: Assignment[],
  version: string,
  { anonymousAccess = false, secretPaths = [] }: ExtraConfigOptions,
): string[] {
  const rendered = renderConfiguration({
    privateIp: "192.0.2.1",
    seeds: ["192.0.2.1"],
    version,
    clusterName: "emqx",
    clusterPorts: ClusterPorts.Documented,
    listeners: { ws: true },
    proxyProtocol: true,
    anonymousAccess,
    hasLicense: false,
    extraConfig: hocon,
  });
  const tree = hoconTree(readHocon(`node.cookie = fromTheEnvironment\n${rendered}`));
  const secrets = secretPaths.map((path) => path.split("."));
  const misplaced = secrets.flatMap((path) => {
    const problem = setSecret(tree, path);
    return problem === undefined ? [] : [`secretConfig.${path.join(".")}: ${problem}`];
  });
  if (misplaced.length > 0) return misplaced;
  return configurationProblems(tree, version).flatMap(({ kind, path, says }) => {
    const secret = secrets.find((each) => path.every((segment, i) => segment === each[i]));
    if (secret !== undefined && kind !== "required") {
      return [
        `secretConfig.${secret.join(".")}: ${path.join(".")} ${says.replace(JSON.stringify(unseen), "a secret text")}`,
      ];
    }
    const line = lineOf(path, assignments);
    // The Enterprise edition has no telemetry and drops what the component writes about it.
    if (line === undefined && kind === "unknown") return [];
    return [`extraConfig ${line === undefined ? "" : `line ${line}: `}${path.join(".")} ${says}`];
  });
}

/** What stands for a secret text while its place is looked at. */
const unseen = "secret";

/** Sets a secret as EMQX does (emqx/hocon: hocon_maps.erl, merge_array): a number is a place in a list that there is. */
function setSecret(tree: { [key: string]: HoconValue }, path: string[]): string | undefined {
  let at: HoconValue = tree;
  for (const [i, key] of path.entries()) {
    if (Array.isArray(at)) {
      const place = Number(key);
      if (!(Number.isInteger(place) && place >= 1 && place <= at.length)) {
        return `${path.slice(0, i).join(".")} has ${at.length === 0 ? "no items" : `the items 1 to ${at.length}`} in extraConfig`;
      }
      if (i === path.length - 1) at[place - 1] = unseen;
      else at = at[place - 1]!;
    } else if (typeof at === "object" && at !== null) {
      if (i === path.length - 1) at[key] = unseen;
      else at = Object.hasOwn(at, key) ? at[key]! : (at[key] = {});
    } else {
      return `${path.slice(0, i).join(".")} is not a group of settings`;
    }
  }
  return undefined;
}

/** Names of settings that hold credentials; EMQX's own `file://` names a file only. */
const credentialName =
  /(?:^|_)(?:password|passwd|secret|secret_access_key|token|api_?key|authorization|credentials?)$/i;

function credentialsIn(assignments: Assignment[]): { line: number; path: string }[] {
  const found: { line: number; path: string }[] = [];
  const look = (line: number, path: string[], value: HoconValue | undefined): void => {
    if (typeof value === "object" && value !== null) {
      Object.entries(value).forEach(([key, inner]) =>
        look(line, [...path, Array.isArray(value) ? String(Number(key) + 1) : key], inner),
      );
    } else if (
      typeof value === "string" &&
      credentialName.test(path.at(-1)!) &&
      !/^(?:file:\/\/|$)/.test(value)
    ) {
      found.push({ line, path: path.join(".") });
    }
  };
  assignments.forEach(({ line, path, value }) => look(line, path, value));
  return found;
}

/** Where something at or below a path, or else what it is part of, is written last. */
function lineOf(path: string[], assignments: Assignment[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const hit = assignments
      .filter(
        (assignment) =>
          (assignment.path.length === length || length === path.length) &&
          path.slice(0, length).every((segment, i) => segment === assignment.path[i]),
      )
      .at(-1);
    if (hit) return hit.line;
  }
  return undefined;
}

/** Below an owned key, or at it, or above it with a value that would wipe it out. */
function collides({ path, isObject }: Pick<Assignment, "path" | "isObject">, key: string[]): boolean {
  const common = Math.min(path.length, key.length);
  if (!path.slice(0, common).every((segment, i) => segment === key[i])) return false;
  return path.length >= key.length || !isObject;
}
