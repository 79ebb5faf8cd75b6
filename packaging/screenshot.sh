#!/usr/bin/env bash
# screenshot.sh [PROGRAM] [OUT.png] - the README's picture: the real program under Xvfb with the starter model, while a picture develops.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=${1:-$root/build/safelight}
export SL_SHOT=${2:-$root/docs/screenshot.png} SL_PROGRAM=$program SL_SCREEN=1280x820x24 GSETTINGS_BACKEND=memory
mkdir -p "$(dirname "$SL_SHOT")"
"$root/tests/ui/headless.sh" bash -c '
  "$SL_PROGRAM" & pid=$!
  window=$(timeout 60 xdotool search --sync --onlyvisible --name "^Safelight$" | tail -1)
  xdotool windowmove "$window" 0 0 windowsize "$window" 1280 820
  sleep 3
  xdotool windowfocus "$window"
  xdotool key ctrl+Return
  sleep "${SL_SHOT_DELAY:-20}"
  import -window root "$SL_SHOT"
  xdotool key ctrl+q
  wait "$pid"
'
