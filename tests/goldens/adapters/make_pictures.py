#!/usr/bin/env python3
"""Makes adapters for the small pipelines of ../model, and what diffusers makes of these with them: whole pictures in
PICTURE.safetensors, listed in ../model/lora_cases.json.

    OMP_NUM_THREADS=1 python make_pictures.py        # with the versions in requirements.txt

Each file goes through load_lora_weights, so that its names are read by diffusers, too. "sdxl_kohya" has the names of
the original UNet, as kohya's trainer writes them.
"""
import json
import pathlib
import sys

import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
PROMPT, NEGATIVE = "a photograph of an astronaut riding a horse", "blurry, low quality"
RANK, ALPHA, STEPS = 2, 1.5, 20


def layers(net, endings):
    for name, module in net.named_modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Conv2d)) and any(e in name for e in endings):
            yield name, module.weight.shape


def original(name):
    """The names of a UNet with one layer in each down block, as the original layout has them."""
    parts = name.split(".")
    block = int(parts[1]) if parts[1].isdigit() else 0
    if name.startswith("down_blocks"):
        return ".".join(["input_blocks", str(1 + 2 * block + int(parts[3])), "1", *parts[4:]])
    if name.startswith("up_blocks"):
        return ".".join(["output_blocks", str(2 * block + int(parts[3])), "1", *parts[4:]])
    return ".".join(["middle_block", "1", *parts[3:]])


def add(out, stored, shape, generator, peft):
    down, up = ("lora_A", "lora_B") if peft else ("lora_down", "lora_up")
    out[f"{stored}.{down}.weight"] = (torch.randn((RANK, *shape[1:]), generator=generator) * 0.3).half()
    window = (1, 1) if len(shape) == 4 else ()
    out[f"{stored}.{up}.weight"] = (torch.randn((shape[0], RANK, *window), generator=generator) * 0.3).half()
    if not peft:
        out[stored + ".alpha"] = torch.tensor(ALPHA)


def attention(name):
    return "attentions" in name


def adapter(case, pipe, seed):
    generator = torch.Generator().manual_seed(seed)
    peft, xl = case == "sd1_peft", hasattr(pipe, "text_encoder_2")
    out = {}
    endings = ("attn1.to", "attn2.to", "ff.net", "proj_in") + (("conv1", "time_emb_proj") if peft else ())
    for name, shape in layers(pipe.unet, endings):
        stored = "unet." + name if peft else "lora_unet_" + (original(name) if xl else name).replace(".", "_")
        add(out, stored, shape, generator, peft)
    for part, prefix in (("text_encoder", "lora_te1_" if xl else "lora_te_"), ("text_encoder_2", "lora_te2_")):
        for name, shape in layers(getattr(pipe, part), ("_proj", "fc1")) if hasattr(pipe, part) else ():
            if name != "text_projection":
                stored = f"{part}.{name}" if peft else prefix + name.replace(".", "_")
                add(out, stored, shape, generator, peft)
    save_file(out, HERE / f"{case}_lora.safetensors")


def picture(case, folder, kind, strength, height, width, seed):
    pipe = kind.from_pretrained(HERE.parent / "model" / folder, torch_dtype=torch.float32,
                                **({"variant": "fp16"} if folder == "sharded" else {}))
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    adapter(case, pipe, seed)
    latents = torch.randn((1, 4, height // pipe.vae_scale_factor, width // pipe.vae_scale_factor),
                          generator=torch.Generator().manual_seed(seed + 1))

    def run():
        options = dict(prompt=PROMPT, negative_prompt=NEGATIVE, latents=latents.clone(), output_type="latent",
                       num_inference_steps=STEPS, guidance_scale=4, height=height, width=width)
        return pipe(**options).images

    without = run()
    pipe.load_lora_weights(HERE / f"{case}_lora.safetensors", adapter_name="a")
    print(case, {k: len(v) for k, v in pipe.get_list_adapters().items()}, file=sys.stderr)
    pipe.set_adapters(["a"], [strength])
    result = run()
    print("  changes", (result - without).abs().max().item(), "of", result.abs().max().item(), file=sys.stderr)
    image = pipe.vae.decode(result / pipe.vae.config.scaling_factor).sample[0]
    save_file({"latents": latents, "euler.latents": result, "euler.image": (image / 2 + 0.5).clamp(0, 1)},
              HERE / f"{case}.safetensors")
    return dict(name=folder, golden=f"../adapters/{case}", prompt=PROMPT, negative=NEGATIVE, guidance=4, steps=STEPS,
                height=height, width=width, lora=f"goldens/adapters/{case}_lora.safetensors", strength=f"{strength:g}",
                schedulers=["euler"], **({} if case == "sd1_kohya" else {"not_emulated": True}))


with torch.no_grad():
    cases = [picture("sd1_kohya", "sd1", StableDiffusionPipeline, 0.8, 32, 32, 5),
             picture("sd1_peft", "sd1", StableDiffusionPipeline, 0.5, 32, 32, 6),
             picture("sd2_kohya", "sd2", StableDiffusionPipeline, 1, 32, 32, 7),
             picture("sdxl_kohya", "sdxl", StableDiffusionXLPipeline, 0.7, 16, 24, 8)]
(HERE.parent / "model" / "lora_cases.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")
