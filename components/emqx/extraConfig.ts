import { Assignment, HoconError, readHocon } from "./hocon";

/**
 * What the component decides, and why somebody who needs it otherwise cannot simply set it: the second column
 * completes "… is set by the component: ".
 */
const owned: [key: string, instead: string][] = [
  ["node.name", "it is emqx@<private address>"],
  ["node.cookie", "it is generated and read from a parameter"],
  ["node.data_dir", "it is the data volume"],
  ["node.role", "every node is a core node with data of its own"],
  ["cluster", "nodes find each other by a list of their addresses"],
  ["rpc.port_discovery", "use clusterPorts"],
  ["rpc.server_port", "use clusterPorts"],
  ["rpc.tcp_server_port", "use clusterPorts"],
  ["rpc.listen_address", "security groups decide who reaches it"],
  ["listeners.tcp.default.enable", "the load balancer needs it"],
  ["listeners.tcp.default.enabled", "the load balancer needs it"],
  ["listeners.tcp.default.bind", "the load balancer and the security groups use 1883"],
  ["listeners.tcp.default.proxy_protocol", "use proxyProtocol, which sets the load balancer too"],
  ["listeners.ssl.default", "TLS ends at the load balancer"],
  ["listeners.ws.default.enable", "use listeners"],
  ["listeners.ws.default.enabled", "use listeners"],
  ["listeners.ws.default.bind", "the load balancer and the security groups use 8083"],
  ["listeners.ws.default.proxy_protocol", "use proxyProtocol, which sets the load balancer too"],
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
}

/** Why this text cannot be appended to emqx.conf: it is not HOCON, or it sets what the component owns. */
export function extraConfigProblems(hocon: string, options: ExtraConfigOptions = {}): string[] {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const control = /[\u0000-\u0008\u000b-\u001f\u007f\u0085\u2028\u2029\ufeff]/.exec(
    hocon.replaceAll("\r\n", "\n"),
  );
  if (control) {
    const code = control[0].charCodeAt(0).toString(16).padStart(4, "0");
    return [`extraConfig contains the control character U+${code}: remove it.`];
  }
  let assignments: Assignment[];
  try {
    assignments = readHocon(hocon);
  } catch (error) {
    if (!(error instanceof HoconError)) throw error;
    return [`extraConfig is not HOCON that can be appended to emqx.conf: ${error.message}.`];
  }
  const table = options.anonymousAccess ? owned : [...owned, ...ownedWithAuthentication];
  return assignments.flatMap((assignment) => {
    const hit = table.find(([key]) => collides(assignment, key.split(".")));
    if (!hit) return [];
    const [key, instead] = hit;
    const written = assignment.path.join(".");
    return [
      `extraConfig line ${assignment.line} sets ${written}, but ${key} is set by the component: ${instead}. ` +
        `Remove it.`,
    ];
  });
}

/** Below an owned key, or at it, or above it with a value that would wipe it out. */
function collides({ path, isObject }: Assignment, key: string[]): boolean {
  const common = Math.min(path.length, key.length);
  if (!path.slice(0, common).every((segment, i) => segment === key[i])) return false;
  return path.length >= key.length || !isObject;
}
