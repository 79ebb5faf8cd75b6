#!/usr/bin/env bash
# dtypes.sh PROGRAM TESTS - a type that the device does not compute in: every command that computes says so, once. What "auto" is,
# where it is bf16: recorded, and made again anywhere.
. "$(dirname "$0")/tap.sh"
export SAFELIGHT_AUTO_DTYPE=f32
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

# What "auto" is where bf16 is faster: recorded as what it was, and made again where "auto" is something else.
forced() { SAFELIGHT_AUTO_DTYPE=bf16,decode=f32 "$program" "$@" 2>err; }
recorded() { "$program" info --json "$1" | tr -d ' \t\n' | grep -o '"dtype":"[^"]*"\|"part_dtypes":"[^"]*"' | sort -u | tr '\n' ' '; }
generate=(generate "${small[@]}" --device cpu --prompt x --quiet)
"$program" "${generate[@]}" --output f32.png >out
"$program" "${generate[@]}" --dtype f32 --output said.png >out
"$program" "${generate[@]}" --dtype bf16,vae=f32 --output mixed.png >out
forced "${generate[@]}" --output auto.png >out
ok "auto is f32 in tests" "$(cmp f32.png said.png && recorded f32.png)" '"dtype":"f32" '
ok "where it is bf16 but for decoding, that is recorded" "$(recorded auto.png)" '"dtype":"bf16" "part_dtypes":"vae=f32" '
ok "and is the picture of --dtype bf16,vae=f32" "$(cmp auto.png mixed.png && echo same)" same
ok "which is another than that of f32" "$(cmp -s auto.png f32.png || echo other)" other
ok "it is replayed where auto is f32" "$("$program" replay --verify --model "$model" --quiet auto.png >out 2>err; echo $?)" 0
ok "and one in f32 where auto is bf16" "$(forced replay --verify --model "$model" --quiet f32.png >out; echo $?)" 0
ok "in f32 it is another picture" "$("$program" replay --verify --dtype f32 --model "$model" --quiet auto.png >out 2>err; echo $?)" 3
"$program" branch --step 1 --model "$model" --scheduler euler --quiet --output branch.png auto.png >out 2>err
ok "a branch goes on in its types" "$(recorded branch.png)" '"dtype":"bf16" "part_dtypes":"vae=f32" '
ok "and is replayed" "$("$program" replay --verify --model "$model" --quiet branch.png >out 2>err; echo $?)" 0
forced compare "${small[@]}" --device cpu --prompt x --quiet --schedulers ddim,euler --sheet s.png --save s.safelight >out
ok "a comparison has them" "$(recorded s.png)$(recorded s.safelight)" \
  '"dtype":"bf16" "part_dtypes":"vae=f32" "dtype":"bf16" "part_dtypes":"vae=f32" '
for file in s.png s.safelight; do
  ok "$file is replayed where auto is f32" "$("$program" replay --verify --model "$model" --quiet $file >out 2>err; echo $?)" 0
done
"$program" compare --open s.safelight --model "$model" --quiet --sheet opened.png >out 2>err
ok "a sheet of it, made where auto is f32, is the same" "$("$program" replay --verify --model "$model" --quiet opened.png >out 2>err; echo $?) \
$(recorded opened.png)" "0 \
$(recorded s.png)"
# Weights in 8 bits: the type beside them is recorded. Files of earlier builds say no more than q8, which was f32, or what their device is described with.
"$program" "${generate[@]}" --dtype q8 --output q8.png >out
"$program" "${generate[@]}" --dtype q8/f32 --output q8-f32.png >out
"$program" "${generate[@]}" --dtype q8/bf16 --output q8-bf16.png >out
ok "beside 8 bits f32 is recorded" "$(recorded q8-f32.png)" '"dtype":"q8/f32" '
ok "or bf16" "$(recorded q8-bf16.png)" '"dtype":"q8/bf16" '
ok "of q8 that which is usual here" "$(cmp -s q8.png q8-f32.png || cmp q8.png q8-bf16.png && echo same)" same
ok "f32 and bf16 are two pictures" "$(cmp -s q8-f32.png q8-bf16.png || echo other)" other
for file in q8.png q8-f32.png q8-bf16.png; do
  ok "$file is replayed" "$("$program" replay --verify --model "$model" --quiet $file >out 2>err; echo $?)" 0
done
ok "in the other type it is another" "$("$program" replay --verify --dtype q8/bf16 --model "$model" --quiet q8-f32.png >out 2>err; echo $?)" 3
compare_q8=(compare "${small[@]}" --device cpu --prompt x --quiet --schedulers ddim,euler)
for type in f32 bf16; do
  "$program" "${compare_q8[@]}" --dtype q8/$type --save $type.safelight >out
  spaces=$([ $type = f32 ] && echo '    ' || echo '     ')
  LC_ALL=C sed "s|q8/$type\\(\\\\\\\\*\"\\)|q8\\1$spaces|g" $type.safelight >earlier-$type.safelight
done
ok "a comparison has it, too" "$(recorded bf16.safelight)" '"dtype":"q8/bf16" '
ok "as it was recorded earlier, it was f32" "$(recorded earlier-f32.safelight)" '"dtype":"q8/f32" '
ok "and is replayed so, whatever is usual here" "$("$program" replay --verify --model "$model" --quiet earlier-f32.safelight >out 2>err; echo $?)" 0
ok "bf16 where its device is described so" "$("$program" replay --verify --model "$model" --quiet earlier-bf16.safelight >out 2>err; echo $?)" 0
ok "info says what auto is" "$(SAFELIGHT_AUTO_DTYPE=bf16,decode=f32 "$program" info "$model" | grep "^  types")" \
  '  types         auto: bf16,decode=f32, because SAFELIGHT_AUTO_DTYPE says so'
ok "info measures it again when asked to, without a model" \
  "$(SAFELIGHT_AUTO_DTYPE= XDG_CACHE_HOME=$PWD/cache "$program" info --measure-types 2>&1 | sed 's/^\(auto: [a-z]*[0-9]*\).*because .*/\1/; s/bf16/f32/'; echo ${PIPESTATUS[0]})" \
  'auto: f32
0'
ok "or says who decides" "$(SAFELIGHT_AUTO_DTYPE=bf16 "$program" info --measure-types)" 'auto: bf16, because SAFELIGHT_AUTO_DTYPE says so'
ok "as JSON" "$(SAFELIGHT_AUTO_DTYPE=bf16 "$program" info --measure-types --json | tr -d '\t\n')" \
  '{"kind":"machine","auto_dtype":"bf16","auto_dtype_why":"auto: bf16, because SAFELIGHT_AUTO_DTYPE says so"}'
ok "for this machine, whatever the model" "$("$program" info --measure-types "$model" 2>&1; echo $?)" \
  "safelight: info --measure-types is about this machine and takes no MODEL|FILE: \"$model\"
2"
ok "info without a model and without that is refused" "$("$program" info 2>&1; echo $?)" 'safelight: info needs MODEL|FILE
2'
ok "bench, too" "$(forced bench "${small[@]}" --device cpu | grep "^  types")" \
  '  types      bf16,vae=f32 (auto: bf16,decode=f32, because SAFELIGHT_AUTO_DTYPE says so)'
ok "bench against another type" "$(forced bench "${small[@]}" --device cpu --against f32 | grep -c '^bf16,vae=f32 against f32$\|shapes are slower in bf16,vae=f32 than in f32')" 2
ok "as JSON" "$("$program" bench "${small[@]}" --device cpu --dtype f32 --against bf16 --json | tr -d ' \t\n' | grep -o '"against":{"dtype":"bf16"')" '"against":{"dtype":"bf16"'
for said in f64 auto q8 q8/bf16 bf16,vae; do
  ok "SAFELIGHT_AUTO_DTYPE=$said is refused" "$(SAFELIGHT_AUTO_DTYPE=$said "$program" "${generate[@]}" --output x.png 2>&1; echo $?)" \
    "safelight: SAFELIGHT_AUTO_DTYPE is \"$said\"; expected f32, bf16, or something like bf16,decode=f32
2"
done
ok "but where a type is said it does not count" "$(SAFELIGHT_AUTO_DTYPE=f64 "$program" "${generate[@]}" --dtype f32 --output x.png; echo $?)" "x.png
0"
for wrong in bf16,vea=f32 bf16,vae bf16,vae=q8 bf16, vae=f32 q8/f64 q8/bf16,unet=q8/f32; do
  ok "--dtype $wrong is refused" "$("$program" "${generate[@]}" --dtype $wrong --output x.png 2>err >out; echo $? $(wc -l <err))" "2 1"
done
said "f16 beside weights in 8 bits" 1 generate "${small[@]}" --device cpu --dtype q8/f16 --prompt x --output b.png
said "f16 with a part of another type" 1 generate "${small[@]}" --device cpu --dtype f16,vae=f32 --prompt x --output b.png
for dtype in auto f32 bf16; do said "$dtype" 0 generate "${small[@]}" --device cpu --dtype $dtype --prompt x --output b.png; done
said "f16 on a device that has it" 0 generate "${small[@]}" --device ref --dtype f16 --prompt x --output b.png
finish
