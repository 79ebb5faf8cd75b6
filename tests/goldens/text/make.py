#!/usr/bin/env python3
"""*.bin: what CLIPTokenizer of transformers (../requirements.txt, Python 3.11) makes of varied texts.

A file is a run of records: two little-endian 32-bit numbers, the bytes of a text and the count of
its ids; the text in UTF-8; the ids in 16 bits each. Per kind of settings (tokenizer/ itself is
"sd1", the others lie in settings/):
    <kind>-tokens.bin   a text and convert_tokens_to_ids(tokenize(text))
    <kind>-padded.bin   in turn a text with its model_max_length ids, and what of it was cut off,
                        decoded, with its ids (nothing where nothing was)
    <kind>-decode.bin   decode(ids, skip_special_tokens=True) of random ids
Texts use characters that Unicode 14 knows or that no Unicode ever assigns, so that they mean the
same to newer libraries.
"""
import pathlib
import random
import shutil
import struct
import sys
import tempfile
import unicodedata

sys.modules["ftfy"] = None  # the contract is CLIPTokenizer without it
from transformers import CLIPTokenizer  # noqa: E402

HERE = pathlib.Path(__file__).parent
WORDS = """a photograph of an astronaut riding a horse, oil painting 4k (masterpiece:1.2) [blurry]
it's don't we'RE I'd you'll he'M they've 'tis rock'n'roll O'Neill STRASSE straße Ωμέγα ΟΔΟΣ ΣΑΣ
İstanbul ISPARTA ılık ǅungla ﬁre oﬃce Ｆｕｌｌ ｗｉｄｔｈ №5 x² ½ Ⅷ ⅷ ٣٤ ४२ naïve Ångström Ångström
宇航员 骑马 写真の中で 馬に乗る 우주비행사 한글 각 각 صورة رائد فضاء תמונה של אסטרונאוט नमस्ते ไทย Việt Nam
😀 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 ❤️ ☎︎ 1️⃣ 🧑🏿‍🚀 ♥ ™ © ¡hola! ¿qué? «oui» “quoted” ‘single’ – — …
<|startoftext|> <|endoftext|> <|STARTOFTEXT|> <|EndOfText|> <|ſtartoftext|> <|endoftext| </w> a</w>
! !! !!! !a! ?! %n <b> &amp; \\ "' '' 's 'S 'ſ '’s 'tt 'll'll ((((( ))) C++ #tag @user a_b e-mail
<cat-toy> <cat-toy>_1 <cat-toy <x> <x>y""".split()
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\v", "\f", "\x1c", "\x85", "\xa0", "\u1680", "\u2003",
          "\u2028", "\u2029", "\u202f", "\u3000", "\u200b", "\ufeff", "\u2060", "\u180e"]
MARKS = "\u0300\u0301\u0307\u0308\u030a\u0323\u0327\u0328\u0338\u0345\u05b0\u0651\u093c\u0e38\u20e3\u3099\ufe0f"
CONTROLS = "\x01\x07\x08\x1b\x1f\x7f\x80\x9f\xad\u0600\u200c\u200d\u200e\u202e\u2066\ufffd\ufffe\ue000\U0010fffd\U000e0041"
CASED = "ΣσςΑaA.'·\u00ad\u0301\u0345IİıiKſßẞǅﬁŉǰΐ᾿Ὀᾈ’:1"
ASSIGNED = [chr(c) for c in range(1, 0x110000)
            if unicodedata.category(chr(c)) not in ("Cn", "Co", "Cs")]


def strings(rng, count):
    """The first ones go through the lists one by one, the rest mixes them."""
    yield from ["", " ", "\n\t ", "a", "!", "'", *WORDS, *("a" + s + "b" for s in SPACES),
                *("e" + m for m in MARKS), *("x" + c + "y" for c in CONTROLS)]
    for n in [74, 75, 76, 77, 78, 150, 1000]:
        yield "a " * n
        yield "!" * n
        yield "photograph" * n
        yield "<|endoftext|>" * (n // 5)
        yield "e" + "\u0323\u0301" * n
    made = 0
    while made < count:
        kind, made = rng.randrange(8), made + 1
        if kind < 3:
            words = rng.choices(WORDS, k=rng.randint(1, 5))
            yield "".join(w + rng.choice([" ", " ", "", rng.choice(SPACES)]) for w in words)
        elif kind == 3:
            yield "".join(rng.choices(ASSIGNED, k=rng.randint(1, 6)))
        elif kind == 4:
            start = rng.randrange(len(ASSIGNED))
            near = ASSIGNED[start:start + 40]
            yield "".join(rng.choices(near + [" ", "a", "'"], k=rng.randint(1, 8)))
        elif kind == 5:
            yield "".join(rng.choices(CASED + " ", k=rng.randint(2, 10)))
        elif kind == 6:
            text = "".join(rng.choices(ASSIGNED[:2000] + list(MARKS) * 40, k=rng.randint(2, 7)))
            yield unicodedata.normalize(rng.choice(["NFC", "NFD", "NFKC"]), text)
        else:
            text = rng.choice(WORDS) + " " + rng.choice(WORDS)
            pool = CONTROLS + "!'<|>0123456789Zz" + "".join(SPACES) + MARKS
            for _ in range(rng.randint(1, 4)):
                at = rng.randrange(len(text) + 1)
                text = text[:at] + rng.choice(pool) + text[at:]
            yield text.upper() if rng.random() < 0.2 else text


def load(kind):
    with tempfile.TemporaryDirectory() as folder:
        for path in (HERE / "tokenizer").iterdir():
            if kind == "sd1" or path.name in ("vocab.json", "merges.txt"):
                shutil.copy(path, folder)
        if kind != "sd1":
            shutil.copytree(HERE / "settings" / kind, folder, dirs_exist_ok=True)
        tokenizer = CLIPTokenizer.from_pretrained(folder)
    assert getattr(tokenizer, "fix_text", None) is None, "ftfy is in use"
    return tokenizer


def write(name, records):
    with open(HERE / name, "wb") as file:
        for text, ids in records:
            text = text.encode()
            file.write(struct.pack("<II", len(text), len(ids)) + text
                       + struct.pack(f"<{len(ids)}H", *ids))


def ids_of(tokenizer, text):
    return tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))


def padded(tokenizer, texts):
    length = min(tokenizer.model_max_length, 77 if tokenizer.model_max_length > 4096 else 4096)
    for text in texts:
        yield text, tokenizer(text, padding="max_length", max_length=length,
                              truncation=True).input_ids
        rest = ids_of(tokenizer, text)[length - 2:]
        yield tokenizer.decode(rest, skip_special_tokens=True) if rest else "", rest


def decoded(tokenizer, rng, count):
    for _ in range(count):
        top = rng.choice([256, 512, len(tokenizer)])
        ids = [rng.randrange(top) for _ in range(rng.randint(1, 24))]
        if rng.random() < 0.5:
            ids += [len(tokenizer) - 1 - rng.randrange(5), rng.randrange(top), 0, 256]
        yield tokenizer.decode(ids, skip_special_tokens=True), ids


def main():
    for kind, count in [("sd1", 20000), ("sd2", 800), ("saved", 800), ("added", 800)]:
        rng, tokenizer = random.Random(kind), load(kind)
        texts = list(strings(rng, count))
        write(f"{kind}-tokens.bin", ((text, ids_of(tokenizer, text)) for text in texts))
        # Long ones on purpose: whatever was made, joined.
        long = [" ".join(rng.sample(texts[10:], rng.randint(1, 12))) for _ in range(100)]
        long = [text for text in long if len(text) < 1500] + texts[:10] + ["a " * 75, "a " * 76]
        write(f"{kind}-padded.bin", padded(tokenizer, long))
        write(f"{kind}-decode.bin", decoded(tokenizer, rng, 500))


if __name__ == "__main__":
    main()
