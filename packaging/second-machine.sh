#!/usr/bin/env bash
# second-machine.sh [RELEASE] [REFERENCE] - the README's first command on a machine that has nothing yet: debootstrap makes the Debian release
# that this machine is not (or RELEASE: trixie, bookworm) in a temporary folder, builds a clean checkout of HEAD there, makes pictures with the
# starter, compares one with REFERENCE's (this machine's program, default build/safelight), and opens the window under Xvfb, where it makes one. Prints TAP.
# The screenshots and the log stay in build/second-machine. Needs root, and the Debian archive that this machine's apt uses.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

skip() { echo "1..0 # SKIP $*"; exit 77; }

this_release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
release=${1:-$([ "$this_release" = trixie ] && echo bookworm || echo trixie)}
reference=${2:-$root/build/safelight}
kept=$root/build/second-machine
prompt="a red house by a lake at sunset"

# Everything is mounted in a name space of its own: what is mounted there goes with it, whatever happens.
if [ -z "${SL_SECOND_MACHINE:-}" ]; then
  [ "$(id -u)" = 0 ] || skip "no second machine: it takes root to make one"
  install_missing debootstrap xvfb xauth xdotool imagemagick >&2 || true
  command -v debootstrap >/dev/null || skip "no second machine: debootstrap is not installed"
  unshare --mount true 2>/dev/null || skip "no second machine: this machine does not let us mount anything"
  machine=$(mktemp -d "${TMPDIR:-/tmp}/second-machine.XXXXXX")
  chmod 755 "$machine" # apt fetches as another user
  trap 'rm -rf --one-file-system "$machine"' EXIT
  [ "$(df --output=avail -m "$machine" | tail -1)" -ge 4000 ] || skip "no second machine: it takes 4 GB in ${TMPDIR:-/tmp}"
  SL_SECOND_MACHINE=$machine unshare --mount --propagation private "${BASH_SOURCE[0]}" "$release" "$reference"
  exit $?
fi

machine=$SL_SECOND_MACHINE
count=0 failed=0
mkdir -p "$kept"
log=$kept/log.txt
: >"$log"

# check WHAT COMMAND...: one line of TAP; what the command prints is in the log.
check() {
  local what=$1 status=0
  shift
  count=$((count + 1))
  printf '\n== %s\n' "$what" >>"$log"
  "$@" >>"$log" 2>&1 || status=$?
  if [ $status = 0 ]; then
    echo "ok $count - $what ($SECONDS s)"
  else
    echo "not ok $count - $what"
    tail -30 "$log" | sed 's/^/# /'
    failed=$((failed + 1))
  fi
  return $status
}
finish() { echo "1..$count"; exit $((failed > 0)); }

there() {
  chroot "$machine" env -i HOME=/root SAFELIGHT_AUTO_DTYPE=f32 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
    DISPLAY="${DISPLAY:-}" GSK_RENDERER=cairo GDK_BACKEND=x11 GSETTINGS_BACKEND=memory "$@"
}

make_machine() {
  local archive
  archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -1)
  [ -n "$archive" ] || { echo "apt has no Debian archive"; return 1; }
  debootstrap --variant=minbase "$release" "$machine" "$archive" || return 1
  mount -t proc proc "$machine/proc" && mount --rbind /dev "$machine/dev" || return 1
  cp -L /etc/resolv.conf "$machine/etc/resolv.conf"
  # It is thrown away: it need not survive a power failure, nor have manuals.
  echo force-unsafe-io >"$machine/etc/dpkg/dpkg.cfg.d/speed"
  printf 'path-exclude=/usr/share/%s/*\n' doc man locale >>"$machine/etc/dpkg/dpkg.cfg.d/speed"
  [ ! -e /etc/apt/apt.conf.d/01proxy ] || cp /etc/apt/apt.conf.d/01proxy "$machine/etc/apt/apt.conf.d/"
}

checkout() {
  mkdir -p "$machine/root/safelight"
  git -C "$root" archive HEAD | tar -x -C "$machine/root/safelight"
}

picture() { there /root/safelight/build/safelight generate --quiet --prompt "$prompt" --seed 7 "$@"; }
same_for_threads() {
  picture --threads 1 --output /root/one.png && picture --threads 2 --output /root/two.png &&
    there /root/safelight/build/safelight replay /root/one.png --threads 3 --verify
}

# docs/design.md, Tolerances: a whole picture is within 50 dB.
like_reference() {
  local psnr
  SAFELIGHT_AUTO_DTYPE=f32 "$reference" generate --quiet --model "$root/data/models/starter" --prompt "$prompt" --seed 7 --output "$kept/reference.png" || return 1
  cp "$machine/root/one.png" "$kept/picture.png"
  psnr=$(compare -metric PSNR "$kept/picture.png" "$kept/reference.png" null: 2>&1)
  echo "PSNR $psnr dB"
  [ "$psnr" = inf ] || awk "BEGIN { exit !($psnr >= 50) }"
}

# The server is this machine's, the program the other's; there is no session bus, as for who comes over ssh. Its first picture is made.
window() {
  local window="" status=1 program home=$machine/root/window
  mkdir -p "$home" "$machine/tmp/.X11-unix" && mount --rbind /tmp/.X11-unix "$machine/tmp/.X11-unix"
  there HOME=/root/window /root/safelight/build/safelight &
  program=$!
  window=$(timeout 60 xdotool search --sync --onlyvisible --name '^Safelight$' | tail -1)
  if [ -n "$window" ]; then
    # A window that is drawn has more than its background.
    for _ in $(seq 30); do
      sleep 1
      import -window root "$kept/window.png"
      [ "$(identify -format %k "$kept/window.png")" -le 100 ] || break
    done
    sleep 2
    import -window root "$kept/window.png"
    echo "$(identify -format %k "$kept/window.png") colours"
    if [ "$(identify -format %k "$kept/window.png")" -gt 100 ]; then
      for second in $(seq 60); do
        [ -z "$(find "$home" -name '*.png')" ] || break
        # The key does nothing before the models are found: a slow machine gets it a second time.
        case $second in 1 | 30) xdotool key --window "$window" ctrl+Return ;; esac
        sleep 1
      done
      sleep 2
      import -window root "$kept/picture-in-window.png"
      [ -n "$(find "$home" -name '*.png')" ] && kill -0 $program && status=0
    fi
    xdotool key --window "$window" ctrl+q
    sleep 2
  fi
  kill $program 2>/dev/null
  wait $program
  return $status
}
under_server() {
  local server status display
  mkdir -p -m 1777 /tmp/.X11-unix
  Xvfb -displayfd 8 -screen 0 1280x820x24 -nolisten tcp -noreset 8>"$machine/display" &
  server=$!
  for _ in $(seq 50); do
    [ -s "$machine/display" ] && break
    sleep 0.2
  done
  display=$(cat "$machine/display")
  DISPLAY=:$display "$@"
  status=$?
  kill $server
  wait $server
  return $status
}

# Without an archive that answers there is no machine, and nothing that could be wrong with Safelight.
make_machine >>"$log" 2>&1 || skip "no second machine: debootstrap could not make Debian $release: $(grep . "$log" | tail -1)"
check "a clean checkout" checkout || finish
check "packaging/run.sh builds it there without a warning" there CFLAGS=-Werror /root/safelight/packaging/run.sh --version || finish
check "with the window and oneDNN" there sh -c "grep -q 'window (ui).*YES' /root/safelight/build/meson-logs/meson-log.txt &&
  grep -q 'oneDNN (cpu device).*YES' /root/safelight/build/meson-logs/meson-log.txt"
check "with what draws its icons" there sh -c 'ls /usr/lib/*/gdk-pixbuf-2.0/*/loaders/*svg*'
check "pictures with 1, 2 and 3 threads are the same bytes" same_for_threads
check "the picture is that of this machine within 50 dB" like_reference
check "the window opens, and makes a picture" under_server window
finish
