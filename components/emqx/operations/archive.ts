/**
 * What "backup", "restore" and "sync" share: the one archive of EMQX's data that may be on the disk. Its name is noted on the data
 * volume before EMQX or the download writes it, so that the next run can remove what a run that was cut off has left. Other
 * archives in the folder are people's, and stay.
 */
export const archiveFunctions = `archive=$data/emqx-node.archive
# One backup or restore at a time
hold_archive() {
  exec 8>>"$run.archive.lock"
  flock -n 8
}
archive_name() { grep -om 1 'emqx-export-[0-9.-]*\\.tar\\.gz' "$archive"; }
remove_archive() {
  local name
  [[ -f $archive ]] || return 0
  if name=$(archive_name); then rm -f "$data/backup/$name"; fi
  rm -f "$archive"
}
# The folder of EMQX's archives, closed to others
open_folder() {
  mkdir -p "$data/backup"
  chown emqx:emqx "$data/backup"
  chmod 0700 "$data/backup"
}
`;
