#!/bin/sh
# Makes both starter models from nothing: run.sh WORK_DIR. Each finished stage is kept in WORK_DIR, so that it can be
# run again to go on. MINUTES scales the training (1 = a GPU's minutes: 8 VAE, 15 UNet, 5 DDPM; on 2 CPU cores take 20).
set -e
here=$(cd "$(dirname "$0")" && pwd)
work=$1 scale=${MINUTES:-1} models=$(dirname "$here")
[ -n "$work" ] || { sed -n 2,3p "$0"; exit 2; }
mkdir -p "$work"
python "$here/make_data.py" "$work/data" --seed 1
[ -e "$work/tokenizer/vocab.json" ] || python "$here/make_tokenizer.py" "$work/tokenizer"
[ -e "$work/vae/config.json" ] || python "$here/train_vae.py" "$work/data" "$work/vae" --minutes $((8 * scale))
[ -e "$work/starter/model_index.json" ] || python "$here/train_unet.py" "$work/data" "$work/vae" "$work/tokenizer" \
    "$work/starter" --minutes $((15 * scale)) --batch 64 --seed 0
[ -e "$work/starter-ddpm/model_index.json" ] || python "$here/train_ddpm.py" "$work/starter-ddpm" --minutes $((5 * scale))
python "$here/evaluate.py" "$work/data" "$work/starter" --sheet "$models/samples.png" | tee "$work/figures.txt"
rm -rf "$models/starter" "$models/starter-ddpm"
cp -r "$work/starter" "$work/starter-ddpm" "$models/"
