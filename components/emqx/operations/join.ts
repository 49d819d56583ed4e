/**
 * Operation "join": the end of a boot, once EMQX runs. Waits until the node is in one cluster with all that are up and
 * every load balancer has it in service, and reports it ready. May be run again by hand.
 *
 * - A seed counts as up when its distribution port answers, and then it must be in one cluster with this node.
 *   Seeds are tried all at once: an address without a machine costs three seconds. The node's own port must answer
 *   too: it does not if EMQX took other ports than the security groups know.
 */
export const joinOperation = `# Joins the cluster, waits for the load balancers, reports the node ready
begin "joining the cluster"
seeds=$(sed -n '/static.seeds/,/]/s/.*"emqx@\\(.*\\)".*/\\1/p' "$root/etc/emqx/emqx.conf")
seeds_up() {
  local seed
  for seed in $seeds; do
    (timeout 3 bash -c ": </dev/tcp/$seed/$DISTRIBUTION_PORT" && echo "$seed") 2>/dev/null &
  done
  wait
}
joined() {
  local up seed
  up=$(seeds_up)
  grep -qxF "$PRIVATE_IP" <<<"$up" || {
    echo "its own port $DISTRIBUTION_PORT does not answer" >&2
    return 1
  }
  members running_nodes >"$work/members" || return
  for seed in $up; do
    grep -qxF "emqx@$seed" "$work/members" && continue
    echo "emqx@$seed is up, but not in one cluster with this node" >&2
    return 1
  done
}
try "$READINESS_TIMEOUT_SECONDS" joined || die "$(why)"

begin "applying the parameters"
operate sync

metadata() {
  local url=http://169.254.169.254/latest token
  token=$(curl -fsS --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $url/api/token) &&
    curl -fsS --max-time 5 -H "X-aws-ec2-metadata-token: $token" "$url/meta-data/$1"
}
begin "asking for the instance's id"
try 60 metadata instance-id >"$work/id" || die "$(why)"
id=$(<"$work/id")

in_service() {
  local names name state count=0
  names=$(parameter load-balancers) || return
  for name in \${names//,/ }; do
    state=$(aws elb describe-instance-health --load-balancer-name "$name" --instances "InstanceId=$id" \\
      --query 'InstanceStates[0].[State,Description]' --output text) || return
    [[ $state == InService* ]] || { echo "$name: $state" >&2 && return 1; }
    count=$((count + 1))
  done
  ((count == LOAD_BALANCER_COUNT)) && return
  echo "parameter load-balancers names $count, expected $LOAD_BALANCER_COUNT" >&2
  return 1
}
if ((LOAD_BALANCER_COUNT > 0)); then
  begin "waiting for the load balancers to take $id into service"
  try "$READINESS_TIMEOUT_SECONDS" in_service || die "$(why)"
fi

begin "reporting $id as ready"
ready=nodes/$NODE_NUMBER/ready
report() {
  [[ $(parameter "$ready") == "$id" ]] ||
    aws ssm put-parameter --overwrite --name "$PARAMETER_PREFIX/$ready" --value "$id" >/dev/null
}
try 120 report || die "$(why)"
say "node $NODE_NUMBER is ready"
`;
