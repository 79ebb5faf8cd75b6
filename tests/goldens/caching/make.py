#!/usr/bin/env python3
"""Makes caching.safetensors: runs whose evaluations take over what earlier ones found, for the cases of cases.json.

    python make.py        # with the versions in ../requirements.txt and requirements.txt

NAME.latents is the last sample of a small pipeline in ../model, NAME.cached [evaluations] (0 or 1) says which evaluations were made in part.
"deep" is DeepCache's own helper over diffusers' UNets; its branch is counted here in layers of the path up, which for UNets with two layers
a block is its cache_branch_id, and its window is laid around it. "first-block" asks the hook of diffusers' first_block_cache.py whether
to go on; what it caches is put around a UNet here: the first block is conv_in and the first layer of the first down block, and what all
behind it adds ends before conv_norm_out.
"""
import json
import pathlib
import types

import diffusers
import torch
from DeepCache import DeepCacheSDHelper
from diffusers.hooks.first_block_cache import FBCHeadBlockHook, FBCSharedBlockState
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
SCHEDULERS = {"ddim": "DDIMScheduler", "euler": "EulerDiscreteScheduler"}


def window(case):
    return int(case.get("caching_from", 0) * case["steps"]), int(case.get("caching_to", 1) * case["steps"])


class Deep:
    def __init__(self, pipe, case):
        self.cached, (first, end) = [], window(case)
        branch, block = case.get("caching_branch", 0), 0
        for up in reversed(pipe.unet.up_blocks):
            if branch < len(up.resnets):
                break
            branch, block = branch - len(up.resnets), block + 1
        helper = DeepCacheSDHelper(pipe=pipe)
        helper.params = dict(cache_interval=case.get("caching_interval", 3), cache_layer_id=branch, cache_block_id=block, skip_mode="uniform")
        helper.enable()
        helper.start_timestep = first
        skips = helper.is_skip_step
        helper.is_skip_step = lambda *args, **kwargs: first <= helper.cur_timestep < end and skips(*args, **kwargs)
        wrapped = pipe.unet.forward

        def forward(*args, **kwargs):
            result = wrapped(*args, **kwargs)
            at = helper.cur_timestep
            self.cached.append(first <= at < end and (at - first) % helper.params["cache_interval"] != 0)
            return result
        pipe.unet.forward = forward


class FirstBlock:
    def __init__(self, pipe, case):
        self.cached, self.unet, self.step = [], pipe.unet, -1
        self.first, self.end = window(case)
        self.state = FBCSharedBlockState()
        self.hook = FBCHeadBlockHook(types.SimpleNamespace(get_state=lambda: self.state), case["caching_threshold"])
        self.rest = None
        down = self.unet.down_blocks[0]
        head = down.attentions[0] if getattr(down, "attentions", None) else down.resnets[0]
        down.resnets[0].register_forward_pre_hook(lambda _, args: self.keep("entry", args[0]))
        head.register_forward_hook(lambda _, args, out: self.keep("head", out if torch.is_tensor(out) else out[0]))
        self.unet.conv_norm_out.register_forward_pre_hook(lambda _, args: self.keep("end_", args[0]))
        self.whole = self.unet.forward
        self.unet.forward = self.forward

    def keep(self, name, value):
        setattr(self, name, value)

    def forward(self, *args, **kwargs):
        self.step += 1
        result = self.whole(*args, **kwargs)
        if not self.first <= self.step < self.end:
            self.cached.append(False)
            return result
        residual = self.head - self.entry
        compute = self.hook._should_compute_remaining_blocks(residual)
        self.cached.append(not compute)
        if compute:
            self.state.head_block_residual = residual
            self.rest = self.end_ - self.head
            return result
        out = self.unet.conv_out(self.unet.conv_act(self.unet.conv_norm_out(self.head + self.rest)))
        return (out,) if isinstance(result, tuple) else type(result)(sample=out)


def open_pipe(case):
    folder = HERE.parent / "model" / case["model"]
    kind = json.loads((folder / "model_index.json").read_text())["_class_name"]
    options = {} if "XL" in kind or kind == "DDPMPipeline" else dict(safety_checker=None)
    pipe = getattr(diffusers, kind).from_pretrained(folder, torch_dtype=torch.float32, **options)
    pipe.scheduler = getattr(diffusers, SCHEDULERS[case["scheduler"]]).from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@torch.no_grad()
def make_run(case, out):
    pipe = open_pipe(case)
    unet = pipe.unet
    sides = unet.config.sample_size if isinstance(unet.config.sample_size, (list, tuple)) else [unet.config.sample_size] * 2
    noise = torch.randn((1, unet.config.in_channels, *sides), generator=torch.Generator().manual_seed(3))
    watch = (Deep if case["caching"] == "deep" else FirstBlock)(pipe, case)
    if case["model"] == "ddpm":
        pipe.scheduler.set_timesteps(case["steps"])
        sample = noise
        for t in pipe.scheduler.timesteps:
            sample = pipe.scheduler.step(unet(sample, t).sample, t, sample).prev_sample
    else:
        factor = pipe.vae_scale_factor
        sample = pipe(prompt="a horse", negative_prompt="blurry", num_inference_steps=case["steps"], guidance_scale=case.get("guidance", 7.5),
                      latents=noise, output_type="latent", height=sides[0] * factor, width=sides[1] * factor).images
    out[f"{case['name']}.latents"] = sample
    out[f"{case['name']}.cached"] = torch.tensor(watch.cached, dtype=torch.float32)
    print(case["name"], [int(c) for c in watch.cached])


def main():
    torch.set_num_threads(1)
    out = {}
    for case in json.loads((HERE / "cases.json").read_text())["runs"]:
        make_run(case, out)
    save_file({k: t.contiguous() for k, t in out.items()}, HERE / "caching.safetensors")


if __name__ == "__main__":
    main()
