"""Trains the AutoencoderKL (128 x 128 -> 8 x 16 x 16): train_vae.py DATA OUT [--steps N] [--seed S].

Loss: absolute and squared error of the pixels, absolute error of their differences, and a light KL term. Most steps see 64 x 64 cuttings (more of
them in the same time); the last fifth sees whole pictures, as the model will. OUT is a diffusers folder, saved at the end
with latents of mean 0 and deviation 1 over the training pictures (scaling factor 1); OUT.csv is the training curve, OUT.pt the checkpoint.
"""
import argparse
import math

import numpy as np
import torch
from diffusers import AutoencoderKL

from checkpoint import DEVICE, Average, Checkpoint, Curve, pick
from optimizer import Both

WHOLE, LATENTS = 128, 8


def new_vae():
    return AutoencoderKL(3, 3, down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
                         block_out_channels=(16, 32, 64, 96), layers_per_block=1, latent_channels=LATENTS,
                         norm_num_groups=8, sample_size=WHOLE)


def pixels(data, rows):
    """Rows of the stored pictures as -1..1."""
    x = torch.from_numpy(data[rows]).permute(0, 3, 1, 2).float() / 127.5 - 1
    return x.to(DEVICE).contiguous(memory_format=torch.channels_last)


def batch_of(data, rng, pictures, whole):
    """Whole pictures, or four cuttings for each."""
    if whole:
        return pixels(data, pick(rng, data, pictures))
    half, cuttings = WHOLE // 2, []
    for x in pixels(data, pick(rng, data, 4 * pictures)):
        top, left = rng.integers(0, half + 1, 2)
        cuttings.append(x[:, top:top + half, left:left + half])
    return torch.stack(cuttings).contiguous(memory_format=torch.channels_last)


def loss_of(vae, x, noise):
    """Pixels, their differences across and down, and the KL divergence."""
    with torch.autocast(DEVICE, dtype=torch.bfloat16):
        latent = vae.encode(x).latent_dist
        y = vae.decode(latent.mean + latent.std * noise).sample
    error = y.float() - x
    edge = sum(torch.diff(error, dim=d).abs().mean() for d in (2, 3))
    return error.abs().mean() + 2 * error.square().mean() + 0.25 * edge + 1e-5 * latent.kl().mean() / noise[0].numel()


@torch.no_grad()
def centre(vae, data):
    """Makes each channel of the latents centred and of deviation 1, by the two 1 x 1 convolutions beside them; returns the
    deviation over all channels before. The diffusion's noise then weighs on all channels alike."""
    z = torch.cat([vae.encode(pixels(data, np.arange(i, i + 32))).latent_dist.mode() for i in range(0, 1024, 32)])
    mean, deviation = z.mean((0, 2, 3)), z.std((0, 2, 3))
    encode, decode = vae.quant_conv, vae.post_quant_conv
    decode.bias += decode.weight[:, :, 0, 0] @ mean
    decode.weight *= deviation.view(1, -1, 1, 1)
    encode.bias[:LATENTS] = (encode.bias[:LATENTS] - mean) / deviation
    encode.weight[:LATENTS] /= deviation.view(-1, 1, 1, 1)
    encode.bias[LATENTS:] -= 2 * deviation.log()
    return z.std().item()


@torch.no_grad()
def measure(vae, data):
    """The mean PSNR of the reconstructions of 512 pictures."""
    errors = []
    for i in range(0, 512, 32):
        x = pixels(data, np.arange(i, i + 32))
        y = vae.decode(vae.encode(x).latent_dist.mode()).sample.clamp(-1, 1)
        errors += ((y - x) / 2).square().mean((1, 2, 3)).tolist()
    return float(np.mean([-10 * math.log10(e) for e in errors]))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("data")
    arguments.add_argument("out")
    arguments.add_argument("--steps", type=int, default=2700)
    arguments.add_argument("--batch", type=int, default=4, help="pictures' worth of pixels in a step")
    arguments.add_argument("--rate", type=float, default=2.5e-3)
    arguments.add_argument("--seed", type=int, default=0)
    a = arguments.parse_args()
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    data = np.load(f"{a.data}/train.npy", mmap_mode="r")
    vae = new_vae().to(DEVICE, memory_format=torch.channels_last)
    weights = list(vae.parameters())
    optimizer = Both([vae], a.rate)
    average = Average(weights, 0.004)
    checkpoint = Checkpoint(f"{a.out}.pt", {"vae": vae, "optimizer": optimizer, "average": average}, rng)
    curve, step_of = Curve(f"{a.out}.csv"), torch.compile(loss_of, dynamic=False)
    step = checkpoint.load()
    while step < a.steps:
        done = step / a.steps
        x = batch_of(data, rng, a.batch, done >= 0.8)
        noise = torch.randn(len(x), LATENTS, x.shape[2] // 8, x.shape[3] // 8, device=DEVICE)
        loss = step_of(vae, x, noise)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step(a.rate * min(1, (step + 1) / 100) * (0.52 + 0.48 * math.cos(math.pi * done)))
        average.add(weights)
        step += 1
        curve.add(step, loss)
        checkpoint.save(step)
    checkpoint.save(step, now=True)
    average.copy_to(weights)
    deviation = centre(vae.eval(), data)
    vae.register_to_config(scaling_factor=1.0)
    psnr = measure(vae, np.load(f"{a.data}/unseen.npy", mmap_mode="r"))
    vae.to("cpu", memory_format=torch.contiguous_format).save_pretrained(a.out)
    print(f"steps {step}, deviation {deviation:.3f}, PSNR of unseen pictures {psnr:.2f} dB", flush=True)


if __name__ == "__main__":
    main()
