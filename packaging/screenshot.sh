#!/usr/bin/env bash
# screenshot.sh [PROGRAM] [FOLDER] - pictures of the real program under Xvfb, with a picture that it has just developed: FOLDER/light.png (the
# README's), dark.png, narrow.png, wide.png (4k) and hidpi.png (two pixels for one). With the starter model, or a model of the tests where that is missing.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export SL_PROGRAM=${1:-$root/build/safelight} SL_SHOTS=${2:-$root/docs} GSETTINGS_BACKEND=keyfile
export SAFELIGHT_MODELS=$root/data/models SL_MODEL=starter
[ -d "$root/data/models/starter" ] || export SAFELIGHT_MODELS=$root/tests/goldens/model SL_MODEL=sd1
mkdir -p "$SL_SHOTS"

# shot NAME THEME WIDTH HEIGHT [MORE SETTINGS]
# shellcheck disable=SC2016
shot() {
  SL_NAME=$1 SL_SCREEN=${3}x${4}x24 SL_SETTINGS="model='$SL_MODEL'
theme=uint32 $2
width=$3
height=$4
${5:-}" "$root/tests/ui/headless.sh" bash -c '
    settings=$XDG_CONFIG_HOME/glib-2.0/settings
    mkdir -p "$settings"
    printf "[org/safelight/Safelight]\n%s\n" "$SL_SETTINGS" >"$settings/keyfile"
    "$SL_PROGRAM" & pid=$!
    window=$(timeout 60 xdotool search --sync --onlyvisible --name "^Safelight$" | tail -1)
    xdotool windowmove "$window" 0 0 windowsize "$window" '"$3 $4"' windowfocus --sync "$window"
    for second in $(seq 120); do
      [ -z "$(find "$HOME" -name "*.png")" ] || break
      # The key does nothing before the models are found: a slow machine gets it a second time.
      case $second in 3 | 60) xdotool key ctrl+Return ;; esac
      sleep 1
    done
    [ -n "$(find "$HOME" -name "*.png")" ]
    sleep 2
    import -window root "$SL_SHOTS/$SL_NAME.png"
    xdotool key ctrl+q
    wait "$pid"
  '
}
shot light 1 1280 820
shot dark 2 1280 820
shot narrow 1 600 820 "panel-shown=false"
shot wide 1 3840 2160
GDK_SCALE=2 shot hidpi 1 2560 1640
