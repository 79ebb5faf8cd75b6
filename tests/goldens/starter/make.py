"""Makes the pictures that tests/app/test_starter.c compares with: diffusers on data/models/starter and starter-ddpm, f32.

usage: make.py   (after the models changed; packages: ../requirements.txt). cases.json names the cases for both sides.
"""
import json
from pathlib import Path

import diffusers
import torch

HERE = Path(__file__).parent
MODELS = HERE.parents[2] / "data" / "models"
SCHEDULERS = {"pndm": "PNDMScheduler", "unipc": "UniPCMultistepScheduler", "euler": "EulerDiscreteScheduler",
              "heun": "HeunDiscreteScheduler", "ddim": "DDIMScheduler", "ddpm": "DDPMScheduler",
              "dpmpp-2m": "DPMSolverMultistepScheduler"}


def picture(case):
    """The picture of one case as a PIL image."""
    pipe = diffusers.DiffusionPipeline.from_pretrained(str(MODELS / case["model"]), torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = getattr(diffusers, SCHEDULERS[case["scheduler"]]).from_config(pipe.scheduler.config)
    settings = {"generator": torch.Generator().manual_seed(case["seed"]), "num_inference_steps": case["steps"]}
    if "prompt" in case:
        settings |= {"prompt": case["prompt"], "negative_prompt": case["negative"], "guidance_scale": case["guidance"]}
    return pipe(**settings).images[0]


if __name__ == "__main__":
    for one in json.loads((HERE / "cases.json").read_text())["cases"]:
        picture(one).save(HERE / f"{one['name']}.png", optimize=True)
        print(one["name"], flush=True)
