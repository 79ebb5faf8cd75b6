#!/usr/bin/env python3
"""clang.py BUILD SOURCE - clang understands what the fuzz targets are built from (tests/fuzz/meson.build), though gcc builds the rest.

Only reads each file once, with the flags of the build: what clang has no name for (a builtin, an intrinsic) is found in seconds.
"""
import concurrent.futures
import json
import os
import shlex
import shutil
import subprocess
import sys

build, source = map(os.path.realpath, sys.argv[1:3])
clang = shutil.which("clang")
if not clang:
    print("1..0 # SKIP clang is not installed")
    sys.exit(0)


def read(entry):
    words = shlex.split(entry["command"])
    keep = [w for w in words if w.startswith(("-I", "-D", "-m", "-std=", "-isystem"))]
    run = subprocess.run([clang, "-fsyntax-only", "-w", *keep, entry["file"]], cwd=entry["directory"], capture_output=True, text=True)
    return entry["file"], run.returncode, run.stderr


with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
    entries = json.load(file)
wanted = {}
for entry in entries:
    path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), source)
    if "-include" in entry["command"] or "/emu/" in path:
        continue  # emulated instructions are gcc's only
    if path.endswith(".c") and path.startswith(("kernels/", "engine/", "tests/fuzz/")) and not path.startswith("kernels/cuda/"):
        isa = [w for w in shlex.split(entry["command"]) if w.startswith(("-march", "-DSL_ISA"))]
        wanted[path, *isa] = entry
failed = 0
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for path, status, text in pool.map(read, wanted.values()):
        if status:
            failed += 1
            print(f"# {path}: " + text.strip().replace("\n", "\n# "))
print(f"{'not ok' if failed else 'ok'} 1 - clang reads {len(wanted)} files")
print("1..1")
sys.exit(failed > 0)
