# shellcheck shell=bash disable=SC2034
# common.sh - what run.sh and test.sh share: the packages of Debian 12 and the build. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

build_packages="build-essential meson ninja-build pkg-config gettext
  libcjson-dev libpng-dev libwebp-dev zlib1g-dev libpcre2-dev libunistring-dev libdnnl-dev
  libgtk-4-dev libadwaita-1-dev libglib2.0-bin desktop-file-utils"
test_packages="python3 xvfb xauth xdotool dbus at-spi2-core python3-pyatspi gir1.2-atspi-2.0 imagemagick
  appstream libgtk-4-bin fonts-cantarell fonts-noto-cjk clang clang-format libclang-rt-14-dev"

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

# Installs those of the named packages that are missing; does nothing on a machine that has them all, or that has no apt-get.
install_missing() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || return 0
  local missing="" package sudo=""
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { say "Not root and no sudo; please install:$missing"; exit 1; }
    sudo=sudo
  fi
  say "Installing:$missing"
  $sudo apt-get update -qq
  # shellcheck disable=SC2086
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# build_in FOLDER [meson options]: configures once, then builds what changed.
build_in() {
  local folder=$1
  shift
  if [ -f "$folder/build.ninja" ]; then
    [ $# -eq 0 ] || meson configure "$folder" "$@" >&2
  else
    meson setup "$folder" "$root" "$@" >&2
  fi
  ninja -C "$folder" >&2
}
