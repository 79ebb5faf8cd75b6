#!/usr/bin/env python3
"""Puts the pipelines as the current libraries save them (now/, see make_now.py) together in a folder
that stands for tests/: goldens/model with the same goldens and cases, and the pipelines that now/ does
not have as they are. Standard library only.

Usage: now_folders.py OUT
"""
import json
import pathlib
import shutil
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: (t, data[slice(*t["data_offsets"])]) for name, t in header.items()}


def write(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (t, content) in sorted(tensors.items()):
        header[name] = {**t, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def put_weights(part, out):
    """The files that the part's index names; without one, the files as they were, or with shorter names."""
    files = sorted(part.glob("*.safetensors"))
    names = out / "names.json"
    if names.exists():
        prefix = json.loads(names.read_text())["without"]
        names.unlink()
        for path in files:
            write(out / path.name, {name.removeprefix(prefix): t for name, t in read(path).items()})
        return
    index = next(out.glob("*.index*.json"), None)
    if not index:
        for path in files:
            (out / path.name).symlink_to(path)
        return
    tensors = {name: t for path in files for name, t in read(path).items()}
    shards = {}
    for name, shard in json.loads(index.read_text())["weight_map"].items():
        shards.setdefault(shard, {})[name] = tensors[name]
    for shard, content in shards.items():
        write(out / shard, content)


def main():
    out = pathlib.Path(sys.argv[1]).resolve() / "goldens/model"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(HERE / "now", out)
    for folder in HERE.parent.iterdir():  # the cases name files of other folders: LoRAs, embeddings
        link = out.parent / folder.name
        if folder.is_dir() and folder != HERE:
            link.unlink(missing_ok=True)
            link.symlink_to(folder)
    for path in [*HERE.glob("*.safetensors"), *HERE.glob("*.json")]:
        (out / path.name).symlink_to(path)
    cases = out / "scheduler_cases.json"  # tried with the pipelines as they are
    cases.unlink()
    cases.write_text('{"cases": []}\n')
    for pipeline in sorted(path.parent for path in HERE.glob("*/model_index.json")):
        if not (HERE / "now" / pipeline.name).exists():
            (out / pipeline.name).symlink_to(pipeline)
            continue
        for part in pipeline.iterdir():
            if part.is_dir() and list(part.glob("*.safetensors")):
                put_weights(part, out / pipeline.name / part.name)


main()
