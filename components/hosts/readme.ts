import { mqttUsername } from "../nodes/defaults";
import { proxyPorts } from "../proxy/settings";
import { listenerPorts } from "../shared/listeners";
import { proxyFiles } from "./install";
import type { HostsSettings } from "./settings";

/** The steps, for the person who carries them out. */
export function renderReadme(settings: HostsSettings): string {
  const { nodes, balancers, listeners, floatingAddress, anonymousAccess, proxy, access } = settings;
  const hosts = [...nodes, ...balancers];
  const front =
    floatingAddress?.address ??
    balancers[0]?.address ??
    (access.loadBalancerCidrBlocks.length > 0 ? undefined : nodes[0]?.address);
  const where = front ?? "your load balancer's address";
  const lists =
    balancers.length > 0 || front === undefined
      ? listenerPorts(listeners).map(
          (entry) => `${entry.urlScheme}://${where}:${entry.loadBalancerPort}${entry.urlPath}`,
        )
      : nodes.map(({ address }) => `mqtt://${address}:1883`);
  return `# EMQX on ${hosts.length} hosts

Written by \`emqx-aws hosts render\`: change hosts.yaml and render again, not these files. They hold secrets (mode 0600): keep them out of
version control.

| Host | Address | What it is |
| --- | --- | --- |
${nodes.map(({ name, address }) => `| ${name} | ${address} | EMQX ${settings.emqxVersion} |\n`).join("")}${balancers
    .map(
      ({ name, address }) =>
        `| ${name} | ${address} | ${proxy.engine}${floatingAddress ? `, ${floatingAddress.address} by keepalived` : ""} |\n`,
    )
    .join("")}
## Steps

1. Check the files with the real programs: \`emqx-aws hosts check\` with this folder.
2. Copy each host's folder to it, and run its script as root, the nodes first. It installs packages from the system's repository
   and EMQX's by its SHA-256 sum; on a host without the internet, put that package and its \`.sha256\` beside the script first.

   \`\`\`sh
${hosts.map(({ name, address }) => `   scp -rp ${name} root@${address}:emqx-host && ssh root@${address} emqx-host/install.sh\n`).join("")}   \`\`\`

3. On a node, \`emqx ctl cluster status\` names all ${nodes.length} nodes.${
    balancers.length > 0
      ? ` On a balancer, \`curl http://127.0.0.1:${proxyPorts.health}/healthz\` answers 200.`
      : ""
  }
4. Clients connect to ${lists.join(", ")}${
    anonymousAccess ? "" : `, as user \`${mqttUsername}\` with the password \`mqttPassword\` in secrets.json`
  }. The dashboard's user is \`admin\`, its password
   \`dashboardPassword\` there; it answers on port 18083 of a node${access.adminCidrBlocks.length > 0 ? "" : ", to nobody but the node itself (`ssh -L`) until access.adminCidrBlocks is given"}.

## Changes

- Render, check, copy, run the script again: it does what is new. Nodes one after the other; the next when the one before serves. A node whose
  configuration is new restarts, and its clients go to the others.
${
  balancers.length > 0
    ? `- A balancer reloads, which cuts nobody: the old process stays for its clients, a day at most. A new certificate is a change like any other.
- A new node: append it to hosts.yaml; run its script, then the other nodes' (firewall, seeds), then the balancers'.
${
  proxy.engine === "Haproxy"
    ? `- To empty a node first, on the balancers: \`echo "set server emqx_mqtt/NAME state drain" | socat stdio /run/haproxy/admin.sock\`, and
  \`ready\` afterwards.
`
    : ""
}- The balancer's configuration is ${proxyFiles[proxy.engine]}.
`
    : ""
}- A generated secret counts at the first start. Delete its line in secrets.json for a new cookie (all nodes stop, then start together); passwords are
  changed in the dashboard.
`;
}
