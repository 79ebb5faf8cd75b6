#!/usr/bin/env bash
# test.sh - installs what is missing, builds, and runs every suite: once as built for people, then the suites that handle files, memory and
# threads under the sanitizers. Ends with the line "N passed, N failed", counted over all test programs and their TAP subtests.
#
# Variables: SL_TEST_MESON_OPTIONS (extra options for every build, CI passes -Dwerror=true), SL_TEST_QUICK=1 (no sanitizers),
# SL_TEST_SECOND_MACHINE=1 (packaging/second-machine.sh, beside the sanitizers; CI passes it).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

options=${SL_TEST_MESON_OPTIONS:-}
logs=()
failed_builds=0

# suite_run FOLDER PROGRAMS SETUP [meson test options]: PROGRAMS at a time, one more than there are processors where the
# window's tests are among them, which wait for half of their time. SETUP is a name from tests/meson.build, or empty.
suite_run() {
  local folder=$1 programs=$2 setup=$3 log
  shift 3
  say "== ${setup:-all suites}"
  log="$folder/meson-logs/testlog${setup:+-$setup}.json"
  rm -f "$log" # that of an earlier run is not counted where none is written
  meson test -C "$folder" --no-rebuild --print-errorlogs --num-processes "$programs" ${setup:+--setup "$setup"} "$@" || true
  logs+=("$log")
}

# build_or_note FOLDER TARGET [meson options]
build_or_note() {
  local folder=$1 target=$2
  shift 2
  build_in "$folder" "$target" "$@" || { say "The build in $folder failed."; failed_builds=$((failed_builds + 1)); return 1; }
}

install_missing $build_packages $test_packages
# Meson reads them where a folder is configured for the first time.
! command -v mold >/dev/null || export CC_LD="${CC_LD:-mold}" CXX_LD="${CXX_LD:-mold}"
# shellcheck disable=SC2086
if build_or_note "$root/build" all $options; then
  suite_run "$root/build" 3 ""
  # Those that read or print numbers and texts once more, with decimal commas and with the Turkish i (tests/meson.build).
  for setup in de tr; do
    suite_run "$root/build" 2 "$setup" --suite language
  done
fi
# It waits for the archive, for dpkg and for one compiler: beside the sanitizers' tests, which keep both processors busy.
second=""
if [ -n "${SL_TEST_SECOND_MACHINE:-}" ]; then
  mkdir -p "$root/build"
  setsid "$root/packaging/second-machine.sh" >"$root/build/second-machine.tap" &
  second=$!
  trap 'kill -- -"$second" 2>/dev/null || true' EXIT
fi
if [ -z "${SL_TEST_QUICK:-}" ]; then
  # shellcheck disable=SC2086
  build_or_note "$root/build-asan" all $options -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 -Dui=disabled \
    -Dcuda=disabled && suite_run "$root/build-asan" 2 asan --no-suite slow
  # shellcheck disable=SC2086
  build_or_note "$root/build-tsan" threads $options -Db_sanitize=thread -Db_lundef=false -Doptimization=1 -Dui=disabled \
    -Dcuda=disabled && suite_run "$root/build-tsan" 2 tsan --suite threads
fi

# Counted like a test program: one record of the form of Meson's log.
if [ -n "$second" ]; then
  status=0
  wait "$second" || status=$?
  trap - EXIT
  say "== a second machine"
  log=$root/build/second-machine.json
  cat "$root/build/second-machine.tap"
  python3 - "$log" "$status" "$root/build/second-machine.tap" <<'EOT'
import json, sys
with open(sys.argv[3], encoding="utf-8") as tap, open(sys.argv[1], "w", encoding="utf-8") as log:
    result = {"0": "OK", "77": "SKIP"}.get(sys.argv[2], "FAIL")
    json.dump({"name": "second machine", "result": result, "stdout": tap.read()}, log)
EOT
  logs+=("$log")
fi

python3 "$root/packaging/count-tests.py" "$failed_builds" "${logs[@]}"
