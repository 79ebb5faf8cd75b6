#!/usr/bin/env python3
"""clip-*.bin: prompts in many scripts through the whole vocabulary of CLIP, as make.py describes.

Run with ../requirements.txt. transformers gets the vocabulary as the files that everybody has,
made here from data/clip/merges.txt.gz by what its provenance says about ids. clip-sd1 pads with the
end token, clip-sd2 with "!"; 5-clip-sd1 is what transformers 5 (../requirements-now.txt) makes of
the same: run once in each environment.
"""
import gzip
import json
import random
import sys
import tempfile

import make
import transformers

PROMPTS = """a photograph of an astronaut riding a horse on mars, highly detailed, 8k, trending on artstation
(masterpiece, best quality:1.2), 1girl, solo, looking at viewer, <lora:add_detail:0.8>, cinematic lighting!!!
ein alter Bär läuft durch die verschneite Straße, Ölgemälde, „schön“; l'été à la forêt, où dorment les élèves
Красивая фотография космонавта верхом на лошади, высокая детализация; Київ уночі, дощ
μια φωτογραφία ενός αστροναύτη με άλογο, ΟΔΟΣ ΑΘΗΝΩΝ
一张宇航员骑马的照片，超高清，油画风格；夜晚的北京胡同，下雨
馬に乗る宇宙飛行士の写真、油絵、詳細、夜の東京タワー、ﾊﾝｶｸ
말을 타는 우주비행사의 사진, 유화, 서울의 밤
صورة رائد فضاء يركب حصانًا، لوحة زيتية، القاهرة ليلاً
תמונה של אסטרונאוט רוכב על סוס, ציור שמן
घोड़े पर सवार अंतरिक्ष यात्री की तस्वीर, तैल चित्र
รูปถ่ายนักบินอวกาศขี่ม้า ภาพวาดสีน้ำมัน
bức ảnh một phi hành gia cưỡi ngựa, tranh sơn dầu, Hà Nội về đêm
fotografía de un astronauta montando a caballo, ¿qué?, ¡sí!, niño, corazón
İstanbul'da gece, yağmur; ISPARTA ılık bir gün
Հայաստան, საქართველო, ትግርኛ, தமிழ், বাংলা, తెలుగు, မြန်မာ, ខ្មែរ, ລາວ, བོད་ཡིག
an emoji 😀 with a 👩‍👩‍👧‍👦 family, 🏳️‍🌈 flag, ❤️ and ☕
it's what they've said: don't, I'll, we'RE, O'Neill's, rock'n'roll '90s
<|startoftext|> and <|endoftext|> typed by hand, <|EndOfText|>
x² + y² = ½, 10 km/h, 3.14159, Ⅷ, ٣٤, №5, $100, 50%, C++, #tag @user_name https://example.org/a?b=c""".split("\n")


def folder_of(path, pad):
    characters = list(transformers_bytes())
    pieces = characters + [c + "</w>" for c in characters]
    lines = gzip.open(make.HERE / "../../../data/clip/merges.txt.gz").read().decode().split("\n")[:48894]
    pieces += ["".join(line.split(" ")) for line in lines] + ["<|startoftext|>", "<|endoftext|>"]
    assert len(set(pieces)) == 49408
    path = make.pathlib.Path(path)
    (path / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(pieces)}))
    (path / "merges.txt").write_text("\n".join(["#version: 0.2", *lines]) + "\n")
    kind = make.HERE / ("settings/sd2" if pad == "!" else "tokenizer")
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (kind / name).exists():
            make.shutil.copy(kind / name, path)


def transformers_bytes():
    """GPT-2's characters for the 256 bytes, in the order of their ids."""
    itself = [*range(33, 127), *range(161, 173), *range(174, 256)]
    yield from map(chr, itself)
    yield from (chr(256 + i) for i in range(256 - len(itself)))


def main():
    old = transformers.__version__.startswith("4")
    for kind, pad in [("sd1", "<|endoftext|>"), ("sd2", "!")]:
        rng = random.Random(kind)
        with tempfile.TemporaryDirectory() as path:
            folder_of(path, pad)
            tokenizer = make.CLIPTokenizer.from_pretrained(path)
        assert tokenizer.pad_token == pad and len(tokenizer) == 49408
        texts = PROMPTS + [" ".join(rng.sample(PROMPTS, 3)) for _ in range(10)]
        texts += [t for t in make.strings(rng, 250 if kind == "sd1" else 20) if 0 < len(t) < 100]
        name = f"clip-{kind}" if old else f"5-clip-{kind}"
        make.write(f"{name}-tokens.bin", ((t, make.ids_of(tokenizer, t)) for t in texts))
        make.write(f"{name}-padded.bin", make.padded(tokenizer, texts[:30]))


if __name__ == "__main__":
    sys.exit(main())
