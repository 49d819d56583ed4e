# Read by every script of a machine (BASH_ENV): a wait takes the region's scaled time, but the shell's clock goes on by all of it.
sleep() {
  local before=$SECONDS
  command sleep "$@" || return
  SECONDS=$((before + ${1%.*}))
}
