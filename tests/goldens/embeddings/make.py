#!/usr/bin/env python3
"""Makes textual inversions for the small pipelines of ../model in all layouts, and what diffusers makes of the pipelines
with them: hidden states and whole pictures, listed in ../model/embedding_cases.json.

    OMP_NUM_THREADS=1 python make.py        # with the versions in ../requirements.txt

Each golden's file goes through load_textual_inversion. sd1.pt is in torch.save's zip form, sd1_old.pt and sd2.bin in the
form before it, sd1_old.pt with a ParameterDict and dtypes of its own; sd1_row.bin is one row of a larger tensor. Where a
configuration says eos_token_id 2, transformers takes the highest id for the end of a text, which a textual
inversion's always is: the pooled text of SDXL would be that of the new word. The pictures are made with the real end
(text_model.eos_token_id), and "sdxl_pooled" with what transformers does.
"""
import json
import pathlib
import sys

import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
PROMPT, NEGATIVE, STEPS = "a photograph of a {}, riding a horse", "blurry {}, low quality", 20


def vectors(seed, *size):
    return torch.randn(size, generator=torch.Generator().manual_seed(seed)) * 0.4


def files():
    sd1, sd2, clip_l, clip_g = vectors(1, 3, 32), vectors(2, 40).half(), vectors(3, 2, 16), vectors(4, 2, 24)
    said = {"string_to_token": {"*": 265}, "name": "<cat>", "step": 499, "sd_checkpoint": "0123abcd",
            "sd_checkpoint_name": "small"}
    old = {"_use_new_zipfile_serialization": False}
    torch.save({**said, "string_to_param": {"*": sd1}}, HERE / "sd1.pt")
    torch.save({**said, "string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(sd1)})},
               HERE / "sd1_old.pt", **old)
    torch.save({"<cat>": torch.cat([sd1, vectors(5, 2, 32)])[2]}, HERE / "sd1_row.bin")
    torch.save({"<dog>": sd2}, HERE / "sd2.bin", **old)
    torch.save(sd2.bfloat16(), HERE / "alone.pt")
    save_file({"emb_params": sd1.bfloat16()}, HERE / "sd1_bf16.safetensors")
    save_file({"<cat>": sd1[0].clone(), "<bird>": sd1[1:].clone()}, HERE / "two.safetensors")
    save_file({"clip_l": clip_l, "clip_g": clip_g}, HERE / "sdxl.safetensors")
    save_file({"bundle_emb.bird.string_to_param.*": sd1, "bundle_emb.fish.clip_l": clip_l, "bundle_emb.fish.clip_g": clip_g,
               "lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight": vectors(6, 2, 32),
               "lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_up.weight": vectors(7, 32, 2)},
              HERE / "bundle.safetensors")
    save_file({"sd1": sd1, "sd2": sd2.float(), "clip_l": clip_l, "clip_g": clip_g}, HERE / "vectors.safetensors")
    return {"clip_l": clip_l, "clip_g": clip_g}


def real_ends(pipe):
    for name in ("text_encoder", "text_encoder_2"):
        if getattr(pipe, name, None) is not None and hasattr(pipe, name):
            getattr(pipe, name).text_model.eos_token_id = 573


def picture(case, folder, file, word, size, real=True):
    xl = folder == "sdxl"
    pipe = (StableDiffusionXLPipeline if xl else StableDiffusionPipeline).from_pretrained(
        HERE.parent / "model" / folder, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    latents = torch.randn((1, 4, *(s // pipe.vae_scale_factor for s in size)), generator=torch.Generator().manual_seed(9))
    if xl:
        pipe.load_textual_inversion({"x": SDXL["clip_l"]}, token=word, text_encoder=pipe.text_encoder, tokenizer=pipe.tokenizer)
        pipe.load_textual_inversion({"x": SDXL["clip_g"]}, token=word, text_encoder=pipe.text_encoder_2,
                                    tokenizer=pipe.tokenizer_2)
    else:
        pipe.load_textual_inversion(str(HERE / file))
    if real:
        real_ends(pipe)
    texts = dict(prompt=PROMPT.format(word), negative_prompt=NEGATIVE.format(word))
    out = {"latents": latents}
    encoded = pipe.encode_prompt(device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=True, **texts)
    out["hidden_states"] = torch.cat([encoded[1], encoded[0]])
    if xl:
        out["pooled"] = torch.cat([encoded[3], encoded[2]])
    result = pipe(latents=latents.clone(), output_type="latent", num_inference_steps=STEPS, guidance_scale=4,
                  height=size[0], width=size[1], **texts).images
    image = pipe.vae.decode(result / pipe.vae.config.scaling_factor).sample[0]
    out |= {"euler.latents": result, "euler.image": (image / 2 + 0.5).clamp(0, 1)}
    save_file(out, HERE / f"{case}_picture.safetensors")
    print(case, result.abs().max().item(), file=sys.stderr)
    return dict(name=folder, golden=f"../embeddings/{case}_picture", prompt=texts["prompt"], negative=texts["negative_prompt"],
                guidance=4, steps=STEPS, height=size[0], width=size[1], embedding=f"goldens/embeddings/{file}",
                word=word if xl else "", schedulers=["euler"], **({} if case == "sd1" else {"not_emulated": True}),
                **({} if real else {"settings": {"embedding_end": 1}}))


with torch.no_grad():
    SDXL = files()
    cases = [picture("sd1", "sd1", "sd1.pt", "<cat>", (32, 32)), picture("sd2", "sd2", "sd2.bin", "<dog>", (32, 32)),
             picture("sdxl", "sdxl", "sdxl.safetensors", "<xl>", (16, 24)),
             picture("sdxl_pooled", "sdxl", "sdxl.safetensors", "<xl>", (16, 24), real=False)]
(HERE.parent / "model" / "embedding_cases.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")
