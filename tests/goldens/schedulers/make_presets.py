#!/usr/bin/env python3
"""Makes presets.json: the schedules of sigmas that are not diffusers', for Stable Diffusion's betas; and what diffusers' Euler and DPM++ 2M make of given sigmas.

    python make_presets.py        # with the versions in ../requirements.txt

No package has ComfyUI's; they are written here with numpy from what they do: over training's 1000 sigmas, with even steps in the index (simple), in the timestep (normal,
sgm_uniform), in atan of sigma (kl_optimal) or first even, then quadratic (linear_quadratic); Align Your Steps is
diffusers' table, whose last step is 0.029 before its 0 (the paper's page), interpolated in log sigma.
"""
import json
import math
import pathlib

import diffusers
import numpy as np

SD = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
HERE = pathlib.Path(__file__).parent
a = diffusers.EulerDiscreteScheduler(**SD).alphas_cumprod.numpy()  # f32, as everywhere
table = (((1 - a) / a) ** np.float32(0.5)).astype(np.float64)
AYS = {"ays": diffusers.schedulers.AysSchedules["StableDiffusionSigmas"], "ays_sdxl": diffusers.schedulers.AysSchedules["StableDiffusionXLSigmas"]}


def at(t):
    return np.exp(np.interp(t, np.arange(1000), np.log(table)))


def linear_quadratic(n):
    """1 - f(i): f is linear to 0.025 at n // 2, and the parabola through there, with that slope, to 1 at n."""
    if n == 1:
        return np.ones(1)
    h, i = n // 2, np.arange(n)
    slope = 0.025 / h
    curve = (1 - 0.025 - slope * (n - h)) / (n - h) ** 2
    return 1 - np.where(i < h, slope * i, 0.025 + slope * (i - h) + curve * (i - h) ** 2)


def ays(name, n):
    own = np.log(np.array(AYS[name][:10] + [0.029]))
    return np.exp(np.interp(np.linspace(0, 10, n + 1), np.arange(11), own))[:-1]


PRESETS = {"normal": lambda n: at(np.linspace(999, 0, n)), "simple": lambda n: np.array([table[-(1 + int(i * (1000 / n)))] for i in range(n)]),
           "sgm_uniform": lambda n: at(np.linspace(999, 0, n + 1)[:-1]),
           "kl_optimal": lambda n: np.tan(np.linspace(math.atan(table[-1]), math.atan(table[0]), n)),
           "linear_quadratic": lambda n: linear_quadratic(n) * table[-1], "ays": lambda n: ays("ays", n), "ays_sdxl": lambda n: ays("ays_sdxl", n)}
OWN = [14.6, 6.1, 2.25, 0.7, 0.125, 0.0]

if __name__ == "__main__":
    presets = {name: {n: [float(v) for v in of(n)] for n in (1, 2, 7, 10, 20)} for name, of in PRESETS.items()}
    euler = diffusers.EulerDiscreteScheduler(**SD)
    euler.set_timesteps(sigmas=OWN)
    given = {"sigmas": [float(v) for v in euler.sigmas], "timesteps": [float(v) for v in euler.timesteps]}
    (HERE / "presets.json").write_text(json.dumps({"presets": presets, "own": given}, indent=None) + "\n")
