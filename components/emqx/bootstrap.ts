/**
 * The boot script: the same text for every node; what differs is in node.env. cloud-init runs it at the end of every
 * boot, and anybody may run it again: what it finds done it leaves alone. Were it run at the first boot only, an
 * instance that restarts in the middle of it would never become a node.
 *
 * A later boot does not need it: the volume is in fstab, the limits are in sysctl.d and tmpfiles.d, emqx.service is
 * enabled and everything it reads is on the disk. There the script finds all done.
 *
 * With an argument it runs an operation (components/emqx/operations) in its own terms: what a node does in later life
 * comes by parameters, so that a better operation reaches running nodes and the user data stays small.
 *
 * - Blank means: blkid finds nothing (answer 2), wipefs knows no signature, and mkfs.xfs without -f agrees.
 * - EMQX takes the cookie from its environment as it is: bin/emqx compares it with the running node's, so quotes
 *   around it would break `emqx stop`. Other values are read as HOCON: a string in quotes, inside systemd's own.
 * - Secrets are arguments of shell functions and built-ins only: neither shows in the list of processes.
 * - The dashboard's password in secrets.env counts at the cluster's first boot only; what changes it later is the
 *   operation "sync". So only a new cookie restarts EMQX here.
 * - EMQX reads the licence file again every two minutes: a renewed key needs no restart.
 *
 * Its one variable for tests, EMQX_NODE_ROOT, puts a folder in front of every path.
 */
export const bootScript = `#!/bin/bash
# Turns this instance into the EMQX node that /etc/emqx-node/node.env describes. Runs at every boot;
# by hand: sudo /var/lib/cloud/scripts/per-boot/emqx-node [OPERATION [ARGUMENT...]]
set -Eeuo pipefail
root=\${EMQX_NODE_ROOT:-}
conf=$root/etc/emqx-node
data=$root/var/lib/emqx
# shellcheck source=/dev/null
. "$conf/node.env"
export AWS_DEFAULT_REGION=$REGION AWS_PAGER='' AWS_RETRY_MODE=standard LC_ALL=C.UTF-8
work=$(mktemp -d)
deadline=$((SECONDS + READINESS_TIMEOUT_SECONDS))
step=starting

say() { echo "emqx-node: $*"; }
begin() {
  step=$1
  say "$step"
}
die() {
  say "NODE $NODE_NUMBER FAILED while $step: $*"
  exit 1
}
trap 'die "line $LINENO, exit code $?"' ERR
trap 'rm -rf "$work"' EXIT

# try SECONDS COMMAND...: until it succeeds or the time is up; then why tells the last complaint
try() {
  local end=$((SECONDS + $1))
  shift
  until "$@" 2>"$work/err"; do
    ((SECONDS < end && SECONDS < deadline)) || return 1
    sleep 5
  done
}
why() { sed '/^[[:space:]]*$/d' "$work/err" | tail -n 1; }

# put MODE OWNER FILE TEXT: succeeds when this changes the file
put() {
  [[ -f $3 && $(<"$3") == "\${4%$'\\n'}" ]] && return 1
  (umask 077 && printf '%s' "$4" >"$3.new")
  chown "$2" "$3.new"
  chmod "$1" "$3.new"
  mv -f "$3.new" "$3"
}

# add FILE LINE: at the end, once
add() {
  grep -qxF -e "$2" "$1" && return
  [[ -z $(tail -c 1 "$1") ]] || echo >>"$1"
  printf '%s\\n' "$2" >>"$1"
}

parameter() {
  aws ssm get-parameter --with-decryption --name "$PARAMETER_PREFIX/$1" --query Parameter.Value --output text
}
keep() { (umask 077 && parameter "$1" >"$work/value"); }

password='^[A-Za-z0-9!#%&()*+./:;<=>?@^_{|}~-]{8,64}$'
rule="8 to 64 letters, digits or signs, but no quotes, comma, backslash, dollar"
# secret NAME PATTERN RULE: sets value
secret() {
  try 300 keep "$1" || die "parameter $PARAMETER_PREFIX/$1: $(why)"
  value=$(<"$work/value")
  [[ $value =~ $2 ]] || die "parameter $PARAMETER_PREFIX/$1 must be $3"
}

running() {
  curl -fsS --max-time 5 -o /dev/null http://127.0.0.1:18083/status && emqx ctl status >"$work/out" &&
    grep -q 'is started' "$work/out"
}
# members running_nodes|stopped_nodes: their names, one per line
members() {
  emqx ctl cluster status --json | tr -d ' \\n' | sed -n "s/.*\\"$1\\":\\[\\([^]]*\\)\\].*/\\1/p" |
    tr ',' '\\n' | tr -d '"'
}
operate() {
  step=$1
  [[ -f $conf/operations/$1 ]] || die "no such operation: $(cd "$conf/operations" && echo *)"
  # shellcheck source=/dev/null
  . "$conf/operations/$1"
}
if (($# > 0)); then
  operate "$@"
  exit
fi

# One run at a time
exec 9>"$root/run/emqx-node.lock"
flock 9
# shellcheck disable=SC2034 # for the operations
locked=yes

# Amazon Linux links /dev/sdf to the NVMe device, which also knows the name it was attached as
find_volume() {
  local device
  for device in "$root/dev/sdf" "$root/dev/xvdf"; do
    [[ -e $device ]] && readlink -f "$device" && return
  done
  for device in "$root"/dev/nvme*n1; do
    [[ -e $device && $(ebsnvme-id -b "$device") =~ (sd|xvd)f$ ]] && echo "$device" && return
  done
  echo "no volume is attached as /dev/sdf" >&2
  return 1
}
begin "waiting for the data volume"
if ! mountpoint -q "$data"; then
  try "$READINESS_TIMEOUT_SECONDS" find_volume >"$work/device" || die "$(why)"
  device=$(<"$work/device")
  begin "mounting $device"
  code=0
  found=$(blkid -p "$device" 2>&1) || code=$?
  if ((code == 2)); then
    found=$(wipefs --noheadings "$device")
    [[ -z $found ]] || die "not blank, not formatted: $found"
    say "formatting $device"
    mkfs.xfs -q -L emqx "$device"
  fi
  [[ $(blkid -p -o value -s TYPE "$device" || true) == xfs ]] || die "not XFS, left alone: $found"
  uuid=$(blkid -p -o value -s UUID "$device")
  sed -i '\\# /var/lib/emqx #d' "$root/etc/fstab"
  add "$root/etc/fstab" \\
    "UUID=$uuid /var/lib/emqx xfs defaults,noatime,nofail,x-systemd.device-timeout=300s 0 0"
  mkdir -p "$data"
  systemctl daemon-reload
  systemctl start var-lib-emqx.mount
  mountpoint -q "$data" || die "systemd did not mount it"
fi
xfs_growfs "$data" >/dev/null

begin "setting kernel limits"
sysctl -q -e -p "$root/etc/sysctl.d/90-emqx.conf"
systemd-tmpfiles --create "$root/etc/tmpfiles.d/emqx.conf"

begin "fetching the operations"
mkdir -p "$conf/operations"
for operation in sync services join; do
  try 300 keep "operations/$operation" || die "parameter $PARAMETER_PREFIX/operations/$operation: $(why)"
  put 0644 root:root "$conf/operations/$operation" "$(<"$work/value")" || true
done
operate sync

download() { curl -fsSL --proto =https --connect-timeout 10 --max-time 300 -o "$work/$1" "$2"; }
if ! rpm -q --quiet "$PACKAGE_NAME"; then
  begin "installing $PACKAGE_URL"
  sum=$PACKAGE_SHA256
  if [[ -z $sum ]]; then
    try 180 download sum "$PACKAGE_URL.sha256" || die "its checksum: $(why)"
    read -r sum _ <"$work/sum" || true
  fi
  [[ $sum =~ ^[0-9a-f]{64}$ ]] || die "its checksum is no SHA-256 sum"
  try 180 download emqx.rpm "$PACKAGE_URL" || die "$(why)"
  read -r actual _ < <(sha256sum "$work/emqx.rpm")
  [[ $actual == "$sum" ]] || die "its SHA-256 sum is $actual, not $sum: not installed"
  try 300 dnf -q -y install "$work/emqx.rpm" || die "$(why)"
fi

begin "configuring EMQX"
# The package's user has another number on each instance
find "$data" \\( ! -user emqx -o ! -group emqx \\) -exec chown -h emqx:emqx {} +
if [[ -f $conf/vm.args ]]; then
  while read -r line; do add "$root/etc/emqx/vm.args" "$line"; done <"$conf/vm.args"
fi
# Every emqx command reads this file, also after its su from root
add "$root/usr/lib/emqx/releases/emqx_vars" 'set -a; . /etc/emqx-node/emqx.env; set +a'

begin "reading the parameters under $PARAMETER_PREFIX"
secret cookie '^[A-Za-z][A-Za-z0-9]{31,254}$' "a letter and at least 31 letters or digits"
env="EMQX_NODE__COOKIE=$value"$'\\n'
action=start
grep -qxF -e "\${env%?}" "$conf/secrets.env" 2>/dev/null || action=restart
secret dashboard-password "$password" "$rule"
env+="EMQX_DASHBOARD__DEFAULT_PASSWORD='\\"$value\\"'"$'\\n'
if [[ -n $MQTT_USERNAME ]]; then
  secret mqtt-password "$password" "$rule"
  users=$'user_id,password,is_superuser\\n'"$MQTT_USERNAME,$value,false"$'\\n'
  put 0640 root:emqx "$conf/mqtt-users.csv" "$users" || true
fi
if [[ $HAS_LICENSE == true ]]; then
  secret license-key '^[^[:space:]]+$' "a licence key in one line"
  put 0640 root:emqx "$conf/license.key" "$value" || true
fi
# Last: without this file the service does not start
put 0600 root:root "$conf/secrets.env" "$env" || true

begin "starting EMQX $VERSION"
systemctl daemon-reload
systemctl enable --quiet emqx
systemctl "$action" emqx
try "$READINESS_TIMEOUT_SECONDS" running || die "see journalctl -u emqx and /var/log/emqx: $(why)"

operate join
`;
