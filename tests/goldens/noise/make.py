#!/usr/bin/env python3
"""noise.safetensors: what sl_noise_normal must give.

A tensor's name is kind/seed/threads/lengths: consecutive draws of those lengths from one generator,
each cut to its first and last EDGE values. "cpu" comes from torch (see ../requirements.txt; the
machine must have AVX2 and FMA); "cuda" from the numpy model below, written from the description of
torch's kernel and of curand, with the transcendental functions in double. It was compared with
curand's own headers compiled for the CPU: at most 2 ulp apart.
"""
import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file

EDGE = 128


def edges(values):
    return values if len(values) <= 2 * EDGE else np.concatenate([values[:EDGE], values[-EDGE:]])


def cpu(seed, _threads, lengths):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(n, generator=generator).numpy() for n in lengths]


def philox(counter, key):
    c = [np.asarray(word, np.uint64) for word in counter]
    k = [key & 0xFFFFFFFF, key >> 32]
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [b >> shift ^ c[1] ^ np.uint64(k[0]), b & low,
             a >> shift ^ c[3] ^ np.uint64(k[1]), a & low]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def pair(a, b):
    """Sine and cosine halves; u and v are single fused multiply-adds on the card."""
    step = np.float64(np.float32(2.0**-32) * np.float32(2 * np.pi))
    u = (a.astype(np.float32).astype(np.float64) * 2.0**-32 + 2.0**-33).astype(np.float32)
    v = (b.astype(np.float32).astype(np.float64) * step + step / 2).astype(np.float32)
    radius = np.sqrt(-2 * np.log(u.astype(np.float64)))
    return radius * np.sin(v.astype(np.float64)), radius * np.cos(v.astype(np.float64))


def cuda(seed, threads, lengths):
    offset, draws = 0, []
    for n in lengths:
        blocks = -(-n // 256)
        total = 256 * (min(blocks, threads // 256) if threads else blocks)
        waves = -(-n // (4 * total))
        counter = offset + np.arange(waves)[:, None] + np.zeros((1, total), int)
        thread = np.zeros((waves, 1), int) + np.arange(total)[None]
        c = philox([counter & 0xFFFFFFFF, counter >> 32, thread, np.zeros_like(thread)], seed)
        values = np.stack([*pair(c[0], c[1]), *pair(c[2], c[3])], axis=1)  # wave, component, thread
        draws.append(values.reshape(-1)[:n].astype(np.float32))
        offset += waves
    return draws


def main():
    seeds = [0, 42, 2**32 - 1, 2**63]
    cases = [(cpu, seed, 0, [n]) for seed in seeds
             for n in [1, 5, 15, 16, 17, 31, 32, 100, 16384, 12288 * 16]]
    cases += [(cpu, seed, 0, [5, 16, 1, 100, 3, 3, 4096]) for seed in seeds]
    cases += [(cuda, seed, 0, [12, 16384, 300]) for seed in seeds]
    cases += [(cuda, seed, 1024, [5000, 7, 4096, 4097, 65536]) for seed in seeds]
    cases += [(cuda, 7, 30720, [65536, 65536]), (cuda, 7, 270336, [65536, 65536])]
    tensors = {}
    for draw, seed, threads, lengths in cases:
        name = f"{draw.__name__}/{seed}/{threads}/{','.join(map(str, lengths))}"
        tensors[name] = np.concatenate([edges(values) for values in draw(seed, threads, lengths)])
    save_file(tensors, pathlib.Path(__file__).parent / "noise.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
