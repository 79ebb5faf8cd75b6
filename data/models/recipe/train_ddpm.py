"""Trains the unconditional model: train_ddpm.py OUT [--steps N] [--seed S]. 32 x 32 flowers, drawn as it goes.

OUT is a DDPMPipeline folder in f16 with the averaged weights, in the shape of google/ddpm-cat-256; OUT.pt is the
checkpoint, OUT.csv the training curve.
"""
import argparse
import math
import random

import cairo
import numpy as np
import torch
from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

from checkpoint import DEVICE, Average, Checkpoint, Curve
from draw import PAINT, mix, rgb
from optimizer import Both

SIZE = 32
PETALS = ("red", "blue", "yellow", "white", "orange", "purple", "pink")
GROUNDS = ("#2e4a3a", "#24405c", "#dfeee4", "#f6ead2", "#40304f", "#cfe3f4")


def new_unet():
    return UNet2DModel(sample_size=SIZE, block_out_channels=(32, 64, 96), layers_per_block=1, norm_num_groups=16,
                       attention_head_dim=None, flip_sin_to_cos=False, freq_shift=1, downsample_padding=0,
                       down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
                       up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D"))


def ellipse(cr, x, y, rx, ry, turn, colour):
    cr.save()
    cr.translate(x, y)
    cr.rotate(turn)
    cr.scale(rx, ry)
    cr.arc(0, 0, 1, 0, 2 * math.pi)
    cr.restore()
    cr.set_source_rgb(*colour)
    cr.fill()


def flower(rng):
    """One flower: ground, stalk with two leaves, one or two rings of petals, a heart."""
    surface = cairo.ImageSurface(cairo.FORMAT_RGB24, SIZE, SIZE)
    cr = cairo.Context(surface)
    cr.scale(SIZE, SIZE)
    cr.set_source_rgb(*rgb(rng.choice(GROUNDS)))
    cr.paint()
    x, y, r = rng.uniform(0.42, 0.58), rng.uniform(0.36, 0.46), rng.uniform(0.25, 0.33)
    green = mix(rgb("#4f9a48"), (0, 0, 0), rng.uniform(0, 0.25))
    cr.set_source_rgb(*green)
    cr.set_line_width(0.05)
    cr.move_to(x, y)
    cr.curve_to(x, 0.7, 0.5, 0.8, 0.5, 1)
    cr.stroke()
    for side in (-1, 1):
        ellipse(cr, 0.5 + side * 0.15, rng.uniform(0.8, 0.88), 0.15, 0.055, -side * 0.5, green)
    petal, count, turn = rgb(PAINT[rng.choice(PETALS)]), rng.choice((5, 6, 8)), rng.uniform(0, 1.2)
    for ring in range(rng.choice((1, 2))):
        shade, reach = mix(petal, (1, 1, 1), 0.35 * ring), r * (1 - 0.38 * ring)
        for i in range(count):
            a = turn + ring * math.pi / count + 2 * math.pi * i / count
            ellipse(cr, x + math.cos(a) * reach * 0.62, y + math.sin(a) * reach * 0.62, reach * 0.5, reach * 1.5 / count,
                    a, mix(shade, (0, 0, 0.1), 0.1 * (i % 2)))
    ellipse(cr, x, y, r * 0.28, r * 0.28, 0, rgb(rng.choice(("#f7c531", "#6b3f22", "#fff0b8"))))
    surface.flush()
    return np.ndarray((SIZE, SIZE, 4), np.uint8, surface.get_data())[..., 2::-1].copy()


def flowers(rng, count):
    """A batch of flowers as -1..1."""
    pixels = np.stack([flower(rng) for _ in range(count)])
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("out")
    arguments.add_argument("--steps", type=int, default=750)
    arguments.add_argument("--batch", type=int, default=64)
    arguments.add_argument("--rate", type=float, default=1.5e-3)
    arguments.add_argument("--seed", type=int, default=0)
    a = arguments.parse_args()
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    unet = new_unet().to(DEVICE, memory_format=torch.channels_last).train()
    weights = list(unet.parameters())
    average = Average(weights, 0.002)
    scheduler = DDPMScheduler(beta_schedule="linear", clip_sample=True)
    optimizer = Both([unet], a.rate)
    checkpoint = Checkpoint(f"{a.out}.pt", {"unet": unet, "optimizer": optimizer, "average": average}, rng)
    curve, predict, step = Curve(f"{a.out}.csv"), torch.compile(unet, dynamic=False), checkpoint.load()
    while step < a.steps:
        x = flowers(random.Random(int(rng.integers(1 << 62))), a.batch).to(DEVICE)
        t = torch.randint(0, 1000, (a.batch,), device=DEVICE)
        noise = torch.randn_like(x)
        noisy = scheduler.add_noise(x, noise, t).contiguous(memory_format=torch.channels_last)
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            guess = predict(noisy, t).sample
        loss = (guess.float() - noise).square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step(a.rate * min(1, (step + 1) / 100) * min(1, 2.05 - 2 * step / a.steps))
        average.add(weights)
        step += 1
        curve.add(step, loss)
        checkpoint.save(step)
    checkpoint.save(step, now=True)
    average.copy_to(weights)
    unet = unet.to("cpu", torch.float16, memory_format=torch.contiguous_format)
    DDPMPipeline(unet, scheduler).save_pretrained(a.out)
    print(f"steps {step}, {sum(w.numel() for w in weights)} weights", flush=True)


if __name__ == "__main__":
    main()
