/**
 * Operation "drain": what a node does before EMQX stops. systemd runs it while the system shuts down, so that a node which
 * is replaced, removed, or switched off in the console is drained alike. By then it has left the load balancer, if
 * Pulumi is the reason.
 *
 * - Where EMQX can evacuate (Enterprise, and all versions from 5.9 on) its clients are disconnected at a rate that fits
 *   the time, and their sessions move to other nodes. The open source edition can only wait for clients that leave by
 *   themselves. Either way, DRAIN_SECONDS count from the beginning, and 40 more for all there is to ask and to end: EC2 cuts the power about four minutes after it asked.
 * - A Network Load Balancer sends new clients to a deregistered target for two minutes more, and for 30 to 40 seconds to one that it
 *   has found unhealthy (github.com/aws/containers-roadmap/issues/470). So where there are target groups the health check is made
 *   to fail first: what the management port answers reaches this machine alone (the table of its own addresses comes before
 *   rule 1), until a reboot or "sync" takes that back. DRAIN_SECONDS count from when no new clients come, as far as the time reaches.
 *   Who was deregistered before has nothing to fail: it waits for the two minutes.
 * - EMQX goes on evacuating after a restart, on a new instance with the old volume as well. So it is told to end before
 *   it stops; where the power went first, a file on the volume tells the operation "sync" to do so.
 * - No "sync" goes on meanwhile: this run has the lock.
 * - Alone in its cluster, a node has nowhere to send its clients.
 * - A node that is not one of MEMBERS any more leaves the cluster. EMQX from 5.9 on refuses that while the node holds
 *   shards of its durable storage: then they are told to leave first. If it does not get to all that, the others notice.
 * - `broker stats` and `rebalance` exit with 1 though they work (docs/emqx-commands.md): their words count.
 */
export const drainOperation = `# Before EMQX stops: moves the clients, leaves the cluster if removed. By emqx-node-drain.service
# shellcheck source=/dev/null
. "$conf/cluster.env"
clock
start=$uptime
allow $((DRAIN_SECONDS + 40))
state=$(systemctl is-active emqx 2>"$work/err" || true)
if [[ $state != active ]]; then
  say "EMQX does not run (\${state:-$(why)}): nothing to drain"
  return 0
fi
begin "draining"
try 20 running || die "EMQX does not answer, so no client was moved: $(why)"
hold 10 || say "going on all the same: $(busy)"
if patience=10 keep cluster 2>"$work/err"; then
  TARGET_GROUPS=
  # shellcheck source=/dev/null
  . "$work/value"
else
  say "members as last heard of: $(why)"
fi
end=$((start + DRAIN_SECONDS)) span=$DRAIN_SECONDS
deadline=$((end + 40))
connections() {
  patience=10 emqx ctl broker stats >"$work/stats" || true
  [[ $(<"$work/stats") =~ (^|$'\\n')connections.count\\ *:\\ *([0-9]+) ]] && count=\${BASH_REMATCH[2]} && return
  echo "emqx ctl broker stats: $(words "$work/stats")" >&2
  return 1
}
# Whether EMQX said it: emqx's exit code does not tell
told() {
  emqx ctl "\${@:2}" >"$work/out" 2>&1 || true
  grep -qE "$1" "$work/out" || { words "$work/out" >&2 && return 1; }
}
closed() { limit 10 ip rule add pref 1 ipproto tcp sport 18083 prohibit || grep -q exists "$work/err"; }
unused() {
  for group in $TARGET_GROUPS; do
    state=$(aws elbv2 describe-target-health --target-group-arn "$group" --targets "Id=$id" \\
      --query 'TargetHealthDescriptions[0].TargetHealth.State' --output text) || return
    [[ $state != draining ]] || pause=120
    [[ $state != @(healthy|initial) ]] || { echo "\${group##*:}: $state" >&2 && return 1; }
  done
}
unmoved=
try 20 members || unmoved="EMQX does not tell its members, so no client was moved: $(why)"
if [[ -z $unmoved && $members == *" "* ]]; then
  if [[ -n \${TARGET_GROUPS:-} ]]; then
    begin "failing the load balancers' health check"
    deadline=$((start + 190))
    : >"$run.closed"
    pause=40
    if try 10 closed && try 20 instance && try 60 unused; then sleep $pause; else say "$(why)"; fi
    clock
    ((span < start + 150 - uptime)) || span=$((start + 150 - uptime))
    end=$((uptime + span))
    deadline=$((end + 40))
  fi
  # EMQX's own default
  count=unknown rate=500
  if try 10 connections; then rate=$((count * 2 / (span + 1) + 100)); else say "$(why)"; fi
  if [[ $PACKAGE_NAME == emqx-enterprise ]]; then
    begin "evacuating $count connections, $rate a second"
    : >"$data/emqx-node.evacuating" || say "a power cut would leave it so"
    try 10 told 'started|already enabled' rebalance start --evacuation --wait-health-check 1 --wait-takeover 1 \\
      --conn-evict-rate "$rate" --sess-evict-rate "$rate" || say "it did not begin: $(why)"
  else
    begin "waiting for $count connections to end"
  fi
  while clock && ((uptime < end)); do
    if connections 2>"$work/err" && ((count == 0)); then break; fi
    sleep 2
  done
  say "$count connections left"
fi
if [[ $PACKAGE_NAME == emqx-enterprise && -n \${count:-} ]]; then
  if try 10 told 'stopped|already disabled' rebalance stop; then
    rm -f "$data/emqx-node.evacuating"
  else
    say "the evacuation did not end: $(why)"
  fi
fi
if [[ " $MEMBERS " != *" $PRIVATE_IP "* ]]; then
  begin "leaving the cluster"
  leave() { told 'Leave the cluster successfully' cluster leave; }
  if ! leave 2>"$work/err" && grep -q 'DS shard' "$work/err"; then
    say "moving its shards of durable storage first"
    site=$(emqx ctl ds info | sed -n '/^THIS SITE:/{n;p;}') || true
    try 10 told '^(ok|unchanged)' ds leave all "$site" || say "$(why)"
  fi
  grep -q 'Leave the cluster' "$work/out" || try 40 leave ||
    die "$(why) The others strike the node off once it has stopped; shards stay lost until emqx ctl ds forget"
fi
[[ -z $unmoved ]] || die "$unmoved"
`;
