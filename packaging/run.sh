#!/usr/bin/env bash
# run.sh - installs what is missing, builds, and starts Safelight: the window, or with arguments the command line.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

log=$(mktemp)
[ -x "$root/build/safelight" ] || say "Building; the first time takes a minute or two."
trap 'rm -f "$log"' EXIT
install_missing $build_packages
if ! build_in "$root/build" 2>"$log"; then
  cat "$log" >&2
  say "The build failed; the lines above say where."
  exit 1
fi
rm -f "$log"
exec "$root/build/safelight" "$@"
