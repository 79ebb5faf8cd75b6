#!/bin/bash
# activated.sh PROGRAM MODEL - under headless.sh: D-Bus starts the program by its service file, opens a picture in it as a
# file manager would, and the program ends when its action "quit" is called; without a display it says so and returns 2.
set -u
program=$1 model=$2 picture=$HOME/a%20picture.png name=org.safelight.Safelight path=/org/safelight/Safelight count=0 bad=0
check() {
  count=$((count + 1))
  if [ "$1" = 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; bad=1; fi
}
call() { gdbus call --session --timeout 30 --dest "$1" --object-path "$2" --method "$3" "${@:4}" >/dev/null; }
running() { gdbus call --session --dest org.freedesktop.DBus --object-path / --method org.freedesktop.DBus.NameHasOwner $name | grep -q true; }

"$program" generate --model "$model" --prompt "a house" --steps 2 --quiet --output "$HOME/a picture.png" >&2
check $? "a picture to open"
mkdir -p "$XDG_DATA_HOME/dbus-1/services"
printf '[D-BUS Service]\nName=%s\nExec="%s" --gapplication-service\n' $name "$program" >"$XDG_DATA_HOME/dbus-1/services/$name.service"
dbus-update-activation-environment --all
call org.freedesktop.DBus / org.freedesktop.DBus.ReloadConfig
call $name $path org.freedesktop.Application.Activate '{}'
check $? "the bus starts the program"
timeout 30 xdotool search --sync --onlyvisible --name '^Safelight$' >/dev/null
check $? "and its window comes up"
running
check $? "it owns its name"
call $name $path org.freedesktop.Application.Open "['file://$picture']" '{}'
check $? "it opens a picture"
call $name $path org.freedesktop.Application.ActivateAction quit '[]' '{}'
check $? "it is asked to quit"
for _ in $(seq 300); do running || break; sleep 0.1; done
! running
check $? "it is gone"

for signal in TERM HUP; do
  "$program" &
  pid=$!
  timeout 30 xdotool search --sync --onlyvisible --name '^Safelight$' >/dev/null
  kill -$signal $pid
  wait $pid
  check $? "SIG$signal closes the window: it ends as when a person closes it"
done

said=$(env -u DISPLAY -u WAYLAND_DISPLAY "$program" 2>&1)
[ $? = 2 ]
check $? "without a display it returns 2"
case $said in *"safelight generate"*) check 0 "and names the command line" ;; *) check 1 "and names the command line: $said" ;; esac
echo "1..$count"
exit $bad
