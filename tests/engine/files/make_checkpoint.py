#!/usr/bin/env python3
"""Writes a diffusers folder as a single checkpoint in the original latent-diffusion layout.

Usage: make_checkpoint.py FOLDER OUT.safetensors|OUT.gguf [--open-clip | --xl | --refiner] [--v] [--unet] [--converted]

--xl writes Stable Diffusion XL's layout: both text encoders under conditioner.embedders, with what real files carry
besides. --refiner writes that of its refiner, whose only text encoder is the second one. --v adds the empty tensors that say that the model predicts v and starts from nothing but noise.

A name that ends in .gguf is written as stable-diffusion.cpp does: every tensor under its name here, no keys at all.
--converted gives the text encoders and the UNet's projections what stable-diffusion.cpp's converter makes of them.
With --unet it is ComfyUI-GGUF's layout: the UNet alone, without its prefix, with the key general.architecture.

Standard library only: Meson runs it for test_checkpoint.c, which reads the result back and compares
it with the folder. tests/goldens/files/check_checkpoint.py has diffusers' own converter read the
same file, so that the two of us cannot be wrong in the same way.
"""
import json
import re
import struct
import sys
from pathlib import Path


def read(path):
    data = Path(path).read_bytes()
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + n])
    header.pop("__metadata__", None)
    body = data[8 + n:]
    return {k: (v["dtype"], v["shape"], body[slice(*v["data_offsets"])]) for k, v in header.items()}


def write(path, tensors):
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, shape, data) in sorted(tensors.items()):
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + body)


def write_gguf(path, tensors, architecture=None):
    types = {"F32": 0, "F16": 1, "BF16": 30}
    string = lambda s: struct.pack("<Q", len(s)) + s.encode()
    tensors = {k: v for k, v in sorted(tensors.items()) if v[0] in types and v[2]}
    keys = [string("general.architecture") + struct.pack("<I", 8) + string(architecture)] if architecture else []
    head, body = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys), b""
    for name, (dtype, shape, data) in tensors.items():
        head += string(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
        head += struct.pack("<IQ", types[dtype], len(body))
        body += data + bytes(-len(data) % 32)
    Path(path).write_bytes(head + bytes(-len(head) % 32) + body)


def substitute(name, rules):
    for pattern, replacement in rules:
        name, n = re.subn("^" + pattern, replacement, name)
        if n:
            break
    return name


RESNET = [("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"),
          ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection")]


def unet_name(name, layers, up_attentions):
    m = re.match(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)", name)
    if m:
        side, block, kind, i, rest = m[1], int(m[2]), m[3], int(m[4]), m[5]
        if side == "down":
            at = 1 + block * (layers + 1) + (layers if kind == "downsamplers" else i)
            if kind == "downsamplers":
                return f"input_blocks.{at}.0.op.{rest[5:]}"
        else:
            at = block * (layers + 1) + (layers if kind == "upsamplers" else i)
            if kind == "upsamplers":
                return f"output_blocks.{at}.{2 if block in up_attentions else 1}.{rest}"
        part = 0 if kind == "resnets" else 1
        rest = substitute(rest, RESNET) if part == 0 else rest
        return f"{'input' if side == 'down' else 'output'}_blocks.{at}.{part}.{rest}"
    m = re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name)
    if m:
        at = 1 if m[1] == "attentions" else 2 * int(m[2])
        return f"middle_block.{at}.{substitute(m[3], RESNET) if at != 1 else m[3]}"
    return substitute(name, [(r"time_embedding\.linear_1", "time_embed.0"), (r"time_embedding\.linear_2", "time_embed.2"),
                             (r"add_embedding\.linear_1", "label_emb.0.0"), (r"add_embedding\.linear_2", "label_emb.0.2"),
                             ("conv_in", "input_blocks.0.0"), ("conv_norm_out", "out.0"), ("conv_out", "out.2")])


def vae_name(name, levels):
    m = re.match(r"(encoder|decoder)\.(down|up)_blocks\.(\d+)\.(resnets\.(\d+)|downsamplers\.0|upsamplers\.0)\.(.*)", name)
    if m:
        level = int(m[3]) if m[2] == "down" else levels - 1 - int(m[3])
        what = f"block.{m[5]}" if m[5] else f"{m[2]}sample"
        return f"{m[1]}.{m[2]}.{level}.{what}.{substitute(m[6], [('conv_shortcut', 'nin_shortcut')])}"
    for a, b in [("mid_block.resnets.0", "mid.block_1"), ("mid_block.resnets.1", "mid.block_2"),
                 ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"), ("mid_block.attentions.0.to_q", "mid.attn_1.q"),
                 ("mid_block.attentions.0.to_k", "mid.attn_1.k"), ("mid_block.attentions.0.to_v", "mid.attn_1.v"),
                 ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"), ("conv_norm_out", "norm_out")]:
        name = name.replace(a, b)
    return name


def transposed(tensor):
    dtype, (rows, columns), data = tensor
    size = len(data) // (rows * columns)
    at = lambda r, c: data[(r * columns + c) * size:(r * columns + c + 1) * size]
    return dtype, [columns, rows], b"".join(at(r, c) for c in range(columns) for r in range(rows))


def open_clip(text, prefix="cond_stage_model.model.", xl=False):
    out = {}
    layers = 1 + max(int(m[1]) for m in (re.match(r"text_model\.encoder\.layers\.(\d+)", k) for k in text) if m)
    for i in range(layers) if xl else [*range(layers), 23]:  # in SD 2.x the last one is there and never used, by its number
        of = f"text_model.encoder.layers.{min(i, layers - 1)}."
        to = f"{prefix}transformer.resblocks.{i}."
        for end in ("weight", "bias"):
            q, k, v = (text[f"{of}self_attn.{p}_proj.{end}"] for p in "qkv")
            out[f"{to}attn.in_proj_{end}"] = (q[0], [3 * q[1][0], *q[1][1:]], q[2] + k[2] + v[2])
            for a, b in [("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"), ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj"),
                         ("self_attn.out_proj", "attn.out_proj")]:
                out[f"{to}{b}.{end}"] = text[f"{of}{a}.{end}"]
    out[prefix + "token_embedding.weight"] = text["text_model.embeddings.token_embedding.weight"]
    out[prefix + "positional_embedding"] = text["text_model.embeddings.position_embedding.weight"]
    for end in ("weight", "bias"):
        out[f"{prefix}ln_final.{end}"] = text[f"text_model.final_layer_norm.{end}"]
    width = out[prefix + "ln_final.bias"]
    out[prefix + "text_projection"] = (transposed(text["text_projection.weight"]) if xl
                                       else (width[0], width[1] * 2, width[2] * width[1][0]))
    out[prefix + "logit_scale"] = ("F32", [], bytes(4))
    return out


def converted(tensors):
    """Transformers' names for OpenCLIP, too, below another prefix; its projection stays [in, out]. A linear proj_in or
    proj_out is a 1x1 convolution."""
    out = {}
    for name, (dtype, shape, data) in tensors.items():
        if re.match(r"model\.diffusion_model\..*\.proj_(in|out)\.weight", name) and len(shape) == 2:
            shape = [*shape, 1, 1]
        m = re.match(r"(cond_stage_model|conditioner\.embedders\.[01])\.(transformer|model)\.(.*)", name)
        if not m or m[3] == "logit_scale" or m[3].endswith("position_ids"):
            out.update({} if m else {name: (dtype, shape, data)})
            continue
        to = "cond_stage_model." + ("1." if m[1].endswith("1") else "") + "transformer."
        rest = m[3]
        if m[2] == "model":
            rest = substitute(rest, [(r"token_embedding\.weight", "embeddings.token_embedding.weight"),
                                     ("positional_embedding", "embeddings.position_embedding.weight"),
                                     ("ln_final", "final_layer_norm"), (r"transformer\.resblocks", "encoder.layers")])
            for a, b in [("ln_", "layer_norm"), ("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2"),
                         ("attn.", "self_attn.")]:
                rest = rest.replace(a, b)
            rest = "text_model." + rest
        if ".in_proj_" in rest:
            third, size = shape[0] // 3, len(data) // 3
            for i, p in enumerate("qkv"):
                out[to + rest.replace("in_proj_", f"{p}_proj.")] = (dtype, [third, *shape[1:]], data[i * size:(i + 1) * size])
            continue
        out[to + rest] = (dtype, shape, data)
    return out


def main():
    folder, target = Path(sys.argv[1]), sys.argv[2]
    unet = read(folder / "unet/diffusion_pytorch_model.safetensors")
    vae = read(folder / "vae/diffusion_pytorch_model.safetensors")
    refiner = "--refiner" in sys.argv
    text = {} if refiner else read(folder / "text_encoder/model.safetensors")
    config = json.loads((folder / "unet/config.json").read_text())
    attentions = {i for i, t in enumerate(config["up_block_types"]) if t.startswith("CrossAttn")}
    levels = len(json.loads((folder / "vae/config.json").read_text())["block_out_channels"])
    out = {"model.diffusion_model." + unet_name(k, config["layers_per_block"], attentions): v for k, v in unet.items()}
    for name, (dtype, shape, data) in vae.items():
        name = vae_name(name, levels)
        if "attn_1" in name and len(shape) == 2:
            shape = [*shape, 1, 1]
        out["first_stage_model." + name] = (dtype, shape, data)
    if "--xl" in sys.argv:
        second = read(folder / "text_encoder_2/model.safetensors")
        out.update(open_clip(second, "conditioner.embedders.1.model.", True))
        out.update({"conditioner.embedders.0.transformer." + k: v for k, v in text.items()})
        for i in ("0.transformer", "1.model.transformer"):  # ComfyUI puts one where there is no such module
            out[f"conditioner.embedders.{i}.text_model.embeddings.position_ids"] = ("I64", [1, 2], bytes(16))
        out["denoiser.sigmas"] = ("F32", [2], bytes(8))
    elif refiner:
        out.update(open_clip(read(folder / "text_encoder_2/model.safetensors"), "conditioner.embedders.0.model.", True))
    elif "--open-clip" in sys.argv:
        out.update(open_clip(text))
    else:
        out.update({"cond_stage_model.transformer." + k: v for k, v in text.items()})
        positions = text["text_model.embeddings.position_embedding.weight"][1][0]
        out["cond_stage_model.transformer.text_model.embeddings.position_ids"] = (
            "I64", [1, positions], b"".join(struct.pack("<q", i) for i in range(positions)))
    if "--v" in sys.argv:
        out.update({name: ("F32", [0], b"") for name in ("v_pred", "ztsnr")})
    # What real checkpoints carry besides.
    for name in ("betas", "alphas_cumprod", "model_ema.decay", "model_ema.diffusion_modelout2bias"):
        out[name] = ("F32", [2], bytes(8))
    if "--converted" in sys.argv:
        out = converted(out)
    if "--unet" in sys.argv:
        prefix = "model.diffusion_model."
        out = {k[len(prefix):]: v for k, v in out.items() if k.startswith(prefix)}
        write_gguf(target, out, "sdxl" if "--xl" in sys.argv else "sd1")
    elif target.endswith(".gguf"):
        write_gguf(target, out)
    else:
        write(target, out)


if __name__ == "__main__":
    main()
