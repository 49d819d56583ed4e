import type { ProxyEngine } from "../proxy/settings";

export interface HostFile {
  /** Where it is on the host. */
  path: string;
  content: string;
  /** Octal, as chmod takes it. */
  mode: string;
  owner: string;
}

/**
 * install.sh of a host, run as root beside the folder \`files\`, again after every change: what is done it leaves alone.
 *
 * - A file is written beside its place and renamed; what a service reads of it, and has not taken up, is noted until it has.
 * - The package is installed by its checksum only. The files of EMQX's own user come after it, since it makes the user.
 * - Where AWS has parameters, a data volume, an agent and operations (components/emqx/operations), here are files, the host's disk and an
 *   administrator.
 */
function script(title: string, address: string, body: string): string {
  return `#!/bin/bash
# ${title}. As root, again after every change.
set -Eeuo pipefail
cd "$(dirname "\${BASH_SOURCE[0]}")"
trap 'echo "FAILED in line $LINENO: \${BASH_COMMAND}" >&2' ERR
say() { echo "== $*"; }
die() {
  echo "FAILED: $*" >&2
  exit 1
}
[[ $(id -u) == 0 ]] || die "run it as root"
[[ " $(ip -4 -o address show | awk '{ sub("/.*", "", $4); printf "%s ", $4 }')" == *" ${address} "* ]] ||
  die "no interface here has ${address}: is this the right host?"
# shellcheck source=/dev/null
. /etc/os-release
if command -v apt-get >/dev/null; then kind=deb; elif command -v dnf >/dev/null; then kind=rpm; else die "neither apt-get nor dnf is here"; fi
export DEBIAN_FRONTEND=noninteractive
# packages NAME...: of the system's own
packages() {
  if [[ $kind == deb ]]; then
    dpkg -s "$@" >/dev/null 2>&1 || { apt-get update -q && apt-get install -y -q "$@"; }
  else
    rpm -q "$@" >/dev/null || dnf -y -q install "$@"
  fi
}
# What a service has not taken up yet, from a run that was cut off as well
pending=/etc/emqx-node/pending
mkdir -p /etc/emqx-node
note() { echo "$1" >>$pending; }
# put MODE OWNER FILE: whole or not at all
put() {
  mkdir -p "$(dirname "$3")"
  install -m "$1" -o "\${2%:*}" -g "\${2#*:}" "files$3" "$3.new"
  case $3 in
    # Taken up by this script itself
    *firewall* | /etc/sysctl.d/* | /etc/tmpfiles.d/*) ;;
    *) cmp -s "$3.new" "$3" || note "$3" ;;
  esac
  mv -f "$3.new" "$3"
}
${body}`;
}

const puts = (files: HostFile[]) =>
  files.map(({ mode, owner, path }) => `put ${mode} ${owner} ${path}\n`).join("");

const firewall = `say "closing ports"
systemctl daemon-reload
systemctl enable --quiet emqx-firewall
systemctl restart emqx-firewall
`;

export interface EmqxInstallation {
  packageBase: string;
  packageUrl: string | undefined;
  packageSha256: string | undefined;
  hasVmArgs: boolean;
}

export function nodeScript(name: string, address: string, files: HostFile[], emqx: EmqxInstallation): string {
  const early = files.filter(({ owner }) => owner === "root:root");
  const late = files.filter((file) => !early.includes(file));
  return script(
    `Makes this host the EMQX node ${name}, ${address}`,
    address,
    `
say "writing configuration"
packages nftables curl
${puts(early)}
url='${emqx.packageUrl ?? ""}'
sum='${emqx.packageSha256 ?? ""}'
if [[ -z $url ]]; then
  case $ID in
    debian | ubuntu) system=$ID$VERSION_ID ;;
    amzn) system=amzn$VERSION_ID ;;
    rhel | centos | rocky | almalinux | ol) system=el\${VERSION_ID%%.*} ;;
    *) die "EMQ has no package for $ID $VERSION_ID: give package.url in hosts.yaml" ;;
  esac
  arch=arm64
  [[ $(uname -m) != x86_64 ]] || arch=amd64
  url=${emqx.packageBase}-$system-$arch.$kind
fi
if [[ ! -f /etc/emqx-node/installed || $(</etc/emqx-node/installed) != "$url" ]]; then
  say "installing $url"
  package=\${url##*/}
  package=\${package%%\\?*}
  # fetch URL FILE: unless it lies here, on a host without the internet
  fetch() { [[ -f $2 ]] || { curl -fsSL --proto =https --retry 3 -o "$2.part" "$1" && mv "$2.part" "$2"; }; }
  if [[ -z $sum ]]; then
    fetch "$url.sha256" "$package.sha256"
    read -r sum _ <"$package.sha256" || true
  fi
  [[ $sum =~ ^[0-9a-f]{64}$ ]] || die "$package.sha256 is no SHA-256 sum"
  fetch "$url" "$package"
  actual=$(sha256sum <"$package")
  [[ \${actual%% *} == "$sum" ]] || die "the SHA-256 sum of $package is \${actual%% *}, not $sum: not installed; delete the file"
  if [[ $kind == deb ]]; then
    apt-get install -y -q -o Dpkg::Options::=--force-confold "./$package"
  else
    dnf -y -q install "./$package"
  fi
  echo "$url" >/etc/emqx-node/installed
  note "$package"
fi

say "configuring EMQX"
find /var/lib/emqx \\( ! -user emqx -o ! -group emqx \\) -exec chown -h emqx:emqx {} +
${puts(late)}# add FILE LINE: at the end, once
add() {
  grep -qxF -e "$2" "$1" && return
  printf '%s\\n' "$2" >>"$1"
  note "$1"
}
${
  emqx.hasVmArgs
    ? `while read -r line; do add /etc/emqx/vm.args "$line"; done </etc/emqx-node/vm.args
`
    : ""
}# Every emqx command reads this file
add /usr/lib/emqx/releases/emqx_vars 'set -a; . /etc/emqx-node/emqx.env; set +a'
sysctl -q -e -p /etc/sysctl.d/90-emqx.conf || say "the kernel refused a setting"
systemd-tmpfiles --create /etc/tmpfiles.d/emqx.conf || true
${firewall}
say "starting EMQX"
systemctl enable --quiet emqx
if [[ -f $pending ]]; then
  say "changed: $(tr '\\n' ' ' <$pending)"
  systemctl restart emqx
  rm $pending
else
  systemctl start emqx
fi
for ((i = 0; i < 150; i++)); do
  [[ $(curl -fsS -m 5 http://127.0.0.1:18083/status 2>/dev/null) != *"emqx is running"* ]] || break
  sleep 2
done
((i < 150)) || die "EMQX does not say that it runs: journalctl -u emqx, /var/log/emqx"
runuser -u emqx -- env HOME=/var/lib/emqx emqx ctl cluster status --json
say "${name} runs"
`,
  );
}

export function balancerScript(
  name: string,
  address: string,
  files: HostFile[],
  engine: ProxyEngine,
  floats: boolean,
): string {
  const haproxy = engine === "Haproxy";
  const service = haproxy ? "haproxy" : "nginx";
  // The new file is judged before it is the one that counts.
  const main = files.find(({ path }) => path === proxyFiles[engine])!;
  const rest = files.filter((file) => file !== main);
  return script(
    `Makes this host the balancer ${name}, ${address}`,
    address,
    `
say "installing packages"
${
  haproxy
    ? `packages haproxy nftables curl${floats ? " keepalived" : ""}
version=$(haproxy -v | grep -oE '[0-9]+\\.[0-9]+' | head -n 1)
[[ $(printf '2.4\\n%s\\n' "$version" | sort -V | head -n 1) == 2.4 ]] ||
  die "HAProxy $version is too old, it does not know MQTT: 2.4 or newer is needed"
# Where SELinux enforces, HAProxy may not use these ports
if command -v getenforce >/dev/null && [[ $(getenforce) == Enforcing ]]; then setsebool -P haproxy_connect_any 1; fi`
    : `stream=nginx-mod-stream
[[ $kind != deb ]] || stream=libnginx-mod-stream
packages nginx "$stream" nftables curl${floats ? " keepalived" : ""}`
}

say "writing configuration"
${puts(rest)}${haproxy ? `haproxy -c -f files${main.path}` : `nginx -t -c "$PWD/files${main.path}"`} || die "${service} refuses the new configuration; the old one stays"
${puts([main])}sysctl -q -e -p /etc/sysctl.d/90-emqx.conf || say "the kernel refused a setting"
${firewall}
say "starting ${service}"
systemctl enable --quiet ${service}
if ! systemctl --quiet is-active ${service} || grep -qs 'service\\.d/' $pending; then
  systemctl restart ${service}
elif [[ -f $pending ]]; then
  say "reloading, which cuts nobody: $(tr '\\n' ' ' <$pending)"
  systemctl reload ${service}
fi
${
  floats
    ? `systemctl enable --quiet keepalived
if grep -qs keepalived $pending; then systemctl reload-or-restart keepalived; else systemctl start keepalived; fi
`
    : ""
}rm -f $pending
for ((i = 0; i < 10; i++)); do
  ! curl -fs -o /dev/null -m 2 http://127.0.0.1:8404/healthz || break
  sleep 2
done
((i < 10)) || die "no node is well behind it: curl http://127.0.0.1:8404/healthz"
say "${name} proxies"
`,
  );
}

export const proxyFiles: Record<ProxyEngine, string> = {
  Haproxy: "/etc/haproxy/haproxy.cfg",
  Nginx: "/etc/nginx/nginx.conf",
};
