"""Measures how well the starter keeps to its prompts: evaluate.py DATA STARTER [--prompts N] [--sheet FILE.png].

A small classifier learns light, place, the first subject's kind and its colour from the drawn training pictures; its
own accuracy on the unseen part is printed first. It then judges pictures of captions of unseen combinations.
"""
import argparse
import json
import os
import random
import time

import numpy as np
import torch
from diffusers import StableDiffusionPipeline, UniPCMultistepScheduler
from PIL import Image
from torch import nn

import draw
import scenes

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
PARTS = {"light": scenes.LIGHTS, "place": scenes.PLACES, "subject": scenes.KINDS, "colour": ("",) + scenes.COLOURS}
RUNS = ((1, 25), (3, 25), (7.5, 25), (12, 25), (7.5, 5), (7.5, 10), (7.5, 50))      # (guidance, steps)
SHEET = ("a red house by a lake at sunset", "a lighthouse by the sea at night", "two yellow balloons in the mountains at dawn",
         "a white sailboat on the sea at noon", "a forest in autumn, watercolour", "an orange tent in the desert at night",
         "a blue windmill in the hills at sunset", "a purple balloon in the city at dusk", "three pine trees in the snow",
         "a green house in the mountains in winter", "a city at night in the rain", "a red sailboat on a lake at dawn",
         "a pink house in spring, watercolour", "a yellow tent in the woods in the fog", "a blue lighthouse by the sea at sunset",
         "a red balloon in the desert at noon")


def answers(scene):
    """The class of each part that the classifier is asked for."""
    first = scene["subjects"][0]
    said = (scene["light"], scene["place"], first["kind"], first["colour"])
    return [names.index(word) for names, word in zip(PARTS.values(), said)]


def new_classifier():
    """Five strided convolutions and one linear layer that answers all parts."""
    widths, layers = (3, 24, 48, 64, 96, 128), []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Conv2d(a, b, 3, 2, 1), nn.GroupNorm(8, b), nn.SiLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 16, sum(map(len, PARTS.values())))).to(DEVICE)


def judge(net, pictures):
    """The logits of uint8 pictures (n, 128, 128, 3), one tensor per part."""
    x = torch.from_numpy(np.ascontiguousarray(pictures)).to(DEVICE).permute(0, 3, 1, 2).float() / 127.5 - 1
    return net(x).split([len(names) for names in PARTS.values()], 1)


def one_subject(folder, name):
    """The pictures with one subject of a part of the data: (memmap, rows, answers)."""
    told = [json.loads(line) for line in open(f"{folder}/{name}.jsonl")]
    rows = np.array([i for i, s in enumerate(told) if len(s["subjects"]) == 1])
    return np.load(f"{folder}/{name}.npy", mmap_mode="r"), rows, torch.tensor([answers(told[i]) for i in rows], device=DEVICE)


def train_classifier(folder, steps, path):
    """The classifier, trained or read from path; prints its accuracy on the unseen pictures."""
    net = new_classifier()
    data, rows, right = one_subject(folder, "train")
    if os.path.exists(path):
        net.load_state_dict(torch.load(path, map_location=DEVICE))
        steps = 0
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, max(steps, 1))
    rng = np.random.default_rng(0)
    for _ in range(steps):
        pick = np.sort(rng.integers(0, len(rows), 64))
        loss = sum(nn.functional.cross_entropy(l, right[pick, k]) for k, l in enumerate(judge(net, data[rows[pick]])))
        loss.backward()
        optimizer.step()
        rates.step()
        optimizer.zero_grad()
    torch.save(net.state_dict(), path)
    net.eval()
    data, rows, right = one_subject(folder, "unseen")
    with torch.no_grad():
        good = torch.stack([l.argmax(1) for l in judge(net, data[rows])], 1) == right
    print(f"| | all | {' | '.join(PARTS)} | seconds |\n|" + "---|" * (len(PARTS) + 3))
    report(f"drawn pictures of unseen combinations ({len(rows)})", good, 0)
    return net


def report(title, good, seconds):
    """One row of the model card's table: per cent right, of all parts and of each."""
    shares = [100 * good.float().mean()] + [100 * good[:, k].float().mean() for k in range(len(PARTS))]
    print(f"| {title} | " + " | ".join(f"{x:.1f}" for x in shares) + f" | {seconds:.0f} |", flush=True)


def generate(pipe, prompts, guidance, steps):
    """The pictures of the prompts, one seed each, as uint8."""
    out = []
    for i in range(0, len(prompts), 20):
        part = prompts[i:i + 20]
        seeds = [torch.Generator().manual_seed(i + k) for k in range(len(part))]
        images = pipe(part, guidance_scale=guidance, num_inference_steps=steps, generator=seeds, output_type="np").images
        out.append(np.rint(images * 255).astype(np.uint8))
    return np.concatenate(out)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("data")
    arguments.add_argument("starter")
    arguments.add_argument("--prompts", type=int, default=200)
    arguments.add_argument("--classifier-steps", type=int, default=3000)
    arguments.add_argument("--sheet", help="where to write the sheet of 16 prompts")
    a = arguments.parse_args()
    torch.manual_seed(0)
    pipe = StableDiffusionPipeline.from_pretrained(a.starter, torch_dtype=torch.float32).to(DEVICE)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = UniPCMultistepScheduler.from_config(pipe.scheduler.config)
    if a.sheet:
        Image.fromarray(draw.sheet(list(generate(pipe, list(SHEET), 7.5, 25)), 4)).save(a.sheet, optimize=True)
    net = train_classifier(a.data, a.classifier_steps, f"{a.data}/classifier.pt")
    rng = random.Random(99)
    asked = [s for s in (scenes.pick_scene_of(rng, True) for _ in range(a.prompts * 3)) if len(s["subjects"]) == 1]
    asked = asked[:a.prompts]
    prompts = [scenes.caption(rng, s, leave_out=False) for s in asked]
    right = torch.tensor([answers(s) for s in asked], device=DEVICE)
    for guidance, steps in RUNS:
        start = time.time()
        pictures = generate(pipe, prompts, guidance, steps)
        with torch.no_grad():
            good = torch.stack([l.argmax(1) for l in judge(net, pictures)], 1) == right
        report(f"guidance {guidance}, {steps} steps", good, time.time() - start)


if __name__ == "__main__":
    main()
