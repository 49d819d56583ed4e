import { idleTimeoutSeconds } from "../shared/keepAlive";
import { listenerPorts } from "../shared/listeners";
import { openFilesOf, OldestTls, proxyPorts, type ProxySettings } from "./settings";
import { oldCiphers } from "./tls";

/**
 * nginx.conf for open source NGINX, with stream built in or as a module of Debian's or Red Hat's packages.
 *
 * `worker_connections` is per worker, and nobody says how clients spread over them. PROXY protocol is version 1: without the
 * name of a client's certificate.
 */
export function renderNginx(settings: ProxySettings): string {
  const { nodes, tls, address, sourceAddresses, proxyProtocol, acceptProxy, keepAliveSeconds } = settings;
  const entries = listenerPorts(settings.listeners);
  const at = (port: number) => (address === undefined ? `${port}` : `${address}:${port}`);
  const upstream = (port: number) => `emqx_${port}`;
  const share = (100 / (sourceAddresses?.length ?? 1)).toFixed(2);
  const lines = [
    `# By emqx-aws. Check a change with: nginx -t`,
    `# Only NGINX Plus can: ask nodes for their health (health_check), read client ids (mqtt_preread), take a node back`,
    `# slowly (slow_start), count connections (status_zone). Here a node that hangs keeps getting clients.`,
    `include /etc/nginx/modules-enabled/*.conf;`,
    `include /usr/share/nginx/modules/*.conf;`,
    `worker_processes auto;`,
    `worker_rlimit_nofile ${openFilesOf(settings)};`,
    `worker_shutdown_timeout 24h;`,
    `pid /run/nginx.pid;`,
    `error_log stderr;`,
    `events {`,
    `  worker_connections ${openFilesOf(settings)};`,
    `}`,
    `stream {`,
    `  log_format mqtt '$remote_addr [$time_iso8601] $status $session_time $upstream_addr ${tls ? `$ssl_protocol "$ssl_client_s_dn"` : "-"}';`,
    `  access_log /var/log/nginx/mqtt.log mqtt;`,
    ...[...new Set(entries.map(({ instancePort }) => instancePort))].flatMap((port) => [
      `  upstream ${upstream(port)} {`,
      `    zone ${upstream(port)} 64k;`,
      `    least_conn;`,
      ...nodes.map(
        (node) => `    server ${node.address}:${port} max_fails=2 fail_timeout=10s; # ${node.name}`,
      ),
      `  }`,
    ]),
    ...(tls
      ? [
          `  ssl_certificate ${tls.certificateFile};`,
          `  ssl_certificate_key ${tls.certificateFile};`,
          `  ssl_protocols ${tls.oldest === OldestTls.Tls12 ? "TLSv1.2 " : ""}TLSv1.3;`,
          `  ssl_ciphers ${oldCiphers};`,
          `  ssl_handshake_timeout 10s;`,
          `  ssl_session_cache shared:mqtt:50m;`,
          `  ssl_session_timeout 1h;`,
          `  ssl_session_tickets off;`,
          ...(tls.clientAuthoritiesFile
            ? [`  ssl_client_certificate ${tls.clientAuthoritiesFile};`, `  ssl_verify_client on;`]
            : []),
        ]
      : []),
    ...(sourceAddresses
      ? [
          `  split_clients $remote_addr:$remote_port $source {`,
          ...sourceAddresses.map(
            (source, i, { length }) => `    ${i + 1 < length ? `${share}%` : "*"} ${source};`,
          ),
          `  }`,
          `  proxy_bind $source;`,
        ]
      : []),
    // Whoever may connect to the port may announce an address.
    ...(acceptProxy ? [`  set_real_ip_from 0.0.0.0/0;`, `  proxy_protocol_timeout 10s;`] : []),
    `  proxy_connect_timeout 3s;`,
    `  proxy_timeout ${idleTimeoutSeconds(keepAliveSeconds)}s;`,
    `  proxy_socket_keepalive on;`,
    ...(proxyProtocol ? [`  proxy_protocol on;`] : []),
    ...entries.flatMap(({ protocol, loadBalancerPort, instancePort }) => [
      `  server {`,
      `    listen ${at(loadBalancerPort)}${protocol === "SSL" ? " ssl" : ""}${acceptProxy ? " proxy_protocol" : ""} so_keepalive=on backlog=16384;`,
      `    proxy_pass ${upstream(instancePort)};`,
      `  }`,
    ]),
    `}`,
    `http {`,
    `  access_log off;`,
    `  server {`,
    `    listen ${at(proxyPorts.health)};`,
    `    location = /healthz {`,
    `      return 200 "nginx runs; it does not ask the nodes\\n";`,
    `    }`,
    `  }`,
    `}`,
  ];
  return lines.join("\n") + "\n";
}
