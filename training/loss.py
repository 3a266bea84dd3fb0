"""The training loss: InfoNCE over the views of a batch, plus an entropy term.

InfoNCE in its NT-Xent form (Chen et al., arXiv 2002.05709) with the differential-entropy
regulariser of SSCD (Pizzi et al., arXiv 2202.10261, after Kozachenko and Leonenko) and its
several positives for mixed pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from training.views import Mixed


@dataclass(frozen=True, slots=True)
class Loss:
    total: Tensor
    contrast: float
    spread: float
    accuracy: float


def copy_loss(views: Tensor, mixed: Mixed, *, temperature: float, spread_weight: float) -> Loss:
    """Loss of `views` (2n, dim), unit rows: n references, then their n copies in that order.

    A copy that shows a second photo is drawn to both references, to the second by half of its
    share, and pairs that share a photo this way are never pushed apart. `contrast` is InfoNCE
    with these soft targets; `spread` the mean of -log of the distance to the nearest view of
    another photo; `accuracy` the share of copies whose nearest view is their own reference.
    """
    n = len(views) // 2
    targets, neither = _targets(n, mixed)
    similarity = (views @ views.T).masked_fill(neither, -1e4)
    contrast = F.cross_entropy(similarity / temperature, targets)
    nearest_other = similarity.masked_fill(targets > 0, -1e4).amax(1)
    spread = -0.5 * torch.log((2 - 2 * nearest_other).clamp(min=1e-4)).mean()
    right = (similarity[n:].argmax(1) == torch.arange(n)).float().mean()
    return Loss(contrast + spread_weight * spread, contrast.item(), spread.item(), right.item())


def _targets(n: int, mixed: Mixed) -> tuple[Tensor, Tensor]:
    """Row by row what a view should be near to (2n, 2n), rows sum to 1; and the pairs (2n, 2n)
    that are neither copies nor strangers: a view and itself, a second photo and what shows it."""
    reference, copy = torch.arange(n), torch.arange(n, 2 * n)
    targets = torch.zeros(2 * n, 2 * n)
    targets[reference, copy] = 1
    targets[copy, reference] = 1 - mixed.share / 2
    targets[copy, mixed.other] += mixed.share / 2
    shows = copy[mixed.share > 0]
    second = mixed.other[mixed.share > 0]
    neither = torch.eye(2 * n, dtype=torch.bool)
    for one, two in ((second, shows), (second + n, shows), (shows, second + n)):
        neither[one, two] = True
    return targets, neither
