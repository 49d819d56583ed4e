/**
 * Part of `secret_settings`: settings whose values stand in parameters and secrets that somebody else keeps. The parameter
 * `secret-config` names them in lines `# from PATH NAME [FIELD]`, of which EMQX takes no notice. Deployments without such a setting do not
 * have it.
 *
 * - They are asked for every minute, too ("upkeep", with the file as it is), because a secret of Secrets Manager has no version that could be asked for without it.
 * - What cannot be had is no reason to leave passwords and users as they are: it is said, and asked for again a minute later. Only where
 *   it was never there, or the deployment names another, it ends the run.
 * - A text stays in the form that JSON gives it, which HOCON takes as it is: nothing is unpacked and packed again.
 * - A secret often is an object of JSON; then its field is such a text in such a text, of which one layer is taken off. An escaped
 *   backslash is put aside meanwhile, for it may stand before an n.
 */
export const existingOperation = `# Part of secret_settings and upkeep: adds to value what stands in other parameters, and in secrets
insist=60
if [[ \${1:-} == again ]]; then
  insist=0
  [[ -f $conf/secret.conf ]] && ! news secret-config "$seen" || return 0
  step="taking up the secret settings"
  value=$(<"$conf/secret.conf")
fi
[[ $value == *$'\\n# from '* ]] || return 0
# Less what was found the last time
text=\${value##*$'\\n# from '}
value=\${value%$'\\n# from '*}$'\\n# from '\${text%%$'\\n'*}$'\\n'
# value_of NAME: sets text, as JSON has it
value_of() {
  local service=ssm target=AmazonSSM.GetParameter json='"Name":"'$1'","WithDecryption":true'
  local call=(ssm get-parameter --with-decryption --name "$1")
  if [[ $1 == arn:* ]]; then
    service=secretsmanager target=secretsmanager.GetSecretValue json='"SecretId":"'$1'"'
    call=(secretsmanager get-secret-value --secret-id "$1")
  fi
  { [[ -z \${booting:-} ]] && ask_by_curl "$service" "$target" "{$json}" 2>/dev/null; } ||
    aws "\${call[@]}" --output json >"$work/answer" || return
  text=$(grep -oE '"(Value|SecretString)": *"([^"\\\\]|\\\\.)*"' "$work/answer") || { echo "no text in the answer" >&2 && return 1; }
  text=\${text#*\\"*\\"*\\"}
  text=\${text%\\"}
}
# of_field NAME: of an object that is a text itself
of_field() {
  local pattern='"'$1'" *: *"(([^"\\\\]|\\\\.)*)"'
  text=$(printf '%s' "$text" | sed -E 's/\\\\\\\\/\\x01/g; s/\\\\[nrt]/ /g; s/\\\\(["/])/\\1/g; s/\\x01/\\\\/g')
  [[ $text =~ $pattern ]] && text=\${BASH_REMATCH[1]}
}
missing() {
  ((insist == 0)) || die "$*"
  say "going on with the secret settings as they are: $*"
}
taken_by='^([^\\\\]|\\\\[^u])*([^\\\\]|\\\\[^u\\\\])$'
declare -A known=()
while read -r _ from path name field; do
  [[ $from == from ]] || continue
  if [[ -z \${known[$name]:-} ]]; then
    try "$insist" value_of "$name" || { missing "$name, from which $path is taken: $(why)" && return 0; }
    known[$name]=$text
  fi
  text=\${known[$name]}
  [[ -z $field ]] || of_field "$field" || { missing "$name, from which $path is taken, has no text $field" && return 0; }
  # HOCON does not know JSON's slash
  [[ $text != *'\\/'* ]] || text=$(printf '%s' "$text" | sed -E 's/\\\\\\\\/\\x01/g; s|\\\\/|/|g; s/\\x01/\\\\\\\\/g')
  # As an editor leaves it
  while [[ $text == *'\\n' && $text != *'\\\\n' ]]; do text=\${text%'\\n'}; done
  if [[ ! $text =~ $taken_by ]]; then
    missing "$name, from which $path is taken: EMQX takes no text that is empty, has control characters or ends in a backslash"
    return 0
  fi
  value+="$path = \\"$text\\""$'\\n'
done < <(printf '%s' "$value")
if [[ \${1:-} == again && $(<"$conf/secret.conf") != "\${value%$'\\n'}" ]]; then
  say "$step"
  : >"$conf/reload"
  put 0640 root:emqx "$conf/secret.conf" "$value"
fi
`;
