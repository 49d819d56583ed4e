/**
 * What each host of a cluster needs, as files. EMQX's own are those of a node on AWS (components/emqx). What differs there:
 * secrets are files in place of parameters, the data is on the host's disk, the firewall is nftables' in place of security
 * groups, and an administrator does what a node on AWS does by itself (drain, backup, rotation, reports).
 */
import {
  nodeFiles,
  renderConfiguration,
  renderEmqxEnvironment,
  renderServiceDropIn,
  renderVmArgs,
  type ConfigurationArgs,
} from "../emqx/configuration";
import { renderSysctl, renderSysctlFor, renderTmpfiles } from "../emqx/kernel";
import { findRelease } from "../emqx/releases";
import { mqttUsername } from "../nodes/defaults";
import { renderProxy } from "../proxy/render";
import { openFilesOf, proxyPorts, type ProxyArgs } from "../proxy/settings";
import { withDefaults } from "../shared/inputs";
import { listenerPorts, nodeListeners, usesTls } from "../shared/listeners";
import { balancerFirewall, firewallService, nodeFirewall } from "./firewall";
import { balancerScript, nodeScript, proxyFiles, type HostFile } from "./install";
import { renderKeepalived } from "./keepalived";
import { renderReadme } from "./readme";
import { hostsInputs, hostsProblems, type HostsArgs, type HostsSettings } from "./settings";

export interface RenderedHost {
  name: string;
  script: string;
  files: HostFile[];
}

/** What is made once and kept, and what was read from files. */
export interface HostSecrets {
  cookie: string;
  dashboardPassword: string;
  mqttPassword: string;
  certificate?: string;
  clientAuthorities?: string;
  licenseKey?: string;
}

const proxyFolder = "/etc/emqx-proxy";
const firewallFile = "/etc/emqx-node/firewall.nft";

/** Throws one error with every problem. */
export function renderHosts(
  args: HostsArgs,
  secrets: HostSecrets,
): { hosts: RenderedHost[]; readme: string } {
  const problems = hostsProblems(args);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const settings = withDefaults<HostsArgs, typeof hostsInputs>(hostsInputs, args);
  return {
    hosts: [
      ...settings.nodes.map((node) => renderNode(settings, node, secrets)),
      ...settings.balancers.map((balancer) => renderBalancer(settings, balancer, secrets)),
    ],
    readme: renderReadme(settings),
  };
}

type Host = HostsSettings["nodes"][number];

function renderNode(settings: HostsSettings, { name, address }: Host, secrets: HostSecrets): RenderedHost {
  const { cookie, dashboardPassword, mqttPassword, licenseKey } = secrets;
  const emqx: ConfigurationArgs = {
    privateIp: address,
    seeds: settings.nodes.map((node) => node.address),
    version: settings.emqxVersion,
    clusterName: settings.clusterName,
    clusterPorts: settings.clusterPorts,
    listeners: nodeListeners(settings.listeners),
    proxyProtocol: announces(settings),
    anonymousAccess: settings.anonymousAccess,
    hasLicense: licenseKey !== undefined,
    extraConfig: settings.extraConfig,
  };
  const vmArgs = renderVmArgs(settings.clusterPorts);
  const files = [
    file(nodeFiles.emqxEnvironment, renderEmqxEnvironment(emqx)),
    ...(vmArgs === undefined ? [] : [file(nodeFiles.vmArgs, vmArgs)]),
    file(nodeFiles.serviceDropIn, renderServiceDropIn()),
    file(nodeFiles.sysctl, renderSysctl(settings.clusterPorts)),
    file(nodeFiles.tmpfiles, renderTmpfiles()),
    file(firewallFile, nodeFirewall(settings, address)),
    file("/etc/systemd/system/emqx-firewall.service", firewallService),
    // EMQX takes the cookie as it is, and reads other values as HOCON: quotes, inside systemd's own.
    file(
      nodeFiles.secrets,
      `EMQX_NODE__COOKIE=${cookie}\nEMQX_DASHBOARD__DEFAULT_PASSWORD='"${dashboardPassword}"'\n`,
      "0600",
    ),
    ...(settings.anonymousAccess
      ? []
      : [
          file(
            nodeFiles.mqttUsers,
            `user_id,password,is_superuser\n${mqttUsername},${mqttPassword},false\n`,
            "0640",
            "root:emqx",
          ),
        ]),
    ...(licenseKey === undefined ? [] : [file(nodeFiles.license, licenseKey, "0640", "root:emqx")]),
    file(nodeFiles.configuration, renderConfiguration(emqx), "0644", "emqx:emqx"),
  ];
  const script = nodeScript(name, address, files, {
    packageBase: findRelease(settings.emqxVersion).packageBase,
    packageUrl: settings.package?.url,
    packageSha256: settings.package?.sha256,
    hasVmArgs: vmArgs !== undefined,
  });
  return { name, script, files };
}

function renderBalancer(
  settings: HostsSettings,
  { name, address }: Host,
  secrets: HostSecrets,
): RenderedHost {
  const { certificate, clientAuthorities } = secrets;
  const { nodes, listeners, proxy, floatingAddress } = settings;
  const openFiles = openFilesOf(proxy);
  const args: ProxyArgs = {
    ...proxy,
    proxyProtocol: announces(settings),
    nodes,
    listeners,
    ...(usesTls(listeners) && {
      tls: {
        certificateFile: `${proxyFolder}/emqx.pem`,
        ...(clientAuthorities !== undefined && { clientAuthoritiesFile: `${proxyFolder}/clients.pem` }),
        oldest: settings.certificate?.oldest,
      },
    }),
  };
  const service = proxy.engine.toLowerCase();
  const files = [
    ...(certificate === undefined ? [] : [file(`${proxyFolder}/emqx.pem`, certificate, "0600")]),
    ...(clientAuthorities === undefined ? [] : [file(`${proxyFolder}/clients.pem`, clientAuthorities)]),
    file(proxyFiles[proxy.engine], renderProxy(args)),
    // The system's unit leaves it at the kernel's 1024 or 4096, and HAProxy does not start with less than it needs.
    file(`/etc/systemd/system/${service}.service.d/emqx.conf`, `[Service]\nLimitNOFILE=${openFiles}\n`),
    file(
      nodeFiles.sysctl,
      renderSysctlFor(Math.max(1048576, openFiles), [
        ...listenerPorts(listeners).map(({ loadBalancerPort }) => loadBalancerPort),
        ...Object.values(proxyPorts),
      ]),
    ),
    file(firewallFile, balancerFirewall(settings, address)),
    file("/etc/systemd/system/emqx-firewall.service", firewallService),
    ...(floatingAddress
      ? [file("/etc/keepalived/keepalived.conf", renderKeepalived(settings, floatingAddress, address))]
      : []),
  ];
  return {
    name,
    script: balancerScript(name, address, files, proxy.engine, floatingAddress !== undefined),
    files,
  };
}

/** Whether nodes are told of clients' addresses: by balancers unless it was said otherwise, by others only when it was. */
function announces({ proxy, balancers }: HostsSettings): boolean {
  return proxy.proxyProtocol ?? balancers.length > 0;
}

function file(path: string, content: string, mode = "0644", owner = "root:root"): HostFile {
  return { path, content, mode, owner };
}
