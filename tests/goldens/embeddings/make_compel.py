#!/usr/bin/env python3
"""Makes compel.safetensors: what compel makes of prompts with an embedding of several vectors within weights, on the
small pipeline ../model/sd1 with sd1.pt as make.py wrote it.

    OMP_NUM_THREADS=1 python make_compel.py     # with requirements-compel.txt, in an environment of its own

States of prompt N: "N" (rows, width); the prompts stand in the file's metadata. The embedding is loaded by diffusers'
load_textual_inversion and expanded by compel's DiffusersTextualInversionManager. Easy to get wrong: compel tokenizes
the weighed pieces one by one and hands ids to the manager, which decodes them again.
"""
import json
import pathlib

import torch
from compel import Compel, DiffusersTextualInversionManager
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
PROMPTS = ["a <cat>++ on a horse", "a photograph of a (<cat> riding)1.3 on", "a red <cat>- on a horse",
           '("a horse", "a <cat>++").blend(0.7, 0.3)', "<cat>"]

pipe = StableDiffusionPipeline.from_pretrained(HERE.parent / "model" / "sd1", torch_dtype=torch.float32)
pipe.load_textual_inversion(str(HERE / "sd1.pt"), token="<cat>")
made = Compel(pipe.tokenizer, pipe.text_encoder, truncate_long_prompts=False,
              textual_inversion_manager=DiffusersTextualInversionManager(pipe))
with torch.no_grad():
    states = {str(i): made(text)[0].contiguous() for i, text in enumerate(PROMPTS)}
save_file(states, HERE / "compel.safetensors", {"cases": json.dumps({"prompts": PROMPTS})})
