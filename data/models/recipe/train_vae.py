"""Trains the AutoencoderKL (128 x 128 -> 4 x 16 x 16): train_vae.py DATA OUT --minutes M [--init VAE_DIR].

Loss: absolute error of the pixels and of their differences, and a light KL term. OUT is a diffusers folder, saved at the
end with the scaling factor measured on the training pictures; OUT.csv is the training curve.
"""
import argparse
import math
import time

import numpy as np
import torch
from diffusers import AutoencoderKL


DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def new_vae():
    return AutoencoderKL(3, 3, down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
                         block_out_channels=(16, 32, 64, 96), layers_per_block=1, latent_channels=4,
                         norm_num_groups=8, sample_size=128)


def pixels(data, rows):
    """Rows of the stored pictures as -1..1."""
    x = torch.from_numpy(data[np.sort(rows)]).permute(0, 3, 1, 2).float() / 127.5 - 1
    return x.to(DEVICE).contiguous(memory_format=torch.channels_last)


def loss_of(x, y, latent):
    """Pixels, their differences across and down, and the KL divergence."""
    edge = sum((torch.diff(y, dim=d) - torch.diff(x, dim=d)).abs().mean() for d in (2, 3))
    return (y - x).abs().mean() + 0.5 * edge + 1e-5 * latent.kl().mean() / 1024


@torch.no_grad()
def measure(vae, data):
    """(standard deviation of the latents, PSNR of the reconstructions) over 256 pictures."""
    values, errors = [], []
    for i in range(0, 256, 32):
        x = pixels(data, np.arange(i, i + 32))
        z = vae.encode(x).latent_dist.mode()
        values.append(z.flatten())
        errors += ((vae.decode(z).sample.clamp(-1, 1) - x) / 2).square().mean((1, 2, 3)).tolist()
    return torch.cat(values).std().item(), float(np.mean([-10 * math.log10(e) for e in errors]))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("data")
    arguments.add_argument("out")
    arguments.add_argument("--minutes", type=float, default=15)
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--rate", type=float, default=2e-3)
    arguments.add_argument("--init")
    a = arguments.parse_args()
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    data = np.load(f"{a.data}/train.npy", mmap_mode="r")
    vae = AutoencoderKL.from_pretrained(a.init, torch_dtype=torch.float32) if a.init else new_vae()
    vae = vae.to(DEVICE, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(vae.parameters(), a.rate, betas=(0.9, 0.98), weight_decay=0)
    start, step, curve = time.time(), 0, open(f"{a.out}.csv", "a")
    while (done := (time.time() - start) / 60 / a.minutes) < 1:
        optimizer.param_groups[0]["lr"] = a.rate * min(1, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * done))
        x = pixels(data, rng.integers(0, len(data), a.batch))
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            latent = vae.encode(x).latent_dist
            y = vae.decode(latent.sample()).sample
        loss = loss_of(x, y.float(), latent)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        if step % 50 == 0:
            print(f"{step},{time.time() - start:.0f},{loss.item():.4f}", file=curve, flush=True)
    deviation, psnr = measure(vae, np.load(f"{a.data}/unseen.npy", mmap_mode="r"))
    vae.register_to_config(scaling_factor=1 / deviation)
    vae.to("cpu", memory_format=torch.contiguous_format).save_pretrained(a.out)
    print(f"steps {step}, deviation {deviation:.3f}, PSNR of unseen pictures {psnr:.2f} dB", flush=True)


if __name__ == "__main__":
    main()
