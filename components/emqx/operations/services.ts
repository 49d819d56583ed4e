/**
 * Part of operation "sync": the units around EMQX. The timer that runs "sync" itself, the service whose stop drains the
 * node before EMQX stops, the CloudWatch agent while monitoring is on, the timer of the backups while they are on.
 *
 * An agent that cannot be installed is said and tried again a minute later: it is no reason to keep clients waiting.
 */
export const servicesOperation = `# Part of sync: the units around EMQX
self=/var/lib/cloud/scripts/per-boot/emqx-node
units=$root/etc/systemd/system
# unit NAME TEXT [enable]
unit() {
  put 0644 root:root "$units/$1" "$2" || return 0
  systemctl daemon-reload
  [[ -z \${3:-} ]] || systemctl enable --quiet --now "$1"
}
unit emqx-node-sync.service "[Service]
Type=oneshot
ExecStart=$self sync"
unit emqx-node-sync.timer "[Timer]
OnActiveSec=60
OnUnitInactiveSec=60
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
TimeoutStopSec=230
[Install]
WantedBy=multi-user.target" enable

agent=$root/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl
start_agent() {
  local text
  [[ -x $agent ]] || try 120 dnf -q -y install amazon-cloudwatch-agent || return
  try 60 keep monitoring || return
  text=$(<"$work/value")
  text=\${text//'{NODE_NAME}'/emqx@$PRIVATE_IP}
  put 0644 root:root "$conf/monitoring.json" "$text" || true
  "$agent" -a fetch-config -m ec2 -s -c "file:$conf/monitoring.json" >"$work/out" 2>"$work/err"
}
if news monitoring "$seen"; then
  begin "starting the CloudWatch agent"
  if start_agent; then note monitoring "$seen"; else say "no agent yet: $(why)"; fi
elif [[ -z \${now[monitoring]:-} && -f $conf/monitoring.json ]]; then
  begin "stopping the CloudWatch agent"
  "$agent" -a stop >"$work/out" || true
  rm -f "$conf/monitoring.json"
  sed -i '/^monitoring /d' "$seen"
fi

if [[ -n \${now[backup]:-} ]]; then
  install_text backup "$conf/backup.env"
  # shellcheck source=/dev/null
  . "$conf/backup.env"
  unit emqx-backup.service "[Service]
Type=oneshot
ExecStart=$self backup"
  unit emqx-backup.timer "[Timer]
OnCalendar=$BACKUP_CALENDAR
Persistent=true
[Install]
WantedBy=timers.target" enable
elif [[ -f $units/emqx-backup.timer ]]; then
  begin "ending the backups"
  systemctl disable --quiet --now emqx-backup.timer
  rm -f "$units/emqx-backup."{timer,service} "$conf/backup.env"
  sed -i '/^backup /d' "$seen"
fi
`;
