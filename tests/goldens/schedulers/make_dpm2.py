#!/usr/bin/env python3
"""Makes dpm2_cases.json and dpm2_steps.safetensors: DPM2 and DPM2 ancestral, as make.py does the others.

    OMP_NUM_THREADS=1 python make_dpm2.py        # with the versions in ../requirements.txt

torch's square root of an f32 tensor is not always the nearest (6 of Stable Diffusion's 1000 sigmas on an AVX-512 machine), and a middle's timestep feels the last
bit; here the class is given alphas_cumprod as a numpy array, whose square roots are. A step's second evaluation starts over from the sample of its first, so a checkpoint there comes with the one before it.
Where sigma_down is the small difference of two large squares, f32 leaves it 1e-5 off; such a case's bound is what that does to its samples.
"""
import itertools

import diffusers
import numpy as np
import torch

import make


def doubled(x):
    return torch.cat([x[:1], x[1:].repeat_interleave(2), x[-1:]])


class Pairs:
    def set_timesteps(self, *args):
        self.alphas_cumprod = np.asarray(self.alphas_cumprod)
        super().set_timesteps(*args)
        self.order_list = [1 + i % 2 for i in range(len(self.timesteps))]  # for make.run: the second needs the first

    def in_double(self):
        self.sigmas = self.sigmas.double()
        self.middles(torch.cat([self.sigmas[:1], self.sigmas[1:-1:2]]))


class Dpm2(Pairs, diffusers.KDPM2DiscreteScheduler):
    def middles(self, sigmas):
        self.sigmas_interpol = doubled(sigmas.log().lerp(sigmas.roll(1).log(), 0.5).exp())


class Ancestral(Pairs, diffusers.KDPM2AncestralDiscreteScheduler):
    def middles(self, sigmas):
        following = sigmas.roll(-1)
        following[-1] = 0
        up = (following**2 * (sigmas**2 - following**2) / sigmas**2) ** 0.5
        down = (following**2 - up**2) ** 0.5
        self.sigmas_up, self.sigmas_down = doubled(up), doubled(down)
        self.sigmas_interpol = doubled(sigmas.log().lerp(down.log(), 0.5).exp())


for one in (Dpm2, Ancestral):
    one.__module__ = one.__mro__[2].__module__  # where make.run puts its noise
make.CLASSES = {"dpm2": Dpm2, "dpm2-a": Ancestral}


def cases():
    for name, prediction, spacing, sigmas in itertools.product(make.CLASSES, ["epsilon", "v_prediction", "sample"], make.SPACINGS, make.SIGMAS):
        every = sigmas == "none" or spacing == "leading"
        for steps in [1, 2, 5, 20, 50] if every and prediction == "epsilon" else [1, 5, 20] if every else [5]:
            yield name, dict(make.SD, prediction_type=prediction, timestep_spacing=spacing, **make.SIGMAS[sigmas]), steps
    variations = [{"beta_schedule": "linear"}, {"beta_schedule": "squaredcos_cap_v2"}, {"num_train_timesteps": 500, "steps_offset": 0},
                  {"trained_betas": [0.001 + 0.00001 * i for i in range(1000)]},
                  {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing"}]
    for name, keys, steps in itertools.product(make.CLASSES, variations, (1, 5, 20)):
        yield name, dict(make.SD, **keys), steps
    for name in make.CLASSES:  # a Stable Diffusion folder's own PNDM configuration
        yield name, dict(make.SD, _class_name="PNDMScheduler", set_alpha_to_one=False, skip_prk_steps=True, clip_sample=False), 25


make.make_set("dpm2_", 3, cases())
