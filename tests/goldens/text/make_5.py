#!/usr/bin/env python3
"""5-*.bin and settings/5-*: the texts of make.py through CLIPTokenizer of transformers 5
(../requirements-now.txt), and the folders that it saves.

5-<kind>-tokens.bin and 5-<kind>-padded.bin are files as make.py describes them. settings/5-<kind>/
is what save_pretrained writes for the folder of that kind, whose tokenizer.json has "vocab": {} and
"merges": [] here: the tests put in those of tokenizer/.
"""
import json
import random
import tempfile

import make


def save(kind, tokenizer, merges):
    """Saves, reads again, and keeps the files without the vocabulary."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        again = make.CLIPTokenizer.from_pretrained(folder)
        out = make.HERE / "settings" / f"5-{kind}"
        out.mkdir(exist_ok=True)
        for path in make.pathlib.Path(folder).iterdir():
            data = json.loads(path.read_text())
            if path.name == "tokenizer.json":
                vocab = json.loads((make.HERE / "tokenizer/vocab.json").read_text())
                assert data["model"]["vocab"] == vocab and data["model"]["merges"] == merges
                data["model"]["vocab"], data["model"]["merges"] = {}, []
            (out / path.name).write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    return again


def main():
    lines = (make.HERE / "tokenizer/merges.txt").read_text().splitlines()[1:]
    merges = [line.split(" ") for line in lines]
    for kind, count in [("sd1", 2500), ("sd2", 250), ("saved", 250), ("added", 250)]:
        rng, old = random.Random("5" + kind), make.load(kind)
        new = save(kind, old, merges)
        texts = list(make.strings(rng, count))
        if kind != "sd1":
            texts = texts[:10] + [t for t in texts[10:] if len(t) < 100]
        ids = [make.ids_of(new, text) for text in texts]
        assert ids == [make.ids_of(old, text) for text in texts]
        make.write(f"5-{kind}-tokens.bin", zip(texts, ids))
        long = [" ".join(rng.sample(texts[10:], rng.randint(1, 12))) for _ in range(40)]
        long = [text for text in long if len(text) < 600] + texts[:10] + ["a " * 75, "a " * 76]
        make.write(f"5-{kind}-padded.bin", make.padded(new, long))


if __name__ == "__main__":
    main()
