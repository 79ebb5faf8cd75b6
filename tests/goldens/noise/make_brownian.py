#!/usr/bin/env python3
"""brownian.safetensors: what sl_brownian_noise must give, from torchsde's BrownianTree as k-diffusion's
BrownianTreeNoiseSampler asks it.

    python make_brownian.py        # with ../requirements.txt and ../schedulers/requirements-k.txt

A tensor's name is seed/low/high/sigma/next, its values the noise between the last two, drawn by torch on the CPU.
"""
import pathlib

import torch
import torchsde
from safetensors.torch import save_file

N = 20  # no multiple of 16: the tail is drawn again


def noise(seed, low, high, sigma, following):
    """BrownianTreeNoiseSampler(x, low, high, seed)(sigma, following)"""
    low, high, sigma, following = (torch.tensor(v, dtype=torch.float32) for v in (low, high, sigma, following))
    tree = torchsde.BrownianTree(low, torch.zeros(N), high, entropy=seed)
    return -tree(following, sigma) / (following - sigma).abs().sqrt()


CASES = [(0, 0.0291671582, 14.6146412293, 14.6146412293, 6.4745760956), (42, 0.0291671582, 14.6146412293, 3.8636745985, 2.6946151520),
         (42, 0.0291671582, 14.6146412293, 0.1515232662, 0.0291671582), (42, 0.0291671582, 14.6146412293, 14.6146412293, 0.0291671582),
         (2**63 - 1, 0.1, 4096.0, 4096.0, 17.123456789), (7, 0.5, 2.0, 1.0000025, 1.0000005), (1 << 32, 0.5, 2.0, 1.25, 1.0000025)]

if __name__ == "__main__":
    values = {"/".join(str(v) for v in case): noise(*case) for case in CASES}
    save_file({k: v.contiguous() for k, v in values.items()}, pathlib.Path(__file__).parent / "brownian.safetensors")
