"""Where one picture lies inside another: crops, borders, letterboxes and added caption bands.

Multi-scale template search by normalised cross-correlation (J. P. Lewis, "Fast Normalized
Cross-Correlation", 1995) on small luma planes, upright and without stretching. It proposes a
box; whether the box shows the same picture is told by :func:`ris_jobs.match.pixels.compare`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ris_jobs.match.pixels import KEPT, View

__all__ = ["Box", "Found", "Surround", "around", "cut", "even", "find_inside", "surround"]

Box = tuple[float, float, float, float]
Plane = npt.NDArray[np.float32]

_COARSE = 48
_STEP = 1.06
# Long side of the planes, and how far around the share found before; six shares each.
_REFINEMENTS = ((128, 1.06), (KEPT, 1.015))
# How far from the place found before, in pixels of the larger planes.
_PLAY = 6
_PERFECT = 0.999
_SMALLEST = 0.3
# Below this the best place is no better than chance and is not refined.
_WORTH_REFINING = 0.7
_PLAIN = 16
_GAP = 2
# Fractions of a side that a box found to a pixel may be off.
_EVEN = 0.015
# What coding and a box found to a pixel leave between two lines, grey values.
_CODING = 8.0
# Around a seam: how many pixels a box may be off, and how far what changes is looked at.
_OFF, _NEAR = 2, 6


@dataclass(frozen=True, slots=True)
class Found:
    """``box`` (x0, y0, x1, y1) in fractions of the outer picture; ``score`` −1…1."""

    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class Surround:
    """What lies around a box. ``plain`` 0–1 is the share of it in one colour; ``rim`` the
    standard deviation (grey values) along the lines just outside the box; ``step`` the root
    mean square difference between them and the lines just inside; ``seam`` that difference over
    what both vary: about 1 or more where they have nothing to do with each other, less where the
    scene goes on, 0 where nothing is around. ``jump`` is that difference over what the picture
    changes by over the same distance inside and outside: about 1 where the scene goes on.
    ``least`` is the seam of the side that has the least, None in rows of earlier versions.
    ``sharp`` 0–1 is the share of a seam on which nothing near it changes as much as the picture
    does there; None where more sides than one have room beyond them, or none."""

    plain: float
    rim: float
    step: float
    seam: float
    jump: float
    least: float | None = None
    sharp: float | None = None


def find_inside(inner: View, outer: View) -> Found | None:
    """The best place of ``inner`` as a whole inside ``outer``, its longer fitting side between
    0.3 and 1 of the outer's; None where nothing stands out."""
    place = _best(inner, outer, _COARSE, _shares(_SMALLEST, 1.0, _STEP))
    if place is None or place[1].score < _WORTH_REFINING:
        return None
    for side, reach in _REFINEMENTS:
        share = place[0]
        near = _shares(max(_SMALLEST, share / reach), min(1.0, share * reach), reach ** (1 / 3))
        place = _best(inner, outer, side, near, place[1].box) or place
    return place[1]


def cut(picture: npt.NDArray[np.uint8], box: Box) -> npt.NDArray[np.uint8]:
    """The part of ``picture`` inside ``box``, at least one pixel."""
    height, width = picture.shape[:2]
    x0, x1 = _span(box[0], box[2], width)
    y0, y1 = _span(box[1], box[3], height)
    return picture[y0:y1, x0:x1]


def surround(picture: npt.NDArray[np.uint8], box: Box) -> Surround:
    """What is around ``box`` in ``picture``: a border is plain along the box and sets in with a
    step; what a crop left out is neither."""
    height, width = picture.shape[:2]
    (x0, x1), (y0, y1) = _span(box[0], box[2], width), _span(box[1], box[3], height)
    beyond = np.ones((height, width), np.uint8)
    beyond[max(0, y0 - _GAP) : y1 + _GAP, max(0, x0 - _GAP) : x1 + _GAP] = 0
    if not beyond.any():
        return Surround(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    sides = list(_sides(picture, x0, y0, x1, y1))
    lines = [_beside(*side) for side in sides]
    rim, step, seam = _seam(lines)
    deeper, further = (_root_mean([np.square(x[i] - x[i + 1]) for x in lines]) for i in (0, 2))
    usual = math.hypot(deeper, further) / math.sqrt(2)
    jump = math.hypot(step, _CODING) / math.hypot(usual, _CODING)
    least = min((_seam([side])[2] for side in lines), default=0.0)
    sharp = _sharpness(*sides[0]) if len(sides) == 1 else None
    return Surround(_plainness(picture, beyond), rim, step, seam, jump, least, sharp)


def _seam(lines: list[list[Plane]]) -> tuple[float, float, float]:
    """What varies along the lines next to some sides, outside, and steps across them, grey values;
    and that step over what varies on both sides of it."""
    core, rim = (_root_mean([np.square(x[i] - x[i].mean()) for x in lines]) for i in (1, 2))
    step = _root_mean([np.square(x[1] - x[2]) for x in lines])
    return rim, step, step / math.hypot(rim, core, _CODING)


def even(box: Box) -> bool:
    """Whether a border, a letterbox or a band on one side lies like what is around the box: as
    much left of it as right, or only beside it. Of 241 pictures that were given one 239 lie so, of
    22 crops of plain ground 5."""
    left, top, right, bottom = box[0], box[1], 1 - box[2], 1 - box[3]
    beside = max(top, bottom) <= _EVEN and min(left, right) <= _EVEN
    return beside or abs(left - right) <= _EVEN


def around(picture: npt.NDArray[np.uint8], polygon: npt.NDArray[np.float64]) -> float:
    """How plain ``picture`` (h, w, 3) is around a convex polygon (k, 2), in fractions: the share,
    0–1, that is of one colour; 1 where nothing is around it."""
    height, width = picture.shape[:2]
    inner = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(inner, np.round(polygon * (width, height)).astype(np.int32), 1)
    grown = cv2.dilate(inner, np.ones((2 * _GAP + 1, 2 * _GAP + 1), np.uint8))
    beyond = np.asarray(grown == 0, np.uint8)
    return _plainness(picture, beyond) if beyond.any() else 1.0


def _plainness(picture: npt.NDArray[np.uint8], beyond: npt.NDArray[np.uint8]) -> float:
    """The share of the pixels ``beyond`` (h, w), 1 there and 0 elsewhere, that have their
    commonest colour, nearly."""
    colour = [_median(cv2.calcHist([picture], [c], beyond, [256], [0, 256])) for c in range(3)]
    # As bounds of whole numbers; `inRange` would round them.
    low = np.ceil(np.array(colour) - _PLAIN).clip(0)
    high = np.floor(np.array(colour) + _PLAIN).clip(max=255)
    near = cv2.bitwise_and(cv2.inRange(picture, low, high), beyond)
    return cv2.countNonZero(near) / cv2.countNonZero(beyond)


def _median(counts: npt.NDArray[Any]) -> float:
    """Of the values 0–255 that occur so often."""
    below, half = np.cumsum(counts), counts.sum() / 2
    # Half of them are no more than the first, and half no less than the second.
    first, second = np.searchsorted(below, half), np.searchsorted(below, half, side="right")
    return float(first + second) / 2


def _sides(
    picture: npt.NDArray[np.uint8], x0: int, y0: int, x1: int, y1: int
) -> Iterator[tuple[npt.NDArray[np.uint8], int]]:
    """Each side that has room beyond it: the lines from there on into the box, and the first of
    them that is within."""
    height, width = picture.shape[:2]
    across = picture.swapaxes(0, 1)
    sides = [
        (picture[:, x0:x1], y0),
        (picture[::-1, x0:x1], height - y1),
        (across[:, y0:y1], x0),
        (across[::-1, y0:y1], width - x1),
    ]
    yield from (side for side in sides if side[1] > _GAP)


def _beside(lines: npt.NDArray[np.uint8], edge: int) -> list[Plane]:
    """The grey values of four lines of a side as far from each other, from inside out: two inside,
    two outside, those in the middle next to the side. A box is found to about a pixel, so both keep
    their distance; where the picture ends, its last line stands for what is missing."""
    near, far = _GAP, _GAP + 1
    places = (edge + 2 * near + far, edge + near, edge - far, edge - 2 * far - near)
    return [_grey(lines[min(max(place, 0), len(lines) - 1)]) for place in places]


def _sharpness(lines: npt.NDArray[np.uint8], edge: int) -> float:
    """As in :class:`Surround`, of one side."""
    first = max(0, edge - _NEAR - _OFF)
    changes = np.abs(np.diff(_grey(lines[first : edge + _NEAR + _OFF + 1]), axis=0))
    # Between the last line outside and the first inside.
    seam = edge - 1 - first
    low = max(0, seam - _OFF)
    seam = low + int(changes[low : seam + _OFF + 1].mean(axis=1).argmax())
    near = changes[max(0, seam - _NEAR) : seam + _NEAR + 1]
    away = near.argmax(axis=0) - min(seam, _NEAR)
    return float((np.abs(away) <= 1).mean())


def _grey(line: npt.NDArray[np.uint8]) -> Plane:
    return np.asarray(line.astype(np.float32).mean(axis=-1), np.float32)


def _root_mean(parts: list[Plane]) -> float:
    return float(np.sqrt(np.concatenate(parts).mean())) if parts else 0.0


def _span(low: float, high: float, size: int) -> tuple[int, int]:
    start = min(round(low * size), size - 1)
    return start, max(start + 1, round(high * size))


def _shares(low: float, high: float, step: float) -> list[float]:
    count = max(1, round(np.log(high / low) / np.log(step)))
    return [float(low * (high / low) ** (i / count)) for i in range(count + 1)]


def _sized(plane: npt.NDArray[np.uint8], width: float, height: float) -> npt.NDArray[np.uint8]:
    size = max(1, round(width)), max(1, round(height))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _window(middle: float, size: int, length: int) -> tuple[int, int]:
    """From where to where a piece of ``size`` may lie along a side of ``length`` pixels, its
    middle within :data:`_PLAY` of the given one."""
    start = round(middle - size / 2)
    low = min(max(0, start - _PLAY), length - size)
    return low, max(low + size, min(length, start + size + _PLAY))


def _best(
    inner: View, outer: View, side: int, shares: list[float], near: Box | None = None
) -> tuple[float, Found] | None:
    """The share of the outer plane that the inner one fills best, and where; only around the
    middle of a box ``near``, if given."""
    small, plane = inner.luma(side), outer.luma(side)
    height, width = plane.shape
    fit = min(width / small.shape[1], height / small.shape[0])
    best: tuple[float, float, Found] | None = None
    for share in shares:
        template = _sized(small, small.shape[1] * fit * share, small.shape[0] * fit * share)
        rows, columns = template.shape
        if min(rows, columns) < 8 or rows > height or columns > width:
            continue
        top = left = 0
        part = plane
        if near is not None:
            top, bottom = _window((near[1] + near[3]) / 2 * height, rows, height)
            left, right = _window((near[0] + near[2]) / 2 * width, columns, width)
            part = plane[top:bottom, left:right]
        scores = cv2.matchTemplate(part, template, cv2.TM_CCOEFF_NORMED)
        _, score, _, place = cv2.minMaxLoc(scores)
        x, y = left + place[0], top + place[1]
        # Fisher's z: a high correlation of few pixels is easily had by chance.
        weight = float(np.arctanh(min(score, _PERFECT)) * np.sqrt(template.size))
        if best is None or weight > best[0]:
            box = (x / width, y / height, (x + columns) / width, (y + rows) / height)
            best = weight, share, Found(box, float(score))
    return None if best is None else best[1:]
