#!/usr/bin/env bash
# opens.sh PROGRAM CUDA_MODULE TESTS - which libraries a command opens: no GPU's where nothing is computed.
. "$(dirname "$0")/tap.sh"
SAFELIGHT_CUDA_MODULE=$(realpath "$2")
export SAFELIGHT_CUDA_MODULE
model=$(realpath "$3")/goldens/model/sd1
in_folder_of_its_own
# opens WORD...: the libraries of a GPU among those that are loaded.
opens() {
  LD_DEBUG=libs,files LD_DEBUG_OUTPUT=$folder/loaded "$program" "$@" >/dev/null 2>err || { cat err; return; }
  cat loaded.* | sed -n 's/.*calling init: .*\/\(lib\)\{0,1\}\(safelight-cuda\|cuda\|cublas\|cudart\|nvrtc\)[^/]*$/\2/p' | sort -u | tr '\n' ' '
  rm -f loaded.*
}
small=(--model "$model" --steps 1 --width 32 --height 32 --quiet)
ok "generate on the GPU does" "$(opens generate "${small[@]}" --device cuda --prompt x --output a.png)" "safelight-cuda "
"$program" compare "${small[@]}" --device cpu --prompt x --schedulers ddim,euler --save c.safelight >/dev/null
for what in "$model" a.png c.safelight; do ok "info of ${what##*/} opens none" "$(opens info "$what")" ""; done
ok "nor does generate on the CPU" "$(opens generate "${small[@]}" --device cpu --prompt x --output b.png)" ""
finish
