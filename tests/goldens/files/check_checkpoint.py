#!/usr/bin/env python3
"""Has diffusers' own converters read what tests/files/make_checkpoint.py writes, and compares.

Run by hand (needs ../requirements.txt): check_checkpoint.py. It writes nothing to keep: what it
proves is that make_checkpoint.py's layout is the one that diffusers understands.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from diffusers.loaders import single_file_utils as sfu
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel

TESTS = Path(__file__).resolve().parents[2]


def same(got, want, what):
    missing, extra = set(want) - set(got), set(got) - set(want)
    assert not missing and not extra, (what, sorted(missing)[:5], sorted(extra)[:5])
    for k in want:
        assert torch.equal(got[k].reshape(want[k].shape), want[k]), (what, k)
    print(f"{what}: {len(want)} tensors equal")


def check(name, flags):
    folder = TESTS / "goldens/model" / name
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as f:
        subprocess.run([sys.executable, TESTS / "files/make_checkpoint.py", folder, f.name, *flags], check=True)
        checkpoint = load_file(f.name)
    config = {p: json.loads((folder / p / "config.json").read_text()) for p in ("unet", "vae", "text_encoder")}
    same(sfu.convert_ldm_unet_checkpoint(dict(checkpoint), config["unet"]),
         load_file(folder / "unet/diffusion_pytorch_model.safetensors"), name + " unet")
    same(sfu.convert_ldm_vae_checkpoint(dict(checkpoint), config["vae"]),
         load_file(folder / "vae/diffusion_pytorch_model.safetensors"), name + " vae")
    text = load_file(folder / "text_encoder/model.safetensors")
    if flags:
        model = CLIPTextModel(CLIPTextConfig(**config["text_encoder"]))
        # diffusers drops SD 2's layer 23 by name; here the last one has another number.
        layers = config["text_encoder"]["num_hidden_layers"]
        kept = {k: v for k, v in checkpoint.items() if "resblocks.23." not in k}
        got = sfu.convert_open_clip_checkpoint(model, kept, prefix="cond_stage_model.model.")
    else:
        got = sfu.convert_ldm_clip_checkpoint(dict(checkpoint), remove_prefix="cond_stage_model.transformer.")
    got = {k: v for k, v in got.items() if "position_ids" not in k and "text_projection" not in k}
    same(got, text, name + " text encoder")


check("sd1", [])
check("sd2", ["--open-clip"])
