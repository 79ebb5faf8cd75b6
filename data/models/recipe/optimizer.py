"""The optimizer of all trainings: Muon (Jordan et al. 2024) for matrices and convolutions, AdamW for the rest.

Muon replaces a matrix' averaged gradient by the nearest orthogonal matrix, so that rare directions learn as fast as common
ones. Scaled by 0.2 sqrt(longer side) (Liu et al. 2025) an update is as large as AdamW's and both take one learning rate.
"""
import torch


def orthogonal(m, rounds=5):
    """Roughly the nearest orthogonal matrix, by Newton and Schulz' iteration with Jordan's coefficients."""
    x = m.bfloat16()
    x = x / (x.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    for _ in range(rounds):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x.T if tall else x).to(m.dtype)


class Muon(torch.optim.Optimizer):
    def __init__(self, weights, rate, momentum=0.95, weight_decay=0.01):
        super().__init__(weights, {"lr": rate, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for w in group["params"]:
                mean = self.state[w].setdefault("mean", torch.zeros_like(w))
                mean.lerp_(w.grad, 1 - group["momentum"])
                update = orthogonal(w.grad.lerp(mean, group["momentum"]).flatten(1))
                size = 0.2 * max(update.shape) ** 0.5
                w.mul_(1 - group["lr"] * group["weight_decay"])
                w.add_(update.view(w.shape), alpha=-group["lr"] * size)


class Both:
    """Muon for the weights of the inner layers, AdamW for vectors, embeddings and what touches input or output."""

    def __init__(self, modules, rate):
        inner, outer = [], []
        for module in modules:
            for name, w in module.named_parameters():
                at_border = any(part in name for part in ("conv_in", "conv_out", "embedding", "quant_conv"))
                (outer if w.ndim < 2 or at_border else inner).append(w)
        self.parts = [Muon(inner, rate), torch.optim.AdamW(outer, rate, betas=(0.9, 0.98), weight_decay=0, fused=True)]

    def step(self, rate):
        """One update at this learning rate; forgets the gradients."""
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate
            part.step()
            part.zero_grad()

    def state_dict(self):
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, stored):
        for part, state in zip(self.parts, stored):
            part.load_state_dict(state)
