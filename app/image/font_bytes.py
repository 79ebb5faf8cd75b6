"""Writes the font of captions (data/font/captions.ttf) as an array in C.

Usage: font_bytes.py OUT.h FONT.ttf
"""
import sys


def main():
    out, font = sys.argv[1:]
    with open(font, "rb") as file:
        data = file.read()
    rows = [",".join(str(byte) for byte in data[i:i + 32]) for i in range(0, len(data), 32)]
    with open(out, "w", encoding="ascii") as file:
        file.write("/* made by font_bytes.py */\nstatic const unsigned char font_bytes[] = {\n" + ",\n".join(rows) + "};\n")


main()
