#!/usr/bin/env python3
"""Makes scheduler_cases.json and <name>_schedulers.safetensors: whole pictures of the folders that make.py wrote, with schedulers that came later.

    OMP_NUM_THREADS=1 python make_schedulers.py        # with the versions in ../requirements.txt, after make.py

The prompt, the settings and the start noise are make.py's own, read from cases.json and <name>.safetensors.
"""
import json
import pathlib

import torch
from diffusers import DEISMultistepScheduler, DPMSolverSinglestepScheduler, StableDiffusionPipeline
from safetensors.torch import load_file, save_file

HERE = pathlib.Path(__file__).parent
SCHEDULERS = {"deis": DEISMultistepScheduler, "dpmpp-2s": DPMSolverSinglestepScheduler}


@torch.no_grad()
def pictures(case):
    pipe = StableDiffusionPipeline.from_pretrained(HERE / case["name"], torch_dtype=torch.float32, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    out = {"latents": load_file(HERE / f"{case['name']}.safetensors")["latents"]}
    own = pipe.scheduler.config
    for name, kind in SCHEDULERS.items():
        pipe.scheduler = kind.from_config(own)
        latents = pipe(case["prompt"], negative_prompt=case["negative"], latents=out["latents"].clone(), output_type="latent",
                       num_inference_steps=case["steps"], guidance_scale=case["guidance"], height=case["height"], width=case["width"]).images
        out[f"{name}.latents"] = latents
        out[f"{name}.image"] = (pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample[0] / 2 + 0.5).clamp(0, 1)
    return out


def main():
    cases = [c for c in json.loads((HERE / "cases.json").read_text())["cases"] if c["name"] in ("sd1", "sd2")]
    for case in cases:
        golden = f"{case['name']}_schedulers"
        save_file({k: t.contiguous() for k, t in pictures(case).items()}, HERE / f"{golden}.safetensors")
        case.update(schedulers=list(SCHEDULERS), golden=golden)
    (HERE / "scheduler_cases.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")


main()
