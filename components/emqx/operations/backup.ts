/**
 * Operation "backup": exports EMQX's data into the cluster's bucket. systemd runs it on every node at the times of the
 * plan; all nodes have the same tables, so only the first one by name that runs exports, the others do nothing. By hand,
 * `backup here` exports on this node whatever the others do.
 *
 * - `emqx ctl data export` answers 0 whether it succeeded or not: its words tell. It writes into backup/ of the data
 *   directory as user emqx, who lets everybody read its files: the folder is closed to others.
 * - The file is in the tables' words a secret (hashes of passwords, keys of bridges). It leaves the disk in any case, also
 *   when EMQX stopped in the middle of it: the name is in the export's first line.
 * - CloudWatch is told of every export, stored or not: a backup that fails in silence is found missing on the day it is
 *   needed. That CloudWatch does not hear it does not fail the export.
 * - The name carries the time, to the millisecond: names sort by age, and no export takes another one's place.
 */
import { exportFailedMetric, metricsNamespace } from "../metrics";

export const backupOperation = `# Exports EMQX's data into the bucket: emqx-node backup [here]; by emqx-backup.timer
begin "asking which node exports"
[[ -f $conf/backup.env ]] || die "backups are off: there is no $conf/backup.env"
# shellcheck source=/dev/null
. "$conf/backup.env"
members running_nodes >"$work/members" 2>"$work/err" || die "EMQX does not answer: $(why)"
sort -o "$work/members" "$work/members"
read -r first <"$work/members" || die "EMQX does not tell who runs"
if [[ \${2:-} != here && $first != "emqx@$PRIVATE_IP" ]]; then
  say "$first does; nothing to do on this node"
  return 0
fi

begin "exporting EMQX's data"
file=
finish() {
  local failed=$(($? > 0))
  rm -rf "$work" "$file"
  aws cloudwatch put-metric-data --namespace ${metricsNamespace} --metric-name ${exportFailedMetric} \\
    --dimensions "Cluster=$PARAMETER_PREFIX" --value "$failed" || say "CloudWatch was not told"
}
trap finish EXIT
mkdir -p "$data/backup"
chown emqx:emqx "$data/backup"
chmod 0700 "$data/backup"
code=0
emqx ctl data export >"$work/out" 2>&1 || code=$?
name=$(grep -om 1 'emqx-export-[0-9.-]*\\.tar\\.gz' "$work/out") || die "$(tail -n 1 "$work/out")"
file=$data/backup/$name
if ((code > 0)) || ! grep -q 'successfully exported' "$work/out"; then
  die "$(grep -m 1 -F '[error]' "$work/out" || tail -n 1 "$work/out")"
fi
size=$(stat -c %s "$file")

begin "uploading $name"
upload() { aws s3 cp --only-show-errors "$file" "s3://$BACKUP_BUCKET/$BACKUP_PREFIX$name"; }
stored() {
  aws s3api head-object --bucket "$BACKUP_BUCKET" --key "$BACKUP_PREFIX$name" --query ContentLength --output text
}
try 300 upload || die "$(why)"
try 60 stored >"$work/size" || die "$(why)"
[[ $(<"$work/size") == "$size" ]] || die "S3 has $(<"$work/size") of $size bytes"
rm -f "$file"
say "stored s3://$BACKUP_BUCKET/$BACKUP_PREFIX$name, $size bytes"
`;
