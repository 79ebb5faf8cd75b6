#!/usr/bin/env python3
"""Makes the adapters CASE.safetensors in this folder, one for each layout and kind, and merged.safetensors: what
peft and lycoris make of the weights in unet.safetensors and text.safetensors (the names of Stable Diffusion 1.x) with
them. Its tensors are "CASE STRENGTH NAME".

    OMP_NUM_THREADS=1 python make_weights.py        # with the versions in requirements.txt

LoRA and DoRA as PEFT has it: peft's own layers, merged. LoCon, LoHa, LoKr: lycoris.functional. DoRA of LyCORIS' shapes
by the formula of the paper (its forward, at strength 1): W' = dora (W + dW) / |W + dW|, and W + s (W' - W).
"""
import json
import pathlib

import torch
from lycoris import functional as lycoris
from peft.tuners.lora.layer import Conv2d as PeftConv2d
from peft.tuners.lora.layer import Linear as PeftLinear
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
LINEAR = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
OUT = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0"
PROJ = "down_blocks.0.attentions.0.proj_in"
CONV = "down_blocks.1.resnets.1.conv1"
UP = "up_blocks.0.resnets.2.conv_shortcut"
SAMPLER = "up_blocks.0.upsamplers.0.conv"
NORM = "conv_norm_out"
TEXT = "text_model.encoder.layers.0.self_attn.q_proj"
SHAPES = {LINEAR: (12, 10), OUT: (12, 12), PROJ: (8, 12, 1, 1), CONV: (8, 6, 3, 3), UP: (6, 10, 1, 1),
          SAMPLER: (6, 6, 3, 3), "conv_in": (8, 4, 3, 3), "time_embedding.linear_1": (16, 8), NORM: (8,)}
# What tells the reader how the blocks count: two layers each.
OTHERS = {"down_blocks.0.resnets.0.norm1": (6,), "down_blocks.0.resnets.1.norm1": (6,),
          "up_blocks.0.attentions.0.norm": (6,)}
generator = torch.Generator().manual_seed(17)


def random(*size):
    return torch.randn(size, generator=generator) * 0.3


def kohya(name):
    return "lora_unet_" + name.replace(".", "_")


unet, text, merged = {}, {}, {}
for name, size in {**SHAPES, **OTHERS}.items():
    unet[name + ".weight"] = random(*size)
    unet[name + ".bias"] = random(size[0])
text[TEXT + ".weight"], text[TEXT + ".bias"] = random(10, 10), random(10)


def weight(name):
    return (text if name.startswith("text_model") else unet)[name + ".weight"]


def expect(case, name, change, strengths=(1, 0.6, -0.5)):
    """change(strength): the merged weight."""
    for strength in strengths:
        merged[f"{case} {strength:g} {name}"] = change(strength).reshape(weight_of(name).shape).contiguous()


def weight_of(name):
    module, _, kind = name.rpartition(".")
    return (text if module.startswith("text_model") else unet)[name]


def add(case, name, delta, strengths=(1, 0.6, -0.5)):
    base = weight(name)
    expect(case, name + ".weight", lambda s: base + s * delta.reshape(base.shape), strengths)


def save(case, tensors, metadata=None):
    save_file({k: v.contiguous() for k, v in tensors.items()}, HERE / f"{case}.safetensors", metadata)


def peft_layer(name, down, up, alpha, dora=None):
    """The merged weight of peft's own layer at strength 1."""
    base = weight(name)
    if base.dim() == 4:
        layer = torch.nn.Conv2d(base.shape[1], base.shape[0], base.shape[2], padding=base.shape[2] // 2, bias=False)
    else:
        layer = torch.nn.Linear(base.shape[1], base.shape[0], bias=False)
    layer.weight.data = base.clone()
    kind = PeftConv2d if base.dim() == 4 else PeftLinear
    wrapped = kind(layer, "default", r=down.shape[0], lora_alpha=alpha, use_dora=dora is not None)
    wrapped.lora_A["default"].weight.data = down.reshape(wrapped.lora_A["default"].weight.shape)
    wrapped.lora_B["default"].weight.data = up.reshape(wrapped.lora_B["default"].weight.shape)
    if dora is not None:
        magnitude = wrapped.lora_magnitude_vector["default"]
        magnitude.weight.data = dora.reshape(magnitude.weight.shape)
    wrapped.merge()
    return layer.weight.data


def lora(case, tensors, name, down_name, up_name, rank, alpha, matrix=False):
    """matrix: stored as one though the weight is a convolution of one pixel."""
    base = weight(name)
    down = random(rank, *base.shape[1:])
    up = random(base.shape[0], rank, *((1, 1) if base.dim() == 4 else ()))
    tensors[down_name] = down.flatten(1) if matrix else down
    tensors[up_name] = up.flatten(1) if matrix else up
    add(case, name, peft_layer(name, down, up, alpha) - base)


# ---- LoRA, by layout ----

def make_kohya(case, names, te, strengths):
    tensors = {}
    for i, (name, stored) in enumerate(names.items()):
        rank = 2 + i % 3
        lora(case, tensors, name, stored + ".lora_down.weight", stored + ".lora_up.weight", rank, 1.5,
             matrix=name == PROJ)
        tensors[stored + ".alpha"] = torch.tensor(1.5)
    stored = te + "_" + TEXT.replace(".", "_")
    lora(case, tensors, TEXT, stored + ".lora_down.weight", stored + ".lora_up.weight", 2, 2)  # no alpha: r
    save(case, tensors, {"ss_network_module": "networks.lora", "ss_network_dim": "4", "ss_output_name": "a test",
                         "ss_base_model_version": "sd_v1",
                         "ss_tag_frequency": json.dumps({"10_cat": {"a cat": 10, "window": 3}, "1_dog": {"dog": 7}})})


make_kohya("kohya", {n: kohya(n) for n in SHAPES if n != NORM}, "lora_te", (1, 0.6))
make_kohya("original", {LINEAR: "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q",
                        OUT: "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_out_0",
                        PROJ: "lora_unet_input_blocks_1_1_proj_in", CONV: "lora_unet_input_blocks_5_0_in_layers_2",
                        UP: "lora_unet_output_blocks_2_0_skip_connection",
                        SAMPLER: "lora_unet_output_blocks_2_2_conv", "conv_in": "lora_unet_input_blocks_0_0",
                        "time_embedding.linear_1": "lora_unet_time_embed_0"}, "lora_te1", (1,))

for case, form, te in (("peft", "unet.{}.lora_{}.weight", "text_encoder.{}.lora_{}.weight"),
                       ("peft_default", "base_model.model.{}.lora_{}.default.weight", "text_encoder.{}.lora_{}")):
    tensors = {}
    for name, rank in ((LINEAR, 3), (OUT, 2), (CONV, 2), (TEXT, 2)):
        pattern = te if name == TEXT else form
        alpha = rank if case == "peft_default" else 6 if name == CONV else 5 if name == TEXT else 4
        lora(case, tensors, name, pattern.format(name, "A"), pattern.format(name, "B"), rank, alpha)
    said = {"unet.r": 3, "unet.lora_alpha": 4, "unet.rank_pattern": {OUT: 2}, "unet.alpha_pattern": {CONV: 6},
            "text_encoder.r": 2, "text_encoder.lora_alpha": 5}
    save(case, tensors, {"lora_adapter_metadata": json.dumps(said)} if case == "peft" else None)

tensors = {}
processor = LINEAR.replace(".to_q", ".processor.to_q_lora")
lora("processors", tensors, LINEAR, f"unet.{processor}.down.weight", f"unet.{processor}.up.weight", 2, 2)
processor = OUT.replace(".to_out.0", ".processor.to_out_lora")
lora("processors", tensors, OUT, f"unet.{processor}.down.weight", f"unet.{processor}.up.weight", 3, 3)
old = "text_encoder." + TEXT.replace("q_proj", "to_q_lora")
lora("processors", tensors, TEXT, old + ".down.weight", old + ".up.weight", 2, 2)
save("processors", tensors)

tensors = {}
lora("diffusers", tensors, LINEAR, f"unet.{LINEAR}.lora.down.weight", f"unet.{LINEAR}.lora.up.weight", 2, 1)
tensors[f"unet.{LINEAR}.alpha"] = torch.tensor(1.0)
lora("diffusers", tensors, TEXT, f"text_encoder.{TEXT}.lora_linear_layer.down.weight",
     f"text_encoder.{TEXT}.lora_linear_layer.up.weight", 2, 2)
save("diffusers", tensors)


# ---- LoCon, LoHa, LoKr ----

def suffixed(tensors, name, parts, alpha=None):
    for suffix, value in parts.items():
        if value is not None:
            tensors[f"{kohya(name)}.{suffix}"] = value
    if alpha is not None:
        tensors[kohya(name) + ".alpha"] = torch.tensor(float(alpha))


tensors = {}
down, up, mid = random(3, 6, 1, 1), random(8, 3, 1, 1), random(3, 3, 3, 3)
suffixed(tensors, CONV, {"lora_down.weight": down, "lora_up.weight": up, "lora_mid.weight": mid}, 2)
add("locon", CONV, lycoris.locon.diff_weight(down, up, mid, gamma=2 / 3))
save("locon", tensors)

tensors = {}
for name, rank, tucker in ((LINEAR, 2, False), (CONV, 3, True), (SAMPLER, 2, False)):
    base = weight(name)
    o, i, k = base.shape[0], base.shape[1], base.shape[2:]
    if tucker:
        parts = dict(hada_t1=random(rank, rank, *k), hada_w1_a=random(rank, o), hada_w1_b=random(rank, i),
                     hada_t2=random(rank, rank, *k), hada_w2_a=random(rank, o), hada_w2_b=random(rank, i))
    else:
        flat = base[0].numel()
        parts = dict(hada_w1_a=random(o, rank), hada_w1_b=random(rank, flat), hada_w2_a=random(o, rank),
                     hada_w2_b=random(rank, flat))
    suffixed(tensors, name, parts, 1)
    delta = lycoris.loha.diff_weight(parts["hada_w1_b"], parts["hada_w1_a"], parts["hada_w2_b"], parts["hada_w2_a"],
                                     parts.get("hada_t1"), parts.get("hada_t2"), gamma=1 / rank)
    add("loha", name, delta)
save("loha", tensors)

for case, forms in (("lokr", {LINEAR: "whole", CONV: "w2", OUT: "both"}),
                    ("lokr_parts", {LINEAR: "w1", CONV: "tucker", SAMPLER: "w2", OUT: "w2"})):
    tensors = {}
    for name, form in forms.items():
        base, rank = weight(name), 2
        o, i, k = base.shape[0], base.shape[1], base.shape[2:]
        ol, il = 2, 2
        parts = dict.fromkeys(("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"))
        if form in ("w1", "both"):
            parts["lokr_w1_a"], parts["lokr_w1_b"] = random(ol, rank), random(rank, il)
        else:
            parts["lokr_w1"] = random(ol, il)
        if form == "tucker":
            parts["lokr_t2"] = random(rank, rank, *k)
            parts["lokr_w2_a"], parts["lokr_w2_b"] = random(rank, o // ol), random(rank, i // il)
        elif form in ("w2", "both"):
            parts["lokr_w2_a"] = random(o // ol, rank)
            parts["lokr_w2_b"] = random(rank, i // il * (k.numel() if k else 1))
        else:
            parts["lokr_w2"] = random(o // ol, i // il, *k)
        gamma = 1 if form == "whole" else 3 / rank
        values = [parts[key] for key in ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b",
                                         "lokr_t2")]
        w2 = values[4] if form in ("w2", "both") and k else None
        if w2 is not None:  # lycoris reshapes a window only where a core makes it
            values[5] = values[5].reshape(rank, i // il, *k).flatten(1)
            whole = (values[4] @ values[5]).reshape(o // ol, i // il, *k)
            values[3], values[4], values[5] = whole, None, None
        suffixed(tensors, name, parts, 3)
        add(case, name, lycoris.lokr.kron_weight(*values, scale=gamma))
    save(case, tensors)


# ---- DoRA ----

def dora(case, name, delta, magnitude, axes):
    base = weight(name)
    v = base + delta.reshape(base.shape)
    whole = magnitude * v / (v * v).sum(dim=axes, keepdim=True).sqrt()
    expect(case, name + ".weight", lambda s: base + s * (whole - base))
    return whole


tensors = {}
for name in (LINEAR, CONV):
    base = weight(name)
    down, up = random(2, *base.shape[1:]), random(base.shape[0], 2, *((1, 1) if base.dim() == 4 else ()))
    magnitude = random(base.shape[0]).abs() + 0.5
    tensors[f"unet.{name}.lora_A.weight"], tensors[f"unet.{name}.lora_B.weight"] = down, up
    tensors[f"unet.{name}.lora_magnitude_vector"] = magnitude.reshape((1, -1, 1, 1) if base.dim() == 4 else (-1,))
    whole = peft_layer(name, down, up, 2, magnitude)
    expect("dora_peft", name + ".weight", lambda s: base + s * (whole - base))
    same = dora("ignored", name, up.flatten(1) @ down.flatten(1), magnitude.reshape(-1, *[1] * (base.dim() - 1)),
                tuple(range(1, base.dim())))
    assert (same - whole).abs().max() < 1e-6  # the formula is peft's
save("dora_peft", tensors)
for key in [k for k in merged if k.startswith("ignored")]:
    del merged[key]

tensors = {}
for name, out in ((LINEAR, True), (CONV, True), (OUT, False), (SAMPLER, False)):
    base = weight(name)
    down, up = random(2, *base.shape[1:]), random(base.shape[0], 2, *((1, 1) if base.dim() == 4 else ()))
    axes = tuple(d for d in range(base.dim()) if d != (0 if out else 1))
    shape = [base.shape[d] if d == (0 if out else 1) else 1 for d in range(base.dim())]
    magnitude = (random(*shape).abs() + 0.5)
    suffixed(tensors, name, {"lora_down.weight": down, "lora_up.weight": up, "dora_scale": magnitude}, 1)
    dora("dora", name, 0.5 * (up.flatten(1) @ down.flatten(1)), magnitude, axes)
save("dora", tensors)


# ---- differences ----

tensors = {}
suffixed(tensors, CONV, {"diff": random(8, 6, 3, 3), "diff_b": random(8)})
suffixed(tensors, NORM, {"w_norm": random(8), "b_norm": random(8)})
suffixed(tensors, LINEAR, {"set_weight": random(12, 10)})
for name, key, bias in ((CONV, "diff", "diff_b"), (NORM, "w_norm", "b_norm")):
    add("differences", name, tensors[f"{kohya(name)}.{key}"])
    base, diff = unet[name + ".bias"], tensors[f"{kohya(name)}.{bias}"]
    expect("differences", name + ".bias", lambda s: base + s * diff)
base = weight(LINEAR)
expect("differences", LINEAR + ".weight", lambda s: base + s * (tensors[kohya(LINEAR) + ".set_weight"] - base))
save("differences", tensors)

save_file(unet, HERE / "unet.safetensors")
save_file(text, HERE / "text.safetensors")
save_file(merged, HERE / "merged.safetensors")
print(len(merged), "weights")
