#!/usr/bin/env python3
"""Makes cases.json and steps.safetensors: what diffusers' schedulers do, step by step.

    python make.py        # with the versions in ../requirements.txt

Every scheduler x prediction type x timestep spacing x sigma schedule that diffusers allows, at 1, 2, 5, 20 and 50 steps, then the other keys one at a time. The model is a fixed
array of random outputs, one per evaluation, and so is the noise ("outputs", "noise", "start" in the safetensors file). For each case "data" holds in this order
    timesteps[evaluations], sigmas[sigmas], init_noise_sigma,
    and for each checkpoint (an evaluation): the sample before it, after it, and predicted x_0 where the class returns one.
A test overwrites its sample with the one before a checkpoint, so that each comparison is of one step. What comes after it is computed by a second scheduler of the same class that
gets the same arrays in double: the class's formulas without the rounding of its f32 intermediates, which alone can exceed 1e-6 where large terms cancel. 
"bound" is, per case, how far the class's coefficients in f32 take a step from the same class with its sigmas in double, where that is more than 1e-6. Cases that diffusers refuses or that end in NaN are left out and counted.
"""
import itertools
import json
import pathlib
import tempfile

import diffusers
import numpy as np
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
SIZE = 8
ROOM = 104
SD = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000, steps_offset=1)
CLASSES = {
    "ddpm": diffusers.DDPMScheduler, "ddim": diffusers.DDIMScheduler, "pndm": diffusers.PNDMScheduler,
    "lms": diffusers.LMSDiscreteScheduler, "euler": diffusers.EulerDiscreteScheduler,
    "euler-a": diffusers.EulerAncestralDiscreteScheduler, "heun": diffusers.HeunDiscreteScheduler,
    "dpmpp-2m": diffusers.DPMSolverMultistepScheduler, "dpmpp-2m-sde": diffusers.DPMSolverMultistepScheduler,
    "unipc": diffusers.UniPCMultistepScheduler,
}
NO_SIGMAS = {"ddpm", "ddim", "pndm", "euler-a"}
SPACINGS = ["linspace", "leading", "trailing"]
SIGMAS = {"none": {}, "karras": {"use_karras_sigmas": True}, "exponential": {"use_exponential_sigmas": True},
          "beta": {"use_beta_sigmas": True}}


def main_cases():
    for name, prediction, spacing, sigmas, steps in itertools.product(
            CLASSES, ["epsilon", "v_prediction", "sample"], SPACINGS, SIGMAS, [1, 2, 5, 20, 50]):
        if sigmas != "none" and name in NO_SIGMAS:
            continue
        if prediction == "sample" and name in ("pndm", "euler-a"):
            continue
        config = dict(SD, prediction_type=prediction, timestep_spacing=spacing, skip_prk_steps=True, clip_sample=False,
                      **SIGMAS[sigmas])
        if name == "dpmpp-2m-sde":
            config["algorithm_type"] = "sde-dpmsolver++"
        yield name, config, steps


def other_keys():
    every = list(CLASSES)
    sd = dict(SD, skip_prk_steps=True, clip_sample=False)
    variations = [
        (every, {"beta_schedule": "linear"}), (every, {"beta_schedule": "squaredcos_cap_v2"}), (["ddpm"], {"beta_schedule": "sigmoid"}),
        (["heun"], {"beta_schedule": "exp"}), (every, {"num_train_timesteps": 500, "steps_offset": 0}),
        (every, {"trained_betas": [0.001 + 0.00001 * i for i in range(1000)]}),
        (["ddim", "ddpm", "euler", "euler-a", "dpmpp-2m", "unipc"],
         {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing"}),
        (["ddim", "pndm"], {"set_alpha_to_one": True}), (["ddim", "pndm"], {"set_alpha_to_one": False}),
        (["ddim", "ddpm", "heun"], {"clip_sample": True}),
        (["ddim", "ddpm", "heun"], {"clip_sample": True, "clip_sample_range": 0.5}),
        (["ddim", "ddpm", "dpmpp-2m", "unipc"], {"thresholding": True, "dynamic_thresholding_ratio": 0.7, "sample_max_value": 3.0}),
        (["ddpm"], {"variance_type": "fixed_large"}), (["ddpm"], {"variance_type": "fixed_small_log"}),
        (["pndm"], {"skip_prk_steps": False}), (["pndm"], {"skip_prk_steps": False, "prediction_type": "v_prediction"}),
        (["euler"], {"interpolation_type": "log_linear"}),
        (["euler"], {"timestep_type": "continuous", "prediction_type": "v_prediction", "use_karras_sigmas": True}),
        (["euler", "dpmpp-2m", "unipc"], {"final_sigmas_type": "sigma_min"}),
        (["unipc", "dpmpp-2m"], {"final_sigmas_type": "sigma_min", "use_karras_sigmas": True}),
        (["euler"], {"use_karras_sigmas": True, "sigma_min": 0.1, "sigma_max": 10.0}),
        (["dpmpp-2m"], {"use_lu_lambdas": True}), (["dpmpp-2m"], {"lambda_min_clipped": -5.1}),
        (["dpmpp-2m", "unipc"], {"lower_order_final": False}), (["dpmpp-2m"], {"euler_at_final": True}),
        (["unipc"], {"disable_corrector": [0, 1, 3]}),
    ]
    for algorithm, order, solver in itertools.product(["dpmsolver++", "dpmsolver", "sde-dpmsolver++", "sde-dpmsolver"], [1, 2, 3],
                                                      ["midpoint", "heun"]):
        final = "zero" if algorithm.endswith("++") else "sigma_min"
        variations.append((["dpmpp-2m"], {"algorithm_type": algorithm, "solver_order": order, "solver_type": solver,
                                          "final_sigmas_type": final}))
    for order, solver, x0, prediction in itertools.product([1, 2, 3], ["bh1", "bh2"], [True, False], ["epsilon", "v_prediction"]):
        variations.append((["unipc"], {"solver_order": order, "solver_type": solver, "predict_x0": x0, "prediction_type": prediction}))
    for names, keys in variations:
        for name in names:
            config = dict(sd, **keys)
            if name == "dpmpp-2m-sde":
                config["algorithm_type"] = "sde-dpmsolver++"
            for steps in (1, 5, 20):
                yield name, config, steps
    for eta, steps in itertools.product([0.5, 1.0], [1, 5, 20]):
        yield "ddim", sd, steps, eta
    # a Stable Diffusion folder's own PNDM configuration, taken over by every class
    for name in every:
        extra = {"algorithm_type": "sde-dpmsolver++"} if name == "dpmpp-2m-sde" else {}
        yield name, dict(SD, _class_name="PNDMScheduler", set_alpha_to_one=False, skip_prk_steps=True, clip_sample=False, **extra), 25


def from_file(cls, config):
    """As from a model's folder: only what stands in the file is known."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "scheduler_config.json").write_text(json.dumps(config))
        return cls.from_config(cls.load_config(folder))


class Noise:
    """Stands in for randn_tensor: the next row of the fixed noise."""

    def __init__(self, rows):
        self.rows, self.used = rows, 0

    def __call__(self, *args, **kwargs):
        self.used += 1
        return self.rows[self.used - 1].reshape(1, 2, 2, 2)


def run(name, config, steps, eta, outputs, noise, start, reference=1):
    """reference 2: what comes after a checkpoint is computed with coefficients in double, too (a class's own in_double(), where sigmas are not all)."""
    scheduler, exact, double = (from_file(CLASSES[name], config) for _ in range(3))
    for one in (scheduler, exact, double):
        one.set_timesteps(steps)
    if hasattr(double, "in_double"):
        double.in_double()
    elif hasattr(double, "sigmas"):
        double.sigmas = double.sigmas.double()
    module = __import__(type(scheduler).__module__, fromlist=["x"])
    draws, exact_draws, double_draws = Noise(noise), Noise(noise), Noise(noise)
    bound = 0.0
    n = len(scheduler.timesteps)
    checkpoints = {i for i in (0, 1, 2, 3, n // 2, n - 2, n - 1, 13) if 0 <= i < n}
    if hasattr(scheduler, "order_list"):
        checkpoints |= {i - k for i in checkpoints for k in range(scheduler.order_list[i])}
    checkpoints = sorted(checkpoints)
    sample = start.reshape(1, 2, 2, 2) * scheduler.init_noise_sigma
    own_sigmas = getattr(scheduler, "sigmas", None) if name not in ("ddim", "ddpm", "pndm") else None
    data = [scheduler.timesteps.float().numpy()]
    data += [own_sigmas.numpy()] if own_sigmas is not None else []
    data += [np.array([float(scheduler.init_noise_sigma)], dtype=np.float32)]
    has_x0 = False
    for i, t in enumerate(scheduler.timesteps):
        output = outputs[i].reshape(1, 2, 2, 2)
        extra = {} if eta is None else {"eta": eta}
        before, results = sample, []
        for one, noises, kind in ((scheduler, draws, torch.float32), (exact, exact_draws, torch.float64),
                                  (double, double_draws, torch.float64)):
            module.randn_tensor = noises
            one.scale_model_input(sample, t)
            results.append(one.step(output.to(kind), t, before.to(kind), **extra))
        sample = results[0].prev_sample
        has_x0 = getattr(results[1], "pred_original_sample", None) is not None
        if i in checkpoints:
            apart = (results[1].prev_sample - results[2].prev_sample).abs().max() / results[1].prev_sample.abs().max()
            bound = max(bound, float(apart))
            data += [before.flatten().numpy(), results[reference].prev_sample.flatten().numpy()]
            data += [results[1].pred_original_sample.flatten().numpy()] if has_x0 else []
    values = np.concatenate(data).astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError("not finite")
    case = dict(id=name, steps=steps, config=config, evaluations=n, sigmas=0 if own_sigmas is None else len(own_sigmas),
                checkpoints=checkpoints, x0=has_x0)
    if eta is not None:
        case["eta"] = eta
    if bound > 1e-6:
        case["bound"] = bound
    return case, values


def make_set(prefix, seed, cases, reference=lambda name: 1):
    """Writes PREFIXcases.json and PREFIXsteps.safetensors of (name, config, steps[, eta])."""
    generator = torch.Generator().manual_seed(seed)
    outputs, noise = (torch.randn((ROOM, SIZE), generator=generator) for _ in range(2))
    start = torch.randn(SIZE, generator=generator)
    done, data, refused = [], [], {}
    for name, config, steps, *eta in cases:
        try:
            case, values = run(name, config, steps, eta[0] if eta else None, outputs, noise, start, reference(name))
        except (ValueError, NotImplementedError, IndexError, AssertionError, UnboundLocalError, RuntimeError, TypeError, AttributeError) as e:
            refused.setdefault(f"{type(e).__name__}: {e}"[:100], []).append((name, steps))
            continue
        done.append(case)
        data.append(values)
    (HERE / f"{prefix}cases.json").write_text('{"cases": [\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in done) + "\n]}\n")
    save_file({"data": torch.from_numpy(np.concatenate(data)), "outputs": outputs, "noise": noise, "start": start},
              HERE / f"{prefix}steps.safetensors")
    print(f"{len(done)} cases, {sum(len(c['checkpoints']) for c in done)} steps compared")
    for why, who in refused.items():
        print(f"left out {len(who)}: {why}: {sorted({f'{n} {s}' for n, s in who})[:6]}")


if __name__ == "__main__":
    make_set("", 0, itertools.chain(main_cases(), other_keys()))
