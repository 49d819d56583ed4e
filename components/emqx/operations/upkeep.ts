/**
 * Part of operation "sync": what EMQX itself is told while it runs.
 *
 * - A member that has stopped and is not one of MEMBERS any more was removed: the others strike it off. A member that
 *   only stopped is left alone. Asking EMQX for its members is dear, so it is asked until none is left that the
 *   deployment does not have, and then not before the deployment's members change.
 * - Settings that are secret and what clients may do are read again by EMQX from its files: clients stay connected. Of what the command
 *   says only names are repeated, as it may show the values, too.
 * - Passwords are changed in the running cluster: clients stay connected. `emqx ctl admins passwd` is EMQX's only way
 *   without the old password, and has the new one in a process's arguments and in the audit log. So `emqx eval` calls what is behind
 *   that command, and EMQX reads the password from a file on the tmpfs that is user emqx's alone. It is seen to have
 *   worked by a login.
 * - MQTT users are added, changed and deleted in the running cluster, by each node: which ones it gave stands on the data volume, so that
 *   those that are gone from the parameter are deleted, and nobody else's.
 */
export const upkeepOperation = `# Part of sync: what EMQX is told while it runs
if [[ -f $data/emqx-node.evacuating ]]; then
  begin "ending an evacuation that was cut off"
  # Exits with 1 though it works
  emqx ctl rebalance stop >"$work/out" 2>&1 || true
  grep -qE 'stopped|already disabled' "$work/out" || die "$(words "$work/out")"
  rm -f "$data/emqx-node.evacuating"
fi

now[members]=\${now[cluster]}
if news members "$seen"; then
  try 60 members || die "$(why)"
  strangers=
  # shellcheck disable=SC2086 # names, one a word
  for node in $members $stopped; do
    [[ $node != emqx@* || " $MEMBERS " == *" \${node#emqx@} "* ]] || strangers+=" $node"
  done
  for node in $strangers; do
    [[ " $stopped " == *" $node "* ]] || continue
    begin "removing $node, which has left the deployment, from the cluster"
    emqx ctl cluster force-leave "$node" >"$work/out" 2>&1 || true
    grep -q 'Remove the node from cluster successfully' "$work/out" || say "$node: $(words "$work/out")"
  done
  [[ -n $strangers ]] || note members "$seen"
fi

if [[ $HAS_LICENSE == true ]] && news license-key "$seen"; then
  begin "renewing the licence"
  secret license-key "$license" "a licence key: two Base64 texts with a dot between"
  put 0640 root:emqx "$conf/license.key" "$value"
  note license-key "$seen"
fi

if news acl "$seen" && reads '"/etc/emqx-node/acl.conf"'; then
  begin "taking up the ACL"
  take_acl
fi
# shellcheck source=/dev/null
[[ ! -f $conf/operations/existing ]] || . "$conf/operations/existing" again
if news secret-config "$seen" && reads '^include '; then
  begin "taking up the secret settings"
  secret_settings "$(<"$conf/secrets.env")"
  [[ $(<"$conf/secret.conf") == "\${value%$'\\n'}" ]] || : >"$conf/reload"
  put 0640 root:emqx "$conf/secret.conf" "$value"
fi
if [[ -f $conf/reload ]]; then
  patience=60 emqx ctl conf reload >"$work/out" 2>&1 || {
    tried=$?
    grep -oE 'check config failed|bad_hocon_file|\\w*_acl_file\\w*|Root key: \\w+|path => "[^"]*"|reason => [a-z_]+|not responding|no answer .*' \\
      "$work/out" >"$work/err" || true
    die "emqx ctl conf reload: $(tr '\\n' ' ' <"$work/err")exit code $tried"
  }
  rm -f "$conf/reload"
fi
for name in acl secret-config; do
  if news "$name" "$seen"; then note "$name" "$seen"; fi
done
# api METHOD PATH: with JSON from standard input
api() { curl --max-time 10 -X "$1" -H @"$work/headers" --data @- "http://127.0.0.1:18083/api/v5/$2"; }
login() {
  local token
  echo 'Content-Type: application/json' >"$work/headers"
  token=$(printf '{"username":"admin","password":"%s"}' "$1" | api POST login 2>"$work/err" |
    sed -n 's/.*"token" *: *"\\([^"]*\\)".*/\\1/p') || true
  printf 'Authorization: Bearer %s\\n' "$token" >>"$work/headers"
  [[ -n $token ]]
}
if news dashboard-password "$taken" || news mqtt-password "$taken"; then
  begin "taking up the passwords"
  secret dashboard-password "$password" "$rule"
  if ! login "$value"; then
    finish() { rm -rf "$work" "$run.password"; }
    (umask 077 && printf '%s' "$value" >"$run.password" && chown emqx:emqx "$run.password")
    read='element(2, file:read_file("'$run.password'"))'
    emqx eval "emqx_dashboard_cli:admins([\\"passwd\\", \\"admin\\", binary_to_list($read)])" >"$work/out" 2>&1 || true
    rm -f "$run.password"
    login "$value" || die "dashboard user admin: $(grep -m 1 Error "$work/out" || words "$work/out"); $(why)"
  fi
  note dashboard-password "$taken"
fi
if [[ -n $MQTT_USERNAME ]] && news mqtt-password "$taken"; then
  secret mqtt-password "$password" "$rule"
  give_user "$MQTT_USERNAME" "$value" false
  note mqtt-password "$taken"
fi
if [[ -n $MQTT_USERNAME ]] && { news mqtt-users "$taken" || [[ -z \${now[mqtt-users]:-} && -s $users ]]; }; then
  begin "taking up the users"
  take_users
  [[ -z \${now[mqtt-users]:-} ]] || note mqtt-users "$taken"
fi
`;
