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
 * - Every call of an outside command is cut off in time (`limit`, and the functions of the commands' own names), and
 *   none goes beyond the run's deadline. Time is counted by the kernel's clock, which nobody sets (/proc/uptime).
 * - What a command prints is looked at, not only its exit code: docs/emqx-commands.md says why.
 * - A file is written beside its place, brought to the disk and renamed (`put`): whole or not at all. Functions that
 *   `try` or a condition calls are chains, because bash ignores errexit in them.
 * - What is said goes to the console's own descriptor, so that neither output that is captured nor a complaint that is
 *   kept contains it. Only the outermost shell announces a failure.
 * - A boot that fails says so in the parameter that `pulumi up` waits for, and emqx-node-retry.service tries again: a try
 *   after a failure says there that it has begun.
 * - All operations are checked by one process (`fetch_operations`): that is done every minute.
 * - What is secret in between is on a tmpfs, in a folder of root's, and goes with the run, or with the next one; the credentials
 *   of the node's role (run/emqx-node.role, root's alone) stay until they end.
 * - Blank means: blkid finds nothing (answer 2), wipefs knows no signature, and mkfs.xfs without -f agrees. A format
 *   that was cut off has left a superblock "in progress", which nothing mounts: it is begun again.
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
run=$root/run/emqx-node
work=$run.$$
cd /
# shellcheck source=/dev/null
. "$conf/node.env"
export AWS_DEFAULT_REGION=$REGION AWS_PAGER='' AWS_RETRY_MODE=standard LC_ALL=C.UTF-8
step=starting

exec 3>&2
say() { echo "emqx-node: $*" >&3; }
begin() {
  step=$1
  say "$step"
}
die() {
  local told=
  ((BASH_SUBSHELL)) || failed "$*" || told="; AWS was not told"
  say "NODE $NODE_NUMBER FAILED while $step: $*$told"
  exit 1
}
failed() { :; }
finish() { rm -rf "$work"; }
trap 'code=$?; ((BASH_SUBSHELL)) || die "line $LINENO of \${BASH_SOURCE##*/}, exit code $code"' ERR
trap finish EXIT
trap 'say "NODE $NODE_NUMBER was stopped while $step"; exit 143' TERM INT HUP

# Seconds since the boot: nobody sets them
clock() { read -r uptime _ <"$root/proc/uptime" && uptime=\${uptime%.*}; }
# allow SECONDS: for all that comes
allow() { clock && deadline=$((uptime + $1)); }
allow "$READINESS_TIMEOUT_SECONDS"
for stray in "$run".[0-9]*; do
  [[ -e $stray ]] || continue
  if [[ $stray == "$work" ]] || ! kill -0 "\${stray##*.}" 2>/dev/null; then rm -rf "$stray"; fi
done
mkdir -m 0700 "$work"

# limit SECONDS COMMAND...: cut off in time
limit() {
  local seconds=$1 code=0
  shift
  clock
  ((uptime + seconds <= deadline)) || seconds=$((deadline - uptime))
  ((seconds > 0)) || seconds=1
  timeout -k 5 "$seconds" "$@" 3>&- 8>&- 9>&- || code=$?
  ((code != 124 && code != 137)) || echo "\${label:-$1}: no answer within $seconds s" >&2
  return "$code"
}
aws() {
  label="aws $1 $2" limit "\${patience:-30}" aws --cli-connect-timeout 5 --cli-read-timeout 20 "$@"
}
curl() { limit "\${patience:-20}" curl -fsS --connect-timeout 10 "$@"; }
systemctl() { label="systemctl $1" limit "\${patience:-60}" systemctl "$@"; }
# Not as root: bin/emqx would open a login session each time
emqx() { label="emqx $1 $2" limit "\${patience:-30}" runuser -u emqx -- env HOME="$data" emqx "$@"; }

# try SECONDS COMMAND...: until it succeeds or time is up; then why tells the complaint
try() {
  local end
  clock
  end=$((uptime + $1 < deadline ? uptime + $1 : deadline))
  shift
  until "$@" 2>"$work/err"; do
    tried=$?
    clock
    ((uptime < end)) || return 1
    sleep 5
  done
}
# words FILE: why a command failed
words() {
  local told
  told=$(sed -E 's/\\x1b\\[[0-9]*m//g; s/.*(An error)/\\1/; s/^\\s+|\\s+$//g; /^$/d' "$1")
  told=$(grep -iE 'error|problem|provides|compatible|invalid|denied|cannot|no answer' <<<"$told" || tail -n 1 <<<"$told")
  told=\${told//$'\\n'/ }
  told=\${told:-exit code \${tried:-?} without a word}
  echo "\${told:0:300}"
}
why() { words "$work/err"; }

# put MODE OWNER FILE TEXT: whole or not at all
put() {
  [[ -f $3 && $(<"$3") == "\${4%$'\\n'}" ]] && return
  (umask 077 && printf '%s' "$4" >"$3.new" && { [[ $2 == root:root && -O $3.new ]] || chown "$2" "$3.new"; } &&
    chmod "$1" "$3.new" && sync "$3.new" && mv -f "$3.new" "$3") 2>"$work/err" && return
  tried=$?
  rm -f "$3.new"
  die "$3: $(why)"
}
parameter() {
  aws ssm get-parameter --with-decryption --name "$PARAMETER_PREFIX/$1" --query Parameter.Value --output text
}
keep() {
  (umask 077 && parameter "$1" >"$work/value") || return
  [[ -s $work/value ]] || { echo "no value in the answer" >&2 && return 1; }
}
# report NAME VALUE: into a parameter of this node
report() {
  aws ssm put-parameter --overwrite --name "$PARAMETER_PREFIX/nodes/$NODE_NUMBER/$1" --value "$2" \\
    --query Version --output text >"$work/out" || return
  [[ $(<"$work/out") =~ ^[0-9]+$ ]] || { echo "no version in the answer" >&2 && return 1; }
}
metadata() {
  local url=http://169.254.169.254/latest token
  token=$(curl -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $url/api/token) &&
    curl -H "X-aws-ec2-metadata-token: $token" "$url/meta-data/$1"
}
# Sets id: this instance's
instance() {
  if [[ ! -s $run.id ]]; then
    metadata instance-id >"$work/id" || return
    [[ $(<"$work/id") == i-* ]] || { echo "no instance id in the answer" >&2 && return 1; }
    mv -f "$work/id" "$run.id"
  fi
  id=$(<"$run.id")
}

# hold SECONDS: the lock, one run at a time
hold() {
  exec 9>>"$run.lock"
  flock -w "$1" 9 || return
  echo "$step, process $$" >"$run.lock"
  # shellcheck disable=SC2034 # for the operations
  locked=yes
}
busy() { echo "another run has the lock: $(<"$run.lock")"; }

fetch_operation() {
  keep "operations/$1" && printf '%s' "$(<"$work/value")" >"$work/operation" || return
  [[ $(sha256sum <"$work/operation") == "$2"* ]] || { echo "not the one of operations/list" >&2 && return 1; }
}
# Those of operations.env, NAME=DIGEST
fetch_operations() {
  local each sums
  # shellcheck source=/dev/null
  . "$conf/operations.env"
  sums=$(sha256sum "$conf"/operations/* 2>/dev/null) || true
  for each in $OPERATIONS; do
    [[ $sums =~ (^|$'\n')\${each#*=}[0-9a-f]*"  $conf/operations/\${each%=*}"($|$'\n') ]] && continue
    try 120 fetch_operation "\${each%=*}" "\${each#*=}" ||
      die "parameter $PARAMETER_PREFIX/operations/\${each%=*}: $(why)"
    put 0644 root:root "$conf/operations/\${each%=*}" "$(<"$work/operation")"
  done
}
operate() {
  step=$1
  [[ -s $conf/operations/$1 ]] || die "no such operation: $(cd "$conf/operations" && echo *)"
  # shellcheck source=/dev/null
  . "$conf/operations/common"
  # shellcheck source=/dev/null
  . "$conf/operations/$1"
}
if (($# > 0)); then
  operate "$@"
  exit
fi

failed() {
  allow 60
  patience=20 systemctl start --no-block emqx-node-retry || say "nothing tries again"
  local reason=\${1//[$'\\n\\t\\r']/ }
  : >"$conf/failed"
  instance && report ready "failed $id: $step: \${reason:0:400}"
}
# shellcheck disable=SC2034 # for sync
booting=yes
hold 600 || die "$(busy)"
rm -f "$run.ready"
if [[ -f $conf/failed ]] && instance && report ready "booting $id"; then rm "$conf/failed"; fi

# Amazon Linux links /dev/sdf to the NVMe device, which knows that name, too
find_volume() {
  local device
  for device in "$root/dev/sdf" "$root/dev/xvdf"; do
    [[ -e $device ]] && readlink -f "$device" && return
  done
  for device in "$root"/dev/nvme*n1; do
    [[ -e $device && $(limit 10 ebsnvme-id -b "$device") =~ (sd|xvd)f$ ]] && echo "$device" && return
  done
  echo "no volume is attached as /dev/sdf" >&2
  return 1
}
begin "waiting for the data volume"
if ! limit 20 mountpoint -q "$data"; then
  try "$READINESS_TIMEOUT_SECONDS" find_volume >"$work/device" || die "$(why)"
  device=$(<"$work/device")
  begin "mounting $device"
  code=0
  found=$(limit 60 blkid -p "$device" 2>&1) || code=$?
  if ((code == 2)); then
    found=$(limit 60 wipefs --noheadings "$device")
    [[ -z $found ]] || die "not blank, not formatted: $found"
    say "formatting $device"
    limit 300 mkfs.xfs -q -L emqx "$device"
  fi
  [[ $(limit 60 blkid -p -o value -s TYPE "$device" || true) == xfs ]] || die "not XFS, left alone: $found"
  if [[ $(limit 60 xfs_db -r -c sb -c 'print inprogress' "$device" 2>/dev/null) == *"= 1" ]]; then
    say "formatting $device again, since that was cut off"
    limit 300 mkfs.xfs -q -f -L emqx "$device"
  fi
  uuid=$(limit 60 blkid -p -o value -s UUID "$device")
  [[ -n $uuid ]] || die "blkid tells no UUID"
  text=$(sed '\\# /var/lib/emqx #d' "$root/etc/fstab")
  options=defaults,noatime,nofail,x-systemd.device-timeout=300s
  put 0644 root:root "$root/etc/fstab" "$text"$'\\n'"UUID=$uuid /var/lib/emqx xfs $options 0 0"$'\\n'
  mkdir -p "$data"
  systemctl daemon-reload
  patience=120 systemctl start var-lib-emqx.mount
  limit 20 mountpoint -q "$data" || die "systemd did not mount it"
fi

begin "fetching the operations"
mkdir -p "$conf/operations"
try 300 keep operations/list || die "parameter $PARAMETER_PREFIX/operations/list: $(why)"
put 0644 root:root "$conf/operations.env" "$(<"$work/value")"
fetch_operations
operate sync
operate install
operate join
`;
