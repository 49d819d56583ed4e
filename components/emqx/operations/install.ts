/**
 * Operation "install": the middle of a boot, from the package to EMQX's start. May be run again: what is done it leaves alone.
 *
 * - EMQX runs where the kernel refuses a setting or the file system does not grow, too: that is said, and ends nothing. Where the limit
 *   of open files is missing, emqx.service does not start, and the boot fails there.
 * - EMQX takes the cookie from its environment as it is: bin/emqx compares it with the running node's, so quotes
 *   around it would break `emqx stop`. Other values are read as HOCON: a string in quotes, inside systemd's own.
 * - Secrets are arguments of shell functions and built-ins only: neither shows in the list of processes.
 * - The dashboard's password in secrets.env counts at the cluster's first boot only; what changes it later is the
 *   operation "sync". So only a new cookie restarts EMQX here.
 * - EMQX reads the licence file again every two minutes: a renewed key needs no restart. It ignores blanks and line
 *   ends in a key (emqx@6.2.2:apps/emqx_license/src/emqx_license_parser_v20220101.erl, normalize), so they go here.
 * - rpm may know a package whose installation was cut off: it is installed when that has been noted, and again until then.
 */
export const installOperation = `# Installs, configures and starts EMQX; part of a boot
# add FILE LINE: at the end, once
add() {
  local text
  text=$(<"$1")
  [[ $'\\n'$text$'\\n' == *$'\\n'"$2"$'\\n'* ]] ||
    put "$(stat -c %a "$1")" "$(stat -c %U:%G "$1")" "$1" "$text"$'\\n'"$2"$'\\n'
}
# prefer COMMAND...: EMQX runs without it, too
prefer() {
  limit 60 "$@" >/dev/null 2>"$work/err" || {
    tried=$?
    say "going on without $1: $(why)"
  }
}
prefer xfs_growfs "$data"
begin "setting kernel limits"
prefer sysctl -q -e -p "$root/etc/sysctl.d/90-emqx.conf"
prefer systemd-tmpfiles --create "$root/etc/tmpfiles.d/emqx.conf"

download() { patience=330 curl -L --proto =https --max-time 300 -o "$1" "$2"; }
rpm=$conf/emqx.rpm
# The last step of an installation: rpm may know a package that was cut off
if [[ ! -f $conf/installed || $(<"$conf/installed") != "$PACKAGE_URL" ]]; then
  begin "installing $PACKAGE_URL"
  sum=$PACKAGE_SHA256
  if [[ -z $sum ]]; then
    try 180 download "$work/sum" "$PACKAGE_URL.sha256" || die "its checksum: $(why)"
    read -r sum _ <"$work/sum" || true
  fi
  [[ $sum =~ ^[0-9a-f]{64}$ ]] || die "its checksum is no SHA-256 sum"
  try 180 download "$rpm" "$PACKAGE_URL" || die "$(why)"
  actual=$(sha256sum <"$rpm")
  [[ \${actual%% *} == "$sum" ]] || die "its SHA-256 sum is \${actual%% *}, not $sum: not installed"
  install() {
    local verb=install
    ! limit 60 rpm -q --quiet "$PACKAGE_NAME" || verb=reinstall
    limit 300 dnf -q -y $verb "$rpm" && limit 60 rpm -q "$PACKAGE_NAME" >&2 || return
    # The package links it at its first installation only, and that may have been cut off before
    type -P emqx >/dev/null || ln -s /usr/lib/emqx/bin/emqx "$root/usr/bin/emqx"
  }
  try 300 install || die "$(why)"
  put 0644 root:root "$conf/installed" "$PACKAGE_URL"
fi
rm -f "$rpm"

begin "configuring EMQX"
# The package's user has another number on each instance
limit 600 find "$data" \\( ! -user emqx -o ! -group emqx \\) -exec chown -h emqx:emqx {} +
if [[ -f $conf/vm.args ]]; then
  while read -r line; do add "$root/etc/emqx/vm.args" "$line"; done <"$conf/vm.args"
fi
# Every emqx command reads this file
add "$root/usr/lib/emqx/releases/emqx_vars" 'set -a; . /etc/emqx-node/emqx.env; set +a'

begin "reading the parameters under $PARAMETER_PREFIX"
secret cookie '^[A-Za-z][A-Za-z0-9]{31,254}$' "a letter and at least 31 letters or digits"
env="EMQX_NODE__COOKIE=$value"$'\\n'
[[ -f $conf/secrets.env && $(<"$conf/secrets.env") == "$env"* ]] || : >"$conf/restart"
secret dashboard-password "$password" "$rule"
env+="EMQX_DASHBOARD__DEFAULT_PASSWORD='\\"$value\\"'"$'\\n'
if [[ -n $MQTT_USERNAME ]]; then
  secret mqtt-password "$password" "$rule"
  put 0640 root:emqx "$conf/mqtt-users.csv" $'user_id,password,is_superuser\\n'"$MQTT_USERNAME,$value,false"$'\\n'
fi
if [[ $HAS_LICENSE == true ]]; then
  secret license-key "$license" "a licence key: two Base64 texts with a dot between"
  put 0640 root:emqx "$conf/license.key" "$value"
fi
if reads '"/etc/emqx-node/acl.conf"'; then take_acl; fi
if reads '^include '; then
  secret_settings "$env"
  put 0640 root:emqx "$conf/secret.conf" "$value"
fi
# shellcheck source=/dev/null
. "$conf/operations/tls"
# Last: without this file the service does not start
put 0600 root:root "$conf/secrets.env" "$env"

begin "starting EMQX $VERSION"
systemctl daemon-reload
systemctl enable --quiet emqx
action=start
[[ ! -f $conf/restart ]] || action=restart
patience=200 systemctl "$action" emqx
rm -f "$conf/restart"
try "$READINESS_TIMEOUT_SECONDS" running || die "see journalctl -u emqx and /var/log/emqx: $(why)"
`;
