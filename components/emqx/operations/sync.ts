/**
 * Operation "sync": makes a node fit its parameters. Every minute, by a timer of systemd, and twice during a boot: before
 * EMQX is installed, so that logs and metrics of a failing boot arrive, and once EMQX runs.
 *
 * - It asks for the parameters' versions in one call, without decrypting any, and fetches only what is new. It asks by curl, which costs
 *   a tenth of what starting AWS's command line does; that is asked in a boot, and where curl gets no answer. What it has
 *   fetched is noted in two lists of "name version": on the root disk what a new instance must do again (agent,
 *   timers), on the data volume what the cluster's database has taken up (passwords), which outlives the instance.
 *   The operations themselves are listed in a parameter, by digest: a damaged one is fetched again.
 *   One call has room for ten names: the versions of further parameters stand in the parameter "cluster".
 * - An answer without the parameter "cluster" is none: nothing is switched off because SSM said nothing.
 * - It does nothing while another run has the lock, says so, and exits with 75 (EX_TEMPFAIL of sysexits.h).
 * - Last, the node reports what is true into its parameters, wherever they say something else: what it has taken up
 *   (nodes/<n>/applied, for which `pulumi up` waits after a rotation), and that it is ready, once it was.
 */
import { takenUp } from "../parameters";
import { archiveFunctions } from "./archive";

export const syncOperation = `# Makes this node fit its parameters, every minute
${archiveFunctions}if [[ -z \${locked:-} ]]; then
  allow 600
  hold 0 || { say "nothing done: $(busy)" && exit 75; }
fi
# Of a run that was killed
for stray in "$run.password" "$conf"/{,operations/}*.new "$root"/etc/{fstab,emqx/*,systemd/system/emqx-*}.new \\
  "$root"/usr/lib/emqx/releases/*.new "$data"/emqx-node.*.new; do
  [[ ! -e $stray ]] || rm -f "$stray"
done
# After a drain without a shutdown
if [[ -e $run.closed ]]; then
  begin "passing the health check again"
  limit 10 ip rule del pref 1 2>"$work/err" || grep -q 'No such' "$work/err" || die "$(why)"
  rm "$run.closed"
fi
taken=$data/emqx-node.applied
own=nodes/$NODE_NUMBER
step="reading the versions of the parameters under $PARAMETER_PREFIX"
declare -gA now said
versions() {
  local names=(cluster operations/list dashboard-password mqtt-password license-key secret-config monitoring backup "$own/ready" "$own/applied")
  local name text
  local -A field=()
  now=() said=()
  ask "\${names[@]/#/$PARAMETER_PREFIX/}" || return
  while IFS=: read -r name text; do
    text=\${text#*\\"}
    field[$name]=\${text%\\"}
    # Three a parameter, in whatever order
    ((\${#field[@]} == 3)) || continue
    name=\${field['"Name"']#"$PARAMETER_PREFIX/"}
    now[$name]=\${field['"Version"']# } said[$name]=\${field['"Value"']}
    field=()
  done <"$work/fields"
  [[ -n \${now[cluster]:-} ]] || { echo "no parameter cluster in the answer" >&2 && return 1; }
}
try 60 versions || die "$(why)"

# note NAME LIST: the present version is in the list now; forget NAME LIST: none is
forget() {
  local text=
  [[ ! -f $2 ]] || text=$(sed "\\\\#^$1 #d" "$2")
  put 0644 root:root "$2" "\${text:+$text$'\\n'}\${3:-}"
}
note() { forget "$1" "$2" "$1 \${now[$1]}"$'\\n'; }
# install_text NAME FILE: the parameter's text, if it is new or not there
install_text() {
  news "$1" "$seen" || [[ ! -s $2 ]] || return 0
  begin "fetching $1"
  try 60 keep "$1" || die "parameter $PARAMETER_PREFIX/$1: $(why)"
  put 0644 root:root "$2" "$(<"$work/value")"
  note "$1" "$seen"
}
install_text cluster "$conf/cluster.env"
# shellcheck source=/dev/null
. "$conf/cluster.env"
for name in \${VERSIONS:-}; do now[\${name%=*}]=\${name#*=}; done
[[ -n $MEMBERS ]] || die "parameter cluster names no members"
install_text operations/list "$conf/operations.env"
fetch_operations
# shellcheck source=/dev/null
. "$conf/operations/services"
if [[ -f $archive ]]; then
  # Of a run that was cut off, unless one is at it
  if hold_archive; then remove_archive; fi
  exec 8>&-
fi

step="asking EMQX"
if ! running 2>"$work/err"; then
  [[ -z \${booting:-} ]] || return 0
  die "EMQX does not answer: $(why)"
fi
# shellcheck source=/dev/null
. "$conf/operations/upkeep"

applied=
for name in ${takenUp.join(" ")}; do
  [[ -z \${now[$name]:-} ]] || applied+="\${applied:+ }$name=\${now[$name]}"
done
if [[ \${said[$own/applied]-$applied} != "$applied" ]]; then
  begin "reporting the parameters as taken up"
  try 60 report applied "$applied" || die "$(why)"
fi
if [[ -s $run.ready && \${said[$own/ready]-$(<"$run.ready")} != "$(<"$run.ready")" ]]; then
  begin "reporting $(<"$run.ready") as ready again"
  try 60 report ready "$(<"$run.ready")" || die "$(why)"
fi
`;
