/** What speaks on which port of the nodes. The numbers are those of components/emqx/ports.ts. */
import { clusterPortList, ports } from "../../../components/emqx/ports";
import { ClusterPorts } from "../../../components/emqx/releases";

const clusterPorts = new Map(
  Object.values(ClusterPorts).flatMap((profile) =>
    clusterPortList(profile).map(({ port, purpose }): [number, string] => [port, purpose]),
  ),
);

const nodePorts = new Map<number, string>([
  [ports.mqtt, "MQTT"],
  [ports.ws, "MQTT over WebSocket"],
  [ports.dashboard, "dashboard and API"],
  ...clusterPorts,
  [22, "SSH"],
  [443, "HTTPS"],
]);

export function isClusterPort(from: number, to = from): boolean {
  return [...clusterPorts.keys()].some((port) => port >= from && port <= to);
}

export function isDashboardPort(from: number, to = from): boolean {
  return ports.dashboard >= from && ports.dashboard <= to;
}

export function purposeOfNodePort(port: number): string | undefined {
  return nodePorts.get(port);
}

/** What a client finds behind a listener of the load balancer. */
export function purposeOfListener(protocol: string, instancePort: number): string {
  const base = nodePorts.get(instancePort) ?? `port ${instancePort} of the nodes`;
  return ["SSL", "HTTPS"].includes(protocol) ? `${base} with TLS` : base;
}
