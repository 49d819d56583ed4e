/** What a cluster on hosts that are there already can be told (hosts.yaml), and what can be wrong with it. */
import { accessInputs } from "../access/settings";
import { extraConfigProblems } from "../emqx/extraConfig";
import { releaseProblems, type ClusterPorts } from "../emqx/releases";
import { packageTogetherProblems } from "../emqx/userData";
import { nodeOptions, type EmqxPackageArgs } from "../nodes/settings";
import {
  proxyAddress,
  proxyInputs,
  proxyOptions,
  proxyRules,
  type OldestTls,
  type ProxiedNodeArgs,
  type ProxyOptionsArgs,
} from "../proxy/settings";
import {
  flag,
  group,
  list,
  problemsOf,
  text,
  wholeNumber,
  type Resolved,
  type Shapes,
} from "../shared/inputs";
import { usesTls, type Listener } from "../shared/listeners";

/** The address that moves between the balancers by VRRP: only where hosts may take addresses, so in no public cloud's VPC. */
export interface FloatingAddressArgs {
  address: string;
  /** Bits of the network's prefix. Default: 24. */
  prefix?: number;
  /** The balancers' network interface, for example eth0. */
  interface: string;
  /** VRRP's router id, which nobody else in the network has. Default: 51. */
  routerId?: number;
}

export interface HostsCertificateArgs {
  /** PEM file with the certificate, its chain and the key; read beside hosts.yaml. */
  file: string;
  /** PEM file of authorities, of one of which clients need a certificate. Default: none is asked for. */
  clientAuthoritiesFile?: string;
  /** Default: TLSv1.2. */
  oldest?: OldestTls;
}

export interface HostsAccessArgs {
  /** Where clients come from. Default: 0.0.0.0/0, anywhere. */
  clientCidrBlocks?: string[];
  /** Who may open the nodes' dashboard and API, and the balancers' health endpoint. Default: nobody. */
  adminCidrBlocks?: string[];
  /** Where a cloud's own load balancer connects from, which ends TLS in place of balancers here. Default: there is none. */
  loadBalancerCidrBlocks?: string[];
}

export interface HostsArgs {
  nodes: ProxiedNodeArgs[];
  /** Hosts that proxy. Default: none, with a cloud's load balancer in front, or with clients that know the nodes. */
  balancers?: ProxiedNodeArgs[];
  floatingAddress?: FloatingAddressArgs;
  listeners?: Listener[];
  /** Needed with balancers and a TLS listener. */
  certificate?: HostsCertificateArgs;
  proxy?: Omit<ProxyOptionsArgs, "listeners" | "sourceAddresses">;
  access?: HostsAccessArgs;
  emqxVersion?: string;
  clusterName?: string;
  clusterPorts?: ClusterPorts;
  /** File with the licence key; read beside hosts.yaml. */
  licenseKeyFile?: string;
  extraConfig?: string;
  anonymousAccess?: boolean;
  /** Default: EMQ's own for each host's system. */
  package?: EmqxPackageArgs;
}

const fileBeside = text((value) => (value === "" ? "is not the name of a file" : undefined));

const { listeners, emqxVersion, clusterName, clusterPorts, extraConfig, anonymousAccess } = nodeOptions;
const { engine, keepAliveSeconds, stickiness, acceptProxy, maxConnections, connectCheck } = proxyOptions;

export const hostsInputs = {
  nodes: proxyInputs.nodes,
  balancers: list(proxyInputs.nodes.item, {
    check: proxyInputs.nodes.check,
    default: [] as ProxiedNodeArgs[],
  }),
  floatingAddress: group({
    address: { ...proxyAddress, needed: "give the address that clients connect to" },
    prefix: { ...wholeNumber(1, 32, "bits"), default: 24 },
    interface: {
      ...text((value) => (/^[A-Za-z0-9_.-]{1,15}$/.test(value) ? undefined : "is not a network interface")),
      needed: "give the balancers' network interface",
    },
    routerId: { ...wholeNumber(1, 255, "a router id"), default: 51 },
  } satisfies Shapes<FloatingAddressArgs>),
  listeners,
  certificate: group({
    file: { ...fileBeside, needed: "give the PEM file" },
    clientAuthoritiesFile: fileBeside,
    oldest: proxyInputs.tls.fields.oldest,
  } satisfies Shapes<HostsCertificateArgs>),
  proxy: group(
    // Whether there is anybody who announces clients depends on who stands in front.
    { engine, keepAliveSeconds, stickiness, acceptProxy, maxConnections, connectCheck, proxyProtocol: flag },
    { default: {} },
  ),
  access: group(
    {
      clientCidrBlocks: accessInputs.clientCidrBlocks,
      adminCidrBlocks: accessInputs.adminCidrBlocks,
      loadBalancerCidrBlocks: { ...accessInputs.clientCidrBlocks, default: [] as string[] },
    } satisfies Shapes<HostsAccessArgs>,
    { default: {} },
  ),
  emqxVersion,
  clusterName,
  clusterPorts,
  licenseKeyFile: fileBeside,
  extraConfig,
  anonymousAccess,
  package: nodeOptions.instance.fields.package,
} satisfies Shapes<HostsArgs>;

export type HostsSettings = Resolved<HostsArgs, typeof hostsInputs>;

/** Everything that is wrong with hosts.yaml, one line each. */
export function hostsProblems(args: HostsArgs): string[] {
  return problemsOf<HostsArgs, typeof hostsInputs>(hostsInputs, args, {}, [
    ({ nodes, balancers }) =>
      proxyInputs.nodes
        .check("nodes and balancers", [...nodes, ...balancers])
        .map((problem) => `${problem}; a balancer needs a host of its own`),
    ({ balancers, floatingAddress }) =>
      floatingAddress && balancers.length < 2
        ? ["floatingAddress: it moves between balancers; give two of them, or leave it out"]
        : [],
    ({ floatingAddress, nodes, balancers }) =>
      [...nodes, ...balancers].some(({ address }) => address === floatingAddress?.address)
        ? [`floatingAddress.address: "${floatingAddress?.address}" is a host's own; give one that nobody has`]
        : [],
    ({ balancers, listeners, access }) =>
      usesTls(listeners) && balancers.length === 0 && access.loadBalancerCidrBlocks.length === 0
        ? [
            "listeners: Mqtts and Wss need somebody who ends TLS; give balancers, or access.loadBalancerCidrBlocks, or Mqtt alone",
          ]
        : [],
    ({ balancers, listeners, certificate }) =>
      (usesTls(listeners) && balancers.length > 0) === (certificate !== undefined)
        ? []
        : [
            certificate
              ? "certificate: given, but no balancer ends TLS; leave it out"
              : "certificate: missing; balancers with Mqtts or Wss need one",
          ],
    (settings) =>
      proxyRules(() => settings.nodes.length, "proxy.").flatMap((rule) =>
        rule({ ...settings.proxy, sourceAddresses: undefined }, undefined),
      ),
    (settings) =>
      releaseProblems(
        settings.emqxVersion,
        settings.clusterPorts,
        settings.nodes.length,
        settings.licenseKeyFile !== undefined,
      ).map((problem) => problem.replaceAll("licenseKey", "licenseKeyFile")),
    ({ extraConfig, anonymousAccess, emqxVersion }) =>
      extraConfig === undefined
        ? []
        : extraConfigProblems(extraConfig, { anonymousAccess, version: emqxVersion }),
    (settings) => packageTogetherProblems("package", settings.package ?? {}),
  ]);
}
