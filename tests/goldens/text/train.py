#!/usr/bin/env python3
"""tokenizer/: a small vocabulary in CLIP's format (vocab.json, merges.txt and the settings as SD 1.x
has them), trained by byte pair encoding on the language reference that Python 3.11 carries and on a
few sentences in other scripts, so that merges cross byte boundaries of characters, too.
"""
import collections
import json
import pathlib
import re
from pydoc_data.topics import topics

from transformers.models.clip.tokenization_clip import bytes_to_unicode

MERGES = 2000
OTHERS = """a photograph of an astronaut riding a horse, highly detailed, oil painting, by night
ein schöner großer weißer bär läuft über die straße; l'été à la forêt, où les élèves dorment
красивая фотография космонавта верхом на лошади στο μικρό σπίτι μια φωτογραφία με άλογο
宇航员 骑 马 的 照片 写真 の 中 で 馬 に 乗る 宇宙 飛行士 우주 비행사 가 말 을 타는 사진 صورة رائد فضاء يركب حصان תמונה של אסטרונאוט
😀 😀 👍 👍 ❤ ❤ 🚀 🚀 🎨 🎨 🇩🇪 🇫🇷 1 2 3 4 5 6 7 8 9 0"""


def words():
    text = " ".join(topics[name] for name in sorted(topics)) + (" " + OTHERS) * 40
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|[^\s\w]+"
    return collections.Counter(re.findall(pattern, text.lower()))


def train():
    symbols = bytes_to_unicode()
    counts = {}
    for word, count in words().items():
        mapped = [symbols[byte] for byte in word.encode()]
        counts[tuple(mapped[:-1] + [mapped[-1] + "</w>"])] = count
    merges = []
    while len(merges) < MERGES:
        pairs = collections.Counter()
        for word, count in counts.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        # The smallest of equally frequent pairs, so that every run gives the same.
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        merged = {}
        for word, count in counts.items():
            if best[0] in word:
                new, i = [], 0
                while i < len(word):
                    both = word[i:i + 2] == best
                    new.append("".join(best) if both else word[i])
                    i += 2 if both else 1
                word = tuple(new)
            merged[word] = count
        counts = merged
    return merges


def main():
    folder = pathlib.Path(__file__).parent / "tokenizer"
    folder.mkdir(exist_ok=True)
    merges = train()
    bytes_ = list(bytes_to_unicode().values())
    pieces = bytes_ + [b + "</w>" for b in bytes_] + ["".join(pair) for pair in merges]
    pieces = list(dict.fromkeys(pieces)) + ["<|startoftext|>", "<|endoftext|>"]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False) + "\n")
    lines = ["#version: 0.2"] + [" ".join(pair) for pair in merges]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
