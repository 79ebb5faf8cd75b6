#!/usr/bin/env python3
"""Makes level_cases.json and level_steps.safetensors: DPM++ SDE and iPNDM, as make.py does the others.

    OMP_NUM_THREADS=1 python make_levels.py        # with the versions in ../requirements.txt

Both are made of diffusers' parts where the class itself does not fit: OnSigmas, Brownian. What comes after a checkpoint is computed with coefficients in double.
"""
import itertools
import sys
import types

import diffusers

import make

# dpmsolver_sde imports it for its Brownian tree, which Brownian below stands in for
sys.modules.setdefault("torchsde", types.ModuleType("torchsde"))
from diffusers.schedulers.scheduling_dpmsolver_sde import DPMSolverSDEScheduler  # noqa: E402

randn_tensor = None  # make.run puts the fixed noise here


class OnSigmas:
    """IPNDMScheduler's step over the sigmas of EulerDiscreteScheduler: the class's own clock runs from 1 to 0, for models that were trained so. Its model output is
    what ours becomes when its own parametrisation (v) is to mean the same epsilon."""

    load_config = diffusers.EulerDiscreteScheduler.load_config

    @classmethod
    def from_config(cls, config):
        self = cls()
        self.grid = diffusers.EulerDiscreteScheduler.from_config(dict(config, rescale_betas_zero_snr=False))
        return self

    def set_timesteps(self, steps):
        self.grid.set_timesteps(steps)
        self.sigmas, self.timesteps, self.init_noise_sigma = self.grid.sigmas, self.grid.timesteps, self.grid.init_noise_sigma
        self.inner = diffusers.IPNDMScheduler()
        self.inner.set_timesteps(steps)
        self.inner.set_begin_index(0)

    def scale_model_input(self, sample, t):
        pass

    def step(self, output, t, sample):
        i = self.inner.step_index or 0
        self.inner.alphas = 1 / (self.sigmas**2 + 1) ** 0.5
        self.inner.betas = self.sigmas * self.inner.alphas
        sigma, alpha, beta = self.sigmas[i], self.inner.alphas[i], self.inner.betas[i]
        if self.grid.config.prediction_type == "epsilon":
            x0 = sample - sigma * output
        elif self.grid.config.prediction_type == "v_prediction":
            x0 = output * (-sigma * alpha) + sample * alpha**2
        else:
            x0 = output
        scaled = sample * alpha
        result = self.inner.step(((sample - x0) / sigma - scaled * beta) / alpha, self.inner.timesteps[i], scaled)
        return types.SimpleNamespace(prev_sample=result.prev_sample / self.inner.alphas[i + 1], pred_original_sample=x0)


class Brownian:
    """Stands in for BrownianTreeNoiseSampler: the same path, its two halves of a step from the next two rows of the fixed noise. The second is asked for from the
    step's beginning again."""

    start = None

    def __call__(self, sigma, sigma_next):
        row = randn_tensor()
        if self.start is None or sigma != self.start:
            self.start, self.middle, self.first = sigma, sigma_next, row
            return row
        return ((sigma - self.middle).sqrt() * self.first + (self.middle - sigma_next).sqrt() * row) / (sigma - sigma_next).sqrt()


class Sde(DPMSolverSDEScheduler):
    def set_timesteps(self, *args):
        super().set_timesteps(*args)
        self.noise_sampler = Brownian()
        self.order_list = [1 + i % 2 for i in range(len(self.timesteps))]  # for make.run: the second half needs the first


make.CLASSES = {"dpmpp-sde": Sde, "ipndm": OnSigmas}


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


make.make_set("level_", 2, cases(), lambda name: 2)
