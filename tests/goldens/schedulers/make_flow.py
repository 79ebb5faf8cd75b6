#!/usr/bin/env python3
"""Makes flow_cases.json and flow_steps.safetensors: schedulers of models that predict flow, as make.py does the others.

    OMP_NUM_THREADS=1 python make_flow.py        # with the versions in ../requirements.txt

A case's config may hold "_run": what the pipeline adds, which is the sample's height, width and patch (mu is computed from them as FluxPipeline does), "mu" itself, and "even" for
sigmas that the pipeline lays out (linspace(1, 1 / steps, steps)). A solver that is made from the configuration of a FlowMatch class gets the three keys that a user of diffusers adds.
Pipelines say set_begin_index(0), so the classes are asked the same. x_0 is the one that the class takes, or where it takes none (Euler) what follows from its sample and the output.
"""
import itertools
import sys
import types

import diffusers
import numpy as np
import torch
from diffusers.pipelines.flux.pipeline_flux import calculate_shift

import make


def wrapped(base, needs_x0):
    class Wrapped(base):
        @classmethod
        def from_config(cls, config):
            config = dict(config)
            run = config.pop("_run", {})
            flow_match = config.get("_class_name", "").startswith("FlowMatch")
            if flow_match and not base.__name__.startswith("FlowMatch"):
                config.update(use_flow_sigmas=True, prediction_type="flow_prediction", flow_shift=config.get("shift", 1.0))
            self = super().from_config(config)
            self.of_pipeline = run
            self.init_noise_sigma = 1.0
            return self

        def set_timesteps(self, steps):
            run, keys = self.of_pipeline, {}
            if run.get("even"):
                keys["sigmas"] = np.linspace(1.0, 1 / steps, steps)
            if self.config.get("use_dynamic_shifting"):
                c = self.config
                tokens = (run.get("height", 0) // run.get("patch", 1)) * (run.get("width", 0) // run.get("patch", 1))
                keys["mu"] = run.get("mu", calculate_shift(tokens, c.get("base_image_seq_len", 256), c.get("max_image_seq_len", 4096),
                                                           c.get("base_shift", 0.5), c.get("max_shift", 1.15)))
            super().set_timesteps(steps, **keys)
            self.set_begin_index(0)
            self.at = 0

        def scale_model_input(self, sample, t):
            return sample

        def step(self, output, t, sample):
            sigma = float(self.sigmas[self.at])
            noise = sys.modules[base.__module__].randn_tensor
            kept, torch.randn_like = torch.randn_like, lambda like: noise()
            result = super().step(output, t, sample)
            torch.randn_like = kept
            self.at += 1
            if not needs_x0:
                return result
            x0 = sample.double() - sigma * output.double()
            if self.config.get("invert_sigmas") and not self.config.get("stochastic_sampling") and "LCM" not in base.__name__:
                x0 = sample.double() + (1 - sigma) * output.double()
            return types.SimpleNamespace(prev_sample=result.prev_sample, pred_original_sample=x0)

    Wrapped.__name__ = base.__name__
    Wrapped.__module__ = base.__module__  # where make.run puts its noise
    return Wrapped


MATCH = {"flow-euler": diffusers.FlowMatchEulerDiscreteScheduler, "flow-lcm": diffusers.FlowMatchLCMScheduler}
SOLVERS = {"dpmpp-2m": diffusers.DPMSolverMultistepScheduler, "dpmpp-2m-sde": diffusers.DPMSolverMultistepScheduler,
           "dpmpp-2s": diffusers.DPMSolverSinglestepScheduler, "unipc": diffusers.UniPCMultistepScheduler, "deis": diffusers.DEISMultistepScheduler}
make.CLASSES = {name: wrapped(base, True) for name, base in dict(MATCH, **{"flow-heun": diffusers.FlowMatchHeunDiscreteScheduler}).items()}
make.CLASSES.update({name: wrapped(base, False) for name, base in SOLVERS.items()})
SIZES = [dict(height=64, width=64, patch=2), dict(height=128, width=96, patch=2), dict(height=24, width=40)]
EVEN = [{}, {"even": True}]
FLOW = dict(use_flow_sigmas=True, prediction_type="flow_prediction")


def with_run(config, *runs):
    run = {key: value for one in runs for key, value in one.items()}
    return dict(config, **({"_run": run} if run else {}))


def match_cases():
    for shift, even, steps, name in itertools.product([1.0, 3.0, 0.5], EVEN, [1, 2, 5, 20, 50], MATCH):
        yield name, with_run({"shift": shift}, even), steps
    for sigmas, even, steps, name in itertools.product(list(make.SIGMAS)[1:], EVEN, [1, 5, 20], MATCH):
        yield name, with_run(dict({"shift": 3.0}, **make.SIGMAS[sigmas]), even), steps
    for kind, size, even, steps in itertools.product(["exponential", "linear"], SIZES, EVEN, [1, 4, 20]):
        yield "flow-euler", with_run({"use_dynamic_shifting": True, "time_shift_type": kind, "shift": 3.0}, size, even), steps
    variations = [({"base_shift": 0.25, "max_shift": 2.0}, SIZES[0]), ({"base_image_seq_len": 100, "max_image_seq_len": 8000}, SIZES[1]), ({}, {"mu": 2.02}),
                  ({"shift_terminal": 0.1}, SIZES[0]), ({"shift_terminal": 0.02, "use_karras_sigmas": True}, SIZES[2]), ({"invert_sigmas": True}, SIZES[0])]
    for (keys, size), even, steps, name in itertools.product(variations, EVEN, [4, 20], MATCH):
        yield name, with_run(dict({"use_dynamic_shifting": True}, **keys), size, even), steps
    variations = [{"shift_terminal": 0.1}, {"shift_terminal": 0.3, "shift": 3.0, "use_beta_sigmas": True}, {"invert_sigmas": True}, {"invert_sigmas": True, "shift": 3.0},
                  {"invert_sigmas": True, "use_exponential_sigmas": True}, {"num_train_timesteps": 500}, {"num_train_timesteps": 500, "shift": 2.5},
                  {"use_karras_sigmas": True, "sigma_min": 0.02, "sigma_max": 0.9}, {"shift": 7, "shift_terminal": None}]
    for keys, even, steps, name in itertools.product(variations, EVEN, [2, 8, 30], MATCH):
        yield name, with_run(keys, even), steps
    for keys, steps in itertools.product([{}, {"shift": 3.0}, {"invert_sigmas": True}, {"use_karras_sigmas": True}], [1, 4, 20]):
        yield "flow-euler", dict(keys, stochastic_sampling=True), steps
    yield "flow-lcm", {"scale_factors": None, "upscale_mode": "nearest"}, 4
    for shift, steps in itertools.product([1.0, 3.0, 0.5], [1, 2, 5, 20, 50]):
        yield "flow-heun", {"shift": shift}, steps
    yield "flow-heun", {"num_train_timesteps": 500, "shift": 3.0}, 8
    # folders' own configurations: Stable Diffusion 3, FLUX.1 dev, schnell, LTX
    sd3 = dict(_class_name="FlowMatchEulerDiscreteScheduler", num_train_timesteps=1000, shift=3.0)
    dev = dict(sd3, base_image_seq_len=256, base_shift=0.5, max_image_seq_len=4096, max_shift=1.15, use_dynamic_shifting=True)
    schnell = dict(dev, shift=1.0, use_dynamic_shifting=False)
    ltx = dict(dev, shift=1.0, base_image_seq_len=1024, base_shift=0.95, max_shift=2.05, shift_terminal=0.1, invert_sigmas=False)
    for config, run, steps in [(sd3, {}, 28), (dev, dict(SIZES[1], even=True), 28), (schnell, {"even": True}, 4), (ltx, dict(SIZES[1], even=True), 40)]:
        for name in MATCH:
            yield name, with_run(config, run), steps
        if config in (sd3, dev):
            for name in SOLVERS:
                extra = {"algorithm_type": "sde-dpmsolver++"} if name == "dpmpp-2m-sde" else {}
                yield name, with_run(dict(config, **extra), {key: value for key, value in run.items() if key != "even"}), steps
    yield "flow-heun", sd3, 28


def solver_cases():
    for name, shift, steps in itertools.product(SOLVERS, [1.0, 3.0], [1, 2, 5, 20, 50]):
        extra = {"algorithm_type": "sde-dpmsolver++"} if name == "dpmpp-2m-sde" else {}
        yield name, dict(FLOW, flow_shift=shift, **extra), steps
    variations = [{"num_train_timesteps": 500}, {"final_sigmas_type": "sigma_min"}, {"lower_order_final": False}, {"lower_order_final": True}, {"euler_at_final": True},
                  {"thresholding": True, "dynamic_thresholding_ratio": 0.7, "sample_max_value": 3.0}, {"solver_order": 1}, {"solver_order": 3}, {"flow_shift": 0.5},
                  {"disable_corrector": [0, 1, 3]}, {"solver_type": "heun"}, {"solver_type": "heun", "solver_order": 3}, {"solver_type": "bh1"},
                  {"algorithm_type": "sde-dpmsolver++"}, {"algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min"}, {"predict_x0": False},
                  {"beta_schedule": "scaled_linear", "final_sigmas_type": "sigma_min"}, {"timestep_spacing": "trailing"}]
    for name, keys, steps in itertools.product(SOLVERS, variations, [6, 20]):
        if name == "dpmpp-2m-sde" and "algorithm_type" not in keys:
            keys = dict(keys, algorithm_type="sde-dpmsolver++")
        if name != "dpmpp-2m-sde" or keys["algorithm_type"] == "sde-dpmsolver++":
            yield name, dict(FLOW, **keys), steps


make.make_set("flow_", 5, itertools.chain(match_cases(), solver_cases()), lambda name: 2 if name == "deis" else 1)
