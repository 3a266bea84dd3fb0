"""Which parts of a picture get a descriptor of their own, besides the whole.

One vector hardly shows a small part of a picture. Fixed windows (a grid) let a small crop find
the picture it was cut from; boxes proposed along straight borders let a picture find the
screenshot, the collage or the page that it was pasted into.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ris_jobs.fingerprint import Rgb

__all__ = ["WHOLE", "WHOLE_ONLY", "Box", "Regions", "grid", "proposals", "regions"]

Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1) as fractions of the picture."""

Plane = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.int64]

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)

# Long side of the picture that borders are looked for in, pixels.
_SIDE = 256
# A step between neighbours (grey values) that counts fully.
_STEP = 12.0
# A border is the strongest step among this many pixels across; others fade with this power.
_AROUND, _FADE = 9, 4
# Lines a direction that boxes are made of, beside the picture's edges, and how far apart.
_LINES, _APART = 14, 3
# Least side of a box, of the picture's and in pixels, and greatest area.
_SHORTEST, _SHORTEST_PIXELS, _LARGEST = 0.12, 24, 0.9
_WEAKEST = 0.4
# What counts against a box: a line through all of it, from this strength on, and how much.
_THROUGH, _DIVIDED = 0.6, 0.6
# Boxes in plain photos rarely reach this, pasted pictures mostly do.
_LEAST = 1.4
_OVERLAP = 0.7


@dataclass(frozen=True, slots=True)
class Regions:
    """How many parts are described: ``grid`` windows (0 to 5) and at most ``boxes`` proposed
    along borders (0 to 50). Written ``5+10``; ``0+0`` is the whole alone."""

    grid: int = 0
    boxes: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.grid <= 5 and 0 <= self.boxes <= 50):
            raise ValueError(f"0 to 5 windows and 0 to 50 boxes, not {self.grid}+{self.boxes}")

    def __str__(self) -> str:
        return f"{self.grid}+{self.boxes}"

    @classmethod
    def parse(cls, text: str) -> Regions:
        """What :meth:`__str__` wrote."""
        grid, _, boxes = text.partition("+")
        return cls(int(grid), int(boxes))


WHOLE_ONLY = Regions()


def regions(rgb: Rgb, wanted: Regions) -> list[Box]:
    """The whole first, then the grid, then boxes with the best first; ``rgb`` uint8 (h, w, 3)."""
    boxes = proposals(rgb, wanted.boxes) if wanted.boxes else []
    return [WHOLE, *grid(wanted.grid), *boxes]


def grid(count: int) -> list[Box]:
    """The first ``count`` of: four quadrants, the centre; each half as long as the picture."""
    places = ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5), (0.25, 0.25))
    return [(x, y, x + 0.5, y + 0.5) for x, y in places[:count]]


def proposals(rgb: Rgb, count: int) -> list[Box]:
    """At most ``count`` boxes with straight, upright borders on all sides that are not an edge of
    the picture, the most clearly bordered first; often none."""
    scale = min(1.0, _SIDE / max(rgb.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in rgb.shape[:2])
    if min(height, width) < _SHORTEST_PIXELS:
        return []
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    across, down = _borders(small), _borders(small.transpose(1, 0, 2))
    boxes, score = _bordered(across, down, _lines(across), _lines(down))
    kept = _distinct(boxes, score, count)
    return [(x0 / width, y0 / height, x1 / width, y1 / height) for x0, y0, x1, y1 in kept]


def _borders(small: npt.NDArray[Any]) -> Plane:
    """uint8 (h, w, 3) → (h, w + 1), 0–1: how much each place between two columns looks like an
    upright border. A step that reduction left between two columns counts in either."""
    channels = cv2.split(np.ascontiguousarray(small))
    red, green, blue = (cv2.absdiff(c[:, 1:], c[:, :-1]) for c in channels)
    steps = np.pad(cv2.max(cv2.max(red, green), blue), ((0, 0), (1, 1)))
    near = cv2.dilate(steps, np.ones((1, 3), np.uint8)).astype(np.float32)
    around = cv2.dilate(steps, np.ones((1, _AROUND), np.uint8)).astype(np.float32)
    share = (near / np.maximum(around, 1)) ** _FADE
    return np.asarray(share * np.minimum(near / _STEP, 1), np.float32)


def _lines(borders: Plane) -> Pixels:
    """The columns with the strongest straight run, and both edges of the picture, in order."""
    total = np.cumsum(borders - 0.5, axis=0)
    before = np.vstack([np.zeros_like(total[:1]), total[:-1]])
    run = (total - np.minimum.accumulate(before, axis=0)).max(axis=0)
    edges = [0, len(run) - 1]
    chosen = list(edges)
    for column in np.argsort(-run, kind="stable").tolist():
        if len(chosen) == _LINES + len(edges) or run[column] <= 0:
            break
        if min(abs(column - other) for other in chosen) >= _APART:
            chosen.append(column)
    return np.sort(np.array(chosen))


def _bordered(across: Plane, down: Plane, upright: Pixels, level: Pixels) -> tuple[Pixels, Plane]:
    """All boxes between two upright and two level lines, (n, 4) in pixels, and how clearly each
    is bordered: its weakest side plus the mean of its sides (0–2), the picture's edges left
    out, less what a line through it takes away. Only those that reach _LEAST."""
    left, right = np.triu_indices(len(upright), 1)
    top, bottom = np.triu_indices(len(level), 1)
    by_x = _along(across, upright, level[top], level[bottom])
    by_y = _along(down, level, upright[left], upright[right])
    sides = np.stack([by_x[left], by_x[right], by_y[top].T, by_y[bottom].T])
    weakest = np.fmin.reduce(sides)
    good = (weakest >= _WEAKEST) & _sized(
        upright[right] - upright[left], level[bottom] - level[top]
    )
    x, y = np.nonzero(good)
    through = np.maximum(_between(by_x, left, right)[x, y], _between(by_y, top, bottom)[y, x])
    score = weakest[x, y] + np.nanmean(sides[:, x, y], axis=0)
    score -= _DIVIDED * np.maximum(through - _THROUGH, 0) / (1 - _THROUGH)
    boxes = np.stack([upright[left[x]], level[top[y]], upright[right[x]], level[bottom[y]]], 1)
    return boxes[score >= _LEAST], score[score >= _LEAST]


def _sized(wide: Pixels, tall: Pixels) -> npt.NDArray[np.bool_]:
    """(n,) widths and (m,) heights → (n, m): neither too small nor all of the picture."""
    long = [side >= max(_SHORTEST_PIXELS, _SHORTEST * side.max()) for side in (wide, tall)]
    largest = _LARGEST * wide.max() * tall.max()
    return np.asarray(np.outer(*long) & (np.outer(wide, tall) <= largest))


def _along(borders: Plane, lines: Pixels, start: Pixels, end: Pixels) -> Plane:
    """How much of each line is border between each start and end, (lines, spans), 0–1; NaN for
    the picture's edges."""
    total = np.vstack([np.zeros((1, len(lines)), np.float32), borders[:, lines].cumsum(axis=0)])
    share = (total[end] - total[start]) / (end - start)[:, None]
    share[:, [0, -1]] = np.nan
    return np.asarray(share.T, np.float32)


def _between(share: Plane, low: Pixels, high: Pixels) -> Plane:
    """The strongest of the lines strictly between two lines, (pairs, spans); 0 where none is."""
    count = len(share)
    strongest = np.zeros((count, count, share.shape[1]), np.float32)
    for first in range(count - 2):
        strongest[first, first + 2 :] = np.maximum.accumulate(share[first + 1 : -1], axis=0)
    return strongest[low, high]


def _distinct(boxes: Pixels, score: Plane, count: int) -> list[list[int]]:
    """The best boxes, none of which overlaps a better one by more than _OVERLAP (IoU)."""
    kept: list[Pixels] = []
    for box in boxes[np.argsort(-score, kind="stable")]:
        if all(_iou(box, other) <= _OVERLAP for other in kept):
            kept.append(box)
        if len(kept) == count:
            break
    return [box.tolist() for box in kept]


def _iou(a: Pixels, b: Pixels) -> float:
    inner = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    return float(inner / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - inner))
