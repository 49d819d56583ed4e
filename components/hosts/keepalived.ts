import { proxyPorts } from "../proxy/settings";
import type { HostsSettings } from "./settings";

/**
 * keepalived.conf of a balancer: the first one whose proxy is well has the floating address, and keeps it when another comes
 * back, because a move cuts every client.
 */
export function renderKeepalived(
  { balancers }: HostsSettings,
  floating: NonNullable<HostsSettings["floatingAddress"]>,
  own: string,
): string {
  const place = balancers.findIndex(({ address }) => address === own);
  return `# By emqx-aws. Check a change with: keepalived -t -f /etc/keepalived/keepalived.conf
global_defs {
  router_id ${balancers[place]!.name}
  enable_script_security
  script_user nobody
}
vrrp_script proxy {
  script "/usr/bin/curl -fsS -o /dev/null -m 2 http://127.0.0.1:${proxyPorts.health}/healthz"
  interval 2
  timeout 3
  fall 2
  rise 2
}
vrrp_instance emqx {
  state BACKUP
  nopreempt
  interface ${floating.interface}
  virtual_router_id ${floating.routerId}
  priority ${Math.max(1, 100 - place)}
  advert_int 1
  unicast_src_ip ${own}
  unicast_peer {
${balancers
  .filter(({ address }) => address !== own)
  .map(({ address }) => `    ${address}\n`)
  .join("")}  }
  virtual_ipaddress {
    ${floating.address}/${floating.prefix}
  }
  track_script {
    proxy
  }
}
`;
}
