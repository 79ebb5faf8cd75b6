#!/usr/bin/env python3
"""Makes parts/: the parts that rules.json puts in place of a fixture's, of classes and with options that the fixtures
in ../model do not have.

    python make_parts.py [NAME...]        # with the versions in ../requirements.txt, before make.py

Weights are random (seeded), as ../model/make.py makes them, and stored in half precision.
"""
import math
import pathlib
import sys

import torch
from diffusers import AsymmetricAutoencoderKL, AutoencoderTiny, UNet2DConditionModel, UNet2DModel

HERE = pathlib.Path(__file__).parent
SMALL = dict(sample_size=8, layers_per_block=1, norm_num_groups=4)
TEXT = dict(down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            attention_head_dim=2, cross_attention_dim=32, **SMALL)
PIXELS = dict(down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
              attention_head_dim=4, **SMALL)


def randomize(model, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        noise = torch.randn(p.shape, generator=generator)
        if "class_embedding.weight" in name:
            p.data = noise
        elif p.ndim == 1:
            p.data = (1 if name.endswith("weight") else 0) + 0.1 * noise
        else:
            p.data = noise / math.sqrt(p[0].numel())
    return model.eval().half()


def parts():
    yield "vae_tiny", AutoencoderTiny(encoder_block_out_channels=(4,) * 3, decoder_block_out_channels=(4,) * 3,
                                      num_encoder_blocks=(1, 1, 1), num_decoder_blocks=(2, 1, 1))
    yield "vae_asymmetric", AsymmetricAutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * 3, down_block_out_channels=(4, 4, 4),
        up_block_types=["UpDecoderBlock2D"] * 3, up_block_out_channels=(4, 8, 8), layers_per_up_block=2,
        norm_num_groups=4)
    yield "unet_lcm", UNet2DConditionModel(block_out_channels=(4, 8), time_cond_proj_dim=12, **TEXT)
    yield "unet_odd", UNet2DConditionModel(block_out_channels=(5, 10), time_cond_proj_dim=7,
                                           **{**TEXT, "norm_num_groups": 5, "attention_head_dim": 5})
    yield "unet_grey", UNet2DModel(in_channels=1, out_channels=1, block_out_channels=(4, 8), **PIXELS)
    yield "unet_classes", UNet2DModel(block_out_channels=(4, 8), num_class_embeds=5, **PIXELS)
    yield "unet_class_times", UNet2DModel(block_out_channels=(4, 8), class_embed_type="timestep", act_fn="gelu", **PIXELS)


    yield "unet_xl_lcm", UNet2DConditionModel(
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(4, 8), attention_head_dim=[1, 2], transformer_layers_per_block=[1, 2],
        cross_attention_dim=32, use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=64, time_cond_proj_dim=12, **SMALL)


def main():
    for seed, (name, model) in enumerate(parts()):
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        randomize(model, 100 + seed).save_pretrained(HERE / "parts" / name)
        print(name, sum(f.stat().st_size for f in (HERE / "parts" / name).iterdir()) // 1024, "KiB")


main()
