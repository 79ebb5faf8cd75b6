# shellcheck shell=bash disable=SC2034
# common.sh - what the scripts of this folder share: the packages, by what the release has, and the build. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# "?NAME": Safelight is built without it where the release has no such package; meson.build says what is lost. The last two draw the window's
# icons, which GTK only recommends.
build_packages="build-essential meson ninja-build pkg-config python3
  libcjson-dev libpng-dev zlib1g-dev libpcre2-dev libunistring-dev nettle-dev ?libwebp-dev ?libdnnl-dev
  ?libraqm-dev ?libfreetype-dev ?libfontconfig-dev ?libavformat-dev ?libavcodec-dev ?libavfilter-dev
  ?libgtk-4-dev ?libadwaita-1-dev ?libgdk-pixbuf-2.0-dev ?libsqlite3-dev ?libglib2.0-bin ?gettext ?desktop-file-utils
  ?librsvg2-common ?adwaita-icon-theme"
# CLANG_RUNTIME: its package is named after the release's clang. mold links hundreds of test programs in a third of the time (test.sh).
test_packages="xvfb xauth xdotool dbus at-spi2-core python3-pyatspi gir1.2-atspi-2.0 imagemagick
  appstream libgtk-4-bin fonts-cantarell fonts-noto-cjk clang clang-format CLANG_RUNTIME
  locales ?mold"
least_meson=1.0

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

# No pipes into grep -q, which ends before what writes to it: with pipefail that is a failure.
is_installed() { [[ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" == *"ok installed"* ]]; }
is_offered() { [[ "$(apt-cache policy "$1" 2>/dev/null)" == *"Candidate: "[!\(]* ]]; }

# The package's name in this release.
package_name() {
  case $1 in
  CLANG_RUNTIME) apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p' ;;
  *) echo "${1#\?}" ;;
  esac
}

# Prints those of the named packages that are not installed.
missing_packages() {
  local wanted
  for wanted in "$@"; do
    is_installed "$(package_name "$wanted")" || echo "$wanted"
  done
}

# Prints the names to install; fails where one that is needed is not in this release.
offered_packages() {
  local wanted package
  for wanted in "$@"; do
    package=$(package_name "$wanted")
    if is_offered "$package"; then
      echo "$package"
    elif [ "${wanted:0:1}" = "?" ]; then
      say "This release has no package $package: Safelight is built without it."
    else
      say "This release has no package $package, which is needed. Debian 12 and 13 have it."
      return 1
    fi
  done
}

# Installs those of the named packages that are missing; does nothing on a machine that has them all, or that has no apt-get.
install_missing() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || return 0
  local missing sudo=""
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { say "Not root and no sudo; please install:" $(for p in $missing; do package_name "$p"; done); exit 1; }
    sudo=sudo
  fi
  $sudo apt-get update -qq
  # shellcheck disable=SC2086
  missing=$(offered_packages $missing | xargs)
  [ -n "$missing" ] || return 0
  say "Installing: $missing"
  # shellcheck disable=SC2086
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# Says what Meson cannot say, as it is Meson itself. Everything else that is missing or too old, meson.build names.
check_meson() {
  local found
  command -v ninja >/dev/null || { say "ninja was not found: install ninja-build."; return 1; }
  found=$(meson --version 2>/dev/null) || { say "Meson was not found: install meson, $least_meson or newer."; return 1; }
  [ "$(printf '%s\n' "$least_meson" "$found" | sort -V | head -1)" = "$least_meson" ] ||
    { say "Meson is $found, and $least_meson is needed: install a newer meson (Debian 12 has 1.0)."; return 1; }
}

# build_in FOLDER TARGET [meson options]: configures once, then builds what changed. TARGET is "program", or "all" with the tests.
build_in() {
  local folder=$1 target=$2
  shift 2
  check_meson || return 1
  if [ -f "$folder/build.ninja" ]; then
    [ $# -eq 0 ] || meson configure "$folder" "$@" >&2
  else
    meson setup "$folder" "$root" "$@" >&2
  fi
  ninja -C "$folder" "$target" >&2 || return 1
  # Since Meson 1.7 "all" leaves out what only tests read.
  [ "$target" != all ] || ninja -C "$folder" meson-test-prereq >&2
}
