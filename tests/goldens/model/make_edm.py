#!/usr/bin/env python3
"""Makes edm_cases.json and sdxl_cosxl.safetensors, sdxl_playground.safetensors: whole pictures of folders that make_sdxl.py wrote, with the schedulers of
models trained as EDM is, as CosXL and Playground v2.5 have them. (The latter's VAE has a mean and a deviation, as sdxl_v's.)

    OMP_NUM_THREADS=1 python make_edm.py        # with the versions in ../requirements.txt, after make_sdxl.py
"""
import json
import pathlib

import torch
from diffusers import EDMDPMSolverMultistepScheduler, EDMEulerScheduler, StableDiffusionXLPipeline
from safetensors.torch import save_file

from make import GUIDANCE, NEGATIVE, PROMPT, hash_of
from make_sdxl import decode

HERE = pathlib.Path(__file__).parent
KINDS = {"edm-euler": EDMEulerScheduler, "edm-dpmpp": EDMDPMSolverMultistepScheduler}
CASES = [("sdxl", "sdxl_cosxl", 24, EDMEulerScheduler(sigma_min=0.002, sigma_max=120.0, sigma_data=1.0, prediction_type="v_prediction",
                                                      sigma_schedule="exponential"), "edm-dpmpp"),
         ("sdxl_v", "sdxl_playground", 16, EDMDPMSolverMultistepScheduler(), "edm-euler")]


@torch.no_grad()
def pictures(name, golden, width, own, other):
    pipe = StableDiffusionXLPipeline.from_pretrained(HERE / name, torch_dtype=torch.float32, add_watermarker=False)
    pipe.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(hash_of(golden))
    out = {"latents": torch.randn((1, 4, 16 // pipe.vae_scale_factor, width // pipe.vae_scale_factor), generator=generator)}
    for kind, scheduler in (("default", own), (other, KINDS[other].from_config(own.config))):
        pipe.scheduler = scheduler
        latents = pipe(PROMPT, negative_prompt=NEGATIVE, latents=out["latents"].clone(), output_type="latent", num_inference_steps=20,
                       guidance_scale=GUIDANCE, height=16, width=width).images
        out[f"{kind}.latents"], out[f"{kind}.image"] = latents, decode(pipe.vae, latents)
    save_file({k: t.contiguous() for k, t in out.items()}, HERE / f"{golden}.safetensors")
    config = {"_class_name": type(own).__name__, **{k: v for k, v in own.config.items() if not k.startswith("_")}}
    return dict(name=name, golden=golden, scheduler_config=config, prompt=PROMPT, negative=NEGATIVE, guidance=GUIDANCE, steps=20, height=16,
                width=width, schedulers=["default", other], not_emulated=True)


def main():
    torch.set_num_threads(1)
    (HERE / "edm_cases.json").write_text(json.dumps({"cases": [pictures(*case) for case in CASES]}, indent=1) + "\n")


main()
