#!/usr/bin/env python3
"""Writes float8.safetensors: every finite value of torch's 8-bit floats, and what torch makes of them
in f32; doubles; and weights with the scales that ComfyUI stores beside them.

    python make_float8.py            (torch and safetensors of requirements.txt)

A tensor T that is read must be equal to "want.T", bit for bit.
"""
import os

import torch
from safetensors.torch import save_file


def finite(kind):
    bits = torch.arange(256, dtype=torch.uint8)
    return bits[torch.isfinite(bits.view(kind).to(torch.float32))].view(kind)


def main():
    torch.manual_seed(5)
    tensors = {}
    for name, kind in (("e4m3", torch.float8_e4m3fn), ("e5m2", torch.float8_e5m2)):
        tensors[name] = finite(kind)
        tensors["want." + name] = tensors[name].to(torch.float32)
    tensors["f64"] = torch.cat([torch.randn(61, dtype=torch.float64) * 1e-3,
                                torch.tensor([1 / 3, 3.4028234e38, 1e-46], dtype=torch.float64)])
    tensors["want.f64"] = tensors["f64"].to(torch.float32)

    def scaled(layer, scale_name, kind, scale):
        weight = torch.randn(6, 40).to(kind)
        tensors[layer + ".weight"] = weight
        tensors[layer + "." + scale_name] = scale
        rows = scale.reshape(-1, 1) if scale.numel() > 1 else scale
        tensors["want." + layer + ".weight"] = weight.to(torch.float32) * rows

    scaled("old", "scale_weight", torch.float8_e4m3fn, torch.tensor(0.37))
    scaled("new", "weight_scale", torch.float8_e5m2, torch.tensor([1.7]))
    scaled("rows", "weight_scale", torch.float8_e4m3fn, torch.rand(6, 1) + 0.5)
    tensors["scaled_fp8"] = torch.empty(2, dtype=torch.float8_e4m3fn).fill_(0)
    tensors["old.scale_input"] = torch.tensor(1.0)
    tensors["new.comfy_quant"] = torch.tensor(list(b'{"format": "float8_e5m2"}'), dtype=torch.uint8)
    tensors["new.bias"] = torch.randn(6).to(torch.bfloat16)
    tensors["want.new.bias"] = tensors["new.bias"].to(torch.float32)
    tensors["empty"] = torch.empty(0)
    save_file(tensors, os.path.join(os.path.dirname(os.path.abspath(__file__)), "float8.safetensors"))


if __name__ == "__main__":
    main()
