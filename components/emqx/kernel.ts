import { openFiles } from "./configuration";
import { clusterPortList, ports } from "./ports";
import type { NodeListeners } from "../shared/listeners";
import { ClusterPorts } from "./releases";

/** sysctl.d file of a node. */
export function renderSysctl(
  clusterPorts: ClusterPorts,
  { ssl, wss }: Pick<NodeListeners, "ssl" | "wss"> = {},
): string {
  const reserved = [
    ports.mqtt,
    ports.ws,
    ports.dashboard,
    // A node without them has the file that it always had.
    ...(ssl ? [ports.mqtts] : []),
    ...(wss ? [ports.wss] : []),
    ...clusterPortList(clusterPorts).map(({ port }) => port),
  ];
  return renderSysctlFor(openFiles.service, reserved);
}

/**
 * sysctl.d file of whatever carries many connections, by EMQX's tuning guide (docs.emqx.com, performance/tune).
 *
 * Left out, and why: fs.file-max (systemd sets the maximum at boot), tcp_mem (the kernel derives it from the memory;
 * the guide's value suits large machines), nf_conntrack (Amazon Linux 2023 does not load it, and setting it fails).
 */
export function renderSysctlFor(files: number, reserved: number[]): string {
  const settings: [string, string | number][] = [
    ["fs.nr_open", files],
    ["net.core.somaxconn", 32768],
    ["net.core.netdev_max_backlog", 16384],
    ["net.core.optmem_max", 16777216],
    ["net.core.rmem_default", 262144],
    ["net.core.rmem_max", 16777216],
    ["net.core.wmem_default", 262144],
    ["net.core.wmem_max", 16777216],
    // Not the guide's 1024 at the beginning: newer kernels refuse it (seen with Debian's 6.1.0-57), 4096 is their own default.
    ["net.ipv4.tcp_rmem", "4096 4096 16777216"],
    ["net.ipv4.tcp_wmem", "4096 4096 16777216"],
    ["net.ipv4.tcp_max_syn_backlog", 16384],
    ["net.ipv4.tcp_max_tw_buckets", 1048576],
    ["net.ipv4.tcp_fin_timeout", 15],
    ["net.ipv4.ip_local_port_range", "1024 65535"],
    // That range covers the listeners' ports: an outgoing connection must not take one before somebody listens on it.
    ["net.ipv4.ip_local_reserved_ports", [...reserved].sort((a, b) => a - b).join(",")],
  ];
  return settings.map(([key, value]) => `${key} = ${value}\n`).join("");
}

/** tmpfiles.d file: transparent huge pages off at every boot, as EMQX's tuning guide asks. */
export function renderTmpfiles(): string {
  return ["enabled", "defrag"]
    .map((name) => `w /sys/kernel/mm/transparent_hugepage/${name} - - - - never\n`)
    .join("");
}
