#!/usr/bin/env python3
"""Writes types.gguf, one tensor of each type that the program reads, in stable-diffusion.cpp's manner
(no keys), shapes.gguf in ComfyUI-GGUF's manner, and gguf.safetensors, what the gguf package makes of
both in f32.

    python make_gguf.py              (gguf, numpy and safetensors of requirements.txt)

The blocks are random bytes with sensible scales, so that every bit of the layouts counts.
"""
import os
import struct

import gguf
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(16)

# Where the f16 scales of a block stand.
SCALES = {T.Q8_0: [0], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.IQ4_NL: [0],
          T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}


def blocks(kind, rows, columns):
    """Random data of a type, as the rows of bytes that the package works on."""
    elements, size = GGML_QUANT_SIZES[kind]
    data = rng.integers(0, 256, (rows * columns // elements, size), dtype=np.uint8)
    for at in SCALES[kind]:
        scale = (rng.standard_normal(len(data)) * 0.02).astype(np.float16)
        data[:, at:at + 2] = scale.view(np.uint8).reshape(-1, 2)
    return data.reshape(rows, -1)


def plain(kind, values):
    if kind == T.BF16:
        return (values.view(np.uint32) >> 16).astype(np.uint16)
    return values.astype({T.F32: np.float32, T.F16: np.float16, T.F64: np.float64}[kind])


def write(path, tensors, keys):
    """tensors: (name, type, shape as torch has it, bytes); keys: already packed."""
    head, data = b"", b""
    for name, kind, shape, raw in tensors:
        data += b"\0" * (-len(data) % 32)
        head += struct.pack("<Q", len(name)) + name.encode()
        head += struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", n) for n in reversed(shape))
        head += struct.pack("<IQ", int(kind), len(data))
        data += raw
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys) + head
    with open(path, "wb") as f:
        f.write(head + b"\0" * (-len(head) % 32) + data)


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def main():
    want, tensors = {}, []
    for kind in SCALES:
        raw = blocks(kind, 3, 512)
        want[kind.name] = gguf.dequantize(raw, kind).astype(np.float32)
        tensors.append((kind.name, kind, (3, 512), raw.tobytes()))
    for kind in (T.F32, T.F16, T.BF16, T.F64):
        values = plain(kind, rng.standard_normal((5, 7)).astype(np.float32))
        want[kind.name] = gguf.dequantize(values.view(np.uint8), kind).reshape(5, 7) if kind == T.BF16 \
            else values.astype(np.float32)
        tensors.append((kind.name, kind, (5, 7), values.tobytes()))
    write(os.path.join(HERE, "types.gguf"), tensors, [])

    raw = blocks(T.Q5_1, 9, 64)  # [8, 8, 3, 3], reshaped so that its rows have whole blocks
    want["conv.weight"] = gguf.dequantize(raw, T.Q5_1).reshape(8, 8, 3, 3)
    keys = [text("general.architecture") + struct.pack("<I", 8) + text("sd1"),
            text("comfy.gguf.orig_shape.conv.weight") + struct.pack("<IIQ", 9, 5, 4) +
            struct.pack("<4i", 8, 8, 3, 3),
            text("general.tags") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b"),
            text("general.quantization_version") + struct.pack("<II", 4, 2)]
    write(os.path.join(HERE, "shapes.gguf"), [("conv.weight", T.Q5_1, (9, 64), raw.tobytes())], keys)
    save_file({name: np.ascontiguousarray(value) for name, value in want.items()},
              os.path.join(HERE, "gguf.safetensors"))

    # The package reads both files as they are meant.
    for name in ("types.gguf", "shapes.gguf"):
        for t in gguf.GGUFReader(os.path.join(HERE, name)).tensors:
            got = (t.data if t.tensor_type == T.F64 else gguf.dequantize(t.data, t.tensor_type)).reshape(want[t.name].shape)
            assert np.array_equal(got.astype(np.float32), want[t.name]), t.name


if __name__ == "__main__":
    main()
