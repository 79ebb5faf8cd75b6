#!/usr/bin/env python3
"""make_ssim.py - ssim.json: pairs of small pictures and their structural similarity by scikit-image 0.26.0 (with numpy; not
part of ../requirements.txt). tests/app/record/test_difference.c holds sl_ssim against it."""
import json
import os

import numpy as np
from skimage.metrics import structural_similarity


def pair(rng, width, height, noise, kind):
    y, x = np.mgrid[0:height, 0:width]
    if kind == 'gradient':
        a = np.stack([x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), (x + y) * 7 % 256], -1)
    elif kind == 'flat':
        a = np.full((height, width, 3), 128)
    else:
        a = rng.integers(0, 256, (height, width, 3))
    b = a + np.rint(rng.normal(0, noise, a.shape)).astype(int) if noise else a
    return a.astype(np.uint8), np.clip(b, 0, 255).astype(np.uint8)


def main():
    rng = np.random.default_rng(19)
    cases = []
    for width, height, noise, kind in [(7, 7, 4, 'gradient'), (16, 11, 2, 'gradient'), (9, 20, 30, 'gradient'),
                                       (12, 12, 6, 'flat'), (13, 8, 12, 'random'), (8, 8, 0, 'random')]:
        a, b = pair(rng, width, height, noise, kind)
        value = structural_similarity(a, b, channel_axis=2, data_range=255)
        cases.append({'width': width, 'height': height, 'a': a.ravel().tolist(), 'b': b.ravel().tolist(), 'ssim': float(value)})
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'ssim.json'), 'w') as f:
        json.dump({'cases': cases}, f, separators=(',', ':'))
        f.write('\n')


main()
