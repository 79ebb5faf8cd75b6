#!/usr/bin/env bash
# places.sh PROGRAM TESTS - files and folders that are not what they should be: each is told in one sentence, and nothing is waited for or lost.
. "$(dirname "$0")/tap.sh"
tests=$(realpath "$2")
model=$tests/goldens/model/sd1
in_folder_of_its_own
chmod 755 .
picture=(generate --model "$model" --prompt "a red house" --steps 1 --width 16 --height 16 --device cpu --threads 1 --quiet)
as=()
# told STATUS SENTENCE WORD...: ends so within seconds, with a line that has the sentence.
told() {
  local status=$1 sentence=$2 code said
  shift 2
  said=$(timeout 60 "${as[@]}" "$program" "$@" 2>&1 >/dev/null </dev/null)
  code=$?
  ok "${*: -2}: ${said:0:120}" "$code, $(wc -l <<<"$said") line, $(grep -cF -e "$sentence" <<<"$said")" "$status, 1 line, 1"
}
made() { # WHAT WORD...: makes a picture, and says nothing
  local what=$1 said
  shift
  rm -f made.png
  said=$("$@" 2>&1 >/dev/null)
  ok "$what" "$? $said $(head -c 4 made.png 2>/dev/null | tail -c 3)" "0  PNG"
}
long=$(printf 'n%.0s' {1..252})
mkdir folder folder.png
mkfifo pipe pipe.png pipe.safetensors
ln -s folder/link.png link.png
ln -s loop.png loop.png
"$program" "${picture[@]}" --output there.png >/dev/null || exit 1

# where something is written to
told 1 "it is a folder, not a file" "${picture[@]}" --output folder.png
told 1 "it is a device or a pipe, not a file" "${picture[@]}" --output pipe.png
told 1 "it is a device or a pipe, not a file" "${picture[@]}" --dump /dev/null
told 1 "File name too long" "${picture[@]}" --output "$long.png"
told 1 "No such file or directory" "${picture[@]}" --output nowhere/made.png
told 1 "symbolic links" "${picture[@]}" --output loop.png
told 1 "cannot be made: this is no folder" "${picture[@]}" --previews there.png
told 1 "cannot be made: this is no folder" "${picture[@]}" --word-maps pipe
told 1 "cannot be made: No such file" "${picture[@]}" --previews nowhere/folder
told 2 "--dump and --output are one file" "${picture[@]}" --output made.png --dump ./made.png
told 2 "--dump and --output are one file" "${picture[@]}" --output link.png --dump folder/link.png
told 2 "--dump and --animation are one file" "${picture[@]}" --animation made.webp --dump made.webp
"$program" "${picture[@]}" --output link.png >/dev/null
ok "a link is followed, and stays" "$? $(readlink link.png) $(cmp folder/link.png there.png 2>&1)" "0 folder/link.png "

# where something is read from
for file in pipe pipe.safetensors; do
  for option in model vae unet text-encoder lora embedding latents step-noise; do told 1 "this is a pipe (FIFO)" "${picture[@]}" --$option $file; done
  told 1 "this is a pipe (FIFO)" info $file
done
for option in vae lora embedding latents; do told 1 "this is a device" "${picture[@]}" --$option /dev/zero; done
for option in lora embedding latents; do told 1 "folder: this is a folder; expected a" "${picture[@]}" --$option folder; done
told 1 "this is a pipe (FIFO)" replay pipe.png
told 1 "this is a pipe (FIFO)" branch pipe.png --step 1 --output made.png
told 1 "this is a folder" replay folder
told 2 "--model is \"\"" generate --prompt x --model "" --output made.png

# without a home, without a cache
made "no \$HOME" env -u HOME -u XDG_CACHE_HOME -u XDG_DATA_HOME "$program" "${picture[@]}" --output made.png
made "no variable at all" env -i "$program" "${picture[@]}" --output made.png
made "a cache that is a file" env XDG_CACHE_HOME="$PWD/there.png" "$program" "${picture[@]}" --output made.png

# Programs that write the same file at once: it is one of theirs, whole, and nothing is left beside it.
for i in 1 2 3 4; do "$program" "${picture[@]}" --seed $((i % 2)) --output same.png >/dev/null & done
wait
for i in 0 1; do "$program" "${picture[@]}" --seed $i --output alone-$i.png >/dev/null; done
ok "four write one file" "$(cmp -s same.png alone-0.png || cmp -s same.png alone-1.png; echo $?) $(find . -name '.safelight-*')" "0 "

# Programs that choose a name at once: none takes another's.
mkdir chosen
for i in 1 2 3 4 5 6; do (cd chosen && "$program" "${picture[@]}" --seed $i >>../names) & done
wait
ok "six choose a name" "$(sort -u names | tr '\n' ' ')$(find chosen -name '*.png' | wc -l) $(sha256sum chosen/*.png | cut -c 1-64 | sort -u | wc -l)" \
  "$(printf 'safelight-%04d.png ' 1 2 3 4 5 6)6 6"

# what may not be read or written; root may
mkdir closed && chmod 555 closed
cp there.png secret.png && chmod 000 secret.png
[ "$(id -u)" != 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent)
if "${as[@]}" test -x "$program" && "${as[@]}" test -r "$model/model_index.json" && ! "${as[@]}" test -w closed; then
  told 1 "closed/made.png: cannot be written: Permission denied" "${picture[@]}" --output closed/made.png
  told 1 "closed/0001.png: cannot be written: Permission denied" "${picture[@]}" --previews closed
  told 1 "cannot be made: Permission denied" "${picture[@]}" --word-maps closed/folder
  told 1 "no permission to read it" info secret.png
  told 1 "no permission to read it" "${picture[@]}" --latents secret.png
else
  echo "# permissions cannot be tried here"
fi
finish
