"""peers.py OUT.json SHAPE eager|compiled|floor [MODE]: a shape of shapes.py in PyTorch f16 on this GPU, and what the GPU
reaches.

A guided step is one UNet evaluation of two samples, the guidance and an Euler step; channels last, queries, keys and
values in one product. Times by CUDA events: medians of 50 after 10 warm-ups. diffusers' own modules where they can be
imported (tests/gpu/pack brings them), shapes.py's (same layers, same order) elsewhere.
"""
import json
import statistics
import sys
import time
from pathlib import Path

import torch

from shapes import PROMPT_TOKENS, SHAPES, TextEncoder, UNet, Vae, encode, unet_config, vae_config


def median_ms(work, repeat=50, warm=10):
    for _ in range(warm):
        work()
    torch.cuda.synchronize()
    times = []
    for _ in range(repeat):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


def floor():
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.half) for _ in range(2))
    product = median_ms(lambda: a @ b, 20)
    x = torch.empty(1 << 30, device="cuda", dtype=torch.half)
    y = torch.empty_like(x)
    copy = median_ms(lambda: y.copy_(x), 20)
    return {"flops": 2 * 8192 ** 3 / product * 1e3, "bytes": 2 * x.nbytes / copy * 1e3,
            "gpu": torch.cuda.get_device_name()}


def diffusers_parts(shape):
    """(unet, vae) of diffusers, or None."""
    try:
        import diffusers
        from diffusers import AutoencoderKL, UNet2DConditionModel
    except Exception as e:  # whatever a version beside it may lack
        print(f"diffusers cannot be imported: {e}")
        return None

    def make(kind, config):
        return kind.from_config({k: v for k, v in config.items() if k != "_class_name"}).half().eval()

    with torch.device("cuda"):
        unet, vae = make(UNet2DConditionModel, unet_config(shape)), make(AutoencoderKL, vae_config(shape))
    unet.fuse_qkv_projections()
    return unet, vae, f"diffusers {diffusers.__version__}"


class Peer:
    """What the pipelines do in a step and behind the last."""

    def __init__(self, shape, mode):
        self.shape = shape
        found = diffusers_parts(shape)
        if found:
            self.unet, self.vae, self.whose = found
        else:
            torch.manual_seed(0)
            with torch.device("cuda"):
                self.unet, self.vae, self.whose = UNet(shape).half(), Vae(shape.scaling).half(), "shapes.py"
            self.unet.fuse()
        self.theirs = bool(found)
        with torch.device("cuda"):
            self.encoders = [TextEncoder(t).half() for t in shape.texts]
        self.unet.to(memory_format=torch.channels_last)
        self.vae.to(memory_format=torch.channels_last)
        side = shape.size // 8
        self.latents = torch.randn(1, 4, side, side, device="cuda")
        self.times = torch.tensor([500.0, 500.0], device="cuda")
        self.ids = torch.zeros(2, PROMPT_TOKENS, dtype=torch.long, device="cuda")
        self.sizes = torch.tensor([[shape.size, shape.size, 0, 0, shape.size, shape.size]] * 2, device="cuda").half()
        self.encode()
        if mode:
            self.unet = torch.compile(self.unet, mode=mode, fullgraph=True)
            self.vae.decode = torch.compile(self.vae.decode, mode=mode)

    def encode(self):
        self.text, self.pooled = encode(self.shape, self.encoders, self.ids)

    def evaluate(self, x):
        if not self.theirs:
            told = () if self.pooled is None else (self.pooled, self.sizes)
            return self.unet(x, self.times, self.text, *told)
        added = None if self.pooled is None else {"text_embeds": self.pooled, "time_ids": self.sizes}
        return self.unet(x, self.times, encoder_hidden_states=self.text, added_cond_kwargs=added, return_dict=False)[0]

    def step(self):
        x = (self.latents / 3).half().expand(2, -1, -1, -1).contiguous(memory_format=torch.channels_last)
        uncond, cond = self.evaluate(x).float().chunk(2)
        return self.latents - 0.1 * (uncond + 7.5 * (cond - uncond))

    def picture(self):
        latents = self.latents.half()
        image = self.vae.decode(latents / self.shape.scaling, return_dict=False)[0] if self.theirs \
            else self.vae.decode(latents)
        return ((image / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)


def peer(shape, mode):
    peer = Peer(shape, mode)
    torch.cuda.reset_peak_memory_stats()
    result = {"step_ms": median_ms(peer.step), "decode_ms": median_ms(peer.picture, 20, 5), "whose": peer.whose,
              "torch": torch.__version__}
    factors = torch.randn(4, 3, device="cuda")

    def first_preview():
        peer.encode()
        return ((peer.step()[0].permute(1, 2, 0) @ factors).clamp(-1, 1) * 127).to(torch.int8).cpu()

    first = []
    for _ in range(7):
        torch.cuda.synchronize()
        start = time.perf_counter()
        first_preview()
        first.append((time.perf_counter() - start) * 1e3)
    result["first_preview_ms"] = statistics.median(first[2:])
    result["peak_bytes"] = torch.cuda.max_memory_allocated()
    return result


def main():
    torch.set_grad_enabled(False)
    out, shape, what = Path(sys.argv[1]), SHAPES[sys.argv[2]], sys.argv[3]
    if what == "floor":
        result = floor()
    else:
        result = peer(shape, (sys.argv[4] if len(sys.argv) > 4 else "max-autotune") if what == "compiled" else None)
    out.write_text(json.dumps(result))
    print(shape.name, what, json.dumps(result))


if __name__ == "__main__":
    main()
