/**
 * Operation "drain": what a node does before EMQX stops. systemd runs it while the system shuts down, so that a node which
 * is replaced, removed, or switched off in the console is drained alike. By then it has left the load balancer, if
 * Pulumi is the reason.
 *
 * - Where EMQX can evacuate (Enterprise, and all versions from 5.9 on) its clients are disconnected at a rate that fits
 *   the time, and their sessions move to other nodes. The open source edition can only wait for clients that leave by
 *   themselves. Either way, no longer than DRAIN_SECONDS: EC2 cuts the power about four minutes after it asked.
 * - EMQX goes on evacuating after a restart, on a new instance with the old volume as well. So it is told to end before
 *   it stops; where the power went first, a file on the volume tells the operation "sync" to do so.
 * - Alone in its cluster, a node has nowhere to send its clients.
 * - A node that is not one of MEMBERS any more leaves the cluster. If it does not get to that, the others notice.
 */
export const drainOperation = `# Before EMQX stops: moves the clients, leaves the cluster if removed. By emqx-node-drain.service
running 2>"$work/err" || return 0
# No sync meanwhile
exec 9>"$root/run/emqx-node.lock"
flock -w 20 9 || true
begin "draining"
if keep cluster 2>"$work/err"; then put 0644 root:root "$conf/cluster.env" "$(<"$work/value")" || true; fi
# shellcheck source=/dev/null
. "$conf/cluster.env"
end=$((SECONDS + DRAIN_SECONDS))
connections() { emqx ctl broker stats | sed -n 's/^connections.count *: *//p'; }
members running_nodes >"$work/members"
if (($(grep -c . "$work/members") > 1)); then
  count=$(connections)
  if [[ $PACKAGE_NAME == emqx-enterprise ]]; then
    rate=$((count * 2 / DRAIN_SECONDS + 100))
    begin "evacuating $count connections, $rate a second"
    touch "$data/emqx-node.evacuating"
    emqx ctl rebalance start --evacuation --wait-health-check 1 --wait-takeover 1 \\
      --conn-evict-rate "$rate" --sess-evict-rate "$rate" >"$work/out" || say "$(tail -n 1 "$work/out")"
  else
    begin "waiting for $count connections to end"
  fi
  while ((SECONDS < end)); do
    count=$(connections)
    ((count > 0)) || break
    sleep 2
  done
  say "$count connections left"
  if [[ -f $data/emqx-node.evacuating ]]; then
    emqx ctl rebalance stop >"$work/out" || true
    rm -f "$data/emqx-node.evacuating"
  fi
fi
if [[ " $MEMBERS " != *" $PRIVATE_IP "* ]]; then
  begin "leaving the cluster"
  emqx ctl cluster leave >"$work/out" || say "$(tail -n 1 "$work/out")"
fi
`;
