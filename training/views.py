"""Pairs of views as batched tensor operations: a reference and an edited copy of each photo.

A reference is nearly the whole photo; a copy goes through one random frame (crop, pad, turn,
mirror), one colour change, perhaps a mix with another photo of the batch, then overlays and loss
of quality, each with its own probability.
Everything is drawn from the generator given, so a view depends on the seed alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Generator, Tensor

STORED = (192, 128)
LUMA = (0.299, 0.587, 0.114)

# What a copy may go through and how often; the model card prints this list.
EDITS = {
    "mirrored": "50 %",
    "turned by 90, 180 or 270 degrees": "30 %",
    "crop keeping 8-100 % of the area, aspect changed by up to e^0.4": "60 %",
    "padded or letterboxed, black, white or coloured": "15 %",
    "rotated by up to 30 degrees": "20 %",
    "brightness, contrast, gamma, channel gains": "always, mild to strong",
    "saturation changed": "40 %",
    "hue turned": "20 %",
    "greyscale": "20 %",
    "inverted": "2 %",
    "another photo's patch on top, 20-60 % of the side": "12 %",
    "pasted at 35-90 % of the side onto another photo": "9 %",
    "blended with another photo, 15-40 %": "5 %",
    "pasted at 35-90 % of the side onto a plain colour": "6 %",
    "plain bars and boxes": "10 %",
    "lines of text-like marks, with or without ground": "20 %",
    "shrunk 2-6 times and enlarged, smooth or in pixels": "25 %",
    "block transform quantised as in JPEG": "20 %",
    "blurred": "10 %",
    "noise": "15 %",
    "posterised": "3 %",
}


@dataclass(frozen=True, slots=True)
class Photos:
    """Photos squashed to squares, uint8 (n, 3, s, s), one tensor for each side in STORED."""

    levels: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.levels[0])


def read(paths: list[Path]) -> Photos:
    levels = [torch.empty(len(paths), 3, side, side, dtype=torch.uint8) for side in STORED]
    for row, path in enumerate(paths):
        with Image.open(path) as image:
            rgb = image.convert("RGB")
        for level, side in zip(levels, STORED, strict=True):
            small = rgb.resize((side, side), Image.Resampling.BILINEAR)
            flat = torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8)
            level[row] = flat.view(side, side, 3).permute(2, 0, 1)
    return Photos(tuple(levels))


def references(photos: Photos, chosen: Tensor, size: int, rng: Generator) -> Tensor:
    """Views (n, 3, size, size) in 0..1: the whole photo or a large crop, colours barely moved."""
    n = len(chosen)
    side = torch.where(_happens(n, 0.4, rng), torch.ones(n), _uniform(n, 0.65, 1, rng))
    views = _frame(photos, chosen, size, _crop(side, 0.15, rng), _plain_colours(n, rng))
    return _recolour(views, 0.1, 0.1, 0.0, rng).clamp_(0, 1)


@dataclass(frozen=True, slots=True)
class Mixed:
    """Which other photo a copy shows beside its own: `other` (n,) is its place in the batch,
    `share` (n,) how much of the copy is the other's, 0..1, and 0 for copies of one photo."""

    other: Tensor
    share: Tensor


def copies(photos: Photos, chosen: Tensor, size: int, rng: Generator) -> tuple[Tensor, Mixed]:
    """Views (n, 3, size, size) in 0..1 of the same photos, edited as in EDITS."""
    n = len(chosen)
    side = torch.where(_happens(n, 0.4, rng), torch.ones(n), _uniform(n, 0.28, 1, rng))
    box = _pad(_crop(side, 0.4, rng), 0.15, rng) @ _dihedral(n, 0.3, 0.5, rng)
    views = _frame(photos, chosen, size, _tilt(box, 0.2, rng), _plain_colours(n, rng))
    views, mixed = _mix(_recolour(views, 0.45, 0.2, 0.2, rng).clamp_(0, 1), rng)
    for share, edit in _OVERLAYS + _LOSSES:
        views = _some(views, share, edit, rng)
    return views.clamp_(0, 1), mixed


def _uniform(n: int, low: float, high: float, rng: Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=rng)


def _happens(n: int, share: float, rng: Generator) -> Tensor:
    return torch.rand(n, generator=rng) < share


def _some(
    views: Tensor, share: float, edit: Callable[[Tensor, Generator], Tensor], rng: Generator
) -> Tensor:
    rows = _happens(len(views), share, rng).nonzero()[:, 0]
    if len(rows):
        views[rows] = edit(views[rows], rng)
    return views


# ---- frames: (n, 3, 3) matrices from output to source coordinates, both in -1..1


def _crop(side: Tensor, stretch: float, rng: Generator) -> Tensor:
    """A box of `side` (0..1) of the frame; whole frames keep their aspect."""
    n = len(side)
    aspect = torch.exp(_uniform(n, -stretch, stretch, rng) * (side < 1))
    half = torch.stack([side * aspect.sqrt(), side / aspect.sqrt()], 1).clamp(max=1)
    shift = (1 - half) * (2 * torch.rand(n, 2, generator=rng) - 1)
    return _box(half, shift)


def _box(half: Tensor, shift: Tensor) -> Tensor:
    matrix = torch.diag_embed(torch.cat([half, torch.ones(len(half), 1)], 1))
    matrix[:, :2, 2] = shift
    return matrix


def _pad(box: Tensor, share: float, rng: Generator) -> Tensor:
    """Widens some boxes beyond the frame on one or both axes."""
    n = len(box)
    axes = torch.rand(n, 2, generator=rng) < 0.6
    wider = 0.8 * torch.rand(n, 2, generator=rng) * axes * _happens(n, share, rng)[:, None]
    shift = wider * (2 * torch.rand(n, 2, generator=rng) - 1)
    return box @ _box(1 + wider, shift)


def _dihedral(n: int, turned: float, mirrored: float, rng: Generator) -> Tensor:
    quarter = torch.randint(1, 4, (n,), generator=rng) * _happens(n, turned, rng)
    matrix = _rotation(quarter * (math.pi / 2)).round()
    matrix[_happens(n, mirrored, rng), :, 0] *= -1
    return matrix


def _rotation(angle: Tensor) -> Tensor:
    matrix = torch.eye(3).repeat(len(angle), 1, 1)
    cos, sin = angle.cos(), angle.sin()
    matrix[:, 0, 0], matrix[:, 0, 1] = cos, -sin
    matrix[:, 1, 0], matrix[:, 1, 1] = sin, cos
    return matrix


def _tilt(box: Tensor, share: float, rng: Generator) -> Tensor:
    n = len(box)
    return box @ _rotation(_uniform(n, -0.52, 0.52, rng) * _happens(n, share, rng))


def _plain_colours(n: int, rng: Generator) -> Tensor:
    """(n, 3, 1, 1) fills: a third black, a third white, the others of any colour."""
    kind = torch.randint(0, 3, (n, 1), generator=rng)
    colour = torch.rand(n, 3, generator=rng)
    colour = torch.where(kind == 2, colour, kind.float())
    return colour[:, :, None, None]


def _frame(photos: Photos, chosen: Tensor, size: int, box: Tensor, fill: Tensor) -> Tensor:
    """Samples the boxes; wide ones from the smaller stored level, so that little aliases."""
    grid = F.affine_grid(box[:, :2], [len(chosen), 3, size, size], align_corners=False)
    wide = torch.linalg.det(box).abs().sqrt() > 0.7
    views = torch.empty(len(chosen), 3, size, size)
    for level, rows in zip(photos.levels, (~wide, wide), strict=True):
        source = level[chosen[rows]].float().div_(255) - fill[rows]
        views[rows] = F.grid_sample(source, grid[rows], align_corners=False) + fill[rows]
    return views


# ---- colours


def _recolour(views: Tensor, strength: float, gains: float, grey: float, rng: Generator) -> Tensor:
    """One 3x3 matrix and offset a view, then gamma."""
    n = len(views)
    change = _happens(n, 0.4 if grey else 0.0, rng)
    saturation = torch.where(change, _uniform(n, 0, 1.8, rng), _uniform(n, 0.8, 1.2, rng))
    saturation[_happens(n, grey, rng)] = 0
    hue = _uniform(n, -1.2, 1.2, rng) * (change & _happens(n, 0.5, rng))
    matrix = (
        _saturate(saturation)
        @ _turn_hue(hue)
        @ torch.diag_embed(1 + gains * (2 * torch.rand(n, 3, generator=rng) - 1))
    )
    contrast = _uniform(n, 1 - strength, 1 + strength, rng)
    contrast[_happens(n, 0.1 * grey, rng)] *= -1
    bright = _uniform(n, -strength / 2, strength / 2, rng)
    moved = torch.einsum("nij,njhw->nihw", matrix, views - 0.5)
    moved = moved * contrast[:, None, None, None] + (0.5 + bright)[:, None, None, None]
    gamma = torch.exp(_uniform(n, -strength, strength, rng))
    return moved.clamp_(1e-3, 1) ** gamma[:, None, None, None]


def _saturate(amount: Tensor) -> Tensor:
    grey = torch.tensor(LUMA).repeat(3, 1)
    return amount[:, None, None] * torch.eye(3) + (1 - amount)[:, None, None] * grey


def _turn_hue(angle: Tensor) -> Tensor:
    """Rotation of colour about the grey axis (Rodrigues' formula)."""
    k = 1 / math.sqrt(3)
    cross = torch.tensor([[0.0, -k, k], [k, 0.0, -k], [-k, k, 0.0]])
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return cos * torch.eye(3) + sin * cross + (1 - cos) / 3


# ---- overlays


def _place(under: Tensor, over: Tensor, box: Tensor) -> Tensor:
    """`over` drawn into `box` of `under`; the box is a matrix from output to `over`'s frame."""
    grid = F.affine_grid(box[:, :2], list(under.shape), align_corners=False)
    inside = (grid.abs().amax(3) <= 1)[:, None]
    drawn = F.grid_sample(over, grid, padding_mode="border", align_corners=False)
    return torch.where(inside, drawn, under)


def _somewhere(n: int, low: float, high: float, rng: Generator) -> Tensor:
    """Matrices to the frame of a box that takes low..high of each side, at any place."""
    half = _uniform(n, low, high, rng)[:, None] * torch.exp(
        0.2 * (2 * torch.rand(n, 2, generator=rng) - 1)
    )
    half = half.clamp(max=1)
    shift = (1 - half) * (2 * torch.rand(n, 2, generator=rng) - 1)
    return _box(1 / half, -shift / half)


def _mix(views: Tensor, rng: Generator) -> tuple[Tensor, Mixed]:
    """Some views with the batch's next one in them, at most once each."""
    n, made = len(views), views.clone()
    mixed = Mixed(torch.arange(n).roll(1), torch.zeros(n))
    drawn, low = torch.rand(n, generator=rng), 0.0
    for chance, mix in _MIXES:
        rows = ((drawn >= low) & (drawn < low + chance)).nonzero()[:, 0]
        if len(rows):
            made[rows], mixed.share[rows] = mix(views[rows], views[mixed.other[rows]], rng)
        low += chance
    return made, mixed


def _patch_on_top(views: Tensor, others: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
    place = _somewhere(len(views), 0.2, 0.6, rng)
    return _place(views, others, place), _area(place)


def _pasted(views: Tensor, others: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
    place = _somewhere(len(views), 0.35, 0.9, rng)
    return _place(others, views, place), 1 - _area(place)


def _blended(views: Tensor, others: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
    share = _uniform(len(views), 0.15, 0.4, rng)
    return torch.lerp(views, others, share[:, None, None, None]), share


def _area(place: Tensor) -> Tensor:
    return 1 / (place[:, 0, 0] * place[:, 1, 1])


def _pasted_on_plain(views: Tensor, rng: Generator) -> Tensor:
    plain = _plain_colours(len(views), rng).expand_as(views)
    return _place(plain, views, _somewhere(len(views), 0.35, 0.9, rng))


def _bars(views: Tensor, rng: Generator) -> Tensor:
    n = len(views)
    for _ in range(2):
        size = torch.rand(n, 2, generator=rng) ** 2 * 0.5 + 0.03
        shift = 2 * torch.rand(n, 2, generator=rng) - 1
        plain = _plain_colours(n, rng).expand_as(views)
        views = _place(views, plain, _box(1 / size, -shift / size))
    return views


def _text(views: Tensor, rng: Generator) -> Tensor:
    """A strip of one to three rows of random marks, half of the time on a plain ground."""
    n, rows = len(views), int(torch.randint(1, 4, (1,), generator=rng))
    marks = torch.rand(n, 1, 5 * rows, 16 * rows, generator=rng) < 0.5
    marks[:, :, 4::5] = False
    strip = F.interpolate(marks.float(), (32, 96))
    half = torch.stack([_uniform(n, 0.3, 1, rng), _uniform(n, 0.06, 0.2, rng)], 1)
    shift = (1 - half) * (2 * torch.rand(n, 2, generator=rng) - 1)
    box = _box(1 / half, -shift / half)
    ink = _place(torch.zeros_like(views[:, :1]), strip, box)
    ground = _place(torch.zeros_like(views[:, :1]), torch.ones_like(strip), box)
    ground = ground * _happens(n, 0.5, rng)[:, None, None, None]
    views = torch.lerp(views, _plain_colours(n, rng).expand_as(views), ground)
    return torch.lerp(views, _plain_colours(n, rng).expand_as(views), ink)


# ---- loss of quality


def _resampled(views: Tensor, rng: Generator) -> Tensor:
    size, times = views.shape[-1], float(_uniform(1, 2, 6, rng))
    small = F.interpolate(views, (round(size / times),) * 2, mode="bilinear", antialias=True)
    mode = "nearest" if _happens(1, 0.15, rng) else "bilinear"
    return F.interpolate(small, (size, size), mode=mode)


def _quantised(views: Tensor, rng: Generator) -> Tensor:
    """8x8 cosine transform with coefficients rounded, coarser for higher frequencies."""
    n, c, h, w = views.shape
    k = torch.arange(8.0)
    basis = torch.cos(math.pi * (k[None, :] + 0.5) * k[:, None] / 8) / 2
    basis[0] /= math.sqrt(2)
    coarse = _uniform(n, 0.01, 0.06, rng).view(n, 1, 1, 1, 1, 1)
    step = (2 + k[:, None] + k[None, :]) * coarse
    blocks = views.view(n, c, h // 8, 8, w // 8, 8).transpose(3, 4)
    rounded = (basis @ blocks @ basis.T / step).round() * step
    return (basis.T @ rounded @ basis).transpose(3, 4).reshape(n, c, h, w)


def _blurred(views: Tensor, rng: Generator) -> Tensor:
    for _ in range(int(torch.randint(1, 5, (1,), generator=rng))):
        views = F.avg_pool2d(F.pad(views, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return views


def _noisy(views: Tensor, rng: Generator) -> Tensor:
    sigma = _uniform(len(views), 0.02, 0.12, rng)[:, None, None, None]
    return views + sigma * torch.randn(views.shape, generator=rng)


def _posterised(views: Tensor, rng: Generator) -> Tensor:
    levels = torch.randint(3, 7, (len(views), 1, 1, 1), generator=rng)
    return (views * levels).round() / levels


_MIXES = (
    (0.12, _patch_on_top),
    (0.09, _pasted),
    (0.05, _blended),
)
_OVERLAYS = (
    (0.06, _pasted_on_plain),
    (0.10, _bars),
    (0.20, _text),
)
_LOSSES = (
    (0.25, _resampled),
    (0.20, _quantised),
    (0.10, _blurred),
    (0.15, _noisy),
    (0.03, _posterised),
)
