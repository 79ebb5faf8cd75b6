#!/usr/bin/env python3
"""Makes lcm_cases.json and lcm_steps.safetensors: LCM and TCD, as make.py does the others.

    OMP_NUM_THREADS=1 python make_lcm.py        # with the versions in ../requirements.txt

LCM's x_0 is what it calls denoised. Neither has sigmas of its own.
"""
import itertools

import diffusers

import make


class Lcm(diffusers.LCMScheduler):
    def step(self, *args, **keys):
        result = super().step(*args, **keys)
        result.pred_original_sample = result.denoised
        return result


Lcm.__module__ = diffusers.LCMScheduler.__module__  # where make.run puts its noise
make.CLASSES = {"lcm": Lcm, "tcd": diffusers.TCDScheduler}


def cases():
    for name, prediction, steps in itertools.product(make.CLASSES, ["epsilon", "v_prediction", "sample"], (1, 2, 4, 5, 7, 8, 20, 50, 51)):
        yield name, dict(make.SD, prediction_type=prediction), steps
    variations = [{"beta_schedule": "linear"}, {"beta_schedule": "squaredcos_cap_v2"}, {"num_train_timesteps": 500, "steps_offset": 0},
                  {"trained_betas": [0.001 + 0.00001 * i for i in range(1000)]}, {"original_inference_steps": 100}, {"original_inference_steps": 33},
                  {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}, {"timestep_scaling": 0.3}, {"clip_sample": True},
                  {"clip_sample": True, "clip_sample_range": 0.5}, {"thresholding": True, "dynamic_thresholding_ratio": 0.7, "sample_max_value": 3.0},
                  {"set_alpha_to_one": False}]
    for name, keys, steps in itertools.product(make.CLASSES, variations, (1, 4, 8, 30)):
        yield name, dict(make.SD, **keys), steps
    for eta, steps in itertools.product([0.0, 0.1, 0.5, 0.9, 1.0], [1, 4, 8, 50]):
        yield "tcd", make.SD, steps, eta
    for name in make.CLASSES:  # a Stable Diffusion folder's own PNDM configuration
        yield name, dict(make.SD, _class_name="PNDMScheduler", set_alpha_to_one=False, skip_prk_steps=True, clip_sample=False), 25


make.make_set("lcm_", 4, cases())
