"""Whether two aligned pictures that agree at a glance show the same in detail.

Forms, screens, logos and captioned drawings look alike: what they share agrees perfectly, and what
each has of its own (words, figures, letters) is sharp in both and different. A copy keeps its
detail, or loses it; it has no other.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from ris_jobs.match.pixels import KEPT, Evidence

__all__ = ["detailed"]

Rgb = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_BLOCK = 8
# Spread of luma within a block, grey values: nothing to see below the first, and above the second
# more than any coding leaves; less is enough in a pale picture, whose range is below the third.
_PLAIN, _STRONG, _PALE = 1.5, 20.0, 128.0
_AGREES = 0.7
# A pixel of play either way: alignments are not better than that.
_SHIFTS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


def detailed(pixels: Evidence, one: Rgb, two: Rgb, shared: Mask | None = None) -> Evidence:
    """The evidence with ``plain`` and ``other``, from two aligned pictures, uint8 (h, w, 3) of any
    sizes; only where both are ``shared`` (KEPT, KEPT), if given."""
    a, b = _luma(one), _luma(two)
    if pixels.negative:
        b = 255 - b
    spread = np.stack([_spread(_blocks(plane)) for plane in (a, b)])
    seen = _seen(shared)
    plain = (spread[:, seen] < _PLAIN).mean(axis=1).min() if seen.any() else 0.0
    strong = (spread > np.array([[_enough(plane)] for plane in (a, b)])) & seen
    both = np.asarray(strong.all(axis=0))
    differ = (_score(a, b, both) < _AGREES).sum()
    return replace(
        pixels, plain=float(plain), other=float(differ / max(1, strong.any(axis=0).sum()))
    )


def _seen(shared: Mask | None) -> Mask:
    """(blocks,), those that lie within what is shared."""
    whole = np.ones((KEPT, KEPT), np.float32) if shared is None else shared.astype(np.float32)
    return np.asarray(_blocks(whole).min(axis=1) > 0)


def _luma(picture: Rgb) -> Plane:
    shrinks = max(picture.shape[:2]) > KEPT
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    square = cv2.resize(picture, (KEPT, KEPT), interpolation=method)
    return np.asarray(cv2.cvtColor(square, cv2.COLOR_RGB2GRAY), np.float32)


def _enough(plane: Plane) -> float:
    """The spread of a block full of detail, by the picture's own range."""
    low, high = np.percentile(plane, (1, 99))
    return _STRONG * min(1.0, max(float(high - low), _PALE / 4) / _PALE)


def _blocks(plane: Plane) -> Plane:
    """(KEPT, KEPT) → (blocks, 64 values)."""
    n = KEPT // _BLOCK
    return plane.reshape(n, _BLOCK, n, _BLOCK).swapaxes(1, 2).reshape(n * n, -1)


def _spread(blocks: Plane) -> Plane:
    return np.asarray(blocks.std(axis=1), np.float32)


def _score(a: Plane, b: Plane, chosen: Mask) -> Plane:
    """The normalised cross-correlation of the chosen blocks, (k,), at the best shift."""
    one = _normalised(_blocks(a)[chosen])
    moved = (_normalised(_blocks(np.roll(b, shift, (0, 1)))[chosen]) for shift in _SHIFTS)
    return np.asarray(np.max([(one * two).mean(axis=1) for two in moved], axis=0), np.float32)


def _normalised(blocks: Plane) -> Plane:
    centred = blocks - blocks.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(centred.std(axis=1, keepdims=True), 1.0), np.float32)
