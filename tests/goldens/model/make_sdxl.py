#!/usr/bin/env python3
"""Makes small Stable Diffusion XL pipelines in this folder, beside each NAME.safetensors with what diffusers computes
with it stage by stage, and sdxl_cases.json with whole pictures, whose numbers are in CASE.safetensors.

    OMP_NUM_THREADS=1 python make_sdxl.py [NAME...]        # with the versions in ../requirements.txt

Weights are random (seeded), as in make.py. What each golden of a pipeline holds (N = 2: negative prompt, prompt):
    PART.input_ids (2,L) i32, PART.penultimate (2,L,D), PART.skip1 (clip_skip=1), PART.last (final state, normed),
    PART.pooled, of both text encoders; prompt_embeds, pooled_prompt_embeds, time_ids: what the UNet is told
    unet.I.*, vae.*: as in make.py
"""
import json
import pathlib
import sys

import torch
from diffusers import (DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler, StableDiffusionXLImg2ImgPipeline,
                       StableDiffusionXLPipeline, UNet2DConditionModel)
from safetensors.torch import save_file

from make import (GUIDANCE, NEGATIVE, PROMPT, SD_BETAS, hash_of, randomize, report, save_and_load, text_encoder, vae,
                  vae_goldens, write_tokenizer)

HERE = pathlib.Path(__file__).parent
HALF = torch.float16
CROSS, PLAIN = "CrossAttn{}Block2D", "{}Block2D"


def encoders(length, seed, widths, layers, acts=("quick_gelu", "gelu")):
    """The first as CLIP-L, padded with its end; the second as OpenCLIP bigG: with a projection, eos_token_id 2 and
    padded with "!"."""
    first, second = write_tokenizer(HERE / "tmp", length, None), write_tokenizer(HERE / "tmp", length, "!")
    one = text_encoder(first, seed, HALF, hidden_size=widths[0], intermediate_size=2 * widths[0],
                       num_hidden_layers=layers[0], num_attention_heads=2, hidden_act=acts[0], eos_token_id=2)
    two = text_encoder(second, seed + 1, HALF, projection=widths[2], hidden_size=widths[1],
                       intermediate_size=2 * widths[1], num_hidden_layers=layers[1], num_attention_heads=2,
                       hidden_act=acts[1], eos_token_id=2)
    return dict(tokenizer=first, tokenizer_2=second, text_encoder=one, text_encoder_2=two)


def unet(seed, widths, blocks, time_dim=8, numbers=6, **config):
    model = UNet2DConditionModel(down_block_types=[b.format("Down") for b in blocks],
                                 up_block_types=[b.format("Up") for b in reversed(blocks)],
                                 cross_attention_dim=widths[0] + widths[1], norm_num_groups=4,
                                 addition_embed_type="text_time", addition_time_embed_dim=time_dim,
                                 projection_class_embeddings_input_dim=numbers * time_dim + widths[2],
                                 use_linear_projection=True, **config)
    return randomize(model, seed, HALF)


def sdxl():
    """The base model in small: depths and heads per level, none of them at the highest resolution; a VAE that is not
    for half precision."""
    widths = (16, 24, 16)
    net = unet(72, widths, (PLAIN, CROSS, CROSS), sample_size=8, block_out_channels=(8, 8, 12), layers_per_block=1,
               attention_head_dim=[1, 2, 3], transformer_layers_per_block=[1, 2, 3])
    pipe = StableDiffusionXLPipeline(
        **encoders(77, 70, widths, (3, 3)), unet=net, add_watermarker=False, force_zeros_for_empty_prompt=True,
        vae=vae(73, HALF, block_out_channels=(8, 8), layers_per_block=1, norm_num_groups=4, scaling_factor=0.13025,
                force_upcast=True),
        scheduler=EulerDiscreteScheduler(timestep_spacing="leading", steps_offset=1, **SD_BETAS))
    return pipe, dict(dtype=HALF, height=16, width=24)


def sdxl_v():
    """v-prediction with zero terminal SNR, an encoded empty prompt, a VAE with the mean and deviation of its latents."""
    widths = (24, 16, 12)
    net = unet(82, widths, (PLAIN, CROSS), time_dim=6, sample_size=8, block_out_channels=(8, 12), layers_per_block=1,
               attention_head_dim=[1, 2], transformer_layers_per_block=2)
    pipe = StableDiffusionXLPipeline(
        **encoders(20, 80, widths, (2, 4)), unet=net, add_watermarker=False, force_zeros_for_empty_prompt=False,
        vae=vae(83, HALF, block_out_channels=(8, 8), layers_per_block=1, norm_num_groups=4, scaling_factor=0.5,
                latents_mean=[-1.5, 1.8, -1.3, 2.5], latents_std=[1.4, 0.9, 1.1, 0.8], force_upcast=False),
        scheduler=EulerDiscreteScheduler(prediction_type="v_prediction", rescale_betas_zero_snr=True,
                                         timestep_spacing="trailing", **SD_BETAS))
    return pipe, dict(dtype=HALF, height=16, width=16)


def sdxl_pruned():
    """As SSD-1B: a depth for each layer, other ones on the way up, a middle block that does not attend; files in shards
    and with a variant."""
    widths = (16, 16, 16)
    net = unet(92, widths, (PLAIN, CROSS), sample_size=8, block_out_channels=(8, 16), layers_per_block=2,
               attention_head_dim=[1, 2], transformer_layers_per_block=[1, [2, 1]],
               reverse_transformer_layers_per_block=[[2, 1, 3], 1], mid_block_type="UNetMidBlock2D")
    pipe = StableDiffusionXLPipeline(
        **encoders(16, 90, widths, (2, 2)), unet=net, add_watermarker=False, force_zeros_for_empty_prompt=True,
        vae=vae(93, HALF, block_out_channels=(8, 8), layers_per_block=1, norm_num_groups=4, scaling_factor=0.13025),
        scheduler=EulerDiscreteScheduler(timestep_spacing="leading", steps_offset=1, **SD_BETAS))
    return pipe, dict(dtype=HALF, height=16, width=16, variant="fp16", max_shard_size="40KB")


def sdxl_turbo():
    """As SDXL-Turbo: few steps that trail, and no middle block at all (as KOALA-700M)."""
    widths = (16, 16, 16)
    net = unet(102, widths, (PLAIN, CROSS), sample_size=8, block_out_channels=(8, 8), layers_per_block=1,
               attention_head_dim=[1, 2], transformer_layers_per_block=[0, 2], mid_block_type=None)
    pipe = StableDiffusionXLPipeline(
        **encoders(16, 100, widths, (2, 2)), unet=net, add_watermarker=False, force_zeros_for_empty_prompt=True,
        vae=vae(103, HALF, block_out_channels=(8, 8), layers_per_block=1, norm_num_groups=4, scaling_factor=0.13025,
                force_upcast=False),
        scheduler=EulerDiscreteScheduler(timestep_spacing="trailing", prediction_type="epsilon", **SD_BETAS))
    return pipe, dict(dtype=HALF, height=16, width=16)


def sdxl_refiner():
    """The refiner of the base model in small: one text encoder, an aesthetic score, one depth for all; the VAE is the base
    model's."""
    widths = (0, 16, 12)
    both = encoders(77, 110, (16, *widths[1:]), (2, 3))
    net = unet(112, widths, (PLAIN, CROSS), numbers=5, sample_size=8, block_out_channels=(12, 16), layers_per_block=1,
               attention_head_dim=[1, 2], transformer_layers_per_block=2)
    pipe = StableDiffusionXLImg2ImgPipeline(
        tokenizer=None, text_encoder=None, tokenizer_2=both["tokenizer_2"], text_encoder_2=both["text_encoder_2"],
        unet=net, add_watermarker=False, requires_aesthetics_score=True, force_zeros_for_empty_prompt=False,
        vae=vae(73, HALF, block_out_channels=(8, 8), layers_per_block=1, norm_num_groups=4, scaling_factor=0.13025,
                force_upcast=True),
        scheduler=EulerDiscreteScheduler(timestep_spacing="leading", steps_offset=1, **SD_BETAS))
    return pipe, dict(dtype=HALF, height=16, width=24)


# ---- goldens ----

def text_goldens(pipe, out):
    parts = (("text_encoder", pipe.tokenizer, pipe.text_encoder),
             ("text_encoder_2", pipe.tokenizer_2, pipe.text_encoder_2))
    for name, tokenizer, encoder in parts:
        if encoder is None:
            continue
        ids = tokenizer([NEGATIVE, PROMPT], padding="max_length", truncation=True, return_tensors="pt",
                        max_length=tokenizer.model_max_length).input_ids
        result = encoder(ids, output_hidden_states=True)
        out[f"{name}.input_ids"] = ids.to(torch.int32)
        out[f"{name}.penultimate"] = result.hidden_states[-2]
        out[f"{name}.skip1"] = result.hidden_states[-3]
        out[f"{name}.last"] = result.last_hidden_state
        out[f"{name}.pooled"] = result.text_embeds if hasattr(result, "text_embeds") else result.pooler_output


def unet_goldens(pipe, height, width, generator, out):
    text, negative, pooled, negative_pooled = pipe.encode_prompt(PROMPT, negative_prompt=NEGATIVE)
    out["prompt_embeds"] = torch.cat([negative, text])
    out["pooled_prompt_embeds"] = torch.cat([negative_pooled, pooled])
    out["time_ids"] = torch.tensor([[40.0, 60, 0, 0, 32, 48], [1024, 768, 16, 8, 1000, 700]])
    if pipe.text_encoder is None:
        out["time_ids"] = torch.tensor([[40.0, 60, 0, 0, 2.5], [1024, 768, 16, 8, 6]])
    told = dict(text_embeds=out["pooled_prompt_embeds"], time_ids=out["time_ids"])
    sizes = [(981, height, width), (1, height, width), (261, height - 1, width - 3)]
    for i, (t, h, w) in enumerate(sizes):
        sample = torch.randn((2, 4, h, w), generator=generator)
        out[f"unet.{i}.sample"] = sample
        out[f"unet.{i}.timestep"] = torch.tensor([float(t)])
        out[f"unet.{i}.output"] = pipe.unet(sample, t, out["prompt_embeds"], added_cond_kwargs=told).sample


def decode(vae, latents):
    c = vae.config
    latents = latents / c.scaling_factor
    if c.latents_mean is not None:
        mean, std = (torch.tensor(v).view(1, -1, 1, 1) for v in (c.latents_mean, c.latents_std))
        latents = latents * std + mean
    return (vae.decode(latents).sample[0] / 2 + 0.5).clamp(0, 1)


# What is asked for beside the prompt: the settings' names here and their values, which diffusers gets as named below.
CASES = {
    "sdxl": [("sdxl_plain", {}, ["default", "ddim", "dpmpp-2m"]),
             ("sdxl_negative", {"negative_prompt": NEGATIVE, "clip_skip": 1}, ["default"]),
             ("sdxl_sizes", {"original_width": 1000, "original_height": 700, "crop_left": 8, "crop_top": 24,
                             "target_width": 640, "target_height": 320}, ["default"]),
             ("sdxl_encoded", {"empty_negative": 2}, ["default"])],
    "sdxl_v": [("sdxl_v_plain", {}, ["default", "ddim"]),
               ("sdxl_v_rescale", {"negative_prompt": NEGATIVE, "guidance_rescale": 0.7}, ["default"]),
               ("sdxl_v_zeros", {"empty_negative": 1}, ["default"])],
    "sdxl_pruned": [("sdxl_pruned_plain", {}, ["default"])],
    "sdxl_turbo": [("sdxl_turbo_plain", {"guidance": 0, "steps": 4}, ["default"])],
}


def asked(settings):
    pair = lambda name: (settings.get(f"{name}_height", 0), settings.get(f"{name}_width", 0))
    return dict(negative_prompt=settings.get("negative_prompt"), clip_skip=settings.get("clip_skip"),
                guidance_scale=settings.get("guidance", GUIDANCE), num_inference_steps=settings.get("steps", 20),
                guidance_rescale=settings.get("guidance_rescale", 0), original_size=pair("original") if pair("original")[0] else None,
                target_size=pair("target") if pair("target")[0] else None,
                crops_coords_top_left=(settings.get("crop_top", 0), settings.get("crop_left", 0)))


def picture_goldens(pipe, name, options):
    generator = torch.Generator().manual_seed(hash_of(name))
    factor, own, rule = pipe.vae_scale_factor, pipe.scheduler, pipe.config.force_zeros_for_empty_prompt
    kinds = {"ddim": DDIMScheduler, "dpmpp-2m": DPMSolverMultistepScheduler}
    cases = []
    for case, settings, schedulers in CASES[name]:
        out = {"latents": torch.randn((1, 4, options["height"] // factor, options["width"] // factor), generator=generator)}
        zeros = {1: True, 2: False}.get(settings.get("empty_negative"), rule)
        pipe.register_to_config(force_zeros_for_empty_prompt=zeros)
        for scheduler in schedulers:
            pipe.scheduler = own if scheduler == "default" else kinds[scheduler].from_config(own.config)
            latents = pipe(PROMPT, latents=out["latents"].clone(), output_type="latent", height=options["height"],
                           width=options["width"], **asked(settings)).images
            out[f"{scheduler}.latents"] = latents
            out[f"{scheduler}.image"] = decode(pipe.vae, latents)
        pipe.scheduler = own
        save_file({k: t.contiguous() for k, t in out.items()}, HERE / f"{case}.safetensors")
        own_settings = {k: v for k, v in settings.items() if k not in ("negative_prompt", "guidance", "steps")}
        cases.append(dict(name=name, golden=case, prompt=PROMPT, negative=settings.get("negative_prompt", ""),
                          guidance=settings.get("guidance", GUIDANCE), steps=settings.get("steps", 20),
                          height=options["height"], width=options["width"], settings=own_settings, schedulers=schedulers))
    return cases


# A base model and its refiner: what goes to both, and what each gets besides; as in CASES.
REFINED = [("sdxl_refined", {"refine_from": 0.8}, ["default", "ddim", "dpmpp-2m"]),
           ("sdxl_refined_told", {"negative_prompt": NEGATIVE, "refine_from": 0.35, "aesthetic_score": 7.5,
                                  "negative_aesthetic_score": 1.5, "crop_left": 8, "crop_top": 24, "original_width": 1000,
                                  "original_height": 700}, ["default"])]


@torch.no_grad()
def refined():
    kinds = {"ddim": DDIMScheduler, "dpmpp-2m": DPMSolverMultistepScheduler}
    base = StableDiffusionXLPipeline.from_pretrained(HERE / "sdxl", torch_dtype=torch.float32, add_watermarker=False)
    refiner = StableDiffusionXLImg2ImgPipeline.from_pretrained(HERE / "sdxl_refiner", torch_dtype=torch.float32,
                                                               add_watermarker=False)
    generator, cases = torch.Generator().manual_seed(hash_of("refined")), []
    own = base.scheduler, refiner.scheduler
    for case, settings, schedulers in REFINED:
        out = {"latents": torch.randn((1, 4, 8, 12), generator=generator)}
        for scheduler in schedulers:
            for pipe, of in zip((base, refiner), own):
                pipe.set_progress_bar_config(disable=True)
                pipe.scheduler = of if scheduler == "default" else kinds[scheduler].from_config(of.config)
            both = asked(settings)
            begun = base(PROMPT, latents=out["latents"].clone(), output_type="latent", height=16, width=24,
                         denoising_end=settings["refine_from"], **both).images
            scores = {k: settings[k] for k in ("aesthetic_score", "negative_aesthetic_score") if k in settings}
            latents = refiner(PROMPT, image=begun, output_type="latent", denoising_start=settings["refine_from"], **scores,
                              **both).images
            out[f"{scheduler}.latents"] = latents
            out[f"{scheduler}.image"] = decode(base.vae, latents)
        save_file({k: t.contiguous() for k, t in out.items()}, HERE / f"{case}.safetensors")
        own_settings = {k: v for k, v in settings.items() if k != "negative_prompt"}
        cases.append(dict(name="sdxl", refiner="sdxl_refiner", golden=case, prompt=PROMPT,
                          negative=settings.get("negative_prompt", ""), guidance=GUIDANCE, steps=20, height=16, width=24,
                          settings=own_settings, schedulers=schedulers))
    return cases


@torch.no_grad()
def make(name, build):
    pipe, options = build()
    folder, out = HERE / name, {}
    pipe = save_and_load(pipe, folder, options)
    generator = torch.Generator().manual_seed(hash_of(name))
    text_goldens(pipe, out)
    unet_goldens(pipe, 6, 8, generator, out)
    vae_goldens(pipe.vae, options["height"], options["width"], generator, out)
    save_file({k: t.contiguous() for k, t in out.items()}, HERE / f"{name}.safetensors")
    report(name, out, folder)
    return picture_goldens(pipe, name, options) if name in CASES else []


def main():
    torch.set_num_threads(1)
    pipelines = [sdxl, sdxl_v, sdxl_pruned, sdxl_turbo, sdxl_refiner]
    wanted = sys.argv[1:] or [p.__name__ for p in pipelines]
    cases = [c for p in pipelines if p.__name__ in wanted for c in make(p.__name__, p)]
    if "sdxl_refiner" in wanted:
        (HERE / "refiner_cases.json").write_text(json.dumps({"cases": refined()}, indent=1) + "\n")
    if wanted == [p.__name__ for p in pipelines]:
        (HERE / "sdxl_cases.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
