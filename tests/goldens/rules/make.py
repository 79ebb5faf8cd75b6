#!/usr/bin/env python3
"""Makes rules.safetensors: what diffusers' pipelines make of folders whose parts they correct before they use them.

    python make.py [NAME...]        # with the versions in ../requirements.txt

A case of rules.json is a folder of ../model with parts of parts/ (make_parts.py) and a few keys changed ("set"), taken away ("drop") or lines cut off
at the end of a text ("cut"). Everything goes through pipeline(...): NAME.latents are the values of the last sample
in diffusers' order (the first 1024 of them), NAME.image the picture [3, H, W] in 0..1 where the rule is about that.
"""
import json
import pathlib
import shutil
import sys
import tempfile

import diffusers
import torch
from safetensors.torch import load_file, save_file

HERE = pathlib.Path(__file__).parent
SCHEDULERS = {"ddim": "DDIMScheduler", "tcd": "TCDScheduler", "pndm": "PNDMScheduler", "euler": "EulerDiscreteScheduler",
              "ddpm": "DDPMScheduler", "lcm": "LCMScheduler"}
KEPT = 1024


def change(folder, case):
    for name, lines in case.get("cut", {}).items():
        text = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join(text[:-lines]))
    for name in {*case.get("set", {}), *case.get("drop", {})}:
        config = json.loads((folder / name).read_text())
        config = {k: v for k, v in config.items() if k not in case.get("drop", {}).get(name, [])}
        config.update(case.get("set", {}).get(name, {}))
        (folder / name).write_text(json.dumps(config))


def by_hand(pipe, case):
    """DDPMPipeline.__call__ but for class_labels, which it does not pass on."""
    drawn, size = torch.Generator().manual_seed(3), pipe.unet.config.sample_size
    sample = torch.randn((1, pipe.unet.config.in_channels, size, size), generator=drawn)
    pipe.scheduler.set_timesteps(case.get("steps", 4))
    for t in pipe.scheduler.timesteps:
        said = pipe.unet(sample, t, class_labels=torch.tensor([case["class"]])).sample
        sample = pipe.scheduler.step(said, t, sample, generator=drawn).prev_sample
    return sample


@torch.no_grad()
def make(case, out):
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / case["model"]
        shutil.copytree(HERE.parent / "model" / case["model"], folder)
        for part, name in case.get("parts", {}).items():
            shutil.rmtree(folder / part)
            shutil.copytree(HERE / "parts" / name, folder / part)
        change(folder, case)
        kind = json.loads((folder / "model_index.json").read_text())["_class_name"]
        texts = {"safety_checker": None} if kind in ("StableDiffusionPipeline", "LatentConsistencyModelPipeline") else {}
        if kind == "StableDiffusionXLPipeline":
            texts = {"add_watermarker": False}
        pipe = getattr(diffusers, kind).from_pretrained(folder, torch_dtype=torch.float32, **texts)
    pipe.set_progress_bar_config(disable=True)
    if "scheduler" in case:
        pipe.scheduler = getattr(diffusers, SCHEDULERS[case["scheduler"]]).from_config(pipe.scheduler.config)
    keys = {"prediction": "prediction_type", "zero_snr": "rescale_betas_zero_snr", "spacing": "timestep_spacing"}
    changed = {keys[k]: case[k] for k in keys if k in case}
    if changed:
        pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, **changed)
    own = case.get("defaults", {})  # what the model is run with where nobody says otherwise: its card's
    arguments = dict(num_inference_steps=case.get("steps", own.get("steps", 4)), generator=torch.Generator().manual_seed(3))
    if texts:
        arguments.update(prompt=case.get("prompt", "a horse"), guidance_scale=case.get("guidance", own.get("guidance", 3.0)))
        if kind != "LatentConsistencyModelPipeline":
            arguments.update(negative_prompt=case.get("negative", "blurry"))
        latents = pipe(output_type="latent", **arguments).images
        if case["name"].startswith("vae"):
            arguments["generator"] = torch.Generator().manual_seed(3)
            out[f"{case['name']}.image"] = torch.tensor(pipe(output_type="np", **arguments).images[0]).permute(2, 0, 1)
    elif "class" in case:
        latents = by_hand(pipe, case)
    else:
        # the picture in 0..1 is all that these pipelines give: samples outside are cut
        latents = torch.tensor(pipe(output_type="np", **arguments).images).permute(0, 3, 1, 2) * 2 - 1
    print(case["name"], tuple(latents.shape), "std %.3f" % latents.std().item())
    out[f"{case['name']}.shape"] = torch.tensor(latents.shape[1:], dtype=torch.float32)
    out[f"{case['name']}.latents"] = latents.flatten()[:KEPT].clone()


def main():
    torch.set_num_threads(1)
    out = {}
    for case in json.loads((HERE / "rules.json").read_text())["cases"]:
        if len(sys.argv) < 2 or case["name"] in sys.argv[1:]:
            make(case, out)
    if len(sys.argv) > 1:  # the others stay as they are
        out = {**load_file(HERE / "rules.safetensors"), **out}
    save_file({k: t.contiguous() for k, t in out.items()}, HERE / "rules.safetensors")


main()
