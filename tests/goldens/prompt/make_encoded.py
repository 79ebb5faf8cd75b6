#!/usr/bin/env python3
"""Makes encoded.safetensors and encoded.json: what the programs' own code makes of prompts with small text encoders,
and small pictures from that.

    OMP_NUM_THREADS=1 python make_encoded.py --a1111 FOLDER --comfyui FOLDER
                        # with ../requirements.txt and, without their dependencies, compel, pyparsing and lark

--a1111: prompt_parser.py, parsing.py, emphasis.py and classic_engine.py of Forge at dfdcbab6 (they stand for A1111);
--comfyui: sd1_clip.py of ComfyUI at a125cd84. Their files are executed as they are, with stand-ins for the modules
that choose devices. Nothing of them is kept here.

Cases: [model, mode, text, negative]; states of case N: "N.T" (rows, width) for each text T of the schedule (of a1111 the
first part's), "N.pooled". Pictures: "MODE.latents" after STEPS steps of the model's own scheduler, from "start".
"""
import argparse
import json
import pathlib
import re
import sys
import types

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
MODELS = HERE.parent / "model"
STEPS, GUIDANCE = 6, 5.0
LONG = "a photograph of an astronaut riding a horse, in the style of an old painting, with many small houses, and trees"
CASES = [
    ("a1111", "a (red:1.4) horse [riding] on"), ("a1111", LONG + " and (night:0.6) sky, BREAK more (trees:-1)"),
    ("a1111", "a [horse:cat:0.5] in the [(day:1.3)|night]"), ("a1111", "[(" + LONG + ":0.7)::0.4] a horse"), ("a1111", ""),
    ("comfyui", "a (red:1.4) horse ((riding)) on"), ("comfyui", "(" + LONG + ":1.2) (night) sky"), ("comfyui", ""),
    ("comfyui", "a (photograph:0.5) of (an astronaut riding a horse and more of it:0.2) (x y:1.3) (so it goes on:.9)"),
    ("compel", "a red++ horse riding- on"), ("compel", LONG + ". More trees+ and (no night)0.3 sky, or so."),
    ("compel", '("a red horse", "a cat++").blend(0.7, 0.3)'), ("compel", '("a red- horse", "' + LONG + '").and(1, 0.5)'),
    ("compel", '("a horse", "' + LONG + '").blend(1, 0.5, no_normalize)'), ("compel", ""),
]
PICTURES = {
    "a1111": ("a (photograph:1.3) of [a horse:a cat:0.4] AND the [day|night] sky, with many small houses and old trees in it :0.6",
              "[blurry:low quality:2]"),
    "comfyui": ("a (photograph:1.3) of a horse, in the style of an old painting, with many small houses", "(blurry:1.2)"),
    "compel": ('("a photograph++ of a horse", "an old painting-").and()', "blurry, low quality"),
}


def module(name, **members):
    made = types.ModuleType(name)
    made.__dict__.update(members)
    sys.modules[name] = made
    return made


def outputs(encoder, ids):
    return encoder(input_ids=torch.as_tensor(ids), output_hidden_states=True)


class A1111:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        opts = types.SimpleNamespace(emphasis="Original")
        module("modules"), module("modules.shared", opts=opts), module("backend")
        module("backend.memory_management", text_encoder_device=lambda: torch.device("cpu"))
        sys.modules["backend"].memory_management = sys.modules["backend.memory_management"]
        package = module("backend.text_processing")
        for name in ("parsing", "emphasis"):
            made = module("backend.text_processing." + name)
            exec((folder / (name + ".py")).read_text(), made.__dict__)
            setattr(package, name, made)
        module("backend.text_processing.textual_inversion", EmbeddingDatabase=lambda *_: types.SimpleNamespace(
            fixes=None, find_embedding_at_position=lambda *_: (None, None)))
        self.engine, self.parser = {"__name__": "engine"}, {"__name__": "parser"}
        exec((folder / "classic_engine.py").read_text(), self.engine)
        exec((folder / "prompt_parser.py").read_text(), self.parser)

    def encoder(self, tokenizer, text_encoder, second, xl):
        kept = text_encoder.text_model.embeddings.token_embedding
        engine = self.engine["ClassicTextProcessingEngine"](
            types.SimpleNamespace(transformer=text_encoder), tokenizer, chunk_length=tokenizer.model_max_length - 2,
            embedding_key="clip_g" if second else "clip_l", minimal_clip_skip=2 if xl else 1, clip_skip=1,
            return_pooled=False, final_layer_norm=not xl)
        text_encoder.text_model.embeddings.token_embedding = kept
        pooled = lambda texts: None
        if second:
            pooled = lambda texts: text_encoder(torch.as_tensor([chunk_ids(engine, t) for t in texts])).text_embeds
        return lambda texts: (engine(texts), pooled(texts))

    def parts(self, text, negative=False):
        if negative:
            flat, weights = [text], [1.0]
        else:
            indexes, flat, _ = self.parser["get_multicond_prompt_list"]([text])
            flat, weights = [flat[i] for i, _ in indexes[0]], [w for _, w in indexes[0]]
        return list(zip(weights, self.parser["get_learned_conditioning_prompt_schedules"](flat, STEPS)))


def chunk_ids(engine, text):
    """The ids of a text's first chunk, padded as the engine does before it encodes them."""
    ids = list(engine.tokenize_line(text)[0][0].tokens)
    end = ids.index(engine.id_end)
    return ids[:end + 1] + [engine.id_pad] * (len(ids) - end - 1)


class ComfyUI:
    def __init__(self, folder):
        text = (pathlib.Path(folder) / "sd1_clip.py").read_text()
        names = {"torch": torch, "re": re, "CLIPTokenizer": None, "numbers": __import__("numbers"), "logging": __import__("logging"),
                 "model_management": types.SimpleNamespace(intermediate_device=lambda: torch.device("cpu"))}
        cut = lambda begin, end: text[text.index(begin):text.index(end)]
        for begin, end in (("def gen_empty_tokens", "class SDClipModel"), ("def parse_parentheses", "def safe_load_embed_zip"),
                           ("class SDTokenizer", "class SD1Tokenizer")):
            exec(cut(begin, end), names)
        self.names = names

    def encoder(self, tokenizer, text_encoder, second, xl):
        tok = self.names["SDTokenizer"].__new__(self.names["SDTokenizer"])
        tok.__dict__.update(tokenizer=tokenizer, max_length=tokenizer.model_max_length, min_length=None, min_padding=None,
                            end_token=tokenizer.eos_token_id, start_token=tokenizer.bos_token_id, tokens_start=1,
                            tokenizer_adds_end_token=True, pad_token=tokenizer.pad_token_id, pad_to_max_length=True,
                            embedding_directory=None, max_word_length=8, embedding_identifier="embedding:",
                            embedding_key="clip_l", embedding_size=0, pad_left=False)

        class Encoder(self.names["ClipTokenWeightEncoder"]):
            special_tokens = {"start": tokenizer.bos_token_id, "end": tokenizer.eos_token_id, "pad": tokenizer.pad_token_id}

            def encode(self, tokens):
                out = outputs(text_encoder, tokens)
                pooled = out.text_embeds if second else None
                return out.hidden_states[-2].clone() if xl else out.last_hidden_state.clone(), pooled

        def encode(texts):
            states, pooled = Encoder().encode_token_weights(tok.tokenize_with_weights(texts[0]))
            return states, pooled
        return encode


class Compel:
    def encoder(self, tokenizer, text_encoder, second, xl):
        import compel
        kind = compel.ReturnedEmbeddingsType
        made = compel.Compel(tokenizer, text_encoder, truncate_long_prompts=False,
                             returned_embeddings_type=kind.PENULTIMATE_HIDDEN_STATES_NON_NORMALIZED if xl
                             else kind.LAST_HIDDEN_STATES_NORMALIZED)

        def encode(texts):
            # apart, since compel fails at a weighted .and() where it is to give both
            pooled = made.conditioning_provider.get_pooled_embeddings(texts) if second else None
            return made(texts), pooled
        return encode


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--a1111", required=True)
    options.add_argument("--comfyui", required=True)
    given = options.parse_args()
    modes = {"a1111": A1111(given.a1111), "comfyui": ComfyUI(given.comfyui), "compel": Compel()}
    arrays, cases = {}, []
    with torch.no_grad():
        for name, kind in (("sd2", StableDiffusionPipeline), ("sdxl_v", StableDiffusionXLPipeline)):
            pipe = kind.from_pretrained(MODELS / name, torch_dtype=torch.float32)
            xl = name.startswith("sdxl")
            encoders = [(pipe.tokenizer, pipe.text_encoder)] + ([(pipe.tokenizer_2, pipe.text_encoder_2)] if xl else [])

            def encode(mode, texts):
                made = [modes[mode].encoder(*e, second=i == 1, xl=xl)(texts) for i, e in enumerate(encoders)]
                return torch.cat([m[0] for m in made], -1), made[-1][1]

            for mode, text in CASES:
                texts = [t for _, t in modes[mode].parts(text)[0][1]] if mode == "a1111" else [text]
                states, pooled = encode(mode, texts)
                seen = list(dict.fromkeys(texts))
                for i, t in enumerate(seen):
                    arrays[f"{len(cases)}.{i}"] = states[texts.index(t)].contiguous()
                if pooled is not None:
                    arrays[f"{len(cases)}.pooled"] = pooled[0].contiguous()
                cases.append([name, mode, text])
            if not xl:
                pictures(pipe, modes, encode, arrays)
    save_file(arrays, HERE / "encoded.safetensors")
    (HERE / "encoded.json").write_text(json.dumps({"cases": cases, "pictures": PICTURES, "steps": STEPS, "guidance": GUIDANCE},
                                                  indent=0, ensure_ascii=False) + "\n")


def pictures(pipe, modes, encode, arrays):
    """Each mode's guidance: of a1111 with parts and schedules, evaluations counted from 0."""
    torch.manual_seed(17)
    start = torch.randn(1, 4, 4, 4)
    arrays["start"] = start
    for mode, (prompt, negative) in PICTURES.items():
        if mode == "a1111":
            schedules = [(w, s, encode(mode, [t for _, t in s])[0]) for w, s in modes[mode].parts(prompt)]
            rows = max(z.shape[1] for _, _, z in schedules)
            schedules = [(w, s, torch.cat([z] + [z[:, -1:]] * (rows - z.shape[1]), 1)) for w, s, z in schedules]
            _, negatives = modes[mode].parts(negative, True)[0]
            unwanted = encode(mode, [t for _, t in negatives])[0]
        else:
            texts = [prompt, negative]
            if mode == "compel":
                both = encode(mode, texts)[0]
                states, unwanted = both[:1], both[1:]
            else:
                states, unwanted = encode(mode, texts[:1])[0], encode(mode, texts[1:])[0]
            schedules, negatives = [(1.0, [[STEPS, prompt]], states)], [[STEPS, negative]]
        at = lambda schedule, step: next((i for i, (end, _) in enumerate(schedule) if step <= end), 0)
        pipe.scheduler.set_timesteps(STEPS)
        x = start * pipe.scheduler.init_noise_sigma
        for step, t in enumerate(pipe.scheduler.timesteps):
            inputs = pipe.scheduler.scale_model_input(x, t)
            away = pipe.unet(inputs, t, encoder_hidden_states=unwanted[at(negatives, step)][None]).sample
            guided = away.clone()
            for weight, schedule, states in schedules:
                said = pipe.unet(inputs, t, encoder_hidden_states=states[at(schedule, step)][None]).sample
                guided += (said - away) * (weight * GUIDANCE)
            x = pipe.scheduler.step(guided, t, x).prev_sample
        arrays[mode + ".latents"] = x


main()
