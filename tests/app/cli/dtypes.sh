#!/usr/bin/env bash
# dtypes.sh PROGRAM TESTS - a type that the device does not compute in: every command that computes says so, once.
. "$(dirname "$0")/tap.sh"
model=$(realpath "$2")/goldens/model/sd1
in_folder_of_its_own
small=(--model "$model" --steps 2 --width 32 --height 32)
sentence='safelight: the CPU does not compute in f16; it computes in f32'
# said WHAT EXPECTED WORD...: the program does it and says the sentence so many times, on standard error only.
said() {
  local what=$1 expected=$2
  shift 2
  "$program" "$@" >out 2>err
  ok "$what" "$? $(tr '\r' '\n' <err | grep -c "$sentence\$") $(grep -c 'compute in f16' out)" "0 $expected 0"
}
f16=(--dtype f16 --device cpu)
said "generate" 1 generate "${small[@]}" "${f16[@]}" --prompt x --output a.png
said "generate --json" 1 generate "${small[@]}" "${f16[@]}" --prompt x --output a.png --json
said "generate --quiet, as with other remarks" 0 generate "${small[@]}" "${f16[@]}" --prompt x --output a.png --quiet
said "generate on the check device, which runs the CPU" 1 generate "${small[@]}" --dtype f16 --device check --prompt x --output c.png
said "compare" 1 compare "${small[@]}" "${f16[@]}" --prompt x --schedulers ddim,euler --sheet s.png --save s.safelight
said "compare of a saved one" 1 compare --open s.safelight "${f16[@]}" --model "$model" --sheet o.png
said "replay" 1 replay --verify "${f16[@]}" --model "$model" a.png
said "replay of a sheet" 1 replay --verify "${f16[@]}" --model "$model" s.png
said "replay of a comparison" 1 replay --verify "${f16[@]}" --model "$model" s.safelight
said "branch" 1 branch --step 1 "${f16[@]}" --model "$model" --scheduler euler --output b.png a.png
said "bench" 1 bench "${small[@]}" "${f16[@]}"
for dtype in auto f32 bf16; do said "$dtype" 0 generate "${small[@]}" --device cpu --dtype $dtype --prompt x --output b.png; done
said "f16 on a device that has it" 0 generate "${small[@]}" --device ref --dtype f16 --prompt x --output b.png
finish
