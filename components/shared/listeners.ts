/** The listeners a client can use. Security group rules, load balancer and outputs all read this one table. */
import { ports } from "../emqx/ports";
import { checked, choice, list } from "./inputs";
import { shown } from "./words";

/** A listener of the load balancer. Ws and Wss carry MQTT over WebSocket, path `/mqtt`. */
export const Listener = {
  /** Plain MQTT: TCP 1883 to 1883. */
  Mqtt: "Mqtt",
  /** MQTT over TLS, 8883: SSL to TCP 1883 where TLS ends at the load balancer, TCP to 8883 where it ends at the nodes. */
  Mqtts: "Mqtts",
  /** MQTT over WebSocket: TCP 8083 to 8083. */
  Ws: "Ws",
  /** MQTT over secure WebSocket, 8084: SSL to TCP 8083 where TLS ends at the load balancer, TCP to 8084 where it ends at the nodes. */
  Wss: "Wss",
} as const;
export type Listener = (typeof Listener)[keyof typeof Listener];

/** Where the TLS of Mqtts and Wss ends. */
export const TlsEnd = {
  /** At the load balancer, which speaks plain TCP to the nodes. */
  LoadBalancer: "LoadBalancer",
  /** At EMQX on the nodes, to which the load balancer hands TCP on (`nodeTls` of EmqxClusterNodes). */
  Node: "Node",
} as const;
export type TlsEnd = (typeof TlsEnd)[keyof typeof TlsEnd];

export interface ListenerPorts {
  listener: Listener;
  /** Whether clients speak TLS, wherever it ends. */
  isTls: boolean;
  /** What the load balancer does with it: SSL ends TLS, TCP hands on what comes. */
  protocol: "TCP" | "SSL";
  loadBalancerPort: number;
  instancePort: number;
  urlScheme: string;
  urlPath: string;
}

const table = {
  Mqtt: { port: ports.mqtt, urlScheme: "mqtt", urlPath: "" },
  Mqtts: { port: ports.mqtts, plainPort: ports.mqtt, urlScheme: "mqtts", urlPath: "" },
  Ws: { port: ports.ws, urlScheme: "ws", urlPath: "/mqtt" },
  Wss: { port: ports.wss, plainPort: ports.ws, urlScheme: "wss", urlPath: "/mqtt" },
} satisfies Record<
  Listener,
  { port: number; plainPort?: number } & Pick<ListenerPorts, "urlScheme" | "urlPath">
>;

export const defaultListeners: Listener[] = [Listener.Mqtt, Listener.Mqtts];

/** The rows of the given listeners, in the table's order whatever the order of the list. */
export function listenerPorts(listeners: Listener[], tlsEnds: TlsEnd = TlsEnd.LoadBalancer): ListenerPorts[] {
  return Object.values(Listener)
    .filter((listener) => listeners.includes(listener))
    .map((listener) => {
      const { port, plainPort, urlScheme, urlPath } = { plainPort: undefined, ...table[listener] };
      const isTls = plainPort !== undefined;
      const endsHere = isTls && tlsEnds === TlsEnd.LoadBalancer;
      return {
        listener,
        isTls,
        protocol: endsHere ? "SSL" : "TCP",
        loadBalancerPort: port,
        instancePort: endsHere ? plainPort : port,
        urlScheme,
        urlPath,
      };
    });
}

/** The ports on the nodes that the given listeners lead to, each once. */
export function instancePorts(listeners: Listener[], tlsEnds?: TlsEnd): number[] {
  return [...new Set(listenerPorts(listeners, tlsEnds).map((entry) => entry.instancePort))];
}

export function usesTls(listeners: Listener[]): boolean {
  return listenerPorts(listeners).some(({ isTls }) => isTls);
}

/** Whether the load balancer ends TLS. */
export function endsTls(listeners: Listener[], tlsEnds: TlsEnd): boolean {
  return listenerPorts(listeners, tlsEnds).some(({ protocol }) => protocol === "SSL");
}

/** Which of EMQX's listeners nodes need beside that for plain MQTT. */
export interface NodeListeners {
  ws: boolean;
  ssl?: boolean;
  wss?: boolean;
}

export function nodeListeners(listeners: Listener[], tlsEnds?: TlsEnd): NodeListeners {
  const open = instancePorts(listeners, tlsEnds);
  return {
    ws: open.includes(ports.ws),
    ssl: open.includes(ports.mqtts),
    wss: open.includes(ports.wss),
  };
}

const allowed = Object.keys(table).join(", ");

export const listenersInput = list(
  checked("text", (input, listener) =>
    typeof listener === "string" && Object.hasOwn(table, listener)
      ? []
      : [`${input}: ${shown(listener)} is no listener; use ${allowed}`],
  ),
  {
    least: `name at least one of ${allowed}`,
    check: (input, listeners: string[]) =>
      listeners.flatMap((listener, i) =>
        listeners.indexOf(listener) === i ? [] : [`${input}: "${listener}" is listed twice; list each once`],
      ),
    default: defaultListeners,
  },
);

export const tlsEndsInput = { ...choice(TlsEnd), default: TlsEnd.LoadBalancer };
