"""Muon for the convolutions, AdamW for everything else.

Muon steps along the orthogonalised momentum of each weight matrix, found by Newton-Schulz
iterations (Jordan et al., "Muon: an optimizer for hidden layers", 2024); AdamW is Loshchilov
and Hutter, arXiv 1711.05101.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer


class Muon(Optimizer):
    def __init__(self, weights: list[Tensor], lr: float, momentum: float, decay: float) -> None:
        super().__init__(weights, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # no closure
        for group in self.param_groups:
            for weight in group["params"]:
                self._update(weight, group["lr"], group["momentum"], group["decay"])

    def _update(self, weight: Tensor, lr: float, momentum: float, decay: float) -> None:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        mean = state["momentum"].lerp_(weight.grad, 1 - momentum)
        direction = orthogonal(torch.lerp(weight.grad, mean, momentum).flatten(1))
        scale = max(1.0, len(weight) / direction.shape[1]) ** 0.5
        weight.mul_(1 - lr * decay).add_(direction.view_as(weight), alpha=-lr * scale)


def orthogonal(matrix: Tensor, iterations: int = 5) -> Tensor:
    """About U·Vᵀ of the singular value decomposition; singular values end within 0.7..1.2."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = (wide / (wide.norm() + 1e-7)).bfloat16()
    for _ in range(iterations):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    x = x.to(matrix.dtype)
    return x if matrix.shape[0] <= matrix.shape[1] else x.T


def optimisers(net: nn.Module, lr: float, muon_lr: float, decay: float) -> list[Optimizer]:
    kernels = [p for p in net.parameters() if p.ndim == 4]
    matrices = [p for p in net.parameters() if p.ndim == 2]
    others = [p for p in net.parameters() if p.ndim < 2]
    if not muon_lr:
        matrices, kernels = matrices + kernels, []
    groups = [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    adam = AdamW(groups, lr=lr, betas=(0.9, 0.98))
    return [adam, Muon(kernels, muon_lr, 0.95, decay)] if kernels else [adam]
