#!/usr/bin/env python3
"""Makes what test_previews.c compares with: a tiny VAE in its author's layout, and a picture that diffusers makes with it.

    python make.py        # with the versions in ../requirements.txt

The weights are those of ../rules/parts/vae_tiny, an AutoencoderTiny. taesd_decoder.safetensors has its decoder as an
nn.Sequential with the clamp in it (the layout of github.com/madebyollin/taesd, "1.weight"), both.safetensors both halves
behind ComfyUI's prefixes with its vae_scale, five.safetensors one for five latent channels. previews.safetensors:
latents [4, h, w] as the denoiser sees them, image [3, H, W] in 0..1.
"""
import pathlib

import torch
from diffusers import AutoencoderTiny
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent


class Clamp(nn.Module):
    def forward(self, x):
        return torch.tanh(x / 3) * 3


class Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv = nn.Sequential(conv(n, n), nn.ReLU(), conv(n, n), nn.ReLU(), conv(n, n))
        self.fuse = nn.ReLU()

    def forward(self, x):
        return self.fuse(self.conv(x) + x)


def conv(i, o, **kwargs):
    return nn.Conv2d(i, o, 3, padding=1, **kwargs)


def decoder(blocks, n, latents):
    layers = [Clamp(), conv(latents, n), nn.ReLU()]
    for i, count in enumerate(blocks):
        layers += [Block(n) for _ in range(count)]
        layers += [conv(n, 3)] if i == len(blocks) - 1 else [nn.Upsample(scale_factor=2), conv(n, n, bias=False)]
    return nn.Sequential(*layers)


def encoder(blocks, n, latents):
    layers = [conv(3, n)]
    for i, count in enumerate(blocks):
        layers += [conv(n, n, stride=2, bias=False)] if i else []
        layers += [Block(n) for _ in range(count)]
    return nn.Sequential(*layers, conv(n, latents))


def take(sequential, half):
    """The weights in their order: both have them in the order in which they run."""
    own, other = sequential.state_dict(), half.state_dict()
    assert [tuple(v.shape) for v in own.values()] == [tuple(v.shape) for v in other.values()]
    sequential.load_state_dict(dict(zip(own, other.values())))
    return sequential.eval()


def half(tensors):
    return {k: v.half().contiguous() for k, v in tensors.items()}


@torch.no_grad()
def main():
    tiny = AutoencoderTiny.from_pretrained(HERE.parent / "rules/parts/vae_tiny", torch_dtype=torch.float32).eval()
    down, up = take(encoder((1, 1, 1), 4, 4), tiny.encoder), take(decoder((2, 1, 1), 4, 4), tiny.decoder)
    latents = 2 * torch.randn(1, 4, 6, 5, generator=torch.Generator().manual_seed(5))
    image = (tiny.decode(latents / tiny.config.scaling_factor).sample / 2 + 0.5).clamp(0, 1)
    difference = (up(latents).clamp(0, 1) - image).abs().max().item()
    print("sequential and diffusers differ by %.2g; image from %.3f to %.3f" % (difference, image.min(), image.max()))
    assert difference < 1e-6
    save_file(half(up.state_dict()), HERE / "taesd_decoder.safetensors")
    both = {**{f"taesd_encoder.{k}": v for k, v in down.state_dict().items()},
            **{f"taesd_decoder.{k}": v for k, v in up.state_dict().items()}}
    save_file({**half(both), "vae_scale": torch.tensor(0.18215), "vae_shift": torch.tensor(0.0)}, HERE / "both.safetensors")
    save_file(half(decoder((1, 1, 1), 4, 5).state_dict()), HERE / "five.safetensors")
    save_file({"latents": latents[0], "image": image[0]}, HERE / "previews.safetensors")


main()
