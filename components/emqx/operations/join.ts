/**
 * Operation "join": the end of a boot, once EMQX runs. Waits until the node is in one cluster with all that are up and
 * every load balancer has it in service and every target group calls it healthy, and reports it ready. May be run again by hand.
 *
 * - A seed counts as up when its distribution port answers, and then it must be in one cluster with this node. Only
 *   those that are not in the cluster are tried, all at once and in one process for all: an address without a machine costs
 *   three seconds. The node's own port must answer too: it does not if EMQX took other ports than the security groups know.
 * - That it was ready is noted where a reboot forgets it: "sync" reports it again when the parameter says otherwise.
 */
export const joinOperation = `# Joins the cluster, waits for the load balancers, reports the node ready
[[ -n \${locked:-} ]] || hold 60 || die "$(busy)"
begin "joining the cluster"
seeds=$(sed -n '/static.seeds/,/]/s/.*"emqx@\\(.*\\)".*/\\1/p' "$root/etc/emqx/emqx.conf")
# shellcheck disable=SC2016 # for the other bash
dial='for seed in "\${@:2}"; do (: <"/dev/tcp/$seed/$1" && echo "$seed") & done; wait'
# answering ADDRESS...: those whose distribution port takes a connection
answering() { timeout -k 1 3 bash -c "$dial" - "$DISTRIBUTION_PORT" "$@" 2>/dev/null 3>&- 9>&- || true; }
joined() {
  local seed absent=() up
  members || return
  for seed in $seeds; do
    [[ " $members " == *" emqx@$seed "* ]] || absent+=("$seed")
  done
  up=$(answering "$PRIVATE_IP" "\${absent[@]}")
  [[ $'\\n'$up$'\\n' == *$'\\n'"$PRIVATE_IP"$'\\n'* ]] || {
    echo "its own port $DISTRIBUTION_PORT does not answer" >&2
    return 1
  }
  for seed in $up; do
    [[ $seed == "$PRIVATE_IP" ]] || {
      echo "emqx@$seed is up, but not in one cluster with this node" >&2
      return 1
    }
  done
}
try "$READINESS_TIMEOUT_SECONDS" joined || die "$(why)"

begin "applying the parameters"
operate sync

begin "asking for the instance's id"
try 60 instance || die "$(why)"

in_service() {
  local names='' name state count=0
  for name in \${TARGET_GROUPS:-}; do
    state=$(aws elbv2 describe-target-health --target-group-arn "$name" --targets "Id=$id" \\
      --query 'TargetHealthDescriptions[0].TargetHealth.[State,Description]' --output text) || return
    [[ $state == healthy* ]] || { echo "\${name##*:}: \${state:-no state in the answer}" >&2 && return 1; }
  done
  ((LOAD_BALANCER_COUNT == 0)) || names=$(parameter load-balancers) || return
  for name in \${names//,/ }; do
    state=$(aws elb describe-instance-health --load-balancer-name "$name" --instances "$id" \\
      --query 'InstanceStates[0].[State,Description]' --output text) || return
    [[ $state == InService* ]] || { echo "$name: \${state:-no state in the answer}" >&2 && return 1; }
    count=$((count + 1))
  done
  ((count == LOAD_BALANCER_COUNT)) && return
  echo "parameter load-balancers names $count, expected $LOAD_BALANCER_COUNT" >&2
  return 1
}
if ((LOAD_BALANCER_COUNT > 0)) || [[ -n \${TARGET_GROUPS:-} ]]; then
  begin "waiting for the load balancers to take $id into service"
  try "$READINESS_TIMEOUT_SECONDS" in_service || die "$(why)"
fi

begin "reporting $id as ready"
if [[ \${said[nodes/$NODE_NUMBER/ready]:-} != "$id" ]]; then
  try 120 report ready "$id" || die "$(why)"
fi
echo "$id" >"$run.ready"
say "node $NODE_NUMBER is ready"
`;
