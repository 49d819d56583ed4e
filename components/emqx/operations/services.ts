/**
 * Part of operation "sync": the units around EMQX. The timer that runs "sync" itself, the service whose stop drains the
 * node before EMQX stops, the CloudWatch agent while monitoring is on, the timer of the backups while they are on.
 *
 * - A unit is pending until systemd has taken it up: a run that was cut off between the file and systemd is repeated.
 * - Every unit has a time limit, a little more than what the script allows itself.
 * - An agent that cannot be installed is said and tried again a minute later: it is no reason to keep clients waiting.
 *   Its control program exits with 0 when the service does not start, and its `stop` leaves the unit enabled and a copy
 *   of the configuration in place (docs/emqx-commands.md).
 * - TLS's files and take_users stand here for "upkeep", which comes after it, because neither that nor "common" has room for them.
 */
export const servicesOperation = `# Part of sync: the units around EMQX
self=/var/lib/cloud/scripts/per-boot/emqx-node
units=$root/etc/systemd/system
# unit NAME TEXT [enable]
unit() {
  [[ -f $units/$1 && $(<"$units/$1") == "$2" && ! -f $conf/$1.pending ]] && return
  : >"$conf/$1.pending"
  put 0644 root:root "$units/$1" "$2"
  systemctl daemon-reload
  [[ -z \${3:-} ]] || systemctl enable --quiet --now "$1"
  rm -f "$conf/$1.pending"
}
unit emqx-node-sync.service "[Service]
Type=oneshot
ExecStart=$self sync
SuccessExitStatus=75
TimeoutStartSec=660"
unit emqx-node-sync.timer "[Timer]
OnActiveSec=60
OnUnitInactiveSec=60
AccuracySec=1s
[Install]
WantedBy=timers.target" enable
# Stopped before EMQX, since it starts after it
unit emqx-node-drain.service "[Unit]
After=emqx.service network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=$self drain
StandardError=journal+console
TimeoutStartSec=10
TimeoutStopSec=230
[Install]
WantedBy=multi-user.target" enable

agent=$root/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl
start_agent() {
  local text
  [[ -x $agent ]] || try 120 limit 120 dnf -q -y install amazon-cloudwatch-agent || return
  try 60 keep monitoring || return
  text=$(<"$work/value")
  text=\${text//'{NODE_NAME}'/emqx@$PRIVATE_IP}
  put 0644 root:root "$conf/monitoring.json" "$text"
  limit 120 "$agent" -a fetch-config -m ec2 -s -c "file:$conf/monitoring.json" >"$work/out" 2>"$work/err" || return
  systemctl is-active amazon-cloudwatch-agent >"$work/err" 2>&1
}
if news monitoring "$seen"; then
  begin "starting the CloudWatch agent"
  if start_agent; then note monitoring "$seen"; else say "no agent yet: $(why)"; fi
elif [[ -z \${now[monitoring]:-} && -f $conf/monitoring.json ]]; then
  begin "stopping the CloudWatch agent"
  limit 60 "$agent" -m ec2 -a stop >"$work/out" 2>&1 || true
  systemctl disable --quiet --now amazon-cloudwatch-agent
  limit 60 "$agent" -m ec2 -a remove-config -c all >"$work/out" 2>&1 || die "$(words "$work/out")"
  rm -f "$conf/monitoring.json"
  forget monitoring "$seen"
fi

if [[ -n \${now[backup]:-} ]]; then
  install_text backup "$conf/backup.env"
  # shellcheck source=/dev/null
  . "$conf/backup.env"
  unit emqx-backup.service "[Unit]
After=emqx.service network-online.target
[Service]
Type=oneshot
ExecStart=$self backup
TimeoutStartSec=1860
TimeoutStopSec=60"
  unit emqx-backup.timer "[Timer]
OnCalendar=$BACKUP_CALENDAR
Persistent=true
AccuracySec=1s
[Install]
WantedBy=timers.target" enable
elif [[ -f $units/emqx-backup.timer || -f $conf/backup.env ]]; then
  begin "ending the backups"
  [[ ! -f $units/emqx-backup.timer ]] || systemctl disable --quiet --now emqx-backup.timer
  rm -f "$units/emqx-backup."{timer,service} "$conf/backup.env"
  forget backup "$seen"
fi

# A boot does so once EMQX is installed
if [[ -z \${booting:-} ]]; then
  # shellcheck source=/dev/null
  . "$conf/operations/tls"
fi

users=$data/emqx-node.users
# take_users: those of the parameter, and none that was in it before
take_users() {
  local name word superuser names
  secret dashboard-password "$password" "$rule"
  login "$value" || die "dashboard user admin: $(why)"
  : >"$work/value"
  [[ -z \${now[mqtt-users]:-} ]] || try 300 keep mqtt-users || die "parameter $PARAMETER_PREFIX/mqtt-users: $(why)"
  names=$(sed 's/,.*//' "$work/value")
  [[ ! -f $users ]] || for name in $(<"$users"); do
    [[ $'\\n'$names$'\\n' == *$'\\n'"$name"$'\\n'* ]] || user DELETE "/$name" '' >"$work/out" 2>"$work/err" ||
      grep -q ' 404' "$work/err" || die "MQTT user $name: $(why)"
  done
  put 0600 root:root "$users" "$names"
  while IFS=, read -r name word superuser; do give_user "$name" "$word" "$superuser"; done <"$work/value"
}
`;
