/** What the other operations have in common: the boot script reads it before each of them. */
export const commonFunctions = `# For the other operations
password='^[A-Za-z0-9!#%&()*+./:;<=>?@^_{|}~-]{8,64}$'
rule="8 to 64 letters, digits or signs, but no quotes, comma, backslash, dollar"
license='^(default|evaluation|[A-Za-z0-9+/]+=*\\.[A-Za-z0-9+/]+=*)$'
# secret NAME PATTERN RULE: sets value
secret() {
  try 300 keep "$1" || die "parameter $PARAMETER_PREFIX/$1: $(why)"
  value=$(<"$work/value")
  [[ $1 != license-key ]] || value=\${value//[$' \\r\\n']/}
  [[ $value =~ $2 ]] || die "parameter $PARAMETER_PREFIX/$1 must be $3"
}

# secret_settings SECRETS.ENV: sets value; a reload wants the cookie in a file, too
secret_settings() {
  try 300 keep secret-config || die "parameter $PARAMETER_PREFIX/secret-config: $(why)"
  value=\${1#*=}
  value="node.cookie = \\"\${value%%$'\\n'*}\\""$'\\n'$(<"$work/value")$'\\n'
  # shellcheck source=/dev/null
  [[ $value != *$'\\n# from '* ]] || . "$conf/operations/existing"
}
# A running EMQX is to read it again
take_acl() {
  try 300 keep acl || die "parameter $PARAMETER_PREFIX/acl: $(why)"
  [[ ! -f $conf/acl.conf || $(<"$conf/acl.conf") == "$(<"$work/value")" ]] || : >"$conf/reload"
  put 0640 root:emqx "$conf/acl.conf" "$(<"$work/value")"$'\\n'
}
reads() { grep -q "$1" "$root/etc/emqx/emqx.conf"; }

user() { printf '{%s}' "$3" | api "$1" "authentication/password_based:built_in_database/users$2"; }
# NAME PASSWORD SUPERUSER; another node may be adding it, too
give_user() {
  local json='"password":"'$2'","is_superuser":'$3
  { user PUT "/$1" "$json" || user POST '' "\\"user_id\\":\\"$1\\",$json" || user PUT "/$1" "$json"; } \\
    >"$work/out" 2>"$work/err" || die "MQTT user $1: $(why)"
  grep -q '"user_id"' "$work/out" || die "MQTT user $1: $(words "$work/out")"
}
# Of the node's role, as curl reads them
credentials() {
  local path=iam/security-credentials/ name
  name=$(metadata "$path") && metadata "$path$name" | sed -nzE 's/.*"AccessKeyId" *: *"([^"]*)".*"SecretAccessKey" *: *"([^"]*)".*"Token" *: *"([^"]*)".*/user = "\\1:\\2"\\nheader = "X-Amz-Security-Token: \\3"\\n/p'
}
# ask NAME...: asks SSM; $work/fields has name, value (as JSON) and version
ask() {
  local list
  printf -v list ',"%s"' "$@"
  { [[ -z \${booting:-} ]] && ask_by_curl ssm AmazonSSM.GetParameters "{\\"Names\\":[\${list#,}]}" 2>/dev/null; } ||
    aws ssm get-parameters --output json --names "$@" >"$work/answer" || return
  grep -oE '"(Name|Value|Version)": *("([^"\\\\]|\\\\.)*"|[0-9]+)' "$work/answer" >"$work/fields" || true
}
# ask_by_curl SERVICE TARGET JSON
ask_by_curl() {
  [[ -s $run.role ]] || (umask 077 && credentials >"$run.role") || return
  curl --max-time 10 -K "$run.role" --aws-sigv4 "aws:amz:$REGION:$1" -H "X-Amz-Target: $2" \\
    -H 'Content-Type: application/x-amz-json-1.1' --data "$3" "https://$1.$REGION.amazonaws.com/" >"$work/answer" &&
    [[ $(<"$work/answer") == *"}" ]] && return
  # They may have expired
  rm -f "$run.role" && return 1
}

seen=$conf/seen
# news NAME LIST: there is a version that is not in the list
news() {
  local text=
  [[ ! -f $2 ]] || text=$(<"$2")
  [[ -n \${now[$1]:-} && $'\\n'$text$'\\n' != *$'\\n'"$1 \${now[$1]}"$'\\n'* ]]
}

running() {
  curl --max-time 5 http://127.0.0.1:18083/status >"$work/status" || return
  [[ $(<"$work/status") == *'emqx is running'* ]] || { echo "its /status does not say that it runs" >&2 && return 1; }
}
# Sets members and stopped, the cluster's nodes that run and that do not
# shellcheck disable=SC2034 # for the operations
members() {
  emqx ctl cluster status --json >"$work/cluster" || return
  local text
  text=$(<"$work/cluster")
  text=\${text//[[:space:]\\"]/}
  [[ $text =~ running_nodes:\\[([^]]+)\\] ]] && members=\${BASH_REMATCH[1]//,/ } &&
    [[ $text =~ stopped_nodes:\\[([^]]*)\\] ]] && stopped=\${BASH_REMATCH[1]//,/ } && return
  echo "emqx ctl cluster status: \${text:-no words}" >&2
  return 1
}
`;
