#!/usr/bin/env bash
# run.sh - installs what is missing, builds, and starts Safelight: the window, or with arguments the command line.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

log=$(mktemp)
[ -x "$root/build/safelight" ] || say "Building; the first time takes a minute or two."
trap 'rm -f "$log"' EXIT
install_missing $build_packages
if ! build_in "$root/build" program 2>"$log"; then
  # What meson.build says stands for itself; a compiler's complaint needs the lines around it.
  sed -n 's/.*ERROR: \(Problem encountered: \)\{0,1\}//p' "$log" | grep . >&2 || cat "$log" >&2
  say "The build failed; the lines above say why."
  exit 1
fi
sed -n 's/^Message: \(.* is not built.*\|.* are not built.*\|oneDNN.*\)/\1/p' "$log" >&2
rm -f "$log"
exec "$root/build/safelight" "$@"
