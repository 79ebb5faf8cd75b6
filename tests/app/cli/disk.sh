#!/usr/bin/env bash
# disk.sh PROGRAM TESTS - every command that writes, where nothing can be written any more: a file that may not grow (RLIMIT_FSIZE), then a
# file system that is full, where this user may mount one. What was there before stays, nothing else is left, and one sentence says why.
. "$(dirname "$0")/tap.sh"
tests=$(realpath "$2") self=$(realpath "$0")
model=$tests/goldens/model/sd1
export XDG_CACHE_HOME=/nonexistent # the hashes of models are no output

small=(--model "$model" --device cpu --threads 1 --quiet)
picture=(--prompt "a red house" --steps 2 --width 16 --height 16 "${small[@]}")
lanes=(compare "${picture[@]}" --schedulers euler,ddim)

# What lies in the folder, with its content.
listing() {
  find . -mindepth 1 -exec sh -c 'for f; do echo "$f $(if [ -f "$f" ]; then sha256sum <"$f"; fi)"; done' sh {} + | LC_ALL=C sort
}

# refused WHERE WORD...: the command ends with 1 and one line, and the folder is as it was.
refused() {
  local where=$1 before said code what
  shift
  what="$where: $1 ${*: -2}"
  before=$(listing)
  said=$("${limited[@]}" "$program" "$@" 2>&1 >/dev/null)
  code=$?
  ok "$what: ${said:0:120}" "$code, $(wc -l <<<"$said") line, $(grep -c '^safelight: .*cannot be written' <<<"$said")" "1, 1 line, 1"
  ok "$what: what was there stays" "$(diff <(echo "$before") <(listing))" ""
}

# Files that are there before, and every way to write.
all() {
  local where=$1 name
  mkdir previews words
  for name in o.png d.safetensors a.webp a.gif a.apng a.mp4 s.png c.safelight t.csv r.html previews/000.png words/red.png; do echo old >$name; done
  [ -z "$filled" ] || "$filled"
  refused "$where" generate "${picture[@]}" --output o.png
  refused "$where" generate "${picture[@]}" --dump d.safetensors
  for name in a.webp $others; do refused "$where" generate "${picture[@]}" --animation $name; done
  refused "$where" generate "${picture[@]}" --previews previews
  refused "$where" generate "${picture[@]}" --word-maps words
  refused "$where" generate "${picture[@]}" --caching deep --output new.png
  refused "$where" "${lanes[@]}" --sheet s.png
  refused "$where" "${lanes[@]}" --animation a.webp
  refused "$where" "${lanes[@]}" --save c.safelight
  refused "$where" "${lanes[@]}" --save-words --save c.safelight
  refused "$where" "${lanes[@]}" --table t.csv
  refused "$where" "${lanes[@]}" --report r.html
  refused "$where" compare "${picture[@]}" --grid x=steps:1,2 y=guidance:2,3 --sheet s.png
  refused "$where" compare "${small[@]}" --open "$made/c.safelight" --sheet s.png
  refused "$where" branch "$made/o.png" "${small[@]}" --step 1 --output o.png
  refused "$where" replay "$made/o.png" "${small[@]}" --output o.png
  refused "$where" replay "$made/o.png" "${small[@]}" --previews previews
}

fill() { # every block but none
  cat /dev/zero >filler 2>/dev/null
  ok "the file system is full" "$(df --output=avail . | tail -1 | tr -d ' ')" 0
}

if [ "${3-}" = inside ]; then # in a name space of its own
  made=$4 others=$5 limited=() filled=fill count=$6
  mount -t tmpfs -o size=256k tmpfs disk && cd disk || exit 77
  all "a full disk"
  echo "$count $status" >"$made/count"
  exit 0
fi

in_folder_of_its_own
made=$folder/made others='' filled=''
mkdir made disk files
"$program" generate "${picture[@]}" --output made/o.png >/dev/null || exit 1
"$program" "${lanes[@]}" --save made/c.safelight >/dev/null || exit 1
for name in a.gif a.apng a.mp4; do # what this build and its libraries have
  "$program" generate "${picture[@]}" --animation made/$name >/dev/null 2>&1 && others="$others $name"
done
limited=(bash -c 'ulimit -f 0; exec "$@"' limited)
(cd files && all "a file that may not grow"; echo "$count $status" >"$made/count")
read -r count status <made/count
unshare -rm "$BASH" "$self" "$program" "$tests" inside "$made" "$others" "$count" 2>/dev/null
if [ $? = 0 ]; then read -r count status2 <made/count; status=$((status | status2)); else echo "# no file system can be mounted here"; fi
finish
