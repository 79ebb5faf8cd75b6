"""Saves what a training needs to go on, and says where it stands: used by the train_*.py scripts.

A training is counted in steps, not in minutes, so that a seed gives the same weights on any day; it can be stopped at any
moment and started again with the same words, and goes on from its last checkpoint.
"""
import os
import time

import numpy as np
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Checkpoint:
    """state is a dictionary of name -> anything with state_dict() and load_state_dict()."""

    def __init__(self, path, state, rng, every=60):
        self.path, self.state, self.rng, self.every = path, state, rng, every
        self.saved = time.time()

    def load(self):
        """The number of steps done so far; 0 for a new training."""
        if not os.path.exists(self.path):
            return 0
        stored = torch.load(self.path, map_location=DEVICE, weights_only=False)
        for name, part in self.state.items():
            part.load_state_dict(stored[name])
        self.rng.bit_generator.state = stored["numpy"]
        torch.set_rng_state(stored["torch"].cpu())
        return stored["step"]

    def save(self, step, now=False):
        """Writes the state if a minute has passed since the last time, or if it is wanted now."""
        if not now and time.time() - self.saved < self.every:
            return False
        stored = {name: part.state_dict() for name, part in self.state.items()}
        stored |= {"step": step, "numpy": self.rng.bit_generator.state, "torch": torch.get_rng_state()}
        torch.save(stored, self.path + ".new")
        os.replace(self.path + ".new", self.path)
        self.saved = time.time()
        return True


class Average(list):
    """The running average of weights, which is what a finished model holds."""

    def __init__(self, weights, share):
        super().__init__(w.detach().clone() for w in weights)
        self.share, self.steps = share, 0

    @torch.no_grad()
    def add(self, weights):
        self.steps += 1
        torch._foreach_lerp_(list(self), list(weights), max(self.share, 1 / self.steps))

    @torch.no_grad()
    def copy_to(self, weights):
        torch._foreach_copy_(list(weights), list(self))

    def state_dict(self):
        return {"weights": list(self), "steps": self.steps}

    @torch.no_grad()
    def load_state_dict(self, stored):
        torch._foreach_copy_(list(self), stored["weights"])
        self.steps = stored["steps"]


class Curve:
    """The training curve: step, seconds, mean loss since the line before."""

    def __init__(self, path, every=50):
        self.file, self.every, self.losses, self.start = open(path, "a"), every, [], time.time()

    def add(self, step, loss):
        self.losses.append(loss.detach())
        if step % self.every == 0:
            mean = torch.stack(self.losses).mean().item()
            print(f"{step},{time.time() - self.start:.0f},{mean:.5f}", file=self.file, flush=True)
            self.losses.clear()


def pick(rng, data, count):
    """count rows of data by lot, in rising order, since data may lie on disk."""
    return np.sort(rng.integers(0, len(data), count))
