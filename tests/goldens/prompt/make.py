#!/usr/bin/env python3
"""Makes vectors.json: prompts, and what the programs' own parsers read in them.

    python make.py --a1111 modules --comfyui comfy          # with compel, pyparsing and lark of requirements.txt

--a1111: the folder "modules" of the web UI or of Forge at dfdcbab6 with prompt_parser.py, beside it
backend/text_processing/parsing.py as parsing.py. --comfyui: the folder "comfy" of ComfyUI at a125cd84 with sd1_clip.py.
Their files are executed as they are, up to the classes that need the rest of the program. Nothing of them is kept here.

Each vector: its mode, the text; of a1111 the steps and parts [[weight, [[last step, [[piece, weight], ...]], ...]], ...];
of comfyui the pieces; of compel sections [[weight, [[factor, pieces], ...]], ...], or null where compel fails.
"""
import argparse
import json
import pathlib
import random
import re
import sys
import types

HERE = pathlib.Path(__file__).parent

WRITTEN = [
    "", "a cat", "((cat:1.2) dog:1.5)", "(cat (dog) cow:1.5)", "(cat:1.2", "[cat:1.2]", "(cat:1e1)", "(cat:-1)",
    "(a BREAK b:1.2)", "a BREAK b", "a\n BREAK ,b BREAK", "BREAK", "BREAKS, aBREAK", "[cat:dog:1]", "[cat:dog:1.0]",
    "[cat:dog:25]", "[cat:dog:0.01]", "[[a:b:4]|c]", "(x:[a:b:0.5]:1.2)", "an (important) word", "(unbalanced",
    "\\(literal\\]", "(unnecessary)(parens)", "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).", "a [b:3]", "a [b: 3]",
    "a [[[b]]:2]", "[(a:2):3]", "a [b : c : 1] d", "a[b:[c:d:2]:1]e", "a [unbalanced", "a [b:.5] c", "a [{b|d{:.5] c",
    "((a][:b:c [d:3]", "[a|(b:1.1)]", "[fe|]male", "[fe|||]male", "a | b", "a \\", "a [b:c:-3] d", "[a::5]", "[a:b:3.]",
    "[a:b:1e1] x", "[ [a|b] : c : 4 ]", "a cat :0.5", "a cat AND a dog :1.2 AND (night:0.8)", "AND", "a AND", "ANDb AND_c",
    "a: -2", "a\nb :0.5", "a\n:0.5", "x : 1.5 : 2", "(a)(b:2)) c", "] a [b]", "(a: 1.2 )", "(a:+.5)", "\\\\(a\\)", "a:b:c", "(:2)",
    "foo ((((lol (cat:666) attack:100)))) baz", "foo ((((lol (cat:666) attack):100))) baz", "((foo:1.0):0.0)", "((a)", "(a))b(c)",
    ")(", "a) (b) (c", "(a:b:1.5)", "( a : 1.5 )", "(a:)", "(a:x)", "(\\(a\\):2)", "(a\\:2)", "über (größe:1.3) 猫 AND é", "é:2",
    "cat++", "cat- dog", "a (red ball)1.3 here", "(a b)++ (c d)-", '"quoted words"++', "word-with-dash, word-", "a - b + c", "+a",
    '("a cat", "a dog").blend(.7,.3)', '("a cat", "a dog").blend(1,1,no_normalize)', '("a", "b", "c++").and()',
    '("a", "b").and(1, 0.5) rest is dropped', '("a","b").blend(1,1) rest', "cat.swap(dog) sits", "(a cat).swap(two dogs, s_start=0.1) on",
    "a cat withLora(fur, 0.5) sits", "withLora(fur)", "useLora(x-y_1,.3)useLora(z)(\"a\",\"b\").blend(1,2)", "a,b,,c,d", "a, b. c",
    "(a, (b. c)+)-", "a\\+\\+ b\\(c\\)", "(cat", "cat)", "cat(dog)", '"cat', '"a \\" b"', "(a).attend(1.5)", "word.attend(++) x",
    "a.b.c", "1.5 apples", "apples1.5", "(x)0.5", "(x) 0.5", "(x)+1", "(x)-1", "(x)- 1", "(a b", '("a" "b").and()', '("a", b).and()',
    '("",  "b").and()', '("a").blend(0)', '("a","b").blend(x,y)', '("a","b").and(1)', "a++b", "a--++", "((a)+)+", "'s it's",
    "a  b\t\tc\n d", "  lead and trail  ", "hello-2-world -5 --5", "(masterpiece:1.2), (best quality), 1girl", "x y z--, w++",
    "a, b.", "()", "()++", "( )", '""', '("a and b", "c").and(0.7, 0.3)', "(a:b)", "[a|b:3]", "[a|b]:c", "[:a:3]", "[a:b]", "[::3]",
    "[a:[b|c]:0.5]", "x [a:b:0.25] [c:d:0.5] [e|f] y", "(a [b:c:5]:1.3)", "[(a:1.2):(b:0.8):0.4] end",
]
ALPHABETS = {"a1111": ["(", ")", "[", "]", ":", ":", "|", "\\", " ", "a", "bc", "1", ".5", ":1.2)", "BREAK", "AND", "4", ":3]", "\n"],
             "comfyui": ["(", ")", "(", ")", ":", "\\", " ", "a", "bc", "1.5", ":1.2)", ":.5)", "-"],
             "compel": ["(", ")", "(", ")", '"', " ", "a", "bc", "+", "-", "1.3", ".", ",", "\\", ")++", ")0.8", ".and()", "swap("]}


def source(path, until=None):
    text = pathlib.Path(path).read_text()
    return text[:re.search(until, text, re.M).start()] if until else text


def a1111(folder):
    stub = types.ModuleType("torch")
    sys.modules.setdefault("torch", stub)
    parser, weights = {"__name__": "parser"}, {}
    exec(source(pathlib.Path(folder) / "prompt_parser.py"), parser)
    exec(source(pathlib.Path(folder) / "parsing.py"), weights)

    def read(text, steps):
        indexes, flat, _ = parser["get_multicond_prompt_list"]([text])
        schedules = parser["get_learned_conditioning_prompt_schedules"](flat, steps)
        return [[weight, [[end, weights["parse_prompt_attention"](words, "Original")] for end, words in schedules[i]]]
                for i, weight in indexes[0]]
    return read


def comfyui(folder):
    own = {}
    text = source(pathlib.Path(folder) / "sd1_clip.py")
    begin, end = text.index("def parse_parentheses"), text.index("def safe_load_embed_zip")
    exec(text[begin:end], own)
    return lambda t: [[own["unescape_important"](words), weight]
                      for words, weight in own["token_weights"](own["escape_important"](t), 1.0)]


def compel():
    from compel.prompt_parser import Blend, CrossAttentionControlSubstitute, PromptParser
    parser = PromptParser()

    def pieces(prompt):
        flat = []
        for child in prompt.children:
            flat += child.original if isinstance(child, CrossAttentionControlSubstitute) else [child]
        return [[f.text, f.weight] for f in flat]

    def read(text):
        try:
            conjunction = parser.parse_conjunction(text)
        except Exception:
            return None
        sections = []
        for prompt, weight in zip(conjunction.prompts, conjunction.weights):
            if isinstance(prompt, Blend):
                total = sum(prompt.weights) if prompt.normalize_weights else 1
                if total == 0:
                    return None
                sections.append([weight, [[w / total, pieces(p)] for p, w in zip(prompt.prompts, prompt.weights)]])
            else:
                sections.append([weight, [[1, pieces(prompt)]]])
        return sections
    return read


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--a1111", required=True)
    options.add_argument("--comfyui", required=True)
    options.add_argument("--compel", help="a folder with the package's .py files, where it is not installed")
    options.add_argument("--random", type=int, default=120)
    options.add_argument("--seed", type=int, default=17)
    options.add_argument("--output", default=HERE / "vectors.json")
    given = options.parse_args()
    if given.compel:  # without the rest of the package, which needs torch
        package = types.ModuleType("compel")
        package.__path__ = [given.compel]
        sys.modules["compel"] = package
    readers = {"a1111": a1111(given.a1111), "comfyui": comfyui(given.comfyui), "compel": compel()}
    random.seed(given.seed)
    lines = []
    for mode, read in readers.items():
        texts = WRITTEN + ["".join(random.choices(ALPHABETS[mode], k=random.randint(3, 14))) for _ in range(given.random)]
        for text in dict.fromkeys(texts):
            steps = 20 if mode == "a1111" else 0
            try:
                result = read(text, steps) if steps else read(text)
            except (ValueError, OverflowError):  # a weight such as "1.2.3" ends the program
                continue
            lines.append(json.dumps([mode, text, steps, result], ensure_ascii=False, separators=(",", ":")))
    pathlib.Path(given.output).write_text("[\n" + ",\n".join(lines) + "\n]\n")


main()
