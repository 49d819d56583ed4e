import { findRelease, ClusterPorts } from "./releases";
import { clusterPortNumbers, ports } from "./ports";
import type { NodeListeners } from "../shared/listeners";

/** Where a node keeps what the component gives it. Machines that read user data find the files by these names. */
export const nodeFiles = {
  /** What the boot script needs to know: shell assignments, no secrets. */
  nodeEnvironment: "/etc/emqx-node/node.env",
  /** Environment of EMQX and of `emqx ctl`, `ping`, `stop`: no secrets. */
  emqxEnvironment: "/etc/emqx-node/emqx.env",
  /** Lines that the boot script adds to the vm.args of the package. */
  vmArgs: "/etc/emqx-node/vm.args",
  /** The only EMQX configuration file that is not the package's. */
  configuration: "/etc/emqx/emqx.conf",
  serviceDropIn: "/etc/systemd/system/emqx.service.d/node.conf",
  /** Tries a boot again that has failed. */
  retryService: "/etc/systemd/system/emqx-node-retry.service",
  sysctl: "/etc/sysctl.d/90-emqx.conf",
  tmpfiles: "/etc/tmpfiles.d/emqx.conf",
  /** Written by the boot script from parameters; readable by root alone. */
  secrets: "/etc/emqx-node/secrets.env",
  /** Written by the boot script; readable by root and EMQX. */
  mqttUsers: "/etc/emqx-node/mqtt-users.csv",
  /** Written by the boot script; readable by root and EMQX: settings that are secret. */
  secretConfiguration: "/etc/emqx-node/secret.conf",
  /** Written by the boot script; readable by root and EMQX: what clients may do. */
  acl: "/etc/emqx-node/acl.conf",
  /** Written by the boot script; readable by root and EMQX. */
  license: "/etc/emqx-node/license.key",
  /** Written by the boot script; readable by root and EMQX: certificate, chain and key of the TLS listeners. */
  certificate: "/etc/emqx-node/tls.pem",
  /** Written by the boot script; readable by root and EMQX: authorities of clients' certificates. */
  clientAuthorities: "/etc/emqx-node/clients.pem",
  /** cloud-init runs what is in this folder at every boot. */
  bootScript: "/var/lib/cloud/scripts/per-boot/emqx-node",
} as const;

/** File descriptors of the service, and the most that EMQX is told to use for sockets and files. */
export const openFiles = { service: 2097152, maxPorts: 1048576 } as const;

export interface ConfigurationArgs {
  privateIp: string;
  /** Private addresses of all nodes, this one included. */
  seeds: string[];
  version: string;
  /** Nodes of clusters with different names never join each other. */
  clusterName: string;
  clusterPorts: ClusterPorts;
  listeners: NodeListeners;
  /** What TLS listeners ask of clients. Without one, it says nothing. */
  tls?: { clientCertificates: boolean; commonNames: boolean } | undefined;
  proxyProtocol: boolean;
  anonymousAccess: boolean;
  hasLicense: boolean;
  extraConfig?: string;
  /** Whether there are settings in a file that the boot script writes. */
  hasSecretConfig?: boolean;
  /** Whether the boot script writes what clients may do into a file. */
  hasAcl?: boolean;
}

/** The last line of emqx.conf, where nodes read something again while they run: EMQX wants the cookie in a file for that. */
export const includeSecrets = `include "${nodeFiles.secretConfiguration}"`;

export function nodeName(privateIp: string): string {
  return `emqx@${privateIp}`;
}

/**
 * emqx.conf as HOCON text. It replaces the package's file, so all that EMQX needs from there is here too.
 *
 * Precedence in EMQX: etc/base.hocon < data/configs/cluster.hocon < etc/emqx.conf < EMQX_* environment. So what is
 * set here holds against clicks in the dashboard, and only the secrets come by environment. What is left out keeps
 * EMQX's default and can be changed at run time.
 *
 * Prometheus is left as it is: `/api/v5/prometheus/stats` on the dashboard's port, without a password up to 6.2,
 * with one from 6.3 on. Nobody but the load balancer's health check and `access.adminCidrBlocks` reaches that port.
 */
export function renderConfiguration(args: ConfigurationArgs): string {
  const { clusterPorts, proxyProtocol, anonymousAccess } = args;
  const rpc = clusterPortNumbers(clusterPorts).rpc;
  const extra = (args.extraConfig ?? "").replaceAll("\r\n", "\n").trim();
  const lines = [
    `node {`,
    `  name = "${nodeName(args.privateIp)}"`,
    `  data_dir = "/var/lib/emqx"`,
    // 6.3 would derive it from the number of CPUs: 131,072 on two of them.
    `  max_ports = ${openFiles.maxPorts}`,
    // KiB; the value in the package's vm.args, over which EMQX generates its default of 8192.
    `  dist_buffer_size = 32768`,
    `}`,
    ``,
    `cluster {`,
    `  name = ${args.clusterName}`,
    `  discovery_strategy = static`,
    `  static.seeds = [`,
    // No deeper: a hundred of these lines have to leave room in the user data.
    ...args.seeds.map((seed) => `  "${nodeName(seed)}",`),
    `  ]`,
    // A node away for longer than this leaves the cluster; it joins again when it comes back, with the data of others.
    `  autoclean = 24h`,
    `  autoheal = true`,
    `}`,
    ``,
    ...(clusterPorts === ClusterPorts.Documented
      ? [`rpc { port_discovery = manual, server_port = ${rpc} }`]
      : [`rpc.port_discovery = stateless # port ${rpc}`]),
    ``,
    `listeners {`,
    `  tcp.default {`,
    ...listenerLines("    ", ports.mqtt, proxyProtocol),
    `  }`,
    ...(args.listeners.ws
      ? [`  ws.default {`, ...listenerLines("    ", ports.ws, proxyProtocol), webSocketLine, `  }`]
      : [`  ws.default.enable = false`]),
    // A listener that is not named here would be on, with EMQX's public demo key.
    ...(args.listeners.ssl
      ? [
          `  ssl.default {`,
          ...listenerLines("    ", ports.mqtts, proxyProtocol),
          ...tlsLines("    ", args.tls),
          `  }`,
        ]
      : [`  ssl.default.enable = false`]),
    ...(args.listeners.wss
      ? [
          `  wss.default {`,
          ...listenerLines("    ", ports.wss, proxyProtocol),
          webSocketLine,
          ...tlsLines("    ", args.tls),
          `  }`,
        ]
      : [`  wss.default.enable = false`]),
    `}`,
    ...(args.tls?.commonNames ? [`mqtt.peer_cert_as_username = cn`] : []),
    ``,
    // Without this block 5.8 has no port 18083, so no health check either: its default is in the file replaced here.
    `dashboard.listeners.http.bind = "0.0.0.0:${ports.dashboard}"`,
    ``,
    ...(anonymousAccess
      ? []
      : [
          `authentication = [`,
          `  {`,
          `    mechanism = password_based`,
          `    backend = built_in_database`,
          `    user_id_type = username`,
          `    bootstrap_file = "${nodeFiles.mqttUsers}"`,
          `    bootstrap_type = plain`,
          `  }`,
          `]`,
        ]),
    // The rules of the package's acl.conf end in "allow"; who removes that line means it.
    `authorization.no_match = deny`,
    ...(args.hasAcl
      ? [`authorization.sources = [{ type = file, enable = true, path = "${nodeFiles.acl}" }]`]
      : []),
    // Retained messages survive a stop of the whole cluster; EMQX's default keeps them in memory only.
    `retainer.backend { type = built_in_database, storage_type = disc }`,
    `telemetry.enable = false`,
    ...(args.hasLicense ? [`license.key = "file://${nodeFiles.license}"`] : []),
    ...(extra ? [``, `# extraConfig`, extra] : []),
    ...(args.hasSecretConfig || args.hasAcl ? [``, includeSecrets] : []),
  ];
  return lines.join("\n") + "\n";
}

/** Up to 6.2 EMQX believes X-Forwarded-For, which any client can send through a TCP listener. */
const webSocketLine = `    websocket { mqtt_path = "/mqtt", proxy_address_header = "", proxy_port_header = "" }`;

/**
 * One file for certificate and key, so that they are renewed together: Erlang takes of it what it needs (OTP 26,
 * lib/ssl/src/ssl_config.erl and ssl_certificate.erl). It is named for authorities, too, or EMQX would take its demo's.
 *
 * Where a certificate's name is the user name, the certificate has proven it, and no password is asked.
 */
function tlsLines(indent: string, tls: ConfigurationArgs["tls"]): string[] {
  const authorities = tls?.clientCertificates ? nodeFiles.clientAuthorities : nodeFiles.certificate;
  return [
    ...(tls?.commonNames ? [`enable_authn = false`] : []),
    `ssl_options {`,
    `  certfile = "${nodeFiles.certificate}"`,
    `  keyfile = "${nodeFiles.certificate}"`,
    `  cacertfile = "${authorities}"`,
    `  versions = ["tlsv1.3", "tlsv1.2"]`,
    ...(tls?.clientCertificates
      ? [
          `  verify = verify_peer`,
          `  fail_if_no_peer_cert = true`,
          // A session that is taken up again, for a day, asks for no certificate: not even one of an authority that is gone.
          `  reuse_sessions = false`,
        ]
      : []),
    `}`,
  ].map((line) => indent + line);
}

function listenerLines(indent: string, port: number, proxyProtocol: boolean): string[] {
  return [
    `bind = "0.0.0.0:${port}"`,
    // EMQ's tuning guide: 64 acceptors (default 16); the limit of EMQ's own AMI.
    `acceptors = 64`,
    `max_connections = 1024000`,
    `proxy_protocol = ${proxyProtocol}`,
    // Probes (idle, interval, count) keep the security groups' connection tracking alive: 350 s on newer instances.
    `tcp_options.keepalive = "180,30,3"`,
  ].map((line) => indent + line);
}

/**
 * Environment for the service and for every `emqx` command, which start helper nodes of their own: with other
 * EPMD_ARGS than the service has, `emqx ctl` and `emqx stop` do not reach it.
 */
export function renderEmqxEnvironment(
  args: Pick<ConfigurationArgs, "version" | "clusterPorts" | "anonymousAccess">,
): string {
  const lines = [`LANG="C.UTF-8"`];
  if (args.clusterPorts === ClusterPorts.Documented) {
    lines.push(`EPMD_ARGS="-start_epmd true -proto_dist inet_tcp"`);
  }
  // Fails closed where "legacy" shrugs: no authentication configured, an authentication backend that is down …
  if (findRelease(args.version).supportsSecurityProfile) {
    lines.push(`EMQX_SECURITY_PROFILE="${args.anonymousAccess ? "legacy" : "hardened"}"`);
  }
  return lines.join("\n") + "\n";
}

/** Lines for vm.args: the distribution's port. Not in EPMD_ARGS, or every `emqx ctl` would want the same port. */
export function renderVmArgs(clusterPorts: ClusterPorts): string | undefined {
  if (clusterPorts !== ClusterPorts.Documented) return undefined;
  const { distribution } = clusterPortNumbers(clusterPorts);
  return `-kernel inet_dist_listen_min ${distribution}\n-kernel inet_dist_listen_max ${distribution}\n`;
}

/** Seconds between a failed boot and the next try. */
export const retrySeconds = 120;
/** More of a boot than its readiness timeout: what a cut-off call, the report of the failure and other runs' lock may take. */
const retrySlackSeconds = 900;

/**
 * Runs the boot script again after a boot that has failed, until one works, at most 100 times a day: a volume that was
 * attached late, a permission given since, a mirror that is up again are then enough. The boot script starts it. One run
 * is bounded by its readiness timeout.
 */
export function renderRetryService(readinessTimeoutSeconds: number): string {
  return [
    `[Unit]`,
    `StartLimitIntervalSec=1d`,
    `StartLimitBurst=100`,
    ``,
    `[Service]`,
    `Type=oneshot`,
    `ExecStartPre=/bin/sleep ${retrySeconds}`,
    `ExecStart=${nodeFiles.bootScript}`,
    `Restart=on-failure`,
    `StandardError=journal+console`,
    `TimeoutStartSec=${readinessTimeoutSeconds + retrySeconds + retrySlackSeconds}`,
    ``,
  ].join("\n");
}

export function renderServiceDropIn(): string {
  return [
    `[Unit]`,
    `Wants=network-online.target`,
    `After=network-online.target`,
    // Never on an empty folder of the root disk.
    `RequiresMountsFor=/var/lib/emqx`,
    `StartLimitIntervalSec=0`,
    ``,
    `[Service]`,
    `EnvironmentFile=${nodeFiles.emqxEnvironment}`,
    // Not optional: before the boot script has written it, EMQX must not start with the package's cookie.
    `EnvironmentFile=${nodeFiles.secrets}`,
    `ExecStartPre=+/usr/sbin/swapoff -a`,
    `LimitNOFILE=${openFiles.service}`,
    `Restart=always`,
    `RestartSec=15s`,
    ``,
  ].join("\n");
}
