#!/bin/sh
# Makes both starter models from nothing: run.sh WORK_DIR. Each finished stage is kept in WORK_DIR and a stage that was cut off goes on
# from its last checkpoint when this is run again. Hours on 2 CPU cores, minutes on a GPU. The Python of requirements.txt is needed.
set -e
here=$(cd "$(dirname "$0")" && pwd)
work=$1 models=$(dirname "$here")
[ -n "$work" ] || { sed -n 2,3p "$0"; exit 2; }
mkdir -p "$work"
cd "$work"
python "$here/make_data.py" data --seed 1
[ -e tokenizer/vocab.json ] || python "$here/make_tokenizer.py" tokenizer
[ -e text/config.json ] || python "$here/train_text.py" data tokenizer text
[ -e vae/config.json ] || python "$here/train_vae.py" data vae
python "$here/train_unet.py" data vae text tokenizer starter
python "$here/train_ddpm.py" starter-ddpm
python "$here/evaluate.py" data starter --sheet "$models/samples.png" | tee figures.txt
rm -rf "$models/starter" "$models/starter-ddpm"
cp -r starter starter-ddpm "$models/"
