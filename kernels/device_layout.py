#!/usr/bin/env python3
"""device_layout.py OUT HEADER... - a number for what program and CUDA module have to agree on.

OUT becomes a C header with SL_DEVICE_LAYOUT, the first 64 bits of the SHA-256 of all that the headers declare: names,
types and their order, not comments, line breaks or blanks. A module that was built when two slots of SlOps stood the
other way round has another number, though its structs are as large.
"""
import hashlib
import re
import sys


def declared(text):
    """The header's tokens, apart from comments and include lines."""
    text = re.sub(r'/\*.*?\*/|//[^\n]*', ' ', text, flags=re.S)
    text = re.sub(r'^\s*#\s*include.*$', '', text, flags=re.M)
    return ' '.join(re.findall(r'"[^"]*"|\w+|[^\w\s]', text))


def main():
    out, *headers = sys.argv[1:]
    digest = hashlib.sha256()
    for header in headers:
        with open(header, encoding='utf-8') as f:
            digest.update(declared(f.read()).encode() + b'\0')
    with open(out, 'w', encoding='utf-8') as f:
        f.write('/* Made by kernels/device_layout.py. */\n'
                f'#define SL_DEVICE_LAYOUT UINT64_C(0x{digest.hexdigest()[:16]})\n')


main()
