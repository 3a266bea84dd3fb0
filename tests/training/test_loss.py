from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from training.loss import copy_loss
from training.views import Mixed


def unit(n: int, dim: int, seed: int = 0) -> Tensor:
    return normalize(torch.randn(n, dim, generator=torch.Generator().manual_seed(seed)), dim=1)


def alone(n: int) -> Mixed:
    """Copies of one photo each."""
    return Mixed(torch.arange(n).roll(1), torch.zeros(n))


def slow(views: Tensor, mixed: Mixed, temperature: float) -> tuple[float, float, float]:
    """The same three figures, one pair at a time."""
    n, contrast, spread, right = len(views) // 2, 0.0, 0.0, 0
    photos = [{i} for i in range(n)] * 2
    for i in range(n):
        if mixed.share[i]:
            photos[n + i] = {i, int(mixed.other[i])}
    for i in range(2 * n):
        wanted = {(i + n) % (2 * n): 1.0}
        if i >= n and mixed.share[i - n]:
            half = float(mixed.share[i - n]) / 2
            wanted = {i - n: 1 - half, int(mixed.other[i - n]): half}
        strangers = [j for j in range(2 * n) if not photos[i] & photos[j]]
        scores = {j: float(views[i] @ views[j]) for j in {*strangers, *wanted}}
        total = sum(math.exp(s / temperature) for s in scores.values())
        for j, share in wanted.items():
            contrast -= share * math.log(math.exp(scores[j] / temperature) / total)
        spread -= 0.5 * math.log(2 - 2 * max(scores[j] for j in strangers))
        right += i >= n and max(scores, key=scores.__getitem__) == i - n
    return contrast / (2 * n), spread / (2 * n), right / n


MIXED = Mixed(torch.arange(7).roll(1), torch.tensor([0.3, 0, 0, 0.6, 0.2, 0, 0]))


@pytest.mark.parametrize("mixed", [alone(7), MIXED], ids=["alone", "mixed"])
def test_agrees_with_the_plain_reference(mixed: Mixed) -> None:
    views = unit(14, 6)
    views[7:] = normalize(views[:7] + 1.2 * unit(7, 6, seed=1), dim=1)
    found = copy_loss(views, mixed, temperature=0.1, spread_weight=0.5)
    contrast, spread, accuracy = slow(views, mixed, 0.1)
    assert found.contrast == pytest.approx(contrast, rel=1e-4)
    assert found.spread == pytest.approx(spread, rel=1e-4)
    assert found.accuracy == pytest.approx(accuracy)
    assert 0 < found.accuracy < 1
    assert found.total.item() == pytest.approx(contrast + 0.5 * spread, rel=1e-4)


def test_a_mixed_copy_is_drawn_to_both_photos_and_pushed_from_none_that_shows_them() -> None:
    """Of four photos, the copy of 0 (row 4) shows photo 1 too."""
    mixed = Mixed(torch.tensor([1, 2, 3, 0]), torch.tensor([0.5, 0.0, 0.0, 0.0]))
    views = torch.eye(8, requires_grad=True)
    copy_loss(views, mixed, temperature=0.5, spread_weight=0).total.backward()
    assert views.grad is not None
    along = -views.grad @ views.detach().T  # (i, j): how much row i moves towards row j
    assert along[4, 0] > along[4, 1] > 0
    assert along[4, 5] == along[5, 4] == 0  # the copies of 0 and 1
    assert along[1, 4] >= 0  # the reference of 1
    assert (along[4, [2, 3, 6, 7]] < 0).all()


def test_perfect_pairs_that_lie_apart_cost_nothing() -> None:
    views = torch.eye(8).repeat(2, 1)
    found = copy_loss(views, alone(len(views) // 2), temperature=0.05, spread_weight=0)
    assert found.total.item() == pytest.approx(0, abs=1e-4)
    assert found.accuracy == 1


def test_gradient_pulls_pairs_together_and_others_apart() -> None:
    views = unit(8, 5).requires_grad_()
    before = copy_loss(views, alone(len(views) // 2), temperature=0.1, spread_weight=0.2)
    before.total.backward()
    moved = normalize(views.detach() - 0.01 * views.grad, dim=1)
    assert copy_loss(moved, alone(4), temperature=0.1, spread_weight=0.2).total < before.total


def test_identical_pictures_stay_finite() -> None:
    views = torch.ones(6, 4) / 2
    assert math.isfinite(
        copy_loss(views, alone(len(views) // 2), temperature=0.06, spread_weight=0.2).total.item()
    )
