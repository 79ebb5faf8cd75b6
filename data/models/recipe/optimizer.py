"""The optimizer of all trainings: Muon (Jordan et al. 2024) for matrices and convolutions, AdamW for the rest.

Muon replaces a matrix' averaged gradient by the nearest orthogonal matrix, so that rare directions learn as fast as common
ones. Scaled by 0.2 sqrt(longer side) (Liu et al. 2025) an update is as large as AdamW's and both take one learning rate.
"""
import torch


def orthogonal(m, rounds=5):
    """Roughly the nearest orthogonal matrices to a stack of them, by Newton and Schulz' iteration with Jordan's coefficients."""
    x = m.bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.mT
    for _ in range(rounds):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x.mT if tall else x).to(m.dtype)


class Muon(torch.optim.Optimizer):
    """Weights of one shape are updated as one stack, which on a CPU takes a fraction of the time."""

    def __init__(self, weights, rate, momentum=0.95, weight_decay=0.01):
        super().__init__(weights, {"lr": rate, "momentum": momentum, "weight_decay": weight_decay})

    def update_of(self, w, momentum):
        """The weight's gradient averaged over the steps (Nesterov's way), as a matrix."""
        mean = self.state[w].setdefault("mean", torch.zeros_like(w))
        mean.lerp_(w.grad, 1 - momentum)
        return w.grad.lerp(mean, momentum).flatten(1)

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            alike = {}
            for w in group["params"]:
                alike.setdefault(w.flatten(1).shape, []).append(w)
            for shape, weights in alike.items():
                updates = orthogonal(torch.stack([self.update_of(w, group["momentum"]) for w in weights]))
                for w, update in zip(weights, updates):
                    w.mul_(1 - group["lr"] * group["weight_decay"])
                    w.add_(update.reshape(w.shape), alpha=-group["lr"] * 0.2 * max(shape) ** 0.5)


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
