"""What of a picture shows where it was cut to fill its cell of a collage.

Laid on the collage, its outline reaches into what is around the cell. There the two do not agree,
within the cell they do; and at the cell's edge the collage steps to something else where the
picture goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ris_jobs.match.geometry import Overlap, Points, Registration, project, squares
from ris_jobs.match.pixels import KEPT

__all__ = ["Cell", "cell"]

Rgb = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]
Bounds = tuple[int, int, int, int]

_SIDE, _WINDOW, _GRID = 128, 8, 32
# Of a window's luma: less spread (grey values) tells nothing, more correlation is agreement.
_TEXTURE, _AGREES = 4.0, 0.75
# What counts for a window that tells nothing: it is in the cell unless another one speaks against.
_LITTLE = 1e-3
# The shares that agree within the cell and beyond it.
_WITHIN, _BEYOND = 0.7, 0.35
# How far a side of the cell may be from where it was found first, and must be from the outline,
# in pixels of KEPT.
_PLAY, _THINNEST = 12, 6
_NEAR, _FAR = 3, 2
_CODING, _STEPS = 8.0, 1.3


@dataclass(frozen=True, slots=True)
class Cell:
    """``shared`` is what both pictures show of each other; ``cut_first``: the first was cut, and
    the second is the collage."""

    shared: Overlap
    cut_first: bool


def cell(first: Rgb, second: Rgb, registration: Registration, shared: Overlap) -> Cell | None:
    """The cell of one picture that the other fills in part, of two upright on each other, uint8
    (h, w, 3); None where what lies on each other agrees, or not so."""
    one, two, both = squares(first, second, registration, shared, KEPT)
    a, b = _luma(one), _luma(two)
    votes = _votes(a, b, both)
    top, bottom, left, right = _fullest(votes)
    rough = tuple(edge * KEPT // _GRID for edge in (top, bottom, left, right))
    bounds = _refined(a, b, rough)
    trimmed = _trimmed(bounds)
    if not any(trimmed) or not _told(votes, bounds):
        return None
    stepped = [_step(plane, bounds, trimmed) for plane in (a, b)]
    if max(stepped) < _STEPS * min(stepped):
        return None
    return Cell(_narrowed(registration, shared, bounds), stepped[0] < stepped[1])


def _luma(picture: Rgb) -> Plane:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _votes(a: Plane, b: Plane, both: npt.NDArray[np.bool_]) -> Plane:
    """(GRID, GRID), of each place -1 (another picture) to 1 (the same)."""
    a, b = (cv2.resize(x, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for x in (a, b))
    mean_a, mean_b = _mean(a), _mean(b)
    power_a, power_b = _mean(a * a) - mean_a**2, _mean(b * b) - mean_b**2
    score = (_mean(a * b) - mean_a * mean_b) / np.sqrt(np.maximum(power_a * power_b, 1.0))
    tells = np.maximum(power_a, power_b) > _TEXTURE**2
    votes = np.where(tells, np.where(score > _AGREES, 1, -1), 0).astype(np.float32)
    small = cv2.resize(votes, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    shown = cv2.resize(both.astype(np.float32), (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    return np.asarray(np.where(shown > 0.5, small, 0), np.float32)


def _mean(plane: Plane) -> Plane:
    return np.asarray(cv2.blur(plane, (_WINDOW, _WINDOW)), np.float32)


def _fullest(votes: Plane) -> Bounds:
    """Top, bottom, left and right of the rectangle with the largest sum."""
    sums = np.pad((votes + _LITTLE).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    tops, bottoms = np.triu_indices(len(sums), 1)
    down = sums[bottoms] - sums[tops]
    # Of each right side the left one before it with the least sum.
    least = np.minimum.accumulate(down, axis=1)
    rows, right = np.unravel_index(int((down - least).argmax()), down.shape)
    left = int(down[rows, : right + 1].argmin())
    return int(tops[rows]), int(bottoms[rows]), left, int(right)


def _refined(a: Plane, b: Plane, rough: Bounds) -> Bounds:
    """The same bounds, each to a pixel."""
    top, bottom, left, right = rough
    across = _lines(a[:, left:right], b[:, left:right])
    down = _lines(a[top:bottom].T, b[top:bottom].T)
    return (
        KEPT - _edge(across[::-1], KEPT - top),
        _edge(across, bottom),
        KEPT - _edge(down[::-1], KEPT - left),
        _edge(down, right),
    )


def _lines(a: Plane, b: Plane) -> Plane:
    """How far each row of both agrees, (rows,)."""
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    power = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.maximum(power, 1.0), np.float32)


def _edge(scores: Plane, rough: int) -> int:
    """Near where scores fall: what is before and after differs least from two steps."""
    if rough >= KEPT:
        return KEPT
    low, high = max(0, rough - 2 * _PLAY), min(KEPT, rough + 2 * _PLAY)
    near = scores[low:high].astype(np.float64)
    places = [p for p in range(max(1, rough - _PLAY - low), min(len(near), rough + _PLAY - low))]
    left = [near[:p].var() * p + near[p:].var() * (len(near) - p) for p in places]
    return low + places[int(np.argmin(left))]


def _trimmed(bounds: Bounds) -> tuple[bool, bool, bool, bool]:
    top, bottom, left, right = bounds
    away = (top, KEPT - bottom, left, KEPT - right)
    return (away[0] >= _THINNEST, away[1] >= _THINNEST, away[2] >= _THINNEST, away[3] >= _THINNEST)


def _told(votes: Plane, bounds: Bounds) -> bool:
    """Whether nearly all agrees within, and next to nothing beyond."""
    top, bottom, left, right = (round(edge * _GRID / KEPT) for edge in bounds)
    inside = np.zeros(votes.shape, np.bool_)
    inside[top:bottom, left:right] = True
    return _share(votes[inside]) >= _WITHIN and _share(votes[~inside]) <= _BEYOND


def _share(votes: Plane) -> float:
    agree, all_ = float(votes.clip(0).sum()), float(np.abs(votes).sum())
    return agree / all_ if all_ else 0.0


def _step(plane: Plane, bounds: Bounds, trimmed: tuple[bool, ...]) -> float:
    """How far the lines inside and outside the trimmed sides differ, grey values."""
    parts = [np.square(one - two) for one, two in _beside(plane, bounds, trimmed)]
    return float(np.hypot(np.sqrt(np.concatenate(parts).mean()), _CODING))


def _beside(
    plane: Plane, bounds: Bounds, trimmed: tuple[bool, ...]
) -> Iterator[tuple[Plane, Plane]]:
    top, bottom, left, right = bounds
    rows, columns = plane[:, left:right], plane[top:bottom].T
    places = ((rows, top, -1), (rows, bottom, 1), (columns, left, -1), (columns, right, 1))
    for (lines, at, out), cut in zip(places, trimmed, strict=True):
        if cut:
            first = at if out < 0 else at - 1
            yield lines[first - out * _NEAR + 0], lines[first + out * _NEAR]


def _narrowed(registration: Registration, shared: Overlap, bounds: Bounds) -> Overlap:
    """The part of what is shared within the bounds of its squares."""
    framed_first = shared.coverage[0] >= shared.coverage[1]
    polygon = shared.first if framed_first else shared.second
    low, size = polygon.min(axis=0), np.ptp(polygon, axis=0)
    top, bottom, left, right = (edge / KEPT for edge in bounds)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    framed = low + corners * size
    forth = registration.matrix if framed_first else np.linalg.inv(registration.matrix)
    other = np.clip(project(np.asarray(forth), framed), 0, 1)
    pair = (framed, other) if framed_first else (other, framed)
    return Overlap(*pair, (_area(pair[0]), _area(pair[1])))


def _area(polygon: Points) -> float:
    return float(cv2.contourArea(polygon.astype(np.float32)))
