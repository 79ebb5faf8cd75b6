"""Writes the tables that a text is repaired by, from what Python's standard library knows: encodings
for mojibake.c, classes of characters for repair_patterns.c, entities and widths for repair.c.

Usage: repair_tables.py ENCODINGS.h CLASSES.h CHARACTERS.h

Encodings: of each byte from 0x80 the character, and the characters in order with their bytes. A byte
that a Windows encoding leaves open stands for the control character of its number. Entities: the
names of HTML 5 that end in ";", and in capitals those in small letters that mean nothing in
capitals, with the capital of what they stand for. Widths: what full-width and half-width forms are
otherwise.
"""
import html
import html.entities
import sys
import unicodedata

# In the order in which they are tried. Python's name, and whether open bytes are filled in.
ENCODINGS = [("latin-1", 0), ("cp1252", 1), ("cp1251", 1), ("cp1250", 1), ("cp1253", 1), ("cp1254", 1),
             ("cp1257", 1), ("iso-8859-2", 0), ("mac-roman", 0), ("cp437", 0)]
LIKE_LATIN = 7  # so many of them are laid out like Latin-1
# Continuation bytes in those whose characters often stand for themselves.
PLAIN = " –—―‘’‚“”„•…"


def characters(name):
    return [bytes([b]).decode(name, "replace").replace("\ufffd", chr(b)) for b in range(0x80, 0x100)]


def text(string):
    """A string in C, all in hexadecimal, since a hexadecimal escape has no end."""
    return '"' + "".join(f"\\x{b:02x}" for b in string.encode()) + '"'


def ranges(chars):
    """The inside of a character class of PCRE2, as a string in C."""
    codes, out = sorted(map(ord, chars)), []
    for code in codes:
        if out and out[-1][1] == code - 1:
            out[-1][1] = code
        else:
            out.append([code, code])
    return '"' + "".join(f"\\\\x{{{a:x}}}" + (f"-\\\\x{{{b:x}}}" if b > a else "") for a, b in out) + '"'


def entities():
    for name, value in html.entities.html5.items():
        if name.endswith(";") and len(name) <= 25 and name[:-1].isalnum():
            yield name[:-1], value
            upper = name.upper()
            if name == name.lower() and html.unescape("&" + upper) == "&" + upper:
                yield upper[:-1], value.upper()


def encodings():
    yield "static const SlEncoding encodings[] = {"
    for name, sloppy in ENCODINGS:
        chars = characters(name)
        order = sorted((ord(c), 0x80 + i) for i, c in enumerate(chars))
        assert len({c for c, _ in order}) == 128
        yield "{" + str(sloppy) + ",\n{" + ",".join(f"{ord(c):#x}" for c in chars) + "},"
        yield "{" + ",".join(f"{{{c:#x},{b:#x}}}" for c, b in order) + "}},"
    yield "};"


def classes():
    like = [characters(name) for name, _ in ENCODINGS[:LIKE_LATIN]]

    def between(first, last):
        return {chars[b - 0x80] for chars in like for b in range(first, last + 1)}
    more = between(0x80, 0xBF) | {" "} | {chr(c) for c in range(0x80, 0xC0)}
    for name, chars in [("FIRST_OF_2", between(0xC2, 0xDF)), ("FIRST_OF_3", between(0xE0, 0xEF)),
                        ("FIRST_OF_4", between(0xF0, 0xF0) | between(0xF3, 0xF3)),
                        ("CONTINUATION", more), ("STRICT", more - set(PLAIN))]:
        yield f"#define {name} {ranges(chars)}"


def special_characters():
    table = dict(entities())
    yield "static const SlEntity entities[] = {"
    yield from (f'{{"{name}",{text(table[name])}}},' for name in sorted(table))
    yield from ["};", "static const SlWidth widths[] = {", '{0x3000,"\\x20"},']
    for code in range(0xFF01, 0xFFF0):
        other = unicodedata.normalize("NFKC", chr(code))
        if other != chr(code):
            yield f"{{{code:#x},{text(other)}}},"
    yield "};"


for path, lines in zip(sys.argv[1:], (encodings, classes, special_characters)):
    with open(path, "w") as file:
        file.write("\n".join(["/* Made by repair_tables.py. */", *lines()]) + "\n")
