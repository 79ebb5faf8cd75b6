"""Writes CLIP's merges (data/clip/merges.txt.gz) as a table in C: of each the ids of its two parts.

Usage: clip_merges.py OUT.h MERGES.txt.gz

Ids as in clip_vocabulary.c: 256 bytes in the order of their characters, the same at a word's end,
then the merges.
"""
import gzip
import hashlib
import sys

SHA256 = "d308b7377a8ceaa9707a21614fe8c831b9196e197b7aeb69833359362907af02"


def byte_characters():
    """The characters that stand for bytes, in the order of their ids."""
    itself = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(byte) for byte in itself] + [chr(256 + i) for i in range(256 - len(itself))]


def main():
    out, merges = sys.argv[1:]
    with gzip.open(merges) as file:
        text = file.read()
    if hashlib.sha256(text).hexdigest() != SHA256:
        sys.exit(f"{merges}: these are not CLIP's merges: their SHA-256 is another")
    pieces = byte_characters()
    pieces += [piece + "</w>" for piece in pieces]
    ids = {piece: i for i, piece in enumerate(pieces)}
    rows = []
    for line in text.decode().split("\n"):
        if line:
            left, right = line.split(" ")
            rows.append(f"{{{ids[left]},{ids[right]}}}")
            ids[left + right] = len(ids)
    with open(out, "w") as file:
        file.write("/* Made by clip_merges.py. */\n")
        file.write(f"static const uint16_t merges[{len(rows)}][2] = {{\n")
        for i in range(0, len(rows), 12):
            file.write(",".join(rows[i:i + 12]) + ",\n")
        file.write("};\n")


main()
