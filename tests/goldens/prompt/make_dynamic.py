#!/usr/bin/env python3
"""Makes dynamic.json: every prompt that the dynamicprompts library (sd-dynamic-prompts) makes of a template.

    python make_dynamic.py      # with requirements-dynamic.txt

The library's mistakes are not asked for: it keeps the backslash of an escape, leaves weights of lines in files as text,
fails at "__" that is no wildcard, lets "*" reach into folders (its documentation has "**" for that), and repeats
"__missing__" for ever. The order is not compared: it sorts the lines of
files, and so are the prompts here; runs of blanks are one.
"""
import json
import pathlib
import tempfile

from dynamicprompts.generators import CombinatorialPromptGenerator
from dynamicprompts.wildcards.wildcard_manager import WildcardManager

FILES = {
    "colour.txt": "red\n# a comment\nblue # not\n\n{light|dark} green\nred\n",
    "animals/cat.txt": "tabby\nsiamese {kitten|cat}\n",
    "animals/wild/dog.txt": "fox\nwolf\n",
    "scene.txt": "a __colour__ house\nan {old|new} __animals/cat__ in a {2$$ and $$wood|field}\n",
}
TEMPLATES = [
    "a cat", "{a|b} cat", "{ a | b } cat", "{2$$a|b|c}", "{1-2$$a|b|c}", "{2$$ and $$a|b|c}", "{0-1$$x|y}", "{-2$$a|b|c}",
    "{2-$$a|b|c}", "{0.5::a|b} c", "{a|{b|c} d} e", "__colour__ x", "__animals/cat__", "__animals/**__", "__**__",
    "{2$$__animals/wild/dog__}", "{2$$__animals/cat__}", "{2$$__colour__|x}", "a # comment\nb {x|y}", "{a|b|}", "{a}", "{}",
    "(a:1.2) {x|y} <lora:z:1>", "[a|b] {c|d}", "{3$$a|b}", "a } b", "{__colour__|x}", "{a|a}", "{1-3$$, $$a|b|c}", "x{a|b}y {c|d}",
    "{2$$a|b|a}", "__scene__", "{2$${a|b}|{c|d}|e}", "{2$$ $${2$$-$$a|b}|c}", "{(a:1.1)|[b]} (c:{0.5|1.5})", "日本 {本|語}, é{ü|ß}",
    "{1.5::a b|2::c, d|0::e}",
]


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        generator = CombinatorialPromptGenerator(WildcardManager(pathlib.Path(folder)))
        cases = [[t, sorted({" ".join(str(p).split()) for p in generator.generate(t, max_prompts=1000)})] for t in TEMPLATES]
    out = pathlib.Path(__file__).parent / "dynamic.json"
    out.write_text(json.dumps({"files": FILES, "cases": cases}, indent=0, ensure_ascii=False) + "\n")


main()
