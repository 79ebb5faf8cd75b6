"""The shapes of Stable Diffusion 1.5 and SDXL in PyTorch, with diffusers' module names, for machines without diffusers.

Mirrors UNet2DConditionModel, AutoencoderKL, CLIPTextModel and CLIPTextModelWithProjection as those models configure
them. Random weights (PyTorch's own initialisation under a seed).

    shapes.py FOLDER TOKENIZER      writes SD 1.5's shape as a diffusers folder that `safelight` loads
    shapes.py --check               where diffusers is: whether its UNet says the same with the same weights, in small
"""
import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

PROMPT_TOKENS = 77
TIMES = 1280 // 320  # the time embedding is so many times as wide as the first level


@dataclass
class Text:
    """A CLIP text encoder."""
    width: int
    layers: int
    heads: int
    quick: bool = True    # the approximate GELU of the first CLIP
    projects: bool = False


@dataclass
class Shape:
    name: str
    size: int             # of a picture
    channels: tuple       # of the levels, the largest picture first
    transformers: tuple   # transformer blocks in each attention of a level, 0: it has none
    heads: tuple
    linear: bool          # transformers are entered and left by linear layers, not 1x1 convolutions
    texts: tuple
    scaling: float        # of the latents
    sizes: int = 0        # numbers about the picture's size that the UNet is told
    sizes_width: int = 256

    @property
    def text_channels(self):
        return sum(t.width for t in self.texts)

    @property
    def added(self):
        """What the UNet is told beside the text: the pooled text and the sizes."""
        return self.texts[-1].width + self.sizes * self.sizes_width if self.sizes else 0


SHAPES = {s.name: s for s in (
    Shape("sd15", 512, (320, 640, 1280, 1280), (1, 1, 1, 0), (8, 8, 8, 8), False, (Text(768, 12, 12),), 0.18215),
    Shape("sdxl", 1024, (320, 640, 1280), (0, 2, 10), (5, 10, 20), True,
          (Text(768, 12, 12), Text(1280, 32, 20, quick=False, projects=True)), 0.13025, sizes=6))}


# ---- what UNet and VAE share

class Resnet(nn.Module):
    def __init__(self, channels, out_channels, temb_channels=None, eps=1e-5):
        super().__init__()
        self.norm1 = nn.GroupNorm(32, channels, eps=eps)
        self.conv1 = nn.Conv2d(channels, out_channels, 3, padding=1)
        if temb_channels:
            self.time_emb_proj = nn.Linear(temb_channels, out_channels)
        self.norm2 = nn.GroupNorm(32, out_channels, eps=eps)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        if channels != out_channels:
            self.conv_shortcut = nn.Conv2d(channels, out_channels, 1)

    def forward(self, x, temb=None):
        h = self.conv1(F.silu(self.norm1(x)))
        if temb is not None:
            h = h + self.time_emb_proj(F.silu(temb))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x)


class Downsample(nn.Module):
    def __init__(self, channels, padding):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=padding)

    def forward(self, x):
        return self.conv(x if self.conv.padding[0] else F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Attention(nn.Module):
    """Over tokens; with group_norm also the residual block of the VAE."""

    def __init__(self, channels, heads, text_channels=None, bias=False, group_norm=False):
        super().__init__()
        self.heads = heads
        source = text_channels or channels
        if group_norm:
            self.group_norm = nn.GroupNorm(32, channels, eps=1e-6)
        self.to_q = nn.Linear(channels, channels, bias=bias)
        self.to_k = nn.Linear(source, channels, bias=bias)
        self.to_v = nn.Linear(source, channels, bias=bias)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x, text=None):
        if text is None and hasattr(self, "fused"):
            q, k, v = F.linear(x, self.fused).chunk(3, dim=-1)
        else:
            source = x if text is None else text
            q, k, v = self.to_q(x), self.to_k(source), self.to_v(source)
        y = F.scaled_dot_product_attention(self.split(q), self.split(k), self.split(v))
        return self.to_out[0](y.transpose(1, 2).flatten(2))

    def over_picture(self, x):
        n, c, h, w = x.shape
        tokens = self.group_norm(x).flatten(2).transpose(1, 2)
        return x + self(tokens).transpose(1, 2).reshape(n, c, h, w)


# ---- UNet

class Geglu(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.proj = nn.Linear(channels, 8 * channels)

    def forward(self, x):
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.net = nn.ModuleList([Geglu(channels), nn.Identity(), nn.Linear(4 * channels, channels)])

    def forward(self, x):
        return self.net[2](self.net[0](x))


class TransformerBlock(nn.Module):
    def __init__(self, channels, heads, text_channels):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(channels) for _ in range(3))
        self.attn1 = Attention(channels, heads)
        self.attn2 = Attention(channels, heads, text_channels)
        self.ff = FeedForward(channels)

    def forward(self, x, text):
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), text)
        return x + self.ff(self.norm3(x))


class Transformer(nn.Module):
    def __init__(self, shape, level):
        super().__init__()
        channels = shape.channels[level]
        self.norm = nn.GroupNorm(32, channels, eps=1e-6)
        self.proj_in, self.proj_out = (
            nn.Linear(channels, channels) if shape.linear else nn.Conv2d(channels, channels, 1) for _ in range(2))
        self.transformer_blocks = nn.ModuleList([
            TransformerBlock(channels, shape.heads[level], shape.text_channels)
            for _ in range(shape.transformers[level] or shape.transformers[level - 1])])

    def forward(self, x, text):
        n, c, h, w = x.shape
        y = self.norm(x)
        if isinstance(self.proj_in, nn.Linear):
            y = self.proj_in(y.flatten(2).transpose(1, 2))
        else:
            y = self.proj_in(y).flatten(2).transpose(1, 2)
        for block in self.transformer_blocks:
            y = block(y, text)
        if isinstance(self.proj_out, nn.Linear):
            y = self.proj_out(y).transpose(1, 2).reshape(n, c, h, w)
        else:
            y = self.proj_out(y.transpose(1, 2).reshape(n, c, h, w))
        return x + y


class Block(nn.Module):
    """A down, middle or up block: resnets, each perhaps followed by a transformer, then perhaps a resampler."""

    def __init__(self, shape, level, ins, attentions, resampler=None):
        super().__init__()
        out = shape.channels[level]
        self.resnets = nn.ModuleList([Resnet(i, out, shape.channels[0] * TIMES) for i in ins])
        if attentions:
            self.attentions = nn.ModuleList([Transformer(shape, level) for _ in range(attentions)])
        if isinstance(resampler, Downsample):
            self.downsamplers = nn.ModuleList([resampler])
        elif resampler:
            self.upsamplers = nn.ModuleList([resampler])

    def layer(self, i, x, temb, text):
        x = self.resnets[i](x, temb)
        if hasattr(self, "attentions") and i < len(self.attentions):
            x = self.attentions[i](x, text)
        return x


def sinusoids(t, width):
    half = width // 2
    frequencies = torch.exp(-math.log(10000) * torch.arange(half, device=t.device).float() / half)
    angles = t.float()[..., None] * frequencies
    return torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)


class TwoLayers(nn.Module):
    """diffusers' TimestepEmbedding."""

    def __init__(self, channels, out):
        super().__init__()
        self.linear_1 = nn.Linear(channels, out)
        self.linear_2 = nn.Linear(out, out)

    def forward(self, x):
        return self.linear_2(F.silu(self.linear_1(x)))


class UNet(nn.Module):
    def __init__(self, shape):
        super().__init__()
        c, last = shape.channels, len(shape.channels) - 1
        times = c[0] * TIMES
        self.shape = shape
        self.conv_in = nn.Conv2d(4, c[0], 3, padding=1)
        self.time_embedding = TwoLayers(c[0], times)
        if shape.added:
            self.add_embedding = TwoLayers(shape.added, times)
        self.down_blocks = nn.ModuleList([
            Block(shape, i, [c[max(i - 1, 0)], c[i]], 2 if shape.transformers[i] else 0,
                  Downsample(c[i], 1) if i < last else None) for i in range(last + 1)])
        self.mid_block = Block(shape, last, [c[last]] * 2, 1)
        ups = []
        for level in range(last, -1, -1):
            out, below = c[level], c[min(level + 1, last)]
            ins = [below + out, out + out, out + c[max(level - 1, 0)]]
            ups.append(Block(shape, level, ins, 3 if shape.transformers[level] else 0,
                             Upsample(out) if level else None))
        self.up_blocks = nn.ModuleList(ups)
        self.conv_norm_out = nn.GroupNorm(32, c[0], eps=1e-5)
        self.conv_out = nn.Conv2d(c[0], 4, 3, padding=1)

    def fuse(self):
        """One product for the queries, keys and values of each self attention."""
        for m in self.modules():
            if isinstance(m, TransformerBlock):
                a = m.attn1
                a.fused = torch.cat([a.to_q.weight, a.to_k.weight, a.to_v.weight]).detach()

    def forward(self, x, t, text, pooled=None, sizes=None):
        """pooled [N, width of the last text encoder] and sizes [N, 6] where the shape has any."""
        temb = self.time_embedding(sinusoids(t, self.shape.channels[0]).to(x.dtype))
        if pooled is not None:
            told = sinusoids(sizes, self.shape.sizes_width).flatten(1).to(x.dtype)
            temb = temb + self.add_embedding(torch.cat([pooled, told], dim=-1))
        x = self.conv_in(x)
        skips = [x]
        for block in self.down_blocks:
            for i in range(2):
                x = block.layer(i, x, temb, text)
                skips.append(x)
            if hasattr(block, "downsamplers"):
                x = block.downsamplers[0](x)
                skips.append(x)
        x = self.mid_block.layer(0, x, temb, text)
        x = self.mid_block.resnets[1](x, temb)
        for block in self.up_blocks:
            for i in range(3):
                x = block.layer(i, torch.cat([x, skips.pop()], dim=1), temb, text)
            if hasattr(block, "upsamplers"):
                x = block.upsamplers[0](x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


# ---- VAE

class VaeMiddle(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.resnets = nn.ModuleList([Resnet(channels, channels, eps=1e-6) for _ in range(2)])
        self.attentions = nn.ModuleList([Attention(channels, 1, bias=True, group_norm=True)])

    def forward(self, x):
        return self.resnets[1](self.attentions[0].over_picture(self.resnets[0](x)))


class VaeBlock(nn.Module):
    def __init__(self, channels, out, layers, resampler):
        super().__init__()
        self.resnets = nn.ModuleList(
            [Resnet(channels if i == 0 else out, out, eps=1e-6) for i in range(layers)])
        if isinstance(resampler, Downsample):
            self.downsamplers = nn.ModuleList([resampler])
        elif resampler:
            self.upsamplers = nn.ModuleList([resampler])

    def forward(self, x):
        for resnet in self.resnets:
            x = resnet(x)
        for name in ("downsamplers", "upsamplers"):
            if hasattr(self, name):
                x = getattr(self, name)[0](x)
        return x


class VaeHalf(nn.Module):
    def __init__(self, encodes):
        super().__init__()
        c = [128, 256, 512, 512]
        last = c[0] if not encodes else c[3]
        self.conv_in = nn.Conv2d(3 if encodes else 4, c[0] if encodes else c[3], 3, padding=1)
        if encodes:
            self.down_blocks = nn.ModuleList([
                VaeBlock(c[max(i - 1, 0)], c[i], 2, Downsample(c[i], 0) if i < 3 else None)
                for i in range(4)])
        else:
            self.up_blocks = nn.ModuleList([
                VaeBlock(c[min(4 - i, 3)], c[3 - i], 3, Upsample(c[3 - i]) if i < 3 else None)
                for i in range(4)])
        self.mid_block = VaeMiddle(c[3])
        self.conv_norm_out = nn.GroupNorm(32, last, eps=1e-6)
        self.conv_out = nn.Conv2d(last, 8 if encodes else 3, 3, padding=1)

    def forward(self, x):
        x = self.mid_block(self.conv_in(x))
        for block in self.up_blocks:
            x = block(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class Vae(nn.Module):
    def __init__(self, scaling):
        super().__init__()
        self.scaling = scaling
        self.encoder, self.decoder = VaeHalf(True), VaeHalf(False)
        self.quant_conv, self.post_quant_conv = nn.Conv2d(8, 8, 1), nn.Conv2d(4, 4, 1)

    def decode(self, latents):
        return self.decoder(self.post_quant_conv(latents / self.scaling))


# ---- text

class TextAttention(nn.Module):
    def __init__(self, of):
        super().__init__()
        self.heads = of.heads
        self.k_proj, self.v_proj, self.q_proj, self.out_proj = (nn.Linear(of.width, of.width) for _ in range(4))

    def forward(self, x):
        q, k, v = (p(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for p in (self.q_proj, self.k_proj, self.v_proj))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(y.transpose(1, 2).flatten(2))


class TextMlp(nn.Module):
    def __init__(self, of):
        super().__init__()
        self.quick = of.quick
        self.fc1, self.fc2 = nn.Linear(of.width, 4 * of.width), nn.Linear(4 * of.width, of.width)

    def forward(self, x):
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x) if self.quick else F.gelu(x))


class TextLayer(nn.Module):
    def __init__(self, of):
        super().__init__()
        self.self_attn, self.mlp = TextAttention(of), TextMlp(of)
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(of.width), nn.LayerNorm(of.width)

    def forward(self, x):
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class TextEncoder(nn.Module):
    def __init__(self, of):
        super().__init__()
        model = nn.Module()
        model.embeddings = nn.Module()
        model.embeddings.token_embedding = nn.Embedding(49408, of.width)
        model.embeddings.position_embedding = nn.Embedding(PROMPT_TOKENS, of.width)
        model.encoder = nn.Module()
        model.encoder.layers = nn.ModuleList([TextLayer(of) for _ in range(of.layers)])
        model.final_layer_norm = nn.LayerNorm(of.width)
        self.text_model = model
        if of.projects:
            self.text_projection = nn.Linear(of.width, of.width, bias=False)

    def states(self, ids):
        """Those that the last layer is given, and those that it gives."""
        m = self.text_model
        x = m.embeddings.token_embedding(ids) + m.embeddings.position_embedding.weight
        for layer in m.encoder.layers:
            before, x = x, layer(x)
        return before, m.final_layer_norm(x)

    def forward(self, ids):
        return self.states(ids)[1]

    def pooled(self, ids):
        """The states of SDXL, and the projected last token's (here: the last place's)."""
        before, after = self.states(ids)
        return before, self.text_projection(after[:, -1])


def encode(shape, encoders, ids):
    """(hidden states, pooled or None) as the pipelines make them."""
    if not shape.sizes:
        return encoders[0](ids), None
    first = encoders[0].states(ids)[0]
    second, pooled = encoders[1].pooled(ids)
    return torch.cat([first, second], dim=-1), pooled


# ---- diffusers' configurations

def unet_config(shape):
    attends = [bool(n) for n in shape.transformers]
    config = {
        "_class_name": "UNet2DConditionModel", "act_fn": "silu", "block_out_channels": list(shape.channels),
        "center_input_sample": False, "cross_attention_dim": shape.text_channels,
        "down_block_types": ["CrossAttnDownBlock2D" if a else "DownBlock2D" for a in attends],
        "downsample_padding": 1, "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 4, "layers_per_block": 2,
        "mid_block_scale_factor": 1, "norm_eps": 1e-05, "norm_num_groups": 32, "out_channels": 4,
        "sample_size": shape.size // 8,
        "up_block_types": ["CrossAttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attends)],
        "attention_head_dim": shape.heads[0] if len(set(shape.heads)) == 1 else list(shape.heads)}
    if shape.sizes:
        config |= {
            "addition_embed_type": "text_time", "addition_time_embed_dim": shape.sizes_width,
            "projection_class_embeddings_input_dim": shape.added, "use_linear_projection": shape.linear,
            "transformer_layers_per_block": [n or 1 for n in shape.transformers]}
    return config


def vae_config(shape):
    return {
        "_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": [128, 256, 512, 512],
        "down_block_types": ["DownEncoderBlock2D"] * 4, "in_channels": 3, "latent_channels": 4, "layers_per_block": 2,
        "norm_num_groups": 32, "out_channels": 3, "sample_size": shape.size, "scaling_factor": shape.scaling,
        "up_block_types": ["UpDecoderBlock2D"] * 4}


TEXT_CONFIG = {
    "architectures": ["CLIPTextModel"], "eos_token_id": 2, "hidden_act": "quick_gelu", "hidden_size": 768,
    "intermediate_size": 3072, "layer_norm_eps": 1e-05, "max_position_embeddings": PROMPT_TOKENS,
    "model_type": "clip_text_model", "num_attention_heads": 12, "num_hidden_layers": 12, "projection_dim": 768,
    "vocab_size": 49408}
SCHEDULER_CONFIG = {
    "_class_name": "EulerDiscreteScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "num_train_timesteps": 1000, "prediction_type": "epsilon", "steps_offset": 1,
    "timestep_spacing": "leading"}


def make_models(shape, seed=0):
    """All of them in f32 on the CPU; the weights are rounded to f16, which both sides then hold exactly."""
    torch.manual_seed(seed)
    models = {"text_encoder" + ("" if i == 0 else f"_{i + 1}"): TextEncoder(t) for i, t in enumerate(shape.texts)}
    models |= {"unet": UNet(shape), "vae": Vae(shape.scaling)}
    for model in models.values():
        model.eval().requires_grad_(False)
        for p in model.parameters():
            p.data = p.data.half().float()
    return models


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def make_folder(folder, tokenizer, seed=0):
    """Writes SD 1.5's models as a diffusers folder; tokenizer is a folder to copy."""
    from safetensors.torch import save_file

    shape, folder = SHAPES["sd15"], Path(folder)
    for name, model in make_models(shape, seed).items():
        file = "model" if name == "text_encoder" else "diffusion_pytorch_model"
        (folder / name).mkdir(parents=True, exist_ok=True)
        save_file({k: v.half().contiguous() for k, v in model.state_dict().items()},
                  folder / name / f"{file}.safetensors", metadata={"format": "pt"})
    write_json(folder / "unet" / "config.json", unet_config(shape))
    write_json(folder / "vae" / "config.json", vae_config(shape))
    write_json(folder / "text_encoder" / "config.json", TEXT_CONFIG)
    write_json(folder / "scheduler" / "scheduler_config.json", SCHEDULER_CONFIG)
    shutil.copytree(tokenizer, folder / "tokenizer", dirs_exist_ok=True)
    write_json(folder / "model_index.json", {
        "_class_name": "StableDiffusionPipeline", "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]})


def check():
    """Both UNets in a tenth of their width: diffusers' with our weights."""
    from dataclasses import replace

    from diffusers import UNet2DConditionModel

    torch.set_grad_enabled(False)
    for shape in SHAPES.values():
        texts = tuple(replace(t, width=t.width // 16) for t in shape.texts)
        small = replace(shape, channels=tuple(c // 10 for c in shape.channels), texts=texts, sizes_width=16,
                        heads=tuple(h if len(set(shape.heads)) == 1 else h // 5 for h in shape.heads))
        torch.manual_seed(1)
        ours = UNet(small).eval()
        theirs = UNet2DConditionModel.from_config(
            {k: v for k, v in unet_config(small).items() if k != "_class_name"}).eval()
        theirs.load_state_dict(ours.state_dict())
        x, text = torch.randn(2, 4, 16, 16), torch.randn(2, PROMPT_TOKENS, small.text_channels)
        t, told, added = torch.tensor([500.0, 20.0]), (), None
        if small.sizes:
            told = (torch.randn(2, small.texts[-1].width), torch.randint(0, 1024, (2, small.sizes)))
            added = {"text_embeds": told[0], "time_ids": told[1]}
        wanted = theirs(x, t, encoder_hidden_states=text, added_cond_kwargs=added, return_dict=False)[0]
        worst = float((ours(x, t, text, *told) - wanted).abs().max())
        print(f"{shape.name}: largest difference {worst:.1e} of {float(wanted.abs().max()):.2f}")
        if not worst < 1e-4:
            raise SystemExit(f"{shape.name}: this is not diffusers' UNet")


if __name__ == "__main__":
    import sys

    if sys.argv[1:] == ["--check"]:
        check()
    else:
        make_folder(sys.argv[1], sys.argv[2])
