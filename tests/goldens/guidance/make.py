#!/usr/bin/env python3
"""Makes guidance.safetensors: what guidance makes of predictions, for the cases of cases.json.

    python make.py        # with the versions in ../requirements.txt

"said": the predictions of STEPS steps are random numbers; NAME.noise is the start, NAME.said [steps, 2, C, h, w] what is said
without the prompt and with it, NAME.output [steps, C, h, w] what becomes of it and NAME.samples the samples after each step. "runs":
NAME.latents is the last sample of the small pipeline in ../model/sd1. Plain guidance, its rescale, its interval and APG are
diffusers' guiders; dynamic thresholding (mcmonkeyprojects' sd-dynamic-thresholding with its defaults) and CFG++ (Chung et al. 2024, as in
ComfyUI's euler_cfg_pp; the guidance is divided by 12.5) and Perp-Neg (Armandpour et al. 2023, as in ComfyUI's nodes_perpneg.py, against
the empty prompt) are written here from their formulas.
"""
import json
import pathlib

import diffusers
import torch
from diffusers.guiders import AdaptiveProjectedGuidance, ClassifierFreeGuidance
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
SCHEDULERS = {"ddim": "DDIMScheduler", "euler": "EulerDiscreteScheduler", "heun": "HeunDiscreteScheduler"}
STEPS = 5


def guider(case):
    common = dict(guidance_scale=case["guidance"], guidance_rescale=case.get("guidance_rescale", 0.0), start=case.get("guidance_from", 0.0),
                  stop=case.get("guidance_to", 1.0))
    if case.get("guidance_method") == "apg":
        return AdaptiveProjectedGuidance(adaptive_projected_guidance_momentum=case.get("apg_momentum"), eta=case.get("apg_parallel", 0.0),
                                         adaptive_projected_guidance_rescale=case.get("apg_norm", 15.0), **common)
    return ClassifierFreeGuidance(**common)


def begin_step(guide, step, steps):
    guide.set_state(step, steps, None)
    if step == 0 and getattr(guide, "adaptive_projected_guidance_momentum", None) is not None:
        guide.momentum_buffer = diffusers.guiders.adaptive_projected_guidance.MomentumBuffer(guide.adaptive_projected_guidance_momentum)


def level(scheduler, i, t):
    """alpha and sigma of the sample as the model sees it."""
    if hasattr(scheduler, "sigmas"):
        sigma = scheduler.sigmas[i].double()
        return 1 / (sigma**2 + 1).sqrt(), sigma / (sigma**2 + 1).sqrt()
    bar = scheduler.alphas_cumprod[int(t)].double()
    return bar.sqrt(), (1 - bar).sqrt()


def dynamic(case, seen, u, c, alpha, sigma):
    u, c = ((seen - sigma * said) / alpha for said in (u.double(), c.double()))
    strong, mimic = ((u + g * (c - u)).flatten(2) for g in (case["guidance"], case.get("mimic_guidance", 7.0)))
    mean = strong.mean(2, keepdim=True)
    strong, mimic = strong - mean, mimic - mimic.mean(2, keepdim=True)
    to = mimic.abs().amax(2, keepdim=True)
    bound = torch.maximum(to, torch.quantile(strong.abs(), case.get("mimic_quantile", 1.0), dim=2, keepdim=True))
    x0 = strong.clamp(-bound, bound) / bound * to + mean
    return ((seen - alpha * x0.view_as(seen)) / sigma).float()


def cfg_pp_step(scheduler, i, t, sample, guided, u):
    """x_0 of the guided prediction, and the noise of the other."""
    if hasattr(scheduler, "sigmas"):
        sigma, after = scheduler.sigmas[i].double(), scheduler.sigmas[i + 1].double()
        x0, other = sample.double() - sigma * guided, sample.double() - sigma * u
        return (x0 + after * (sample - other) / sigma).float()
    before = int(t) - scheduler.config.num_train_timesteps // STEPS
    bar = scheduler.alphas_cumprod[int(t)].double()
    after = (scheduler.alphas_cumprod[before] if before >= 0 else scheduler.final_alpha_cumprod).double()
    return (after.sqrt() * (sample - (1 - bar).sqrt() * guided) / bar.sqrt() + (1 - after).sqrt() * u).float()


def make_said(case, pipe, number, out):
    scheduler = getattr(diffusers, SCHEDULERS[case["scheduler"]]).from_config(pipe.scheduler.config)
    scheduler.set_timesteps(STEPS)
    drawn = torch.Generator().manual_seed(100 + number)
    noise = torch.randn((1, 4, 8, 8), generator=drawn)
    said = torch.randn((STEPS, 2, 4, 8, 8), generator=drawn)
    said[:, 1] = said[:, 0] + 0.4 * said[:, 1]  # the two are alike
    sample, outputs, samples, guide = noise * scheduler.init_noise_sigma, [], [], guider(case)
    for i, t in enumerate(scheduler.timesteps):
        u, c = said[i, :1], said[i, 1:]
        seen = scheduler.scale_model_input(sample, t)
        begin_step(guide, i, STEPS)
        method = case.get("guidance_method")
        if method == "dynamic":
            output = dynamic(case, seen.double(), u, c, *level(scheduler, i, t))
        elif method == "cfg++":
            output = u + case["guidance"] / 12.5 * (c - u)
        else:
            output = guide.forward(pred_cond=c, pred_uncond=u).pred
        if method == "cfg++":
            sample = cfg_pp_step(scheduler, i, t, sample, output, u)
        else:
            sample = scheduler.step(output, t, sample).prev_sample
        outputs.append(output)
        samples.append(sample)
    out[f"{case['name']}.noise"] = noise
    out[f"{case['name']}.said"] = said
    out[f"{case['name']}.output"] = torch.cat(outputs)
    out[f"{case['name']}.samples"] = torch.cat(samples)


def perp_neg(case, u, c, n):
    positive, negative = (c - u).double(), (n - u).double()
    apart = negative - (negative * positive).sum() / positive.norm() ** 2 * positive
    return (u + case["guidance"] * (positive - case.get("perp_neg_scale", 1.0) * apart)).float()


@torch.no_grad()
def make_run(case, pipe, out):
    scheduler = getattr(diffusers, SCHEDULERS[case["scheduler"]]).from_config(pipe.scheduler.config)
    scheduler.set_timesteps(case["steps"])
    prompt, negative = pipe.encode_prompt("a horse", "cpu", 1, True, "blurry")
    empty = pipe.encode_prompt("", "cpu", 1, False)[0]
    sample = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(3)) * scheduler.init_noise_sigma
    guide = guider(case)
    for i, t in enumerate(scheduler.timesteps):
        begin_step(guide, i // 2 if case["scheduler"] == "heun" else i, case["steps"])  # two evaluations are a step
        seen = scheduler.scale_model_input(sample, t)
        c = pipe.unet(seen, t, prompt).sample
        u = pipe.unet(seen, t, negative).sample if guide.num_conditions == 2 else None
        if case.get("guidance_method") == "perp-neg" and u is not None:
            output = perp_neg(case, pipe.unet(seen, t, empty).sample, c, u)
        else:
            output = guide.forward(pred_cond=c, pred_uncond=u).pred
        sample = scheduler.step(output, t, sample).prev_sample
    out[f"{case['name']}.latents"] = sample


def main():
    torch.set_num_threads(1)
    cases, out = json.loads((HERE / "cases.json").read_text()), {}
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(HERE.parent / "model" / "sd1", torch_dtype=torch.float32, safety_checker=None)
    for number, case in enumerate(cases["said"]):
        make_said(case, pipe, number, out)
    for case in cases["runs"]:
        make_run(case, pipe, out)
    save_file({k: t.contiguous() for k, t in out.items()}, HERE / "guidance.safetensors")


main()
