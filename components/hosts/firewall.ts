import { clusterPortList, ports } from "../emqx/ports";
import { proxyPorts } from "../proxy/settings";
import { instancePorts, listenerPorts } from "../shared/listeners";
import type { HostsSettings } from "./settings";

/**
 * nftables files with a table of their own, which closes the ports that it names to all but those it names; what else a host is for
 * stays as it is. Nothing here tracks connections, so there is no table of them that could be full.
 */
export function nodeFirewall(settings: HostsSettings, own: string): string {
  const { nodes, access } = settings;
  const others = nodes.map(({ address }) => address).filter((address) => address !== own);
  return render([
    { ports: clusterPortList(settings.clusterPorts).map(({ port }) => port), from: others },
    { ports: instancePorts(settings.listeners), from: frontOf(settings) },
    { ports: [ports.dashboard], from: [...healthCheckers(settings), ...access.adminCidrBlocks] },
  ]);
}

export function balancerFirewall(settings: HostsSettings, own: string): string {
  const { access, balancers, listeners, floatingAddress } = settings;
  const others = balancers.map(({ address }) => address).filter((address) => address !== own);
  const { loadBalancerCidrBlocks } = access;
  const clients = loadBalancerCidrBlocks.length > 0 ? loadBalancerCidrBlocks : access.clientCidrBlocks;
  return render(
    [
      { ports: listenerPorts(listeners).map(({ loadBalancerPort }) => loadBalancerPort), from: clients },
      { ports: [proxyPorts.health], from: [...others, ...loadBalancerCidrBlocks, ...access.adminCidrBlocks] },
    ],
    floatingAddress && others,
  );
}

/** Whose connections carry clients to a node. */
function frontOf({ balancers, access }: HostsSettings): string[] {
  if (balancers.length > 0) return balancers.map(({ address }) => address);
  return access.loadBalancerCidrBlocks.length > 0 ? access.loadBalancerCidrBlocks : access.clientCidrBlocks;
}

function healthCheckers({ balancers, access }: HostsSettings): string[] {
  return balancers.length > 0 ? balancers.map(({ address }) => address) : access.loadBalancerCidrBlocks;
}

function render(rules: { ports: number[]; from: string[] }[], vrrpFrom?: string[]): string {
  const set = (items: (string | number)[]) => `{ ${items.join(", ")} }`;
  const closed = rules.flatMap((rule) => rule.ports);
  return [
    `# By emqx-aws. Again and again the same: nft -f FILE`,
    `table inet emqx`,
    `delete table inet emqx`,
    `table inet emqx {`,
    `  chain input {`,
    `    type filter hook input priority -10; policy accept;`,
    `    iifname "lo" accept`,
    ...rules
      .filter(({ from }) => from.length > 0)
      // Two blocks may overlap, which a set without auto-merge does not take.
      .flatMap(({ ports, from }) =>
        from.map((source) => `    ip saddr ${source} tcp dport ${set(ports)} accept`),
      ),
    `    tcp dport ${set(closed)} drop`,
    ...(vrrpFrom
      ? [`    ip saddr ${set(vrrpFrom)} ip protocol vrrp accept`, `    ip protocol vrrp drop`]
      : []),
    `  }`,
    `}`,
    ``,
  ].join("\n");
}

/** Loads the table before there is a network, and again when the system's own rules were loaded anew. */
export const firewallService = `[Unit]
Description=Ports of EMQX, closed to all but those who need them
Wants=network-pre.target
Before=network-pre.target
After=nftables.service
PartOf=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/emqx-node/firewall.nft

[Install]
WantedBy=multi-user.target
`;
