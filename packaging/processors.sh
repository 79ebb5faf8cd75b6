#!/usr/bin/env bash
# processors.sh PROCESSOR [FOLDER] [OPTION...] - builds Safelight for a processor that this machine may not have and runs its suites there,
# under qemu-user. OPTIONs go to `meson test`, as "--suite kernels". Ends with "N passed, N failed" as test.sh. PROCESSOR is one of
#   arm64            64-bit Arm: cross built (arm64.ini) in a chroot of this machine's Debian, with Arm's libraries. FOLDER keeps the chroot
#                    for the next time (3 GB; default: a temporary one). Needs root, and the Debian archive that this machine's apt uses
#   Haswell          x86-64 with AVX2, without AVX-512
#   Nehalem          x86-64 without AVX; any other name that `qemu-x86_64-static -cpu help` lists is one, too. FOLDER is the build
#                    (default: build/processors)
# What computes is checked, not how long it takes: qemu needs some hundred times as long. Left out are the window, the GPU and what reads
# sources only (headers). On x86-64 a program that a test starts itself runs on this machine's processor: the default suites start none.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[ $# -ge 1 ] || { sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "${BASH_SOURCE[0]}" >&2; exit 2; }
processor=$1
folder=""
shift
if [ -z "${SL_ARM64_MACHINE:-}" ] && [ $# -gt 0 ] && [ "${1:0:1}" != - ]; then
  folder=$1
  shift
fi
options="-Dui=disabled -Dcuda=disabled -Dgpu_emulation=disabled -Dwerror=true"

count() { python3 "$root/packaging/count-tests.py" "$@"; }

# ---- x86-64: every test program under an emulator of the processor ----

run_x86() {
  local build=${folder:-$root/build/processors}
  [ $# -gt 0 ] || set -- --suite kernels --suite model --suite schedulers --suite text --suite pipeline
  # shellcheck disable=SC2086
  install_missing $build_packages qemu-user-static
  [[ "$(qemu-x86_64-static -cpu help)" =~ [[:space:]]"$processor"[[:space:]] ]] || { say "qemu knows no processor $processor: qemu-x86_64-static -cpu help"; exit 2; }
  # shellcheck disable=SC2086
  build_in "$build" all $options || { count 1; exit 1; }
  local log="$build/meson-logs/$processor-qemu-x86_64-static.json" # Meson adds the name of the wrapper
  rm -f "$log" # of an earlier run
  meson test -C "$build" --no-rebuild --print-errorlogs --num-processes 2 --timeout-multiplier 100 --logbase "$processor" \
    --wrapper "qemu-x86_64-static -cpu $processor" "$@" || true
  count 0 "$log"
}

# ---- 64-bit Arm ----

there() {
  chroot "$machine" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# Compiler and tools are this machine's, all libraries are Arm's.
make_machine() {
  local archive wanted packages=()
  archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -1)
  [ -n "$archive" ] || { echo "apt has no Debian archive"; return 1; }
  debootstrap --variant=minbase "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$machine" "$archive" || return 1
  cp -L /etc/resolv.conf "$machine/etc/resolv.conf"
  echo force-unsafe-io >"$machine/etc/dpkg/dpkg.cfg.d/speed"
  printf 'path-exclude=/usr/share/%s/*\n' doc man locale >>"$machine/etc/dpkg/dpkg.cfg.d/speed"
  [ ! -e /etc/apt/apt.conf.d/01proxy ] || cp /etc/apt/apt.conf.d/01proxy "$machine/etc/apt/apt.conf.d/"
  for wanted in $build_packages; do
    wanted=${wanted#\?}
    case $wanted in
    libgtk-4-dev | libadwaita-1-dev | libgdk-pixbuf-2.0-dev | libdnnl-dev) ;; # the window; oneDNN is for x86-64
    *-dev) packages+=("$wanted:arm64") ;;
    build-essential | meson | ninja-build | pkg-config | python3) packages+=("$wanted") ;;
    esac
  done
  there dpkg --add-architecture arm64 && there apt-get update -qq &&
    there apt-get install -y -qq --no-install-recommends crossbuild-essential-arm64 qemu-user-static "${packages[@]}" &&
    touch "$machine/root/made"
}

# Programs of Arm are started through qemu, also by scripts and by other programs. This holds while the folder is mounted.
start_through_qemu() {
  mount -t binfmt_misc binfmt_misc "$machine/proc/sys/fs/binfmt_misc"
  [ -e "$machine/proc/sys/fs/binfmt_misc/qemu-aarch64" ] ||
    there sh -c 'cat /usr/lib/binfmt.d/qemu-aarch64.conf >/proc/sys/fs/binfmt_misc/register'
}

# The files that git knows, as they are in the working tree: what did not change is not built again.
copy_source() {
  mkdir -p "$machine/root/safelight"
  git -C "$root" ls-files -z | tar -C "$root" --null --files-from=- --ignore-failed-read -c 2>/dev/null | tar -C "$machine/root/safelight" -x
}

run_arm64() {
  local there_build=/root/safelight/build
  [ $# -gt 0 ] || set -- --no-suite headers --no-suite soak --no-suite faults
  [ -e "$machine/root/made" ] || make_machine >&2 || { say "No chroot of Debian with Arm's libraries could be made."; exit 1; }
  mount -t proc proc "$machine/proc"
  mount --rbind /dev "$machine/dev"
  start_through_qemu
  copy_source
  # shellcheck disable=SC2086
  [ -e "$machine$there_build/build.ninja" ] ||
    there meson setup $there_build /root/safelight --cross-file /root/safelight/packaging/arm64.ini $options >&2
  there ninja -C $there_build >&2 || { count 1; exit 1; }
  rm -f "$machine$there_build/meson-logs/testlog.json" # of an earlier run
  there meson test -C $there_build --no-rebuild --print-errorlogs --num-processes 2 --timeout-multiplier 100 "$@" || true
  count 0 "$machine$there_build/meson-logs/testlog.json"
}

if [ "$processor" != arm64 ]; then
  run_x86 "$@"
elif [ -n "${SL_ARM64_MACHINE:-}" ]; then
  machine=$SL_ARM64_MACHINE
  run_arm64 "$@"
else
  [ "$(id -u)" = 0 ] || { say "A chroot for Arm takes root."; exit 2; }
  install_missing debootstrap
  if [ -n "$folder" ]; then
    mkdir -p "$folder"
    machine=$(cd "$folder" && pwd)
  else
    machine=$(mktemp -d "${TMPDIR:-/tmp}/safelight-arm64.XXXXXX")
    trap 'rm -rf --one-file-system "$machine"' EXIT
  fi
  chmod 755 "$machine" # apt fetches as another user
  # What is mounted goes with the name space.
  SL_ARM64_MACHINE=$machine unshare --mount --propagation private "${BASH_SOURCE[0]}" arm64 "$@"
fi
