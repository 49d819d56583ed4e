/** The listeners a client can use. Security group rules, load balancer and outputs all read this one table. */
import { ports } from "../emqx/ports";
import { checked, list } from "./inputs";
import { shown } from "./words";

/** A listener of the load balancer. Ws and Wss carry MQTT over WebSocket, path `/mqtt`. */
export const Listener = {
  /** Plain MQTT: TCP 1883 to 1883. */
  Mqtt: "Mqtt",
  /** MQTT over TLS, which ends at the load balancer: SSL 8883 to TCP 1883. */
  Mqtts: "Mqtts",
  /** MQTT over WebSocket: TCP 8083 to 8083. */
  Ws: "Ws",
  /** MQTT over secure WebSocket: SSL 8084 to TCP 8083. */
  Wss: "Wss",
} as const;
export type Listener = (typeof Listener)[keyof typeof Listener];

export interface ListenerPorts {
  listener: Listener;
  protocol: "TCP" | "SSL";
  loadBalancerPort: number;
  instancePort: number;
  urlScheme: string;
  urlPath: string;
}

const table: Record<Listener, ListenerPorts> = {
  Mqtt: row(Listener.Mqtt, "TCP", 1883, ports.mqtt, "mqtt", ""),
  Mqtts: row(Listener.Mqtts, "SSL", 8883, ports.mqtt, "mqtts", ""),
  Ws: row(Listener.Ws, "TCP", 8083, ports.ws, "ws", "/mqtt"),
  Wss: row(Listener.Wss, "SSL", 8084, ports.ws, "wss", "/mqtt"),
};

export const defaultListeners: Listener[] = [Listener.Mqtt, Listener.Mqtts];

/** The rows of the given listeners, in the table's order whatever the order of the list. */
export function listenerPorts(listeners: Listener[]): ListenerPorts[] {
  return Object.values(table).filter((entry) => listeners.includes(entry.listener));
}

/** The ports on the nodes that the given listeners lead to, each once. */
export function instancePorts(listeners: Listener[]): number[] {
  return [...new Set(listenerPorts(listeners).map((entry) => entry.instancePort))];
}

export function usesWebSocket(listeners: Listener[]): boolean {
  return instancePorts(listeners).includes(ports.ws);
}

export function usesTls(listeners: Listener[]): boolean {
  return listenerPorts(listeners).some((entry) => entry.protocol === "SSL");
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

function row(
  listener: Listener,
  protocol: "TCP" | "SSL",
  loadBalancerPort: number,
  instancePort: number,
  urlScheme: string,
  urlPath: string,
): ListenerPorts {
  return { listener, protocol, loadBalancerPort, instancePort, urlScheme, urlPath };
}
