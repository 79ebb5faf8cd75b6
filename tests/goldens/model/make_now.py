#!/usr/bin/env python3
"""now/NAME/: what the current generation of the libraries (../requirements-now.txt) writes otherwise
when it opens a pipeline of this folder and saves it: every JSON file. The weights are the same
tensors, which is checked here, and so are the pictures that it makes of them.

tests/goldens/model/now_folders.py puts the folders together again for the tests, from these files
and the weights beside them.
"""
import json
import shutil
import struct
import tempfile

import torch
from diffusers import DDPMPipeline, StableDiffusionPipeline
from safetensors.torch import load_file

import make

NAMES = ["sd1", "sd2", "odd", "sharded", "projected", "ddpm", "ddpm_resnet"]
SHARDED = dict(variant="fp16")


def tensors(folder):
    """Of every part the tensors as they are stored, by name."""
    out = {}
    for path in folder.glob("*/*.safetensors"):
        with open(path, "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
            data = file.read()
        for name, t in header.items():
            if name != "__metadata__":
                out[path.parent.name, name] = t["dtype"], t["shape"], data[slice(*t["data_offsets"])]
    return out


@torch.no_grad()
def check_pictures(pipe, name):
    golden = load_file(make.HERE / f"{name}.safetensors")
    if isinstance(pipe, StableDiffusionPipeline):
        height, width = golden["default.image"].shape[1:]
        got = pipe(make.PROMPT, negative_prompt=make.NEGATIVE, latents=golden["latents"].clone(),
                   output_type="latent", num_inference_steps=20, guidance_scale=make.GUIDANCE,
                   height=height, width=width).images
        far = (got - golden["default.latents"]).abs().max().item()
    else:
        got = pipe.unet(golden["unet.0.sample"], 981).sample
        far = (got - golden["unet.0.output"]).abs().max().item()
    print(f"{name}: {far:.2e} from the golden")
    assert far < 1e-4


def main():
    for name in NAMES:
        kind = DDPMPipeline if name.startswith("ddpm") else StableDiffusionPipeline
        extra = SHARDED if name == "sharded" else {}
        pipe = kind.from_pretrained(make.HERE / name, **extra)
        pipe.set_progress_bar_config(disable=True)
        out = make.HERE / "now" / name
        shutil.rmtree(out, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            folder = make.pathlib.Path(folder)
            saved = kind.from_pretrained(make.HERE / name, torch_dtype=torch.float16, **extra) if extra else pipe
            saved.save_pretrained(folder, **extra, **(dict(max_shard_size="80KB") if extra else {}))
            assert tensors(folder) == tensors(make.HERE / name)
            for path in folder.rglob("*.json"):
                text = json.dumps(json.loads(path.read_text()), indent=1, ensure_ascii=False)
                target = out / path.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text.replace(f"{make.HERE}/", "") + "\n")
            check_pictures(kind.from_pretrained(folder, torch_dtype=torch.float32, **extra), name)


if __name__ == "__main__":
    main()
