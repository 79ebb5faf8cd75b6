#!/bin/sh
# headless.sh COMMAND... - runs a command under Xvfb with a session bus and a home of its own, so that
# nothing of this machine's desktop is seen or changed. Exit status 77 (skipped) without Xvfb.
set -u
command -v xvfb-run >/dev/null && command -v dbus-run-session >/dev/null || {
  echo "1..0 # SKIP xvfb-run or dbus-run-session is not installed"
  exit 77
}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export HOME="$T/home" XDG_RUNTIME_DIR="$T/run" XDG_CONFIG_HOME="$T/config" XDG_DATA_HOME="$T/data" \
  XDG_CACHE_HOME="$T/cache" TMPDIR="$T"
mkdir -p "$HOME" "$XDG_RUNTIME_DIR" "$XDG_CONFIG_HOME" "$XDG_DATA_HOME" "$XDG_CACHE_HOME"
chmod 700 "$XDG_RUNTIME_DIR"
export GDK_BACKEND=x11 GSK_RENDERER=cairo GSETTINGS_BACKEND="${GSETTINGS_BACKEND:-memory}" GIO_USE_VFS=local \
  LC_ALL="${LC_ALL:-C.UTF-8}" SAFELIGHT_AUTO_DTYPE="${SAFELIGHT_AUTO_DTYPE:-f32}"
unset WAYLAND_DISPLAY NO_AT_BRIDGE
# Of the servers that are free, another one than a test that starts at the same moment takes. xvfb-run joins both outputs, and the bus's
# daemons write to the one that the test's TAP goes to: the test alone keeps it.
exec 8>&1
xvfb-run -a -n $((100 + $$ % 800)) -s "-screen 0 ${SL_SCREEN:-1440x900x24} -nolisten tcp -noreset" \
  dbus-run-session -- sh -c 'exec "$@" >&8 8>&-' sh "$@" >"$T/stderr" 2>&1
status=$?
grep -v '^dbus-daemon\|^SpiRegistry' "$T/stderr" >&2
exit $status
