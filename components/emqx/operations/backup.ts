/**
 * Operation "backup": exports EMQX's data into the cluster's bucket. systemd runs it on every node at the times of the
 * plan; all nodes have the same tables, so only the first one by name that runs exports, the others do nothing. By hand,
 * `backup here` exports on this node whatever the others do.
 *
 * - `emqx ctl data export` answers 0 whether it succeeded or not: its words tell. It writes into backup/ of the data
 *   directory as user emqx, who lets everybody read its files: the folder is closed to others.
 * - The file is in the tables' words a secret (hashes of passwords, keys of bridges). It leaves the disk in any case, also
 *   when EMQX stopped in the middle of it: the name is in the export's first line.
 * - An export has failed until S3 is seen to have all of it: so it is told to CloudWatch however the script ends, a
 *   backup that fails in silence being found missing on the day it is needed. That CloudWatch does not hear it does not
 *   fail the export.
 * - The name carries the time, to the millisecond: names sort by age, and no export takes another one's place.
 */
import { exportFailedMetric, metricsNamespace } from "../metrics";
import { archiveFunctions } from "./archive";

export const backupOperation = `# Exports EMQX's data into the bucket: emqx-node backup [here]; by emqx-backup.timer
${archiveFunctions}allow 1800
begin "asking which node exports"
[[ -f $conf/backup.env ]] || die "backups are off: there is no $conf/backup.env"
# shellcheck source=/dev/null
. "$conf/backup.env"
try 60 members || die "EMQX does not answer: $(why)"
first=
for node in $members; do
  if [[ -z $first || $node < $first ]]; then first=$node; fi
done
if [[ \${2:-} != here && $first != "emqx@$PRIVATE_IP" ]]; then
  say "$first does; nothing to do on this node"
  return 0
fi

begin "exporting EMQX's data"
hold_archive || die "another backup or restore runs"
stored=
finish() {
  local failed=1
  [[ -z $stored ]] || failed=0
  remove_archive || true
  allow 30
  aws cloudwatch put-metric-data --namespace ${metricsNamespace} --metric-name ${exportFailedMetric} \\
    --dimensions "Cluster=$PARAMETER_PREFIX" --value "$failed" || say "CloudWatch was not told"
  rm -rf "$work"
}
remove_archive
open_folder
code=0
patience=900 emqx ctl data export >"$archive" 2>&1 || code=$?
name=$(archive_name) || die "$(words "$archive")"
file=$data/backup/$name
if ((code > 0)) || ! grep -q 'successfully exported' "$archive"; then
  die "$(grep -m 1 -F '[error]' "$archive" || words "$archive")"
fi
size=$(stat -c %s "$file")

begin "uploading $name"
upload() { patience=300 aws s3 cp --only-show-errors "$file" "s3://$BACKUP_BUCKET/$BACKUP_PREFIX$name"; }
stored() {
  aws s3api head-object --bucket "$BACKUP_BUCKET" --key "$BACKUP_PREFIX$name" --query ContentLength --output text
}
try 600 upload || die "$(why)"
try 60 stored >"$work/size" || die "$(why)"
[[ $(<"$work/size") == "$size" ]] || die "S3 has $(<"$work/size") of $size bytes"
stored=yes
say "stored s3://$BACKUP_BUCKET/$BACKUP_PREFIX$name, $size bytes"
`;
