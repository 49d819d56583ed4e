import { renderConfiguration } from "./configuration";
import { Assignment, HoconError, hoconTree, readHocon } from "./hocon";
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
  ["listeners.ssl.default", "TLS ends at the load balancer"],
  ["listeners.ws.default.enable", "use listeners"],
  ["listeners.ws.default.enabled", "use listeners"],
  ["listeners.ws.default.bind", "the load balancer and the security groups use 8083"],
  ["listeners.ws.default.proxy_protocol", "use classicElb.proxyProtocol, which sets the load balancer too"],
  ["listeners.ws.default.websocket.mqtt_path", "the endpoint's URL ends in /mqtt"],
  ["listeners.ws.default.websocket.proxy_address_header", "clients could forge their address with it"],
  ["listeners.ws.default.websocket.proxy_port_header", "clients could forge their address with it"],
  ["listeners.wss.default", "TLS ends at the load balancer"],
  ["dashboard.listeners.http", "the health check and the security groups use 18083"],
  ["dashboard.default_username", "the first user is admin"],
  ["dashboard.default_password", "it is generated and read from a parameter"],
  ["license.key", "use licenseKey"],
];

/** As long as clients must authenticate, nothing may open a way around it. */
const ownedWithAuthentication: [key: string, instead: string][] = [
  ["authentication", "the first MQTT user is generated; anonymousAccess lets you set this yourself"],
  ["listeners.tcp.default.enable_authn", "use anonymousAccess"],
  ["listeners.tcp.default.authentication", "use anonymousAccess"],
  ["listeners.ws.default.enable_authn", "use anonymousAccess"],
  ["listeners.ws.default.authentication", "use anonymousAccess"],
];

export interface ExtraConfigOptions {
  /** The component configures no authentication, so this text may. */
  anonymousAccess?: boolean;
  /** The EMQX version whose settings are allowed. Without it only the text's form is looked at. */
  version?: string;
}

/**
 * Why this text cannot be appended to emqx.conf: it is not HOCON, it sets what the component owns, or EMQX would not
 * start on it.
 */
export function extraConfigProblems(hocon: string, options: ExtraConfigOptions = {}): string[] {
  const { assignments, problems } = readExtraConfig(hocon);
  if (problems.length > 0) return problems;
  const table = options.anonymousAccess ? owned : [...owned, ...ownedWithAuthentication];
  const collisions = assignments.flatMap((assignment) => {
    const hit = table.find(([key]) => collides(assignment, key.split(".")));
    if (!hit) return [];
    const [key, instead] = hit;
    const written = assignment.path.join(".");
    return [
      `extraConfig line ${assignment.line} sets ${written}, but ${key} is set by the component: ${instead}. ` +
        `Remove it.`,
    ];
  });
  const { version } = options;
  return collisions.length > 0 || version === undefined || knownVersion(version) !== version
    ? collisions
    : schemaProblems(hocon, assignments, version, options);
}

/** For a version newer than the settings that are known here: what is new to them need not be wrong. */
export function extraConfigWarnings(
  hocon: string,
  version: string,
  options: ExtraConfigOptions = {},
): string[] {
  const known = knownVersion(version);
  const { assignments } = readExtraConfig(hocon);
  if (known === version || assignments.length === 0) return [];
  return [
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
  { anonymousAccess = false }: ExtraConfigOptions,
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
  return configurationProblems(tree, version).flatMap(({ kind, path, says }) => {
    const line = lineOf(path, assignments);
    // The Enterprise edition has no telemetry and drops what the component writes about it.
    if (line === undefined && kind === "unknown") return [];
    return [`extraConfig ${line === undefined ? "" : `line ${line}: `}${path.join(".")} ${says}`];
  });
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
function collides({ path, isObject }: Assignment, key: string[]): boolean {
  const common = Math.min(path.length, key.length);
  if (!path.slice(0, common).every((segment, i) => segment === key[i])) return false;
  return path.length >= key.length || !isObject;
}
