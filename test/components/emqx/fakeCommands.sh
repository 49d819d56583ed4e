#!/bin/bash
# Stands in for every command through which the boot script touches a machine or AWS. Its name decides what it is;
# the state is in the files of $FAKE. Each call is noted in $FAKE/calls with all its arguments.
# Words, streams and exit codes are the real programs': docs/emqx-commands.md has the sources.
# Time is a file, $EMQX_NODE_ROOT/proc/uptime: who sleeps or waits in vain puts it forward and does not wait.
# $FAKE/fault makes calls fail: its first line says how, its second one is a call as $FAKE/sites has it.
ulimit -S -f unlimited
name=${0##*/}
# The two that run another command.
if [[ $name == runuser ]]; then
  [[ "$1 $2 $3" == "-u emqx --" ]] && exec "${@:4}"
  exit 125
elif [[ $name == timeout && $1 == -k ]]; then
  echo "$3" >>"$FAKE/limits"
  read -r fault 2>/dev/null <"$FAKE/fault"
  [[ ${fault:-} == hang ]] || exec "${@:4}"
  code=0
  /usr/bin/timeout -k 0.1 1.5 "${@:4}" || code=$?
  ((code != 124 && code != 137)) || { read -r uptime _ <"$EMQX_NODE_ROOT/proc/uptime" && echo "$((${uptime%.*} + $3)).00" >"$EMQX_NODE_ROOT/proc/uptime"; }
  exit "$code"
fi
read -r script <"$FAKE/pid"
if [[ $name == aws ]]; then
  [[ $1 == --cli-connect-timeout && $3 == --cli-read-timeout ]] || exit 252
  shift 4
fi
echo "$name $*" >>"$FAKE/calls"
site="$name ${*//"$EMQX_NODE_ROOT"/}"
site=${site//emqx-node.$script/emqx-node.PID}
echo "$site" >>"$FAKE/sites"
state() { [[ -f $FAKE/$1 ]] && cat "$FAKE/$1"; }
# Succeeds while the file names a number above zero, counting it down.
countdown() {
  local left
  left=$(state "$1") || return 1
  ((left > 0)) || return 1
  echo $((left - 1)) >"$FAKE/$1"
}
fail() {
  echo "$1" >&2
  exit "${2:-1}"
}
pass() {
  local uptime
  read -r uptime _ <"$EMQX_NODE_ROOT/proc/uptime"
  echo "$((${uptime%.*} + $1)).00 0.00" >"$EMQX_NODE_ROOT/proc/uptime"
}
# The keys of the bucket that is the working folder.
find_keys() {
  shopt -s globstar nullglob
  local keys=(exports/**)
  ((${#keys[@]} > 1)) && printf '%s\n' "${keys[@]:1}"
}
# A service's error, as the AWS CLI tells it (awscli/errorhandler.py: an empty line, the message, exit code 254).
refuse() { printf '\nAn error occurred (%s) when calling the %s operation: %s\n' "$1" "$2" "${3:-refused}" >&2 && exit 254; }
[[ -f $FAKE/broken && $(state broken) == "$name" ]] && fail "$name: broken" 5

# The fault of this call, if it has one.
fault=
[[ -f $FAKE/fault ]] && { read -r kind && read -r at; } <"$FAKE/fault" && [[ $site == "$at" ]] && fault=$kind
case $fault in
fail)
  case $name in
  aws) refuse InternalServerError Anything "An internal error occurred" ;;
  curl) fail "curl: (7) Failed to connect to somewhere port 443" 7 ;;
  emqx) fail "Node 'emqx@192.168.0.10' not responding to pings." 1 ;;
  esac
  fail "$name: it does not work" 1
  ;;
hang) trap '' TERM && exec /bin/sleep 100 ;;
nothing) exit ;;
terminated) kill -TERM -- "-$script" && exit 143 ;;
stopped) kill -TERM "$script" ;;
killed) kill -KILL -- "-$script" && exit 137 ;;
killed-after) trap 'kill -KILL -- "-$script"' EXIT ;;
full) prlimit --pid "$script" --fsize=0:unlimited ;;
esac

case $name in
sleep)
  # Something that comes with time: the volume.
  countdown volume-in || { [[ -f $FAKE/volume ]] && : >>"$EMQX_NODE_ROOT/dev/$(state device)"; }
  pass "$1"
  ;;
blkid)
  case $(state volume):$* in
  blank:* | signature:*) exit 2 ;;
  ambivalent:*) fail "ambivalent result" 8 ;;
  partitions:*TYPE*) exit 2 ;;
  *:*"-s TYPE"*) state volume ;;
  *:*"-s UUID"*) echo 0a1b2c3d-uuid ;;
  *) echo "/dev/sdf: TYPE=$(state volume)" ;;
  esac
  ;;
xfs_db) echo "inprogress = $([[ $(state volume) == xfs-half ]] && echo 1 || echo 0)" ;;
wipefs) [[ $(state volume) != signature ]] || echo "0x1fe dos" ;;
mkfs.xfs) echo xfs >"$FAKE/volume" ;;
mountpoint) [[ -f $FAKE/mounted ]] || exit 32 ;;
ebsnvme-id) [[ ${!#} == *nvme1n1 ]] && echo sdf || echo xvda ;;
systemctl)
  [[ $* != "start var-lib-emqx.mount" ]] || touch "$FAKE/mounted"
  [[ $* != *"start emqx" ]] || touch "$FAKE/started"
  [[ $* != "is-active emqx" ]] || { [[ -f $FAKE/started && ! -f $FAKE/stopped ]] && echo active || { echo inactive && exit 3; }; }
  if [[ $* == "is-active amazon-cloudwatch-agent" ]]; then
    [[ -f $FAKE/agent-runs ]] && echo active || { echo inactive && exit 3; }
  fi
  [[ $* != "disable"*"amazon-cloudwatch-agent" ]] || rm -f "$FAKE/agent-runs"
  ;;
amazon-cloudwatch-agent-ctl)
  # Exits with 0 whether the service starts or not.
  [[ $* != *fetch-config* || -f $FAKE/agent-dies ]] || touch "$FAKE/agent-runs"
  ;;
rpm) [[ -f $FAKE/installed ]] ;;
dnf)
  countdown dnf-fails && fail "Error: Failed to download metadata"
  if [[ $* == *" amazon-cloudwatch-agent" ]]; then
    [[ -f $FAKE/no-agent ]] && fail "Error: Unable to find a match: amazon-cloudwatch-agent"
    mkdir -p "$EMQX_NODE_ROOT/opt/aws/amazon-cloudwatch-agent/bin"
    cp "$EMQX_NODE_ROOT/bin/amazon-cloudwatch-agent-ctl" "$EMQX_NODE_ROOT/opt/aws/amazon-cloudwatch-agent/bin/"
    exit
  fi
  mkdir -p "$EMQX_NODE_ROOT/usr/lib/emqx/releases"
  printf -- '+zdbbl 32768' >"$EMQX_NODE_ROOT/etc/emqx/vm.args"
  echo 'REL_NAME="emqx"' >"$EMQX_NODE_ROOT/usr/lib/emqx/releases/emqx_vars"
  touch "$FAKE/installed"
  ;;
curl)
  url=${!#}
  while (($#)); do
    [[ $1 != -o ]] || out=$2
    [[ $1 != -H || $2 != @* ]] || header=$2
    shift
  done
  case $url in
  */api/v5/login)
    grep -q "\"password\":\"$(state dashboard-password)\"" || fail "curl: (22) The requested URL returned error: 401" 22
    echo '{"license":{"edition":"opensource"},"token":"dashboard-token","version":"5.8.9"}'
    ;;
  */api/v5/authentication/*)
    grep -qx -- 'Authorization: Bearer dashboard-token' "${header#@}" || fail "curl: (22) The requested URL returned error: 401" 22
    sed 's/.*"password":"\([^"]*\)".*/\1/' >"$FAKE/user-${url##*/}"
    echo "{\"user_id\":\"${url##*/}\",\"is_superuser\":false}"
    ;;
  */status)
    [[ -f $FAKE/emqx-runs && -f $FAKE/started ]] || fail "curl: (7) Failed to connect to 127.0.0.1 port 18083" 7
    printf 'Node emqx@192.168.0.10 is started\nemqx is running'
    ;;
  */api/token) echo imds-token ;;
  */instance-id) echo i-0123456789abcdef0 ;;
  *.sha256)
    [[ -f $FAKE/published-sum ]] || fail "curl: (22) The requested URL returned error: 404" 22
    cat "$FAKE/published-sum" >"$out"
    ;;
  *)
    countdown download-fails && fail "curl: (6) Could not resolve host: packages.emqx.io" 6
    state package >"$out"
    ;;
  esac
  ;;
aws)
  arguments=" $* "
  [[ $arguments =~ " --name "([^ ]+) ]] && parameter=$FAKE/parameters${BASH_REMATCH[1]}
  case $1.$2 in
  ssm.get-parameter)
    [[ -f $FAKE/denied ]] && refuse AccessDeniedException GetParameter
    [[ -f $parameter ]] || refuse ParameterNotFound GetParameter
    cat "$parameter"
    ;;
  ssm.get-parameters)
    [[ -f $FAKE/denied ]] && refuse AccessDeniedException GetParameters
    # As many as one call takes.
    read -ra names <<<"${arguments##*--names}"
    ((${#names[@]} <= 10)) || refuse ValidationException GetParameters
    for parameter in "${names[@]}"; do
      [[ -f $FAKE/parameters$parameter ]] || continue
      # A SecureString that is not decrypted is a cipher text.
      value=AQICAHcipher
      [[ $parameter == *-password || $parameter == */cookie || $parameter == */license-key ]] || value=$(<"$FAKE/parameters$parameter")
      printf '%s\t%s\t%s\n' "$parameter" "$(state "parameters$parameter.version" || echo 1)" "$value"
    done
    ;;
  ssm.put-parameter)
    while (($#)); do
      [[ $1 != --value ]] || echo "$2" >"$parameter"
      shift
    done
    echo 2
    ;;
  cloudwatch.put-metric-data)
    [[ ! -f $FAKE/cloudwatch-denied ]] || refuse AccessDenied PutMetricData
    ;;
  elb.describe-instance-health)
    if countdown out-of-service; then
      printf 'OutOfService\tInstance is in the process of registering.\n'
    else
      printf 'InService\tN/A\n'
    fi
    ;;
  s3.cp)
    countdown s3-fails && fail "upload failed: An error occurred (SlowDown) when calling the PutObject operation" 1
    [[ ! -f $FAKE/s3-denied ]] || fail "fatal error: An error occurred (AccessDenied) when calling the operation" 1
    [[ $3 == --only-show-errors ]] || fail "Completed 1 file(s)"
    from=${4/#s3:\/\//$FAKE/s3/}
    to=${5/#s3:\/\//$FAKE/s3/}
    mkdir -p "${to%/*}" && cat "$from" >"$to"
    ;;
  s3api.head-object | s3api.list-objects-v2)
    [[ $arguments =~ " --bucket "([^ ]+) ]] && bucket=$FAKE/s3/${BASH_REMATCH[1]}
    if [[ $2 == head-object && $arguments =~ " --key "([^ ]+) ]]; then
      state stored-size || stat -c %s "$bucket/${BASH_REMATCH[1]}"
    else
      [[ ! -f $FAKE/s3-denied ]] || refuse AccessDenied ListObjectsV2
      (cd "$bucket" 2>/dev/null && find_keys) || echo None
    fi
    ;;
  *) fail "aws: [ERROR]: argument operation: not expected: $*" 252 ;;
  esac
  ;;
emqx)
  # bin/emqx pings the node first; bin/nodetool says on standard error that it does not answer, and exits 1.
  [[ -f $FAKE/emqx-runs && -f $FAKE/started ]] || fail "Node 'emqx@192.168.0.10' not responding to pings."
  # bin/nodetool exits 0 only where the command returns "ok": no_ok stands behind words of one that returns a list or true.
  no_ok() { exit 1; }
  left() { printf 'Cluster status: %s\n' "#{running_nodes => ['emqx@192.168.0.10'],stopped_nodes => []}"; }
  case "$*" in
  "ctl status") echo "Node 'emqx@192.168.0.10' 5.8.9 is started" ;;
  "ctl cluster status --json")
    countdown joins-in && { echo '{"running_nodes":["emqx@192.168.0.10"],"stopped_nodes":[]}' && exit; }
    cat "$FAKE/cluster"
    ;;
  "ctl cluster force-leave "*)
    [[ -f $FAKE/force-leave ]] && state force-leave && exit
    echo "Remove the node from cluster successfully." && left
    ;;
  "ctl cluster leave")
    if [[ -f $FAKE/shards ]]; then
      printf '\e[31mOperation is unsafe: Node is still responsible for one or more DS shard replicas. %s\n\e[0m' \
        "Consult \`emqx ctl ds info' for details."
      no_ok
    fi
    [[ -f $FAKE/leave ]] && state leave && exit
    echo "Leave the cluster successfully." && left
    ;;
  "ctl ds info") printf 'THIS SITE:\n5A36C1D2E3F40516\n\nSITES:\nSite Node Status\n\nSHARDS:\n' ;;
  "ctl ds leave all 5A36C1D2E3F40516")
    countdown shards-stay || rm -f "$FAKE/shards"
    echo ok
    ;;
  "ctl rebalance start "*)
    [[ -f $FAKE/evacuates ]] && echo "Rebalance is already enabled" && no_ok
    touch "$FAKE/evacuates"
    echo "Rebalance(evacuation) started" && no_ok
    ;;
  "ctl rebalance stop")
    [[ -f $FAKE/evacuates ]] || { echo "Rebalance is already disabled" && no_ok; }
    rm "$FAKE/evacuates"
    echo "Rebalance(evacuation) stopped" && no_ok
    ;;
  "ctl admins passwd admin "*)
    [[ -f $FAKE/no-admin ]] && echo 'Error: username_not_found' && exit
    echo "$5" >"$FAKE/dashboard-password"
    echo ok
    ;;
  "ctl data export")
    made=emqx-export-2026-11-27-20-00-00.123
    archive=$EMQX_NODE_ROOT/var/lib/emqx/backup/$made.tar.gz
    echo "Exporting data to \"$archive\"..."
    [[ ! -f $FAKE/export-crashes ]] || {
      echo half >"$archive"
      echo "RPC to 'emqx@192.168.0.10' failed: nodedown"
      exit 1
    }
    [[ ! -f $FAKE/export-fails ]] || { echo half >"$archive" && state export-fails && exit; }
    echo "Exporting cluster configuration..."
    echo "Exporting additional files from EMQX data_dir: \"$EMQX_NODE_ROOT/var/lib/emqx\"..."
    echo "Exporting built-in database..."
    mkdir -p "$FAKE/$made/mnesia"
    printf 'edition = ce\nversion = "5.8.9"\n' >"$FAKE/$made/META.hocon"
    echo "mqtt {}" >"$FAKE/$made/cluster.hocon"
    state tables >"$FAKE/$made/mnesia/emqx_retainer_message"
    state tables >"$FAKE/$made/mnesia/emqx_authn_mnesia"
    tar -C "$FAKE" -czf "$archive" "$made/META.hocon" "$made/cluster.hocon" \
      "$made/mnesia/emqx_retainer_message" "$made/mnesia/emqx_authn_mnesia"
    echo "Data has been successfully exported to $archive."
    ;;
  "ctl data import "*)
    echo "Importing data from \"$4\"..."
    stat -c %a "$4" >"$FAKE/imported-mode"
    [[ ! -f $FAKE/import-fails ]] || { state import-fails && exit; }
    tar -xzOf "$4" "$(basename "$4" .tar.gz)/mnesia/emqx_retainer_message" >"$FAKE/imported"
    echo "Data has been imported successfully."
    ;;
  "ctl broker stats")
    count=$(state connections)
    printf '%-30s: %s\n' channels.count "${count:-0}" channels.max 7 connections.count "${count:-0}" connections.max 9 \
      live_connections.count "${count:-0}" live_connections.max 9
    countdown connections
    no_ok
    ;;
  *)
    # The list of commands, on standard output.
    echo "Usage: emqx ctl" && no_ok
    ;;
  esac
  ;;
timeout)
  arguments=$*
  grep -qxF "${arguments#*/dev/tcp/}" "$FAKE/reachable" || exit 124
  ;;
chown | find | sysctl | systemd-tmpfiles | xfs_growfs) ;;
*) fail "no such fake: $name" ;;
esac
