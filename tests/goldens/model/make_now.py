#!/usr/bin/env python3
"""now/NAME/: what the current generation of the libraries (../requirements-now.txt) writes otherwise
when it opens a pipeline of this folder and saves it: every JSON file. The weights are the same
tensors, which is checked here, and so is what it computes with them.

Where transformers 5 saves a CLIPTextModel that it has not read from an older file, the names of its
weights lack "text_model.": now/sd2 is such a folder, and its names.json says so.

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
from transformers import CLIPTextModel

import make

NAMES = ["sd1", "sd2", "odd", "sharded", "projected", "ddpm", "ddpm_resnet"]
SHARDED = dict(variant="fp16")


def fresh(encoder):
    """The same encoder, which transformers has not read from a file."""
    made = CLIPTextModel(encoder.config).to(encoder.dtype)
    made.load_state_dict(encoder.state_dict())
    return made


def tensors(folder, prefix=""):
    """Of every part the tensors as they are stored, by name; a text encoder's with this prefix."""
    out = {}
    for path in folder.glob("*/*.safetensors"):
        with open(path, "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
            data = file.read()
        for name, t in header.items():
            if name != "__metadata__":
                full = prefix + name if path.parent.name == "text_encoder" else name
                out[path.parent.name, full] = t["dtype"], t["shape"], data[slice(*t["data_offsets"])]
    return out


@torch.no_grad()
def check_stages(pipe, name):
    """What it computes is what the goldens say, so they hold for both generations."""
    golden, text = load_file(make.HERE / f"{name}.safetensors"), ()
    far = []
    if isinstance(pipe, StableDiffusionPipeline):
        ids = pipe.tokenizer([make.NEGATIVE, make.PROMPT], padding="max_length", truncation=True, return_tensors="pt",
                             max_length=pipe.tokenizer.model_max_length).input_ids
        assert torch.equal(ids.to(torch.int32), golden["input_ids"])
        text = (pipe.text_encoder(ids).last_hidden_state,)
        far += [text[0] - golden["text_embeddings"], pipe.vae.decode(golden["vae.latents"]).sample - golden["vae.image"]]
    far += [pipe.unet(golden["unet.0.sample"], 981, *text).sample - golden["unet.0.output"]]
    far = max(f.abs().max().item() for f in far)
    print(f"{name}: {far:.2e} from the goldens")
    assert far < 1e-4


def main():
    torch.set_num_threads(1)
    for name in NAMES:
        kind = DDPMPipeline if name.startswith("ddpm") else StableDiffusionPipeline
        extra = SHARDED if name == "sharded" else {}
        out = make.HERE / "now" / name
        shutil.rmtree(out, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            folder = make.pathlib.Path(folder)
            prefix = "text_model." if name == "sd2" else ""
            half = any(t[0] == "F16" for key, t in tensors(make.HERE / name).items() if key[0] == "unet")
            saved = kind.from_pretrained(make.HERE / name, torch_dtype=torch.float16 if half else torch.float32, **extra)
            if prefix:
                saved.text_encoder = fresh(saved.text_encoder)
            saved.save_pretrained(folder, **extra, **(dict(max_shard_size="80KB") if extra else {}))
            assert tensors(folder, prefix) == tensors(make.HERE / name)
            for path in folder.rglob("*.json"):
                text = json.dumps(json.loads(path.read_text()), indent=1, ensure_ascii=False)
                target = out / path.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text.replace(f"{make.HERE}/", "") + "\n")
            if prefix:
                (out / "text_encoder/names.json").write_text(json.dumps({"without": prefix}) + "\n")
            check_stages(kind.from_pretrained(folder, torch_dtype=torch.float32, **extra), name)


if __name__ == "__main__":
    main()
