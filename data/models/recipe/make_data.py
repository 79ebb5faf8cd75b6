"""Draws the training pictures once and keeps them on disk: make_data.py DIR [--count N] [--seed S].

DIR/train.npy and DIR/unseen.npy are uint8 (n, 128, 128, 3); train.jsonl and unseen.jsonl hold their scenes. The unseen
part has only combinations (scenes.combination) that the training part never has.
"""
import argparse
import json
import os
import random
from multiprocessing import Pool

import numpy as np

import draw
import scenes


def drawn(job):
    """One picture: (scene, seed) -> pixels."""
    return draw.draw(*job)


def make(folder, name, count, seed, unseen):
    """Draws count pictures of one part of the split into folder/name.npy and .jsonl."""
    rng = random.Random(seed)
    jobs = [(scenes.pick_scene_of(rng, unseen), seed * 1000003 + i) for i in range(count)]
    pictures = np.lib.format.open_memmap(f"{folder}/{name}.part.npy", "w+", np.uint8, (count, 128, 128, 3))
    with Pool() as pool:
        for i, pixels in enumerate(pool.imap(drawn, jobs, 256)):
            pictures[i] = pixels
    pictures.flush()
    with open(f"{folder}/{name}.jsonl", "w") as out:
        out.writelines(json.dumps(scene) + "\n" for scene, _ in jobs)
    os.rename(f"{folder}/{name}.part.npy", f"{folder}/{name}.npy")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder")
    arguments.add_argument("--count", type=int, default=50000)
    arguments.add_argument("--seed", type=int, default=1)
    a = arguments.parse_args()
    os.makedirs(a.folder, exist_ok=True)
    for name, count, seed in (("train", a.count, a.seed), ("unseen", max(200, a.count // 30), a.seed + 1)):
        if not os.path.exists(f"{a.folder}/{name}.npy"):
            make(a.folder, name, count, seed, name == "unseen")
            print(f"{name}: {count} pictures", flush=True)


if __name__ == "__main__":
    main()
