"""Whether two aligned pictures that agree at a glance show the same in detail.

Forms, screens, logos and captioned drawings look alike: what they share agrees perfectly, and what
each has of its own (words, figures, letters) is sharp in both and different. A copy keeps its
detail, or loses it; it has no other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from ris_jobs.match.filling import filling
from ris_jobs.match.pixels import KEPT, Evidence

__all__ = ["detailed"]

Rgb = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.bool_]

_BLOCK = 8
_BLOCKS = KEPT // _BLOCK
# Spread of luma within a block, grey values: nothing to see below the first, and above the second
# more than any coding leaves; less is enough in a pale picture, whose range is below the third.
_PLAIN, _STRONG, _PALE = 1.5, 20.0, 128.0
_AGREES = 0.7
# A pixel of play either way: alignments are not better than that.
_SHIFTS = [(y, x) for y in range(3) for x in range(3)]


def detailed(pixels: Evidence, one: Rgb, two: Rgb, shared: Mask | None = None) -> Evidence:
    """The evidence with ``plain``, ``other``, ``apart`` and ``drawn``, from two aligned pictures,
    uint8 (h, w, 3) of any sizes; only where both are ``shared`` (KEPT, KEPT), if given."""
    a, b = _luma(one), _luma(two)
    if pixels.negative:
        b = 255 - b
    spread = np.asarray([_spread(plane) for plane in (a, b)], np.float64)
    seen = _seen(shared)
    plain = (spread[:, seen] < _PLAIN).mean(axis=1).min() if seen.any() else 0.0
    strong = (spread > np.array([_enough(plane) for plane in (a, b)])[:, None, None]) & seen
    both = np.asarray(strong.all(axis=0))
    differ = (_score(a, b, both) < _AGREES).sum()
    other = float(differ / max(1, strong.any(axis=0).sum()))
    apart, drawn = filling(a, b, spread, seen, blurred=pixels.blurred)
    return replace(pixels, plain=float(plain), other=other, apart=apart, drawn=drawn)


def _seen(shared: Mask | None) -> Mask:
    """(blocks, blocks), those that lie within what is shared."""
    if shared is None:
        return np.ones((_BLOCKS, _BLOCKS), np.bool_)
    return np.asarray(_means(shared.astype(np.float32)) == 1)


def _luma(picture: Rgb) -> Rgb:
    shrinks = max(picture.shape[:2]) > KEPT
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    square = cv2.resize(picture, (KEPT, KEPT), interpolation=method)
    return np.asarray(cv2.cvtColor(square, cv2.COLOR_RGB2GRAY), np.uint8)


def _enough(plane: Rgb) -> float:
    """The spread of a block full of detail, by the picture's own range."""
    below = np.cumsum(cv2.calcHist([plane], [0], None, [256], [0, 256]))
    low, high = np.searchsorted(below, (0.01 * plane.size, 0.99 * plane.size))
    return _STRONG * min(1.0, max(float(high - low), _PALE / 4) / _PALE)


def _means(plane: Plane) -> Plane:
    """(KEPT, KEPT) → the mean of each block (blocks, blocks); exact for whole numbers whose sums
    stay below 2²⁴, such as squares of grey values."""
    small = cv2.resize(plane, (_BLOCKS, _BLOCKS), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float64)


def _spread(plane: Rgb) -> Plane:
    """The standard deviation of each block (blocks, blocks)."""
    values = plane.astype(np.float32)
    return np.sqrt(_means(values * values) - _means(values) ** 2)


def _score(a: Rgb, b: Rgb, chosen: Mask) -> Plane:
    """The normalised cross-correlation of the chosen blocks, (k,), at the best shift."""
    one = a.reshape(_BLOCKS, _BLOCK, _BLOCKS, _BLOCK).swapaxes(1, 2)[chosen].astype(np.float64)
    one -= one.mean(axis=(1, 2), keepdims=True)
    around = sliding_window_view(np.pad(b, 1, mode="wrap"), (_BLOCK + 2, _BLOCK + 2))
    around = around[::_BLOCK, ::_BLOCK][chosen].astype(np.float64)
    flat = around.reshape(-1, len(_WITHIN))
    power = np.square(flat) @ _WITHIN - np.square(flat @ _WITHIN)
    moved = [around[:, y : y + _BLOCK, x : x + _BLOCK] for y, x in _SHIFTS]
    shared = np.stack([np.einsum("kij,kij->k", one, two) for two in moved], axis=1) / _BLOCK**2
    own = np.maximum(one.std(axis=(1, 2)), 1)
    return np.asarray((shared / np.sqrt(np.maximum(power, 1))).max(axis=1) / own)


def _within() -> Plane:
    """(pixels of a block and around it, shifts): what sums them to the mean of a shifted block."""
    within = np.zeros((_BLOCK + 2, _BLOCK + 2, len(_SHIFTS)))
    for n, (y, x) in enumerate(_SHIFTS):
        within[y : y + _BLOCK, x : x + _BLOCK, n] = 1 / _BLOCK**2
    return within.reshape(-1, len(_SHIFTS))


_WITHIN = _within()
