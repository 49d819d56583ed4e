/**
 * Operation "sync": makes a node fit its parameters. Every minute, by a timer of systemd, and twice during a boot: before
 * EMQX is installed, so that logs and metrics of a failing boot arrive, and once EMQX runs.
 *
 * - It asks for the parameters' versions, without decrypting any, and fetches only what is new. What it has fetched is
 *   noted in two lists of "name version": on the root disk what a new instance must do again (operations, agent,
 *   timers), on the data volume what the cluster's database has taken up (passwords), which outlives the instance.
 * - Passwords are changed in the running cluster: clients stay connected. `emqx ctl admins passwd` is EMQX's only way
 *   without the old password; for a second, the new one is an argument of a process. So it is used only where the
 *   dashboard does not know the password yet.
 * - A member that has stopped and is not one of MEMBERS any more was removed: the others strike it off. A member that
 *   only stopped is left alone.
 * - Last, the node reports what it has taken up in nodes/<n>/applied, for which `pulumi up` waits after a rotation.
 */
export const syncOperation = `# Makes this node fit its parameters; every minute by emqx-node-sync.timer
if [[ -z \${locked:-} ]]; then
  exec 9>"$root/run/emqx-node.lock"
  flock -n 9 || return 0
fi
seen=$conf/seen
taken=$data/emqx-node.applied
step="reading the versions of the parameters under $PARAMETER_PREFIX"
versions() {
  printf "$PARAMETER_PREFIX/%s\\n" cluster dashboard-password mqtt-password license-key monitoring backup \\
    operations/{sync,services,join,drain,backup,restore} |
    xargs -n 10 aws ssm get-parameters --query 'Parameters[].[Name,Version]' --output text --names
}
try 60 versions >"$work/versions" || die "$(why)"
declare -A now=()
while read -r name version; do now[\${name#"$PARAMETER_PREFIX/"}]=$version; done <"$work/versions"

# news NAME LIST: there is a version that is not in the list; note NAME LIST: now it is
news() { [[ -n \${now[$1]:-} ]] && ! grep -qxF "$1 \${now[$1]}" "$2" 2>/dev/null; }
note() {
  touch "$2"
  sed -i "\\#^$1 #d" "$2"
  echo "$1 \${now[$1]}" >>"$2"
}
# install_text NAME FILE: the parameter's text, if it is new
install_text() {
  news "$1" "$seen" || return 0
  begin "fetching $1"
  try 60 keep "$1" || die "parameter $PARAMETER_PREFIX/$1: $(why)"
  put 0644 root:root "$2" "$(<"$work/value")" || true
  note "$1" "$seen"
}
for name in sync services join drain backup restore; do
  install_text "operations/$name" "$conf/operations/$name"
done
install_text cluster "$conf/cluster.env"
# shellcheck source=/dev/null
. "$conf/cluster.env"
# shellcheck source=/dev/null
. "$conf/operations/services"
running 2>"$work/err" || return 0

if [[ -f $data/emqx-node.evacuating ]]; then
  begin "ending an evacuation that was cut off"
  emqx ctl rebalance stop >"$work/out" || true
  rm -f "$data/emqx-node.evacuating"
fi
for node in $(members stopped_nodes); do
  [[ " $MEMBERS " == *" \${node#emqx@} "* ]] && continue
  begin "removing $node, which has left the deployment, from the cluster"
  emqx ctl cluster force-leave "$node" >"$work/out" || say "$(tail -n 1 "$work/out")"
done

if [[ $HAS_LICENSE == true ]] && news license-key "$seen"; then
  begin "renewing the licence"
  secret license-key '^[^[:space:]]+$' "a licence key in one line"
  put 0640 root:emqx "$conf/license.key" "$value" || true
  note license-key "$seen"
fi
# api METHOD PATH: with the JSON from standard input and the headers in $work/headers
api() {
  curl -fsS --max-time 10 -X "$1" -H @"$work/headers" --data @- "http://127.0.0.1:18083/api/v5/$2"
}
login() {
  echo 'Content-Type: application/json' >"$work/headers"
  token=$(printf '{"username":"admin","password":"%s"}' "$1" | api POST login 2>"$work/err" |
    sed -n 's/.*"token" *: *"\\([^"]*\\)".*/\\1/p') || true
  (umask 077 && printf 'Authorization: Bearer %s\\n' "$token" >>"$work/headers")
  [[ -n $token ]]
}
if news dashboard-password "$taken" || news mqtt-password "$taken"; then
  begin "taking up the passwords"
  secret dashboard-password "$password" "$rule"
  if ! login "$value"; then
    emqx ctl admins passwd admin "$value" >"$work/out" || true
    login "$value" || die "dashboard user admin: $(tail -n 1 "$work/out"); $(why)"
  fi
  note dashboard-password "$taken"
fi
if [[ -n $MQTT_USERNAME ]] && news mqtt-password "$taken"; then
  secret mqtt-password "$password" "$rule"
  printf '{"password":"%s"}' "$value" |
    api PUT "authentication/password_based:built_in_database/users/$MQTT_USERNAME" >"$work/out" 2>"$work/err" ||
    die "MQTT user $MQTT_USERNAME: $(why)"
  note mqtt-password "$taken"
fi

applied=
for name in dashboard-password mqtt-password license-key; do
  [[ -z \${now[$name]:-} ]] || applied+="$name=\${now[$name]} "
done
[[ -f $conf/reported && $(<"$conf/reported") == "$applied" ]] && return
begin "reporting the parameters as taken up"
try 60 aws ssm put-parameter --overwrite --name "$PARAMETER_PREFIX/nodes/$NODE_NUMBER/applied" \\
  --value "\${applied% }" >"$work/out" || die "$(why)"
put 0644 root:root "$conf/reported" "$applied" || true
`;
