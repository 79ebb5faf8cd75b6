#!/usr/bin/env python3
"""Makes trailing.json: the timesteps of spacing "trailing" at numbers of steps where numpy's arange and the plain formula round to different whole numbers.

    python make_trailing.py        # with the versions in ../requirements.txt

numpy.arange(N, 0, -r) is not N - i r but N + i ((N - r) - N), which is a last bit larger or smaller and, halfway between two whole numbers, another timestep. "timesteps" holds
one list for each number of steps, which every class in "ids" gives; the script ends where one does not.
"""
import json
import pathlib

import diffusers

STEPS = [48, 96, 112, 144, 192, 240]
CLASSES = {
    "ddpm": diffusers.DDPMScheduler, "ddim": diffusers.DDIMScheduler, "lms": diffusers.LMSDiscreteScheduler, "euler": diffusers.EulerDiscreteScheduler,
    "euler-a": diffusers.EulerAncestralDiscreteScheduler, "dpmpp-2m": diffusers.DPMSolverMultistepScheduler, "unipc": diffusers.UniPCMultistepScheduler,
    "deis": diffusers.DEISMultistepScheduler,
}


def timesteps(make, steps):
    scheduler = make(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000, timestep_spacing="trailing")
    scheduler.set_timesteps(steps)
    return [int(t) for t in scheduler.timesteps]


lists = {steps: timesteps(diffusers.DDIMScheduler, steps) for steps in STEPS}
for id, make in CLASSES.items():
    for steps in STEPS:
        assert timesteps(make, steps) == lists[steps], (id, steps)
path = pathlib.Path(__file__).parent / "trailing.json"
path.write_text(json.dumps({"ids": list(CLASSES), "timesteps": lists}, separators=(",", ":")) + "\n")
