"""peers.py OUT.json eager|compiled|floor [MODE]: the SD 1.5 shape in PyTorch f16 on this GPU, and what the GPU reaches.

A guided step is one UNet evaluation of two samples, the guidance and an Euler step; channels last, queries, keys and
values in one product. Times by CUDA events: medians of 50 after 10 warm-ups. diffusers' own modules where they can be
imported, sd15.py's (same layers, same order) elsewhere.
"""
import json
import statistics
import sys
import time
from pathlib import Path

import torch

import sd15


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


def diffusers_parts():
    """(unet(x, t, text), vae decode, whose) of diffusers, or None."""
    try:
        from diffusers import AutoencoderKL, UNet2DConditionModel
    except ImportError:
        return None
    with torch.device("cuda"):
        config = {k: v for k, v in sd15.UNET_CONFIG.items() if k != "_class_name"}
        unet = UNet2DConditionModel.from_config(config).half().eval()
        config = {k: v for k, v in sd15.VAE_CONFIG.items() if k != "_class_name"}
        vae = AutoencoderKL.from_config(config).half().eval()
    unet.fuse_qkv_projections()
    return unet, vae, "diffusers"


def parts():
    found = diffusers_parts()
    if found:
        unet, vae, whose = found
        return unet.to(memory_format=torch.channels_last), vae, whose, \
            lambda m, x, t, text: m(x, t, encoder_hidden_states=text, return_dict=False)[0], \
            lambda m, z: m.decode(z / 0.18215, return_dict=False)[0]
    models = {k: m.cuda().half() for k, m in sd15.make_models().items()}
    models["unet"].fuse()
    return models["unet"].to(memory_format=torch.channels_last), models["vae"], "sd15.py", \
        lambda m, x, t, text: m(x, t, text), lambda m, z: m.decode(z)


def peer(mode):
    unet, vae, whose, evaluate, decode = parts()
    vae = vae.to(memory_format=torch.channels_last)
    text_encoder = sd15.make_models()["text_encoder"].cuda().half()
    text = torch.randn(2, 77, 768, device="cuda", dtype=torch.half)
    latents = torch.randn(1, 4, 64, 64, device="cuda")
    times = torch.tensor([500.0, 500.0], device="cuda")
    ids = torch.zeros(2, 77, dtype=torch.long, device="cuda")
    factors = torch.randn(4, 3, device="cuda")
    if mode:
        unet = torch.compile(unet, mode=mode, fullgraph=True)
        vae.decode = torch.compile(vae.decode, mode=mode)

    def step():
        x = (latents / 3).half().expand(2, -1, -1, -1).contiguous(memory_format=torch.channels_last)
        uncond, cond = evaluate(unet, x, times, text).float().chunk(2)
        return latents - 0.1 * (uncond + 7.5 * (cond - uncond))

    def picture():
        image = decode(vae, latents.half())
        return ((image / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)

    torch.cuda.reset_peak_memory_stats()
    result = {"step_ms": median_ms(step), "decode_ms": median_ms(picture, 20, 5), "whose": whose}

    def first_preview():
        nonlocal text
        text = text_encoder(ids)
        x0 = step()
        return ((x0[0].permute(1, 2, 0) @ factors).clamp(-1, 1) * 127).to(torch.int8).cpu()

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
    out, what = Path(sys.argv[1]), sys.argv[2]
    if what == "floor":
        result = floor()
    else:
        result = peer((sys.argv[3] if len(sys.argv) > 3 else "max-autotune") if what == "compiled" else None)
    out.write_text(json.dumps(result))
    print(what, json.dumps(result))


if __name__ == "__main__":
    main()
