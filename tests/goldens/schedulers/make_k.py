#!/usr/bin/env python3
"""Makes k_cases.json and k_steps.safetensors: the samplers of k-diffusion and ComfyUI, as make.py does diffusers' schedulers.

    python make_k.py        # with the versions in ../requirements.txt and requirements-k.txt

DPM++ 2M SDE, 3M SDE and 2S ancestral are run by the k-diffusion package in double, given the sigmas of diffusers' Euler scheduler and rows of the fixed noise; the others are
written here from their papers' formulas, since no package has them. "tree" in the safetensors file is a whole run of 2M SDE and of 3M SDE in f32 with torchsde's noise of seed 77.
"""
import importlib
import json
import pathlib
import sys
import types

import diffusers
import numpy as np
import torch
from safetensors.torch import save_file

import make

# The package imports what it trains with; only its file of samplers is wanted, which needs one function of its utilities.
package, utils = types.ModuleType("k_diffusion"), types.ModuleType("k_diffusion.utils")
package.__path__ = [str(pathlib.Path(p) / "k_diffusion") for p in sys.path if (pathlib.Path(p) / "k_diffusion").is_dir()]
utils.append_dims = lambda x, dims: x[(...,) + (None,) * (dims - x.ndim)]
package.utils = utils
sys.modules.update({"k_diffusion": package, "k_diffusion.utils": utils})
sampling = importlib.import_module("k_diffusion.sampling")
HERE = pathlib.Path(__file__).parent


def landing(a, b, eta):
    up = min(b, eta * (b * b * (a * a - b * b)) ** 0.5 / a)
    return (b * b - up * up) ** 0.5, up


def res_multistep(model, x, sigmas, eta, noise):
    """Refined exponential solver (Zhang et al. 2023), second order over the last two predictions."""
    old = old_down = None
    for i, (a, b) in enumerate(zip(sigmas, sigmas[1:])):
        d = model(x, a)
        down, up = landing(a, b, eta)
        if down == 0 or old is None:
            x = x + (x - d) / a * (down - a)
        else:
            h = np.log(a / down)
            c2 = (np.log(old_down) - np.log(sigmas[i - 1])) / h
            phi1 = np.expm1(-h) / -h
            phi2 = (phi1 - 1) / -h
            x = np.exp(-h) * x + h * ((phi1 - phi2 / c2) * d + phi2 / c2 * old)
        if b > 0 and eta > 0:
            x = x + up * noise(a, b)
        old, old_down = d, down
    return x


def er_sde(model, x, sigmas, eta, noise):
    """ER-SDE-Solver-3 (Cui et al. 2023) with f(x) = x (exp(x^0.3) + 10) and 200 points of the integrals."""
    def f(v):
        return v * (np.exp(v**0.3) + 10)
    old = old_slope = None
    for i, (a, b) in enumerate(zip(sigmas, sigmas[1:])):
        d = model(x, a)
        if b == 0:
            x = d
        else:
            r = f(b) / f(a)
            x = r * x + (1 - r) * d
            points = b + np.arange(200) * (a - b) / 200
            if i >= 1:
                slope = (d - old) / (a - sigmas[i - 1])
                x = x + (b - a + (1 / f(points)).sum() * (a - b) / 200 * f(b)) * slope
                if i >= 2:
                    bend = (slope - old_slope) / ((a - sigmas[i - 2]) / 2)
                    x = x + ((b - a) ** 2 / 2 + ((points - a) / f(points)).sum() * (a - b) / 200 * f(b)) * bend
                old_slope = slope
            x = x + max(b * b - a * a * r * r, 0) ** 0.5 * noise(a, b)
        old = d
    return x


def karras(n, low, high):
    ramp = np.linspace(0, 1, n)
    return (high ** (1 / 7) + ramp * (low ** (1 / 7) - high ** (1 / 7))) ** 7


def restart_steps(steps, low, high):
    """Restart Sampling (Xu et al. 2023) with A1111's lists: pairs of sigmas."""
    again, times = (0, 1) if steps < 20 else (9, 1) if steps < 36 else (steps // 4, 2)
    sigmas = np.append(karras(steps - again * times, low, high), 0)
    end, begin = np.abs(sigmas - 0.1).argmin(), np.abs(sigmas - 2).argmin()
    pairs = []
    for i in range(len(sigmas) - 1):
        pairs.append((sigmas[i], sigmas[i + 1]))
        if again and i + 1 == end:
            more = karras(again + 1, sigmas[end], sigmas[begin])
            pairs += list(zip(more, more[1:])) * times
    return [tuple(float(np.float32(v)) for v in pair) for pair in pairs]


def restart(model, x, pairs, eta, noise):
    last = None
    for a, b in pairs:
        if last is not None and last < a:
            x = x + (a * a - last * last) ** 0.5 * noise(last, a)
        slope = (x - model(x, a)) / a
        if b > 0:
            ahead = x + slope * (b - a)
            slope = (slope + (ahead - model(ahead, b)) / b) / 2
        x = x + slope * (b - a)
        last = b
    return x


def by_package(name):
    def run(model, x, sigmas, eta, noise):
        def torch_model(x, sigma):
            return torch.from_numpy(model(x.numpy()[0], float(sigma)))[None]
        function = getattr(sampling, f"sample_{name}")
        return function(torch_model, torch.from_numpy(x)[None], torch.tensor(sigmas, dtype=torch.float64), eta=eta, disable=True,
                        noise_sampler=lambda a, b: torch.from_numpy(noise(a, b))[None]).numpy()[0]
    return run


SAMPLERS = {"dpmpp-2m-sde-bt": (by_package("dpmpp_2m_sde"), 1.0), "dpmpp-3m-sde": (by_package("dpmpp_3m_sde"), 1.0),
            "dpmpp-2s-a": (by_package("dpmpp_2s_ancestral"), 1.0), "res-multistep": (res_multistep, 0.0), "er-sde": (er_sde, None),
            "restart": (restart, None)}


class Model:
    """The fixed outputs in order; what was asked and answered is kept."""

    def __init__(self, outputs, prediction):
        self.outputs, self.prediction, self.inputs, self.x0, self.sigmas = outputs.double().numpy(), prediction, [], [], []

    def say(self, output, x, sigma):
        if self.prediction == "epsilon":
            return x - sigma * output
        return output * (-sigma / (sigma**2 + 1) ** 0.5) + x / (sigma**2 + 1)

    def __call__(self, x, sigma):
        self.inputs.append(x)
        self.sigmas.append(sigma)
        self.x0.append(self.say(self.outputs[len(self.x0)], x, sigma))
        return self.x0[-1]


def run(name, config, steps, eta, outputs, noise, start):
    euler = make.from_file(diffusers.EulerDiscreteScheduler, config)
    euler.set_timesteps(steps)
    sigmas = [float(v) for v in euler.sigmas]
    sampler, own_eta = SAMPLERS[name]
    model = Model(outputs, config["prediction_type"])
    rows = iter(noise.double().numpy())
    layout = restart_steps(steps, sigmas[-2], sigmas[0]) if name == "restart" else sigmas
    init = np.float32(euler.init_noise_sigma)
    sample = start.double().numpy() * float(init)
    end = sampler(model, sample, layout, own_eta if eta is None else eta, lambda a, b: next(rows))
    n, pairs = len(model.x0), name in ("dpmpp-2s-a", "restart")
    before, after = model.inputs, model.inputs[1:] + [end]
    log_sigmas = np.log(np.array(((1 - euler.alphas_cumprod) / euler.alphas_cumprod) ** 0.5))
    timesteps = np.array([euler._sigma_to_t(np.array(s), log_sigmas) for s in model.sigmas]) if pairs else euler.timesteps.numpy()
    if name == "dpmpp-2s-a":
        timesteps[::2] = euler.timesteps.numpy()
    checkpoints = sorted({i for i in (0, 1, 2, 3, n // 2, n // 2 + 1, n - 2, n - 1) if 0 <= i < n})
    if pairs:  # the second evaluation of a step starts over from the first one's sample
        checkpoints = sorted(set(checkpoints) | {i - i % 2 for i in checkpoints})
    data = [timesteps, [] if pairs else sigmas, [init]]
    for i in checkpoints:
        data += [before[i], after[i], model.x0[i]]
    case = dict(id=name, steps=steps, config=config, evaluations=n, sigmas=0 if pairs else len(sigmas), checkpoints=checkpoints, x0=True)
    if eta is not None:
        case["eta"] = eta
    return case, np.concatenate([np.asarray(d, dtype=np.float32) for d in data])


def cases(names):
    for name in names:
        for steps, prediction, (sigmas, spacing) in [(1, "epsilon", ("none", "leading")), (2, "epsilon", ("karras", "linspace")), (5, "v_prediction", ("exponential", "trailing")),
                                                     (12, "epsilon", ("none", "leading")), (20, "epsilon", ("karras", "leading")), (40, "v_prediction", ("none", "trailing"))]:
            if steps == 1 and name in ("dpmpp-2m-sde-bt", "dpmpp-3m-sde"):
                continue  # the package's own fail
            yield name, dict(make.SD, prediction_type=prediction, timestep_spacing=spacing, **make.SIGMAS[sigmas]), steps, None
        if SAMPLERS[name][1] is not None:
            for eta in (0.0, 0.5, 1.0):
                yield name, dict(make.SD, prediction_type="epsilon", timestep_spacing="leading", **make.SIGMAS["karras"]), 6, eta


TREE_SIGMAS = [14.6, 6.1, 2.2, 0.7, 0.17, 0.03, 0.0]  # as the test says them: the last bit of one moves the noise


def tree(name, outputs, start):
    """A whole run in f32, with the noise that the package draws."""
    sigmas = torch.tensor(TREE_SIGMAS)
    noise = sampling.BrownianTreeNoiseSampler(start, sigmas[-2], sigmas[0], seed=77)
    said = iter(outputs)
    return getattr(sampling, f"sample_{name}")(lambda x, s: x - s * next(said), start[None] * sigmas[0], sigmas, disable=True,
                                               noise_sampler=lambda a, b: noise(a, b)[None])[0]


def make_set(prefix, seed, names, more):
    generator = torch.Generator().manual_seed(seed)
    outputs, noise = (torch.randn((make.ROOM, make.SIZE), generator=generator) for _ in range(2))
    start = torch.randn(make.SIZE, generator=generator)
    done = [run(*case, outputs, noise, start) for case in cases(names)]
    (HERE / f"{prefix}_cases.json").write_text('{"cases": [\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c, _ in done) + "\n]}\n")
    save_file({"data": torch.from_numpy(np.concatenate([d for _, d in done])), "outputs": outputs, "noise": noise, "start": start, **more(outputs, start)},
              HERE / f"{prefix}_steps.safetensors")
    print(f"{len(done)} cases, {sum(len(c['checkpoints']) for c, _ in done)} steps compared")


if __name__ == "__main__":
    make_set("k", 11, SAMPLERS, lambda *of: {"tree": torch.stack([tree(n, *of) for n in ("dpmpp_2m_sde", "dpmpp_3m_sde")])})
