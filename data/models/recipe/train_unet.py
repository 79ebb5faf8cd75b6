"""Trains the UNet and the text encoder together: train_unet.py DATA VAE TEXT TOKENIZER OUT [--steps N] [--seed S].

Captions are worded anew each time a picture is used, one in ten is empty (for guidance). The loss is the epsilon
prediction's, weighted by min-SNR-5 (Hang et al. 2023). OUT is a whole StableDiffusionPipeline folder in f16 with the
averaged weights and preview.json, written at the end and every --export steps; OUT.pt is the checkpoint.

Easy to get wrong: beta_end is 0.02, not Stable Diffusion's 0.012. Latents of 16 x 16 keep so much of a picture's mean at
0.012's last timestep that night scenes come out grey.
"""
import argparse
import copy
import json
import random

import numpy as np
import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from transformers import CLIPTextModel, CLIPTokenizer

import scenes
from checkpoint import DEVICE, Average, Checkpoint, Curve
from optimizer import Both
from train_text import WIDTH, tokens
from train_vae import LATENTS

SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.02, "beta_schedule": "scaled_linear"}


def new_unet():
    return UNet2DConditionModel(sample_size=16, in_channels=LATENTS, out_channels=LATENTS, block_out_channels=(64, 192),
                                layers_per_block=1, norm_num_groups=16, cross_attention_dim=WIDTH, attention_head_dim=4,
                                down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
                                up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"))


@torch.no_grad()
def latents_of(vae, data, count):
    """The scaled latents of the first count pictures."""
    out = []
    for i in range(0, count, 32):
        x = torch.from_numpy(data[i:min(i + 32, count)]).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            z = vae.encode(x.to(DEVICE).contiguous(memory_format=torch.channels_last)).latent_dist.mode()
        out.append(z.float().cpu() * vae.config.scaling_factor)
    return torch.cat(out)


def kept_latents(path, vae, data, count):
    """The latents, from a file where an earlier start left them."""
    try:
        return torch.load(path)[:count]
    except FileNotFoundError:
        latents = latents_of(vae, data, count)
        torch.save(latents, path)
        return latents


def preview_matrix(latents, data):
    """The linear map from scaled latents to RGB in -1..1, by least squares over 512 pictures."""
    count, channels, h, w = latents[:512].shape
    x = latents[:512].permute(0, 2, 3, 1).reshape(-1, channels).double()
    y = torch.from_numpy(data[:count]).double() / 127.5 - 1
    y = y.reshape(count, h, 128 // h, w, 128 // w, 3).mean((2, 4)).reshape(-1, 3)
    solution = torch.linalg.lstsq(torch.cat([x, torch.ones(len(x), 1).double()], 1), y).solution
    return {"latent_rgb_factors": solution[:-1].tolist(), "latent_rgb_bias": solution[-1].tolist()}


def change(path, **keys):
    """Sets keys of a JSON file; None takes one away."""
    with open(path) as f:
        config = json.load(f) | keys
    with open(path, "w") as f:
        json.dump({k: v for k, v in config.items() if v is not None or k not in keys}, f, indent=2)


def export(out, vae, text, tokenizer, unet, average, preview):
    """Writes the pipeline as diffusers would, with the averaged weights, in f16."""
    vae, text, unet = (copy.deepcopy(m).to("cpu") for m in (vae, text, unet))
    average.copy_to(list(unet.parameters()) + list(text.parameters()))
    unet, vae = (m.to(memory_format=torch.contiguous_format) for m in (unet, vae))
    scheduler = PNDMScheduler(**SCHEDULE, steps_offset=1, set_alpha_to_one=False, skip_prk_steps=True)
    pipe = StableDiffusionPipeline(vae, text, tokenizer, unet, scheduler, None, None, requires_safety_checker=False)
    pipe.to(torch.float16).save_pretrained(out)
    change(f"{out}/vae/config.json", _name_or_path=None)  # a folder of the training machine
    # PNDM has no such key, but DDIM and DDPM would clip latents as if they were pixels, as with SD 1.4 without its own.
    change(f"{out}/scheduler/scheduler_config.json", clip_sample=False)
    with open(f"{out}/preview.json", "w") as f:
        json.dump(preview, f, indent=1)


def batch_of(latents, told, tokenizer, rng, size):
    """(latents, token ids) of scenes drawn by lot; one caption in ten is empty."""
    rows = rng.integers(0, len(latents), size)
    lot = random.Random(int(rng.integers(1 << 62)))
    words = ["" if lot.random() < 0.1 else scenes.caption(lot, told[i]) for i in rows]
    return latents[rows].to(DEVICE), tokens(tokenizer, words)


def timesteps_of(size):
    """One timestep by lot from each of size equal parts of 0..999, which makes the loss less noisy."""
    return ((torch.arange(size, device=DEVICE) + torch.rand(size, device=DEVICE)) / size * 1000).long().clamp(max=999)


def rate_at(done, step):
    """The share of the learning rate: a short rise, then even, falling over the last two fifths."""
    return min(1, (step + 1) / 100) * (1 if done < 0.6 else max(0.02, (1 - done) / 0.4))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("data", "vae", "text", "tokenizer", "out"):
        arguments.add_argument(name)
    arguments.add_argument("--steps", type=int, default=2000)
    arguments.add_argument("--count", type=int, default=50000, help="pictures used")
    arguments.add_argument("--batch", type=int, default=64)
    arguments.add_argument("--rate", type=float, default=1.5e-3)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--average", type=float, default=0.002, help="share of each step in the averaged weights")
    arguments.add_argument("--export", type=int, default=500, help="write OUT every so many steps")
    a = arguments.parse_args()
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    data = np.load(f"{a.data}/train.npy", mmap_mode="r")
    told = [json.loads(line) for line in open(f"{a.data}/train.jsonl")]
    vae = AutoencoderKL.from_pretrained(a.vae, torch_dtype=torch.float32).to(DEVICE).eval()
    tokenizer = CLIPTokenizer.from_pretrained(a.tokenizer)
    latents = kept_latents(f"{a.out}.latents.pt", vae, data, min(a.count, len(data)))
    preview = preview_matrix(latents, data)
    unet = new_unet().to(DEVICE, memory_format=torch.channels_last).train()
    text = CLIPTextModel.from_pretrained(a.text, torch_dtype=torch.float32).to(DEVICE)
    if DEVICE == "cpu":
        unet.set_attn_processor(AttnProcessor())          # its backward pass is the faster one there
    weights = list(unet.parameters()) + list(text.parameters())
    average = Average(weights, a.average)
    optimizer = Both([unet, text], a.rate)
    state = {"unet": unet, "text": text, "optimizer": optimizer, "average": average}
    checkpoint, curve = Checkpoint(f"{a.out}.pt", state, rng), Curve(f"{a.out}.csv")
    levels = PNDMScheduler(**SCHEDULE).alphas_cumprod.to(DEVICE)
    predict, step = torch.compile(unet, dynamic=False), checkpoint.load()
    print(f"{sum(w.numel() for w in weights)} weights, {len(latents)} latents, from step {step}", flush=True)
    while step < a.steps:
        z, ids = batch_of(latents, told, tokenizer, rng, a.batch)
        t = timesteps_of(a.batch)
        level = levels[t].view(-1, 1, 1, 1)
        noise = torch.randn_like(z)
        x = (level.sqrt() * z + (1 - level).sqrt() * noise).contiguous(memory_format=torch.channels_last)
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            guess = predict(x, t, text(ids).last_hidden_state).sample.float()
        snr = (level / (1 - level)).flatten()
        loss = ((guess - noise).square().mean((1, 2, 3)) * snr.clamp(max=5) / snr).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step(a.rate * rate_at(step / a.steps, step))
        average.add(weights)
        step += 1
        curve.add(step, loss)
        checkpoint.save(step)
        if step % a.export == 0:
            export(a.out, vae, text, tokenizer, unet, average, preview)
    checkpoint.save(step, now=True)
    export(a.out, vae, text, tokenizer, unet, average, preview)
    print(f"steps {step}", flush=True)


if __name__ == "__main__":
    main()
