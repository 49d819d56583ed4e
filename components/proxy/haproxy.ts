import { createHash } from "node:crypto";
import { ports } from "../emqx/ports";
import { idleTimeoutSeconds } from "../shared/keepAlive";
import { listenerPorts, type ListenerPorts } from "../shared/listeners";
import { proxyPorts, Stickiness, type ProxySettings } from "./settings";
import { oldCiphers } from "./tls";

/** After a reload the old process stays for its clients, and for no longer than this. */
const longestReload = "24h";

/**
 * haproxy.cfg for HAProxy 2.4 and newer.
 *
 * - `timeout tunnel` is the idle limit once a client is connected, in both directions; the others bound handshakes only.
 * - The client id is hashed from a variable: `balance hash req.payload(…)` finds nothing in a second try, and moves clients.
 * - The hash takes servers by `id`, which follows from the node's address: proxies agree without a table, in whatever order
 *   they know the nodes, and in every version (`hash-key addr-port`, which does the same, is unknown before 3.0).
 * - A node is in use when `/status` says so and its MQTT port answers: each alone has been seen to lie.
 */
export function renderHaproxy(settings: ProxySettings): string {
  const { listeners, tls, maxConnections, proxyProtocol, keepAliveSeconds } = settings;
  const entries = listenerPorts(listeners);
  const backends = [...new Set(entries.map(({ instancePort }) => instancePort))];
  const lines = [
    `# By emqx-aws. Check a change with: haproxy -c -f /etc/haproxy/haproxy.cfg`,
    `global`,
    // journald takes it; /dev/log is not to be seen from the chroot.
    `    log stdout format short local0`,
    `    user haproxy`,
    `    group haproxy`,
    `    chroot /var/lib/haproxy`,
    // Some more than clients may have: a full proxy still answers its health check.
    `    maxconn ${maxConnections + 100}`,
    `    hard-stop-after ${longestReload}`,
    // A CONNECT has to fit in.
    `    tune.bufsize 32768`,
    `    stats socket /run/haproxy/admin.sock mode 660 level admin expose-fd listeners`,
    ...(tls
      ? [
          `    ssl-default-bind-options ssl-min-ver ${tls.oldest} no-tls-tickets`,
          `    ssl-default-bind-ciphers ${oldCiphers}`,
        ]
      : []),
    ``,
    `defaults`,
    `    log global`,
    `    mode tcp`,
    `    maxconn ${maxConnections}`,
    `    option tcplog`,
    `    option dontlognull`,
    `    option clitcpka`,
    `    option srvtcpka`,
    `    option redispatch 1`,
    `    retries 2`,
    `    timeout connect 3s`,
    `    timeout client 30s`,
    `    timeout server 30s`,
    `    timeout tunnel ${idleTimeoutSeconds(keepAliveSeconds)}s`,
    `    timeout client-fin 30s`,
    `    timeout check 3s`,
    `    default-server check inter 2s fall 3 rise 2 on-marked-down shutdown-sessions slowstart 60s`,
    ...entries.flatMap((entry) => frontend(entry, settings)),
    ...backends.flatMap((port) => backend(port, settings)),
    ``,
    `frontend health`,
    `    mode http`,
    `    bind ${settings.address ?? ""}:${proxyPorts.health}`,
    `    timeout client 5s`,
    `    option dontlog-normal`,
    `    monitor-uri /healthz`,
    ...backends.map((port) => `    monitor fail if { nbsrv(${backendNames[port]}) lt 1 }`),
    ``,
    `frontend metrics`,
    `    mode http`,
    `    bind 127.0.0.1:${proxyPorts.metrics}`,
    `    option dontlog-normal`,
    `    http-request use-service prometheus-exporter if { path /metrics }`,
    `    stats enable`,
    `    stats uri /stats`,
    `    http-request deny unless { path_beg /stats }`,
  ];
  function backend(port: number, { connectCheck }: ProxySettings): string[] {
    const announced = proxyProtocol ? " send-proxy" : "";
    const sticks = port === ports.mqtt && sticksToClientId(settings);
    return [
      ``,
      `backend ${backendNames[port]}`,
      ...(sticks ? [`    balance hash var(txn.cid)`, `    hash-type consistent`] : [`    balance leastconn`]),
      ...(connectCheck
        ? [
            `    option tcp-check`,
            `    tcp-check connect port ${ports.dashboard}`,
            `    tcp-check send "GET /status HTTP/1.0\\r\\n\\r\\n"`,
            `    tcp-check expect rstring "^HTTP/1\\\\.[01] 200"`,
            `    tcp-check connect port ${port}${announced}`,
            // A clean session without a client id; the answer counts even when it refuses the check, which has no password.
            ...(port === ports.mqtt
              ? [`    tcp-check send-binary 100c00044d5154540402003c0000`, `    tcp-check expect binary 2002`]
              : []),
          ]
        : [
            `    option httpchk`,
            `    http-check connect port ${ports.dashboard}`,
            `    http-check send meth GET uri /status`,
            `    http-check expect status 200`,
            `    http-check connect port ${port}${announced}`,
          ]),
      ...servers(port, settings),
    ];
  }
  return lines.join("\n") + "\n";
}

const backendNames: Record<number, string> = { [ports.mqtt]: "emqx_mqtt", [ports.ws]: "emqx_ws" };

function sticksToClientId({ stickiness }: ProxySettings): boolean {
  return stickiness !== Stickiness.None;
}

function frontend(
  { listener, protocol, loadBalancerPort, instancePort }: ListenerPorts,
  settings: ProxySettings,
): string[] {
  const { tls, acceptProxy, address = "" } = settings;
  const certificates =
    protocol === "SSL" && tls
      ? ` ssl crt ${tls.certificateFile}` +
        (tls.clientAuthoritiesFile ? ` ca-file ${tls.clientAuthoritiesFile} verify required` : "")
      : "";
  return [
    ``,
    `frontend ${listener.toLowerCase()}`,
    `    bind ${address}:${loadBalancerPort}${acceptProxy ? " accept-proxy" : ""}${certificates}`,
    ...(instancePort === ports.mqtt
      ? [
          `    tcp-request inspect-delay 10s`,
          `    tcp-request content reject unless { req.payload(0,0),mqtt_is_valid }`,
          ...(sticksToClientId(settings)
            ? [
                `    tcp-request content set-var(txn.cid) req.payload(0,0),mqtt_field_value(connect,client_identifier)`,
              ]
            : []),
        ]
      : []),
    `    default_backend ${backendNames[instancePort]}`,
  ];
}

/** A line for each node, or one for each node and address to connect from. */
function servers(port: number, { nodes, sourceAddresses, proxyProtocol }: ProxySettings): string[] {
  const all = nodes.flatMap(({ name, address }) =>
    (sourceAddresses ?? [undefined]).map((source, i) => ({
      name: i === 0 ? name : `${name}_from_${i + 1}`,
      // Other proxies have other addresses, as many of them.
      key: `${address}/${i}`,
      address,
      source,
    })),
  );
  const ids = idsOf(all.map(({ key }) => key));
  return all.map(
    ({ name, key, address, source }) =>
      `    server ${name} ${address}:${port} id ${ids.get(key)}` +
      (source === undefined ? "" : ` source ${source}`) +
      (proxyProtocol ? " send-proxy-v2-ssl-cn" : ""),
  );
}

/** HAProxy hashes the last 20 bits of a server's id; the same keys have the same ids, whatever their order. */
function idsOf(keys: string[]): Map<string, number> {
  const ids = new Map<string, number>();
  const taken = new Set<number>();
  for (const key of [...keys].sort()) {
    let id = createHash("sha256").update(key).digest().readUInt32BE() & 0xfffff;
    while (id === 0 || taken.has(id)) id = (id + 1) & 0xfffff;
    taken.add(id);
    ids.set(key, id);
  }
  return ids;
}
