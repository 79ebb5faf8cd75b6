#!/usr/bin/env bash
# streams.sh PROGRAM TESTS - output that is lost (closed, full, no reader), signals, control characters in messages.
. "$(dirname "$0")/tap.sh"
model=$(realpath "$2")/goldens/model/sd1
in_folder_of_its_own
# lost WHAT WORD...: nothing may exit with 0 whose output went nowhere, and standard error says why.
lost() {
  local what=$1
  shift
  "$program" "$@" >/dev/full 2>err
  ok "$what, standard output is full" "$? $(tail -1 err | cut -d: -f1-3)" "1 safelight: standard output: what was printed was lost"
  "$program" "$@" >&- 2>err
  ok "$what, standard output is closed" "$? $(tail -1 err | cut -d: -f1-3)" "1 safelight: standard output: what was printed was lost"
}
small=(--model "$model" --steps 2 --width 32 --height 32 --quiet)
"$program" generate "${small[@]}" --prompt x --output a.png >/dev/null || exit 1
"$program" compare "${small[@]}" --prompt x --schedulers ddim,euler --sheet s.png --save s.safelight >/dev/null || exit 1
lost --version --version
lost --help --help
lost "--help of a command" generate --help
lost schedulers schedulers
lost "schedulers --json" schedulers --json
lost tokenize tokenize --model "$model" "a red house"
lost "info of a model" info "$model"
lost "info --json of a model" info --json "$model"
lost "info of a picture" info a.png
lost "completion bash" completion bash
lost "completion fish" completion fish
lost generate generate "${small[@]}" --prompt x --output b.png
lost "replay --verify" replay --verify --quiet --model "$model" a.png
lost "replay --verify --json" replay --verify --json --quiet --model "$model" a.png
lost "replay --verify of a sheet" replay --verify --quiet --model "$model" s.png
lost "replay --verify of a comparison" replay --verify --quiet --model "$model" s.safelight
lost compare compare --open s.safelight --quiet --model "$model"
ok "the picture is whole all the same" "$(cmp a.png b.png && echo same)" "same"
"$program" generate "${small[@]}" --prompt x --output c.png <&- >&- 2>&-
cmp -s a.png c.png
ok "all streams closed: no line of output is in the picture" $? 0
(trap '' PIPE; "$program" completion zsh 2>err; echo $? >code) | true
ok "a reader that is gone" "$(cat code)" "$(grep -q 'Broken pipe' err && echo 1 || echo 0)"

# Signals: as Ctrl-C (test_cli.c), and nothing is left behind.
long=(--model "$model" --prompt x --steps 1000 --scheduler euler --width 32 --height 32 --quiet)
for signal in TERM HUP; do
  rm -rf many "$signal.png"
  "$program" generate "${long[@]}" --previews many --output $signal.png >/dev/null 2>err &
  pid=$!
  until [ -e many/0003.png ] || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
  kill -$signal $pid
  wait $pid
  ok "SIG$signal ends a run with what it has" "$? $(test -e $signal.png && echo kept) $(grep -c 'step .* of 1000' err)" "130 kept 0"
  ok "SIG$signal leaves nothing behind" "$(find . -name '.safelight-*')" ""
done
rm -rf many
(trap '' HUP; exec "$program" generate "${long[@]}" --previews many --output hup.png >/dev/null 2>err) &
pid=$!
until [ -e many/0003.png ] || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
kill -HUP $pid
sleep 0.2
ok "under nohup a run goes on" "$(kill -0 $pid 2>/dev/null && echo runs)" "runs"
kill -9 $pid
wait $pid 2>/dev/null
rm -rf many # killed between two writes, it may leave a preview half written
(ulimit -f 1; trap '' XFSZ; "$program" compare --open s.safelight --model "$model" --quiet --sheet big.png >/dev/null 2>err)
ok "a file that may not grow" "$? $(cat err)" "1 safelight: big.png: cannot be written: File too large"
(ulimit -f 1; "$program" compare --open s.safelight --model "$model" --quiet --sheet big.png >/dev/null 2>err)
ok "the same with the signal" "$? $(cat err) $(find . -name '.safelight-*')" "1 safelight: big.png: cannot be written: File too large "
for pause in 0.3 0.6 1.2 2.5 5 10; do # until it has begun and not ended
  rm -f stop.safelight
  "$program" compare --model "$model" --prompt x --steps 900 --width 32 --height 32 --schedulers euler,dpmpp-2m --quiet --save stop.safelight >/dev/null 2>err &
  pid=$!
  sleep $pause
  kill -TERM $pid
  wait $pid
  state=$?
  if [ $state != 130 ] || [ -e stop.safelight ]; then break; fi
done
ok "an interrupted compare --save says so" "$state $(cat err)" "130 safelight: interrupted: every lane is kept up to its last finished step"

# Control characters.
odd=$'no\e[31m\a\nfolder\x80/x.png'
"$program" generate "${small[@]}" --prompt x --output "$odd" >out 2>err
ok "an output path is shown without control characters" "$? $(cat err)" "1 safelight: no\\x1B[31m\\x07\\x0Afolder\\x80/x.png: cannot be written: No such file or directory"
"$program" info "$odd" 2>err
ok "so is an argument" "$? $(tr -d ' -~\n' <err | wc -c)" "1 0"
"$program" $'gener\eate' 2>err
ok "and a command" "$? $(cat err)" "2 safelight: \"gener\\x1Bate\" is neither a command nor a file; see \`safelight --help\`"
cp a.png $'a\e.png'
ok "and a file that info looks at" "$("$program" info $'a\e.png' | head -1)" "a\\x1B.png"
finish
