/**
 * Operation "restore": imports a backup into the running cluster. Run by hand, on any one node: what is imported reaches
 * all of them.
 *
 * - EMQX adds the backup's records to what is there: a record of the same key is overwritten, others stay.
 * - The file keeps its name: EMQX looks for a folder of that name in it.
 * - EMQX must be able to read the file, and nobody else: it belongs to user emqx, mode 0600.
 * - `emqx ctl data import` answers 0 whether it succeeded or not: its words tell.
 * - The passwords of `admin` and the first MQTT user come with the backup. Where "sync" notes which passwords the database
 *   has, the note is dropped before, so that it sets this cluster's again however this ends: at once, for until then
 *   clients are refused.
 */
import { archiveFunctions } from "./archive";

export const restoreOperation = `# Imports a backup: emqx-node restore KEY|latest
${archiveFunctions}allow 1800
begin "looking for backups"
[[ -f $conf/backup.env ]] || die "backups are off: there is no $conf/backup.env"
# shellcheck source=/dev/null
. "$conf/backup.env"
place=s3://$BACKUP_BUCKET/$BACKUP_PREFIX
exports() {
  aws s3api list-objects-v2 --bucket "$BACKUP_BUCKET" --prefix "$BACKUP_PREFIX" \\
    --query 'Contents[].[Key]' --output text
}
try 60 exports >"$work/keys" || die "$(why)"
sed -n "s|^$BACKUP_PREFIX\\(emqx-export-[0-9.-]*\\.tar\\.gz\\)$|\\1|p" "$work/keys" | sort >"$work/names"
[[ -s $work/names ]] || die "there is none in $place"
wanted=\${2:-}
wanted=\${wanted#"$BACKUP_PREFIX"}
[[ $wanted != latest ]] || wanted=$(tail -n 1 "$work/names")
if ! grep -qxF -e "$wanted" "$work/names"; then
  say "the newest in $place:"
  tail -n 20 "$work/names" | sed 's/^/  /' >&2
  die "\${wanted:-no name} is none of them: name one, or latest"
fi

begin "downloading $wanted"
# Not every image has it
command -v tar >/dev/null || try 120 limit 120 dnf -q -y install tar || die "$(why)"
hold_archive || die "another backup or restore runs"
remove_archive
finish() {
  remove_archive || true
  rm -rf "$work"
}
echo "$wanted" >"$archive"
sync "$archive"
open_folder
file=$data/backup/$wanted
fetch() { (umask 077 && patience=300 aws s3 cp --only-show-errors "$place$wanted" "$file"); }
try 600 fetch || die "$(why)"
chown emqx:emqx "$file"

begin "looking into $wanted"
limit 120 tar -tzf "$file" >"$work/list" 2>"$work/err" || die "it is no whole archive: $(why)"
limit 120 tar -xzOf "$file" "\${wanted%.tar.gz}/META.hocon" >"$work/meta" 2>"$work/err" || die "$(why)"
say "made by EMQX $(sed -n 's/^ *version *= *"*\\([^"]*\\)"* *$/\\1/p' "$work/meta")"
say "it holds the configuration and $(sed -n 's|.*/mnesia/||p' "$work/list" | sort | tr '\\n' ' ')"

begin "importing $wanted"
# No sync meanwhile
hold 120 || die "$(busy)"
rm -f "$data/emqx-node.applied"
code=0
patience=900 emqx ctl data import "$file" >"$work/out" 2>&1 || code=$?
if ((code > 0)) || ! grep -q 'imported successfully' "$work/out"; then
  grep -E 'rror|ailed|not allowed' "$work/out" | sed 's/^/  /' >&2 || true
  die "$(words "$work/out")"
fi
remove_archive
say "imported $wanted"

begin "setting this cluster's own passwords again"
operate sync
`;
