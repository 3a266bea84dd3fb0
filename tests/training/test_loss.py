from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from training.loss import copy_loss


def unit(n: int, dim: int, seed: int = 0) -> Tensor:
    return normalize(torch.randn(n, dim, generator=torch.Generator().manual_seed(seed)), dim=1)


def slow(views: Tensor, temperature: float) -> tuple[float, float, float]:
    """The same three figures, one pair at a time."""
    n, contrast, spread, right = len(views) // 2, 0.0, 0.0, 0
    for i in range(2 * n):
        partner = (i + n) % (2 * n)
        scores = {j: float(views[i] @ views[j]) for j in range(2 * n) if j != i}
        total = sum(math.exp(s / temperature) for s in scores.values())
        contrast -= math.log(math.exp(scores[partner] / temperature) / total)
        nearest = max(s for j, s in scores.items() if j != partner)
        spread -= 0.5 * math.log(2 - 2 * nearest)
        right += i >= n and max(scores, key=scores.__getitem__) == partner
    return contrast / (2 * n), spread / (2 * n), right / n


def test_agrees_with_the_plain_reference() -> None:
    views = unit(14, 6)
    views[7:] = normalize(views[:7] + 1.2 * unit(7, 6, seed=1), dim=1)
    found = copy_loss(views, temperature=0.1, spread_weight=0.5)
    contrast, spread, accuracy = slow(views, 0.1)
    assert found.contrast == pytest.approx(contrast, rel=1e-4)
    assert found.spread == pytest.approx(spread, rel=1e-4)
    assert found.accuracy == pytest.approx(accuracy)
    assert 0 < found.accuracy < 1
    assert found.total.item() == pytest.approx(contrast + 0.5 * spread, rel=1e-4)


def test_perfect_pairs_that_lie_apart_cost_nothing() -> None:
    views = torch.eye(8).repeat(2, 1)
    found = copy_loss(views, temperature=0.05, spread_weight=0)
    assert found.total.item() == pytest.approx(0, abs=1e-4)
    assert found.accuracy == 1


def test_gradient_pulls_pairs_together_and_others_apart() -> None:
    views = unit(8, 5).requires_grad_()
    before = copy_loss(views, temperature=0.1, spread_weight=0.2)
    before.total.backward()
    moved = normalize(views.detach() - 0.01 * views.grad, dim=1)
    assert copy_loss(moved, temperature=0.1, spread_weight=0.2).total < before.total


def test_identical_pictures_stay_finite() -> None:
    views = torch.ones(6, 4) / 2
    assert math.isfinite(copy_loss(views, temperature=0.06, spread_weight=0.2).total.item())
