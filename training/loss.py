"""The training loss: InfoNCE over the views of a batch, plus an entropy term.

InfoNCE in its NT-Xent form (Chen et al., arXiv 2002.05709) with the differential-entropy
regulariser of SSCD (Pizzi et al., arXiv 2202.10261, after Kozachenko and Leonenko).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Loss:
    total: Tensor
    contrast: float
    spread: float
    accuracy: float


def copy_loss(views: Tensor, *, temperature: float, spread_weight: float) -> Loss:
    """Loss of `views` (2n, dim), unit rows: n references, then their n copies in that order.

    `contrast` is InfoNCE; `spread` the mean of -log of the distance to the nearest view of
    another photo; `accuracy` the share of copies whose nearest view is their reference.
    """
    n = len(views) // 2
    partner = torch.arange(2 * n).roll(n)
    similarity = (views @ views.T).fill_diagonal_(-1e4)
    contrast = F.cross_entropy(similarity / temperature, partner)
    nearest_other = similarity.scatter(1, partner[:, None], -1e4).amax(1)
    spread = -0.5 * torch.log((2 - 2 * nearest_other).clamp(min=1e-4)).mean()
    right = (similarity[n:].argmax(1) == partner[n:]).float().mean()
    return Loss(contrast + spread_weight * spread, contrast.item(), spread.item(), right.item())
