#!/usr/bin/env python3
"""Word maps of the small pipelines in this folder, from softmax(q k^T) of every attn2 written out in PyTorch, to
NAME_maps.safetensors.

    OMP_NUM_THREADS=1 python make_word_maps.py        # with the versions in ../requirements.txt

The first evaluation of a picture of 16 x 16 from "latents". N = 2: negative prompt, prompt.
    level.I (2,T,h,w): mean over heads, sum over the layers of a resolution of the down and up blocks, from the highest
        on, then of the middle block; the first T = 16 tokens
    layers (levels,): how many layers that are
    word.K (8,8): of the prompt's K-th word all levels but the middle block's, bicubic, cut off below 0, the mean of the
        layers and of the word's tokens; share.K: its tokens' part of all attention
"""
import pathlib

import torch
import torch.nn.functional as F
from diffusers import DiffusionPipeline
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
TOKENS = 16
PROMPT, NEGATIVE = "a photograph of an astronaut, riding a horse", "blurry, low quality"
WORDS = ["a", "photograph", "of", "an", "astronaut", ",", "riding", "a", "horse"]


class Looks:
    """An attention processor that computes the scores itself and keeps them."""

    def __init__(self, kept, name):
        self.kept, self.name = kept, name

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None, **_):
        text = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        q, k, v = (attn.head_to_batch_dim(x) for x in (attn.to_q(hidden_states), attn.to_k(text), attn.to_v(text)))
        p = (q @ k.transpose(1, 2) * attn.scale).softmax(-1)
        if ".attn2." in self.name:
            self.kept.append((self.name, p.unflatten(0, (-1, attn.heads)).mean(1)))
        return attn.to_out[0](attn.batch_to_head_dim(p @ v))


class Enough(Exception):
    pass


def stop(*_):
    raise Enough


@torch.no_grad()
def make(name):
    pipe = DiffusionPipeline.from_pretrained(HERE / name, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    kept, unet = [], pipe.unet
    unet.set_attn_processor({n: Looks(kept, n) for n in unet.attn_processors})
    factor = pipe.vae_scale_factor
    latents = torch.randn((1, unet.config.in_channels, 16 // factor, 16 // factor),
                          generator=torch.Generator().manual_seed(8))
    unet.register_forward_hook(stop)
    try:
        pipe(PROMPT, negative_prompt=NEGATIVE, height=16, width=16, num_inference_steps=2, guidance_scale=7.5,
             latents=latents.clone())
    except Enough:
        pass
    h = latents.shape[-1]
    blocks = len(unet.config.down_block_types)
    levels = {}
    for layer, p in kept:
        place = layer.split(".")
        number = int(place[1]) if place[0] != "mid_block" else None
        level = blocks if number is None else number if place[0] == "down_blocks" else blocks - 1 - number
        levels.setdefault(level, []).append(p)
    out = {"latents": latents[0]}
    layers, share = [], 0
    for i, level in enumerate(sorted(levels)):
        maps = torch.stack(levels[level]).sum(0)
        side = round(maps.shape[1] ** 0.5)
        maps = maps.transpose(1, 2).unflatten(2, (side, side))
        out[f"level.{i}"] = maps[:, :TOKENS].contiguous()
        layers.append(len(levels[level]))
        if level < blocks:
            share = share + maps[1].mean((1, 2))
    out["layers"] = torch.tensor(layers, dtype=torch.float32)
    counted = sum(n for n, level in zip(layers, sorted(levels)) if level < blocks)
    row = k = 0
    for word in WORDS:
        count = len(pipe.tokenizer(word, add_special_tokens=False).input_ids)
        if word != ",":
            rows = slice(1 + row, 1 + row + count)
            # the tokens' mean comes first: what is cut off below 0 is the word's
            cut = sum(F.interpolate(torch.stack(levels[level]).sum(0)[1:, :, rows].mean(2).unflatten(1, (s, s))[:, None],
                                    (h, h), mode="bicubic").clamp(min=0)[0, 0]
                      for level in levels if level < blocks
                      for s in [round(levels[level][0].shape[1] ** 0.5)])
            out[f"word.{k}"] = cut / counted
            out[f"share.{k}"] = (share[rows].sum() / counted).reshape(1)
            k += 1
        row += count
    save_file({k: v.contiguous() for k, v in out.items()}, HERE / f"{name}_maps.safetensors")
    print(name, {k: tuple(v.shape) for k, v in out.items() if "." not in k or k.startswith("level")}, layers, row)


for model in ("sd1", "sd2", "sdxl"):
    make(model)
