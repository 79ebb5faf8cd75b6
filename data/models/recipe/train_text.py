"""Gives the text encoder a start: train_text.py DATA TOKENIZER OUT [--steps N] [--seed S].

The encoder learns to tell a scene's attributes from its caption, in a few minutes. train_unet.py then trains it on with the
UNet; without this start most of the UNet's time would go by before any word meant anything to it. The answers are read
where the UNet finds the whole caption: in the states of the end and padding tokens.
"""
import argparse
import json

import numpy as np
import torch
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import scenes
from checkpoint import DEVICE, Curve

WIDTH = 128


def new_text(tokenizer):
    end = tokenizer.eos_token_id
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=tokenizer.model_max_length, projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=end, pad_token_id=end, initializer_factor=1.0))


def questions():
    """(name, possible answers): what is asked of a caption."""
    asked = [("light", scenes.LIGHTS), ("place", scenes.PLACES), ("weather", scenes.WEATHERS),
             ("season", scenes.SEASONS), ("style", scenes.STYLES)]
    for i in (0, 1):
        asked += [(f"kind {i}", ("",) + scenes.KINDS), (f"colour {i}", ("",) + scenes.COLOURS),
                  (f"number {i}", (0, 1, 2, 3)), (f"pos {i}", ("",) + scenes.POSITIONS)]
    return asked


def answers(scene):
    """The index of the right answer to each question."""
    said = {k: scene[k] for k in ("light", "place", "weather", "season", "style")}
    nobody = {"kind": "", "colour": "", "number": 0, "pos": ""}
    for i in (0, 1):
        one = scene["subjects"][i] if i < len(scene["subjects"]) else nobody
        said |= {f"{k} {i}": one[k] for k in nobody}
    return [values.index(said[name]) for name, values in questions()]


def tokens(tokenizer, words):
    return tokenizer(words, padding="max_length", truncation=True, return_tensors="pt").input_ids.to(DEVICE)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("data", "tokenizer", "out"):
        arguments.add_argument(name)
    arguments.add_argument("--steps", type=int, default=1200)
    arguments.add_argument("--batch", type=int, default=96)
    arguments.add_argument("--rate", type=float, default=1e-3)
    arguments.add_argument("--seed", type=int, default=0)
    a = arguments.parse_args()
    torch.manual_seed(a.seed)
    lot = scenes.random.Random(a.seed)
    told = [json.loads(line) for line in open(f"{a.data}/train.jsonl")]
    right = torch.tensor([answers(s) for s in told], device=DEVICE)
    tokenizer = CLIPTokenizer.from_pretrained(a.tokenizer)
    text = new_text(tokenizer).to(DEVICE)
    sizes = [len(values) for _, values in questions()]
    head = nn.Linear(WIDTH, sum(sizes)).to(DEVICE)
    weights = list(text.parameters()) + list(head.parameters())
    optimizer = torch.optim.AdamW(weights, a.rate, weight_decay=0.01)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, a.rate, a.steps)
    curve = Curve(f"{a.out}.csv")
    for step in range(a.steps):
        rows = [lot.randrange(len(told)) for _ in range(a.batch)]
        ids = tokens(tokenizer, [scenes.caption(lot, told[i]) for i in rows])
        states = text(ids).last_hidden_state
        ends = (ids == tokenizer.eos_token_id).unsqueeze(2)
        logits = head((states * ends).sum(1) / ends.sum(1)).split(sizes, 1)
        loss = sum(nn.functional.cross_entropy(l, right[rows, k]) for k, l in enumerate(logits)) / len(sizes)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        rates.step()
        optimizer.zero_grad()
        curve.add(step + 1, loss)
    text.to("cpu").save_pretrained(a.out)
    good = np.array([(l.argmax(1) == right[rows, k]).float().mean().item() for k, l in enumerate(logits)])
    print("  ".join(f"{name} {100 * g:.0f}" for (name, _), g in zip(questions(), good)), flush=True)


if __name__ == "__main__":
    main()
