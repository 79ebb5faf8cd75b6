#!/usr/bin/env python3
"""ftfy-tokens.bin: texts through CLIPTokenizer of transformers 4 where ftfy 6.3.1 is installed
(../requirements.txt and ftfy==6.3.1), in the form that make.py describes: texts that were read in a
wrong encoding once or twice, whole or in part, that lost bytes on the way, that have entities,
quotes, ligatures, widths, control characters.

With a number: that many texts more, to compare (not kept).
"""
import html.entities
import random
import sys

import ftfy  # before make, which hides it

real = sys.modules["ftfy"]
import make  # noqa: E402
sys.modules["ftfy"] = real

ENCODINGS = ["latin-1", "sloppy-windows-1252", "sloppy-windows-1251", "sloppy-windows-1250",
             "sloppy-windows-1253", "sloppy-windows-1254", "sloppy-windows-1257", "iso-8859-2", "macroman",
             "cp437"]
TEXTS = """schön Größe Straße “quoted” ‘single’ it’s l’été à la forêt voilà Ã Â été — – … • © ® ™ € £ ¥ ½ ²
naïve café jalapeño coração São Paulo às àquele à África Ångström smörgåsbord Łódź žluťoučký kůň őszi
İstanbul şişe ğ œuvre æther ß ŒUVRE Ελλάδα μικρό σπίτι Москва ночь дождь Київ Ђ Љ ѓ עברית صورة رائد فضاء
宇航员 骑马 写真 馬 한국어 사진 नमस्ते ไทย Việt Nam 😀 👍🏽 👩‍👩‍👧 ❤️ ✔ ★ → ∞ ≠ √ π ° µ ¶ § ª º ¿ ¡ « » ‹ › ‰ † ‡
ﬁne oﬃce Ĳssel ŉ ǆ ﬆ Ｆｕｌｌ ｗｉｄｔｈ ﾊﾝｶｸ ｶﾞ ￦ ￣ 　x　 (╯°□°)╯︵ ┻━┻ ¯\\_(ツ)_/¯ ಠ_ಠ (๑•̀ㅂ•́)و ÃÂ Â© Ã© â€™ â€œ â€
&amp; &lt;b&gt; &eacute; &EACUTE; &NTILDE; &nTILDE; &SZLIG; &#8217; &#x2019; &#X41; &#128; &#129; &#0; &#xD800;
&#1114112; &#99999999999999999999; &#59; &#65 &#x; &#12ab; &notit; &amp;amp;amp; &hellip; &copy &Jscr; &fjlig; <b>&amp;</b>
it's don't we'RE 's <|startoftext|> <|endoftext|> <|ENDOFTEXT|> ΟΔΟΣ ΣΑΣ photograph 4k, (masterpiece:1.2)""".split()
KEPT = 450


def break_text(rng, text):
    for _ in range(rng.choice([1, 1, 1, 2])):
        encoding = rng.choice(ENCODINGS[:2] * 4 + ENCODINGS)
        try:
            text = text.encode().decode(encoding)
        except UnicodeDecodeError:
            text = text.encode().decode("latin-1")
    return text


def damage(rng, text):
    kind = rng.randrange(6)
    if kind == 0:
        return text.replace("\xa0", " ")
    if kind == 1:
        return "".join("\ufffd" if "\x80" <= c <= "\x9f" else c for c in text)
    if kind == 2 and text:
        at = rng.randrange(len(text))
        return text[:at] + rng.choice("\ufffd?\x1a \x85\xa0\n\u2028") + text[at + 1:]
    if kind == 3 and text:
        at = rng.randrange(len(text))
        return text[:at] + text[at + 1:]
    return text


def cesu(text):
    out = b""
    for c in text:
        if ord(c) > 0xFFFF:
            n = ord(c) - 0x10000
            pair = chr(0xD800 + (n >> 10)) + chr(0xDC00 + (n & 0x3FF))
            out += pair.encode("utf-8", "surrogatepass")
        else:
            out += c.encode()
    return out.replace(b"z", b"\xc0\x80").decode("latin-1")


def mixed(rng):
    names = list(html.entities.html5)
    kind = rng.randrange(10)
    words = rng.choices(TEXTS, k=rng.randint(1, 6))
    if kind < 3:
        return damage(rng, break_text(rng, " ".join(words)))
    if kind < 5:
        return " ".join(damage(rng, break_text(rng, w)) if rng.random() < 0.4 else w for w in words)
    if kind == 5:
        return "".join(f"&{rng.choice(names)}" + rng.choice(["", ";"]) for _ in range(3)) + words[0]
    if kind == 6:
        pool = "ÃÂâ€™œåéï¿½°±²³àèØÙÐÑãä\x80\x85\x92\x9d\xa0 ×│═Œ'\"aZ.,!√‚ВГРСвЂ"
        return "".join(rng.choices(pool, k=rng.randint(2, 12)))
    if kind == 7:
        every = "".join(bytes(range(0x80, 0x100)).decode(rng.choice(ENCODINGS), "replace"))
        return "".join(rng.choices(every + " aA\ufffd", k=rng.randint(2, 10)))
    if kind == 8:
        return damage(rng, cesu(" ".join(words + ["z", "🧑🏿‍🚀"])))
    pool = "\r\n\u2028\u2029\x85\x1b[31m\x00\x07\x1f\x7f\ufeff\u206a\ufff9\ufffc\u200b\u200d\xad\ue000\u0378\u180e<"
    return "".join(w + rng.choice(pool) for w in words)


def texts(count):
    rng = random.Random(count)
    yield from TEXTS
    yield from (cesu("a👍z"), "\x1b[36;44mI'm blue\x1b[0m", "\x1b[٣m3", "a\r\nb\rc", "&amp;" + "amp;" * 120)
    for word in TEXTS[:60]:
        yield word.encode().decode(rng.choice(ENCODINGS[:7]), "replace")
    for _ in range(count):
        yield mixed(rng)
    yield from list(make.strings(rng, count // 8))[150:]


def main():
    kept = len(sys.argv) < 2
    tokenizer = make.CLIPTokenizer.from_pretrained(make.HERE / "tokenizer")
    assert tokenizer.fix_text is ftfy.fix_text and ftfy.__version__ == "6.3.1"
    chosen = [t for t in dict.fromkeys(texts(KEPT if kept else int(sys.argv[1])))
              if "\0" not in t and len(t) < 700 and not any("\ud800" <= c < "\ue000" for c in t)]
    name = "ftfy-tokens.bin" if kept else "/tmp/words/ftfy-more.bin"
    make.write(name, ((text, make.ids_of(tokenizer, text)) for text in chosen))
    if not kept:
        import json
        json.dump([ftfy.fix_text(t) for t in chosen], open("/tmp/words/ftfy-more.json", "w"))


if __name__ == "__main__":
    main()
