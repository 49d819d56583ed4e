import { ClusterPorts } from "./releases";

/** Ports that EMQX serves clients and operators on: the defaults of EMQX 5 and 6 (`listeners.*`, `dashboard.*`). */
export const ports = {
  /** MQTT over TCP; a load balancer may end TLS in front of it. */
  mqtt: 1883,
  /** MQTT over TLS that ends at the node. */
  mqtts: 8883,
  /** MQTT over WebSocket. */
  ws: 8083,
  /** MQTT over secure WebSocket whose TLS ends at the node. */
  wss: 8084,
  /** Dashboard, REST API, Prometheus and `/status`. */
  dashboard: 18083,
} as const;

/** Ports that nodes speak to each other on. */
export interface ClusterPortNumbers {
  /** Erlang's port mapper; EMQX's package profile works without it. */
  epmd?: number;
  /** Erlang distribution: membership, routes, database replication. */
  distribution: number;
  /** gen_rpc: messages forwarded between nodes. */
  rpc: number;
}

const clusterPortTable: Record<ClusterPorts, ClusterPortNumbers> = {
  // The deployment guide's three ports, which EMQX 5 and 6 use when told to.
  [ClusterPorts.Documented]: { epmd: 4369, distribution: 6369, rpc: 5369 },
  // What the packages do by themselves: 4370 + N and 5370 + N, where N is the number before the @ of the node
  // name. The names here are all `emqx@<address>`: no number, so N = 0.
  [ClusterPorts.Package]: { distribution: 4370, rpc: 5370 },
};

export function clusterPortNumbers(profile: ClusterPorts): ClusterPortNumbers {
  return clusterPortTable[profile];
}

/** Every port that the nodes must reach on each other, and on nothing else. */
export function clusterPortList(profile: ClusterPorts): { port: number; purpose: string }[] {
  const { epmd, distribution, rpc } = clusterPortTable[profile];
  return [
    ...(epmd === undefined ? [] : [{ port: epmd, purpose: "Erlang port mapper" }]),
    { port: rpc, purpose: "RPC between nodes" },
    { port: distribution, purpose: "Erlang distribution" },
  ];
}
