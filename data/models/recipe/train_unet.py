"""Trains the UNet and the text encoder together: train_unet.py DATA VAE TOKENIZER OUT --minutes M [--init STARTER].

Captions are worded anew each time a picture is used, one in ten is empty (for guidance). The loss is the epsilon
prediction's, weighted by min-SNR-5. OUT is a whole StableDiffusionPipeline folder in f16 with the averaged weights and
preview.json; --init goes on from such a folder.
"""
import argparse
import copy
import json
import math
import os
import random
import time

import numpy as np
import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import scenes

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
WIDTH = 128                                   # of the text encoder
SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def new_unet():
    return UNet2DConditionModel(sample_size=16, block_out_channels=(96, 160), layers_per_block=1, norm_num_groups=16,
                                cross_attention_dim=WIDTH, attention_head_dim=4,
                                down_block_types=("CrossAttnDownBlock2D",) * 2,
                                up_block_types=("CrossAttnUpBlock2D",) * 2)


def new_text(tokenizer):
    end = tokenizer.eos_token_id
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=tokenizer.model_max_length, projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=end, pad_token_id=end, initializer_factor=1.0))


def models(folder, tokenizer):
    """The UNet and the text encoder of a pipeline's folder, or new ones."""
    if not folder:
        return new_unet(), new_text(tokenizer)
    return (UNet2DConditionModel.from_pretrained(folder, subfolder="unet", torch_dtype=torch.float32),
            CLIPTextModel.from_pretrained(folder, subfolder="text_encoder", torch_dtype=torch.float32))


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


def preview_matrix(latents, data):
    """The linear map from scaled latents to RGB in -1..1, by least squares over 512 pictures."""
    count, channels, h, w = latents[:512].shape
    x = latents[:512].permute(0, 2, 3, 1).reshape(-1, channels).double()
    y = torch.from_numpy(data[:count]).double() / 127.5 - 1
    y = y.reshape(count, h, 128 // h, w, 128 // w, 3).mean((2, 4)).reshape(-1, 3)
    solution = torch.linalg.lstsq(torch.cat([x, torch.ones(len(x), 1).double()], 1), y).solution
    return {"latent_rgb_factors": solution[:-1].tolist(), "latent_rgb_bias": solution[-1].tolist()}


def export(out, vae, text, tokenizer, unet, preview):
    """Writes the pipeline as diffusers would, in f16."""
    scheduler = PNDMScheduler(**SCHEDULE, steps_offset=1, set_alpha_to_one=False, skip_prk_steps=True)
    vae, text, unet = (copy.deepcopy(m).to("cpu") for m in (vae, text, unet))
    unet, vae = (m.to(memory_format=torch.contiguous_format) for m in (unet, vae))
    pipe = StableDiffusionPipeline(vae, text, tokenizer, unet, scheduler, None, None, requires_safety_checker=False)
    pipe.to(torch.float16).save_pretrained(out)
    with open(f"{out}/preview.json", "w") as f:
        json.dump(preview, f, indent=1)


def batch_of(latents, told, tokenizer, rng, size):
    """(latents, token ids) of scenes drawn by lot; one caption in ten is empty."""
    rows = [rng.randrange(len(latents)) for _ in range(size)]
    words = ["" if rng.random() < 0.1 else scenes.caption(rng, told[i]) for i in rows]
    ids = tokenizer(words, padding="max_length", truncation=True, return_tensors="pt").input_ids
    return latents[rows], ids


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("data", "vae", "tokenizer", "out"):
        arguments.add_argument(name)
    arguments.add_argument("--minutes", type=float, default=60)
    arguments.add_argument("--count", type=int, default=50000, help="pictures used")
    arguments.add_argument("--batch", type=int, default=32)
    arguments.add_argument("--rate", type=float, default=1e-3)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--average", type=float, default=0.001, help="share of each step in the averaged weights")
    arguments.add_argument("--init")
    a = arguments.parse_args()
    torch.manual_seed(a.seed)
    rng = random.Random(a.seed)
    data = np.load(f"{a.data}/train.npy", mmap_mode="r")
    told = [json.loads(line) for line in open(f"{a.data}/train.jsonl")]
    vae = AutoencoderKL.from_pretrained(a.vae, torch_dtype=torch.float32).to(DEVICE).eval()
    tokenizer = CLIPTokenizer.from_pretrained(a.tokenizer)
    latents = latents_of(vae, data, min(a.count, len(data)))
    preview = preview_matrix(latents, data)
    unet, text = models(a.init, tokenizer)
    unet, text = unet.to(DEVICE, memory_format=torch.channels_last).train(), text.to(DEVICE)
    if DEVICE == "cpu":
        unet.set_attn_processor(AttnProcessor())          # its backward pass is the faster one there
    weights = list(unet.parameters()) + list(text.parameters())
    average = [w.detach().clone() for w in weights]
    optimizer = torch.optim.AdamW(weights, a.rate, betas=(0.9, 0.98), weight_decay=0.01)
    levels = PNDMScheduler(**SCHEDULE).alphas_cumprod.to(DEVICE)
    start, step, losses, curve = time.time(), 0, [], open(f"{a.out}.csv", "a")
    print(f"{sum(w.numel() for w in weights)} weights, {len(latents)} latents", flush=True)
    while (done := (time.time() - start) / 60 / a.minutes) < 1:
        rate = a.rate * min(1, (step + 1) / 60) * (1 if done < 0.5 else max(0.03, 2 - 2 * done))
        optimizer.param_groups[0]["lr"] = rate
        z, ids = batch_of(latents, told, tokenizer, rng, a.batch)
        z, ids = z.to(DEVICE), ids.to(DEVICE)
        t = torch.randint(0, 1000, (a.batch,), device=DEVICE)
        level = levels[t].view(-1, 1, 1, 1)
        noise = torch.randn_like(z)
        x = (level.sqrt() * z + (1 - level).sqrt() * noise).contiguous(memory_format=torch.channels_last)
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            guess = unet(x, t, text(ids).last_hidden_state).sample.float()
        snr = (level / (1 - level)).flatten()
        loss = ((guess - noise).square().mean((1, 2, 3)) * snr.clamp(max=5) / snr).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        with torch.no_grad():
            torch._foreach_lerp_(average, weights, max(a.average, 1 / step))
        losses.append(loss.item())
        if step % 50 == 0:
            print(f"{step},{time.time() - start:.0f},{np.mean(losses[-50:]):.4f}", file=curve, flush=True)
    with torch.no_grad():
        for w, mean in zip(weights, average):
            w.copy_(mean)
    os.makedirs(a.out, exist_ok=True)
    export(a.out, vae, text, tokenizer, unet, preview)
    print(f"steps {step}", flush=True)


if __name__ == "__main__":
    main()
