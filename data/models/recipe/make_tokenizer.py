"""Trains the byte pair vocabulary of the captions in CLIPTokenizer's format: make_tokenizer.py OUT_DIR."""
import json
import os
import random
import sys
from collections import Counter

from transformers import CLIPTokenizer
from transformers.models.clip.tokenization_clip import bytes_to_unicode

import scenes


def merge(symbols, pair):
    """The word with every occurrence of the pair joined."""
    out = []
    for s in symbols:
        if out and (out[-1], s) == pair and out[-1] is not None:
            out[-1] = out[-1] + s
        else:
            out.append(s)
    return tuple(out)


def learn(words, limit):
    """The list of merges, most frequent pair first, until every frequent word is one symbol."""
    parts = {w: tuple(w[:-1]) + (w[-1] + "</w>",) for w in words}
    merges = []
    while len(merges) < limit:
        pairs = Counter()
        for word, count in words.items():
            for pair in zip(parts[word], parts[word][1:]):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        parts = {w: merge(p, best) for w, p in parts.items()}
    return merges


def main():
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    rng = random.Random(7)
    words = Counter()
    for _ in range(20000):
        text = scenes.caption(rng, scenes.pick_scene(rng))
        words.update("".join(c if c.isalpha() else " " for c in text).split())
    merges = learn(words, 600)
    symbols = list(bytes_to_unicode().values())
    vocab = symbols + [s + "</w>" for s in symbols] + ["".join(m) for m in merges]
    vocab += ["<|startoftext|>", "<|endoftext|>"]
    with open(f"{out}/vocab.json", "w") as f:
        json.dump({s: i for i, s in enumerate(dict.fromkeys(vocab))}, f, ensure_ascii=False)
    with open(f"{out}/merges.txt", "w") as f:
        f.write("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    CLIPTokenizer(f"{out}/vocab.json", f"{out}/merges.txt", model_max_length=32,
                  pad_token="<|endoftext|>").save_pretrained(out)


if __name__ == "__main__":
    main()
