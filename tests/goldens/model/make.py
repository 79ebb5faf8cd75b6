#!/usr/bin/env python3
"""Makes the small pipelines in this folder and, beside each, NAME.safetensors with what diffusers computes
with it, stage by stage and as whole pictures.

    python make.py [NAME...]        # with the versions in ../requirements.txt

Weights are random (seeded), scaled so that every stage's output is of order one. Each pipeline is an ordinary
diffusers folder, tokenizer included. What each golden holds ("N" is the batch: negative prompt, prompt):
    input_ids (2,L) i32, text_embeddings (2,L,D), text_embeddings_skip1 (clip_skip=1), pooled (2,D)
    unet.I.sample, unet.I.timestep, unet.I.output      I = 0..: three timesteps, the last at an odd size
    vae.latents, vae.image (-1..1), vae.pixels, vae.moments
    latents (1,C,h,w): the start noise; SCHEDULER.latents, SCHEDULER.image (3,H,W in 0..1) after the steps that
    cases.json tells; DDPM: noise (n,C,h,w): what the scheduler drew, in order
"""
import json
import math
import pathlib
import shutil
import sys

import torch
from diffusers import (AutoencoderKL, DDIMScheduler, DDPMPipeline, DDPMScheduler, DPMSolverMultistepScheduler,
                       EulerDiscreteScheduler, LMSDiscreteScheduler, PNDMScheduler, StableDiffusionPipeline,
                       UNet2DConditionModel, UNet2DModel, UniPCMultistepScheduler)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

HERE = pathlib.Path(__file__).parent
PROMPT = "a photograph of an astronaut riding a horse"
NEGATIVE = "blurry, low quality"
GUIDANCE = 7.5
SD_BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000)


# ---- a vocabulary in CLIP's form, learned from a few lines ----

def byte_characters():
    """The printable stand-ins for the 256 bytes, in the order of CLIP's vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    return [chr(b) for b in plain] + [chr(256 + i) for i in range(len(others))]


def learn_merges(text, count):
    words = [[*word[:-1], word[-1] + "</w>"] for word in text.split()]
    merges = []
    while len(merges) < count:
        pairs = {}
        for word in words:
            for pair in zip(word, word[1:]):
                pairs[pair] = pairs.get(pair, 0) + 1
        if not pairs:
            break
        best = max(sorted(pairs), key=pairs.get)
        merges.append(best)
        for i, word in enumerate(words):
            out = []
            while word:
                if tuple(word[:2]) == best:
                    out.append("".join(best))
                    word = word[2:]
                else:
                    out.append(word.pop(0))
            words[i] = out
    return merges


def write_tokenizer(folder, length, pad):
    merges = learn_merges("a photograph of an astronaut riding a horse a photo of the cat on a red hill "
                          "blurry low quality painting in the style of the night sky over the sea", 60)
    pieces = byte_characters()
    pieces += [c + "</w>" for c in pieces] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({p: i for i, p in enumerate(pieces)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=length,
                              pad_token=pad or "<|endoftext|>")
    shutil.rmtree(folder)
    return tokenizer


# ---- weights ----

def randomize(model, seed, dtype, gains={}):
    """Normal weights that keep the size of what flows through, rounded to the dtype they are stored in."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        noise = torch.randn(p.shape, generator=generator)
        if "embedding.weight" in name:
            p.data = 0.5 * noise
        elif p.ndim == 1:
            p.data = (1 if name.endswith("weight") else 0) + 0.1 * noise
        else:
            p.data = noise * gains.get(name, 1.0) / math.sqrt(p[0].numel())
        p.data = p.data.to(dtype).float()
    return model.eval()


def text_encoder(tokenizer, seed, dtype, projection=None, **config):
    full = CLIPTextConfig(vocab_size=len(tokenizer), max_position_embeddings=tokenizer.model_max_length,
                          bos_token_id=len(tokenizer) - 2, pad_token_id=tokenizer.pad_token_id,
                          **{"eos_token_id": len(tokenizer) - 1, **config})
    if projection:
        full.projection_dim = projection
        return randomize(CLIPTextModelWithProjection(full), seed, dtype)
    return randomize(CLIPTextModel(full), seed, dtype)


def vae(seed, dtype, **config):
    levels = len(config["block_out_channels"])
    model = AutoencoderKL(down_block_types=["DownEncoderBlock2D"] * levels,
                          up_block_types=["UpDecoderBlock2D"] * levels, **config)
    return randomize(model, seed, dtype, {"decoder.conv_out.weight": 0.4})


def stable_diffusion(tokenizer, encoder, unet, autoencoder, scheduler):
    return StableDiffusionPipeline(vae=autoencoder, text_encoder=encoder, tokenizer=tokenizer, unet=unet,
                                   scheduler=scheduler, safety_checker=None, feature_extractor=None,
                                   requires_safety_checker=False)


# ---- the pipelines ----

def sd1():
    """Stable Diffusion 1.x in small: convolutions as projections, one number of heads, eos_token_id 2."""
    half = torch.float16
    tokenizer = write_tokenizer(HERE / "tmp", 77, None)
    encoder = text_encoder(tokenizer, 1, half, hidden_size=32, intermediate_size=64, num_hidden_layers=3,
                           num_attention_heads=4, hidden_act="quick_gelu", eos_token_id=2)
    unet = UNet2DConditionModel(sample_size=8, block_out_channels=(12, 16, 16), layers_per_block=2,
                                down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
                                up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
                                attention_head_dim=4, cross_attention_dim=32, norm_num_groups=4)
    pipe = stable_diffusion(tokenizer, encoder, randomize(unet, 2, half),
                            vae(3, half, block_out_channels=(8, 8, 16), layers_per_block=2, norm_num_groups=4),
                            PNDMScheduler(skip_prk_steps=True, steps_offset=1, **SD_BETAS))
    return pipe, dict(dtype=half, height=32, width=32)


def sd2():
    """Stable Diffusion 2.x in small: v-prediction, linear projections, heads per level, gelu, padding with '!'."""
    half = torch.float16
    tokenizer = write_tokenizer(HERE / "tmp", 24, "!")
    encoder = text_encoder(tokenizer, 11, half, hidden_size=40, intermediate_size=80, num_hidden_layers=2,
                           num_attention_heads=5, hidden_act="gelu")
    unet = UNet2DConditionModel(sample_size=16, block_out_channels=(16, 24), layers_per_block=1,
                                down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
                                up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), attention_head_dim=[2, 3],
                                cross_attention_dim=40, norm_num_groups=4, use_linear_projection=True,
                                upcast_attention=True)
    pipe = stable_diffusion(tokenizer, encoder, randomize(unet, 12, half),
                            vae(13, half, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=8),
                            DDIMScheduler(prediction_type="v_prediction", clip_sample=False, set_alpha_to_one=False,
                                          steps_offset=1, **SD_BETAS))
    return pipe, dict(dtype=half, height=32, width=32)


def odd():
    """Channel counts that are no powers of two, lists where others have numbers, a picture that is not square."""
    full = torch.float32
    tokenizer = write_tokenizer(HERE / "tmp", 16, None)
    encoder = text_encoder(tokenizer, 21, full, hidden_size=20, intermediate_size=36, num_hidden_layers=2,
                           num_attention_heads=2, hidden_act="gelu")
    unet = UNet2DConditionModel(sample_size=(12, 20), block_out_channels=(12, 20), layers_per_block=[2, 1],
                                down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
                                up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), attention_head_dim=[3, 5],
                                transformer_layers_per_block=[1, 2], cross_attention_dim=[20, 20],
                                norm_num_groups=4, norm_eps=1e-4, act_fn="gelu", flip_sin_to_cos=False, freq_shift=1,
                                downsample_padding=0, mid_block_scale_factor=1.5, center_input_sample=True)
    pipe = stable_diffusion(tokenizer, encoder, randomize(unet, 22, full),
                            vae(23, full, block_out_channels=(12, 20), layers_per_block=1, norm_num_groups=4,
                                latent_channels=4, scaling_factor=0.5),
                            DPMSolverMultistepScheduler(steps_offset=1, timestep_spacing="leading", **SD_BETAS))
    return pipe, dict(dtype=full, height=24, width=40)


def sharded():
    """Half precision files only, in shards, with the .fp16. variant in their names."""
    half = torch.float16
    tokenizer = write_tokenizer(HERE / "tmp", 20, None)
    encoder = text_encoder(tokenizer, 31, half, hidden_size=24, intermediate_size=48, num_hidden_layers=2,
                           num_attention_heads=3, hidden_act="quick_gelu")
    unet = UNet2DConditionModel(sample_size=8, block_out_channels=(16, 24), layers_per_block=1,
                                down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
                                up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"), attention_head_dim=4,
                                cross_attention_dim=24, norm_num_groups=8)
    pipe = stable_diffusion(tokenizer, encoder, randomize(unet, 32, half),
                            vae(33, half, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4),
                            UniPCMultistepScheduler(steps_offset=1, **SD_BETAS))
    return pipe, dict(dtype=half, height=16, width=24, variant="fp16", max_shard_size="80KB")


def projected():
    """A text encoder with projection, cross attention only, no middle block, a VAE without its options."""
    full = torch.float32
    tokenizer = write_tokenizer(HERE / "tmp", 18, None)
    encoder = text_encoder(tokenizer, 41, full, projection=12, hidden_size=16, intermediate_size=32,
                           num_hidden_layers=3, num_attention_heads=2, hidden_act="quick_gelu")
    unet = UNet2DConditionModel(sample_size=8, block_out_channels=(16, 16), layers_per_block=1,
                                down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
                                up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"), attention_head_dim=2,
                                cross_attention_dim=16, norm_num_groups=4, mid_block_type=None,
                                only_cross_attention=[True, False], act_fn="swish")
    pipe = stable_diffusion(tokenizer, encoder, randomize(unet, 42, full),
                            vae(43, full, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
                                use_quant_conv=False, use_post_quant_conv=False, mid_block_add_attention=False,
                                act_fn="relu"),
                            LMSDiscreteScheduler(steps_offset=1, **SD_BETAS))
    return pipe, dict(dtype=full, height=16, width=16)


def ddpm():
    """google/ddpm-cat-256 in small."""
    half = torch.float16
    unet = UNet2DModel(sample_size=16, block_out_channels=(12, 16, 24), layers_per_block=2,
                       down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
                       up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D"), attention_head_dim=None,
                       norm_num_groups=4, norm_eps=1e-6, downsample_padding=0, flip_sin_to_cos=False, freq_shift=1)
    return DDPMPipeline(randomize(unet, 52, half), DDPMScheduler(num_train_timesteps=1000)), dict(dtype=half)


def ddpm_resnet():
    """UNet2DModel's other roads: resampling resnets, several heads, a scaled middle block, odd groups."""
    full = torch.float32
    unet = UNet2DModel(sample_size=(8, 16), in_channels=1, out_channels=1, block_out_channels=(12, 24, 24),
                       layers_per_block=1,
                       down_block_types=("ResnetDownsampleBlock2D", "AttnDownBlock2D", "DownBlock2D"),
                       up_block_types=("UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"), attention_head_dim=8,
                       norm_num_groups=6, attn_norm_num_groups=3, downsample_type="resnet", upsample_type="resnet",
                       mid_block_scale_factor=math.sqrt(2), act_fn="gelu")
    scheduler = DDPMScheduler(num_train_timesteps=1000, variance_type="fixed_large")
    return DDPMPipeline(randomize(unet, 62, full), scheduler), dict(dtype=full)


def ddpm_shift():
    """The time embedding scales and shifts, with another activation and resampling resnets."""
    half = torch.float16
    unet = UNet2DModel(sample_size=8, block_out_channels=(8, 16), layers_per_block=1,
                       down_block_types=("ResnetDownsampleBlock2D", "AttnDownBlock2D"),
                       up_block_types=("AttnUpBlock2D", "ResnetUpsampleBlock2D"), attention_head_dim=8,
                       norm_num_groups=4, act_fn="mish", resnet_time_scale_shift="scale_shift")
    return DDPMPipeline(randomize(unet, 72, half), DDPMScheduler(num_train_timesteps=1000)), dict(dtype=half)


# ---- goldens ----

def text_goldens(pipe, out):
    ids = pipe.tokenizer([NEGATIVE, PROMPT], padding="max_length", truncation=True, return_tensors="pt",
                         max_length=pipe.tokenizer.model_max_length).input_ids
    encoder = pipe.text_encoder
    result = encoder(ids, output_hidden_states=True)
    out["input_ids"] = ids.to(torch.int32)
    out["text_embeddings"] = result.last_hidden_state
    out["text_embeddings_skip1"] = encoder.text_model.final_layer_norm(result.hidden_states[-2])
    out["pooled"] = result.text_embeds if hasattr(result, "text_embeds") else result.pooler_output
    return result.last_hidden_state


def unet_goldens(unet, text, height, width, generator, out):
    """The last at a size that halving rounds; UNet2DModel takes multiples only and gets a smaller one."""
    other = (height - 1, width - 3) if text is not None else (height, width // 2)
    if text is not None and unet.config.downsample_padding == 0:
        other = (height + 1, width - 1)
    sizes = [(981, height, width), (500, height, width), (1, height, width), (261, *other)]
    for i, (t, h, w) in enumerate(sizes):
        sample = torch.randn((2, unet.config.in_channels, h, w), generator=generator)
        args = (text,) if text is not None else ()
        out[f"unet.{i}.sample"] = sample
        out[f"unet.{i}.timestep"] = torch.tensor([float(t)])
        out[f"unet.{i}.output"] = unet(sample, t, *args).sample


def vae_goldens(model, height, width, generator, out):
    factor = 2 ** (len(model.config.block_out_channels) - 1)
    out["vae.latents"] = torch.randn((1, model.config.latent_channels, height // factor, width // factor),
                                     generator=generator)
    out["vae.image"] = model.decode(out["vae.latents"]).sample
    out["vae.pixels"] = torch.rand((1, 3, height, width), generator=generator) * 2 - 1
    out["vae.moments"] = model.encode(out["vae.pixels"]).latent_dist.parameters


def picture_goldens(pipe, text, options, steps, generator, out):
    factor = pipe.vae_scale_factor
    shape = (1, pipe.unet.config.in_channels, options["height"] // factor, options["width"] // factor)
    out["latents"] = torch.randn(shape, generator=generator)
    own = pipe.scheduler
    schedulers = {"default": own, "euler": EulerDiscreteScheduler.from_config(own.config),
                  "ddim": DDIMScheduler.from_config(own.config)}
    for name, scheduler in schedulers.items():
        pipe.scheduler = scheduler
        latents = pipe(prompt_embeds=text[1:], negative_prompt_embeds=text[:1], latents=out["latents"].clone(), output_type="latent",
                       num_inference_steps=steps, guidance_scale=GUIDANCE, height=options["height"],
                       width=options["width"]).images
        image = pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample[0]
        out[f"{name}.latents"] = latents
        out[f"{name}.image"] = (image / 2 + 0.5).clamp(0, 1)
    pipe.scheduler = own


def ddpm_goldens(pipe, steps, generator, out):
    """DDPM and DDIM by hand, so that what the scheduler draws can be kept."""
    size = pipe.unet.config.sample_size
    size = (size, size) if isinstance(size, int) else tuple(size)
    shape = (1, pipe.unet.config.in_channels, *size)
    out["latents"] = torch.randn(shape, generator=generator)
    drawn = torch.Generator().manual_seed(7)
    for name, scheduler in {"default": pipe.scheduler, "ddim": DDIMScheduler.from_config(pipe.scheduler.config)}.items():
        scheduler.set_timesteps(steps)
        sample = out["latents"].clone()
        for t in scheduler.timesteps:
            residual = pipe.unet(sample, t).sample
            sample = scheduler.step(residual, t, sample, generator=drawn).prev_sample
        out[f"{name}.latents"] = sample
        out[f"{name}.image"] = (sample[0] / 2 + 0.5).clamp(0, 1)
    drawn = torch.Generator().manual_seed(7)
    out["noise"] = torch.cat([torch.randn(shape, generator=drawn) for _ in range(steps - 1)])


def save_and_load(pipe, folder, options):
    """Read back, since a scheduler made from a file's configuration is not the one made from a live one's: the
    latter forgets the values that were left at their defaults."""
    shutil.rmtree(folder, ignore_errors=True)
    extra = {k: options[k] for k in ("variant", "max_shard_size") if k in options}
    pipe.to(options["dtype"]).save_pretrained(folder, **extra)
    if not isinstance(pipe, DDPMPipeline):
        # Stable Diffusion's own files say so whatever their scheduler; with DDIM's default, clipping, the pictures
        # of random weights would be chaotic: 1e-7 becomes 1 within 20 steps.
        file = folder / "scheduler" / "scheduler_config.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "clip_sample": False}, indent=2) + "\n")
    extra.pop("max_shard_size", None)
    pipe = type(pipe).from_pretrained(folder, torch_dtype=torch.float32, **extra)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def report(name, out, folder):
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    print(f"{name}: folder {size // 1024} KiB, golden {sum(t.nbytes for t in out.values()) // 1024} KiB")
    for key, t in out.items():
        if t.is_floating_point():
            print(f"    {key:28} {str(tuple(t.shape)):18} std {t.std().item() if t.numel() > 1 else 0:8.4f}"
                  f"  max {t.abs().max().item():8.4f}")


@torch.no_grad()
def make(name, build):
    pipe, options = build()
    folder, out = HERE / name, {}
    generator = torch.Generator().manual_seed(hash_of(name))
    pipe = save_and_load(pipe, folder, options)
    case = dict(name=name, steps=20)
    if isinstance(pipe, StableDiffusionPipeline):
        factor = pipe.vae_scale_factor
        text = text_goldens(pipe, out)
        unet_goldens(pipe.unet, text, options["height"] // factor, options["width"] // factor, generator, out)
        vae_goldens(pipe.vae, options["height"], options["width"], generator, out)
        picture_goldens(pipe, text, options, case["steps"], generator, out)
        case.update(prompt=PROMPT, negative=NEGATIVE, guidance=GUIDANCE, height=options["height"],
                    width=options["width"], schedulers=["default", "euler", "ddim"])
    else:
        size = pipe.unet.config.sample_size
        unet_goldens(pipe.unet, None, *((size, size) if isinstance(size, int) else size), generator, out)
        ddpm_goldens(pipe, case["steps"], generator, out)
        case.update(schedulers=["default", "ddim"])
    save_file({k: t.contiguous() for k, t in out.items()}, HERE / f"{name}.safetensors")
    report(name, out, folder)
    return case


def hash_of(name):
    return sum(ord(c) * 31 ** i for i, c in enumerate(name)) % 2 ** 31


def main():
    torch.set_num_threads(2)
    pipelines = [sd1, sd2, odd, sharded, projected, ddpm, ddpm_resnet, ddpm_shift]
    wanted = sys.argv[1:] or [p.__name__ for p in pipelines]
    cases = [make(p.__name__, p) for p in pipelines if p.__name__ in wanted]
    if len(cases) == len(pipelines):
        (HERE / "cases.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
