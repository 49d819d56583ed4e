/** What a proxy in front of the nodes can be told, and what can be wrong with it. Without Pulumi: hosts that no provider knows use it, too. */
import { isAddress } from "../network/ipv4";
import {
  checked,
  choice,
  flag,
  group,
  list,
  problemsOf,
  text,
  wholeNumber,
  withDefaults,
  type Resolved,
  type Rule,
  type Shapes,
} from "../shared/inputs";
import { listenersInput, usesTls, type Listener } from "../shared/listeners";

/** The program that proxies. */
export const ProxyEngine = {
  /** HAProxy, 2.4 or newer. */
  Haproxy: "Haproxy",
  /** Open source NGINX with its stream module: no active health check, no client-id hash, no certificate's name to EMQX. */
  Nginx: "Nginx",
} as const;
export type ProxyEngine = (typeof ProxyEngine)[keyof typeof ProxyEngine];

/** What decides about a client's node. */
export const Stickiness = {
  /** The client id, by a consistent hash: a client that comes back finds its session on the node. */
  ClientId: "ClientId",
  /** Nothing: the node with the fewest connections. */
  None: "None",
} as const;
export type Stickiness = (typeof Stickiness)[keyof typeof Stickiness];

/** The oldest TLS version that clients may use. */
export const OldestTls = { Tls12: "TLSv1.2", Tls13: "TLSv1.3" } as const;
export type OldestTls = (typeof OldestTls)[keyof typeof OldestTls];

export interface ProxiedNodeArgs {
  /** Letters, digits and _.-, as logs and statistics show it. */
  name: string;
  /** IPv4 address. */
  address: string;
}

export interface ProxyTlsArgs {
  /** PEM file on the proxy with the certificate, its chain and the key. Default: /etc/emqx-proxy/emqx.pem. */
  certificateFile?: string;
  /** PEM file of authorities: clients need a certificate of one of them. Default: none are asked for. */
  clientAuthoritiesFile?: string;
  /** Default: TLSv1.2. */
  oldest?: OldestTls;
}

/** What proxies are told wherever they stand. */
export interface ProxyOptionsArgs {
  /** Default: Haproxy. */
  engine?: ProxyEngine;
  /** Default: Mqtt and Mqtts. */
  listeners?: Listener[];
  /** The longest MQTT keep-alive of any client, in seconds: the idle timeout follows from it. Default: 300. */
  keepAliveSeconds?: number;
  /** Default: ClientId with HAProxy, None with NGINX, which cannot. */
  stickiness?: Stickiness;
  /** Whether nodes learn the clients' addresses by PROXY protocol; EMQX's listeners must expect it then. Default: true. */
  proxyProtocol?: boolean;
  /** Whether something in front of the proxy announces clients by PROXY protocol, like a Network Load Balancer. Default: false. */
  acceptProxy?: boolean;
  /** Clients that one proxy carries at most, each with two connections. Default: 50,000. */
  maxConnections?: number;
  /** Addresses of the proxy to connect to nodes from. Each is good for 64,000 clients per node. Default: the system's choice. */
  sourceAddresses?: string[];
  /** Whether health checks send an MQTT CONNECT, which finds a node that accepts and says nothing; it logs a refusal there. Default: false. */
  connectCheck?: boolean;
}

export interface ProxyArgs extends ProxyOptionsArgs {
  /** The nodes, on EMQX's own ports. */
  nodes: ProxiedNodeArgs[];
  /** Needed with a TLS listener. */
  tls?: ProxyTlsArgs;
  /** IPv4 address to listen on. Default: all. */
  address?: string;
}

/** Where a proxy answers its health check (`/healthz`), and on loopback its Prometheus metrics and statistics (HAProxy). */
export const proxyPorts = { health: 8404, metrics: 8405 } as const;

/** Connections from one address to one port of a node: net.ipv4.ip_local_port_range from 1024 on. */
const portsPerAddress = 64_000;

export const proxyAddress = text((value) => (isAddress(value) ? undefined : "is not an IPv4 address"));
const filePath = text((value) =>
  /^(\/[A-Za-z0-9_.-]+)+$/.test(value)
    ? undefined
    : "is not the whole path of a file, of letters, digits and _.-",
);

export const proxyOptions = {
  engine: { ...choice(ProxyEngine), default: ProxyEngine.Haproxy },
  listeners: listenersInput,
  keepAliveSeconds: { ...wholeNumber(1, 65535, "seconds"), default: 300 },
  stickiness: choice(Stickiness),
  proxyProtocol: { ...flag, default: true },
  acceptProxy: { ...flag, default: false },
  maxConnections: { ...wholeNumber(1, 2_000_000, "clients"), default: 50_000 },
  sourceAddresses: list(proxyAddress, {
    least: "name one, or leave it out",
    check: (input, addresses: string[]) => repeated(input, addresses),
  }),
  connectCheck: { ...flag, default: false },
} satisfies Shapes<ProxyOptionsArgs>;

export const proxyInputs = {
  nodes: list(
    group({
      name: {
        ...checked("text", (input, value) =>
          typeof value === "string" && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(value)
            ? []
            : [
                `${input}: ${JSON.stringify(value)} is not a name of letters, digits and _.-, a letter or digit first`,
              ],
        ),
        needed: "give the node's name",
      },
      address: { ...proxyAddress, needed: "give the node's IPv4 address" },
    } satisfies Shapes<ProxiedNodeArgs>),
    {
      needed: "name at least one",
      least: "name at least one",
      check: (input, nodes: ProxiedNodeArgs[]) => [
        ...repeated(
          `${input}.name`,
          nodes.map(({ name }) => name),
        ),
        ...repeated(
          `${input}.address`,
          nodes.map(({ address }) => address),
        ),
      ],
    },
  ),
  ...proxyOptions,
  tls: group({
    certificateFile: { ...filePath, default: "/etc/emqx-proxy/emqx.pem" },
    clientAuthoritiesFile: filePath,
    oldest: { ...choice(OldestTls), default: OldestTls.Tls12 },
  } satisfies Shapes<ProxyTlsArgs>),
  address: proxyAddress,
} satisfies Shapes<ProxyArgs>;

export type ProxySettings = Resolved<ProxyArgs, typeof proxyInputs>;

/** Everything that is wrong with the input, one line each. */
export function proxyProblems(args: ProxyArgs): string[] {
  return problemsOf<ProxyArgs, typeof proxyInputs>(proxyInputs, args, {}, [
    ({ tls, listeners }) =>
      usesTls(listeners) === (tls !== undefined)
        ? []
        : [
            tls
              ? "tls: given, but no TLS listener is on; add Mqtts or Wss to listeners, or leave it out"
              : "tls: missing; Mqtts and Wss need a certificate",
          ],
    ...proxyRules<ProxySettings>(({ nodes }) => nodes.length),
  ]);
}

/** How options go together that are right one by one. */
export function proxyRules<
  Settings extends Pick<
    ProxySettings,
    "engine" | "stickiness" | "connectCheck" | "maxConnections" | "sourceAddresses"
  >,
>(nodeCountOf: (settings: Settings) => number, path = ""): Rule<Settings>[] {
  const plus = "which open source NGINX cannot: only NGINX Plus";
  return [
    ({ engine, stickiness }) =>
      engine === ProxyEngine.Nginx && stickiness === Stickiness.ClientId
        ? [`${path}stickiness: ClientId reads MQTT, ${plus} (mqtt_preread); use engine Haproxy, or None`]
        : [],
    ({ engine, connectCheck }) =>
      engine === ProxyEngine.Nginx && connectCheck
        ? [
            `${path}connectCheck: asks nodes actively, ${plus} (health_check); use engine Haproxy, or leave it out`,
          ]
        : [],
    (settings) => {
      const { maxConnections, sourceAddresses } = settings;
      const most = portsPerAddress * nodeCountOf(settings) * (sourceAddresses?.length ?? 1);
      return maxConnections <= most
        ? []
        : [
            `${path}maxConnections: ${maxConnections} is more than the ${most} ports that ${sourceAddresses?.length ?? 1} address ` +
              `and ${nodeCountOf(settings)} nodes have; add sourceAddresses (${portsPerAddress} clients each and node), nodes or proxies`,
          ];
    },
  ];
}

/** What a renderer works with. Throws one error with every problem. */
export function resolveProxy(args: ProxyArgs): ProxySettings {
  const problems = proxyProblems(args);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return withDefaults<ProxyArgs, typeof proxyInputs>(proxyInputs, args);
}

/** Open files of a proxy: two connections a client, and room for listeners, checks, logs and a reload's sockets. */
export function openFilesOf({ maxConnections }: Pick<ProxySettings, "maxConnections">): number {
  return 2 * maxConnections + 1024;
}

function repeated(input: string, values: string[]): string[] {
  return values.flatMap((value, i) =>
    values.indexOf(value) === i ? [] : [`${input}: "${value}" is there twice; give each its own`],
  );
}
