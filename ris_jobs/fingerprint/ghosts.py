"""Was a picture once stored as a coarser JPEG? Its coefficients remember.

JPEG rounds each frequency of each block of 8 × 8 pixels to multiples of a step. Stored again with
finer steps or another coder, coefficients stay near those multiples (Farid, "Exposing digital
forgeries from JPEG ghosts", 2009; Fan and de Queiroz, "Identification of bitmap compression
history", 2003). Here they are held against the steps of each libjpeg quality, on the grid of the
file and on that of its mirror image.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from ris_jobs.fingerprint.tables import TABLES

__all__ = ["coefficients", "earlier_quality", "transform"]

_BLOCK = 8
# The lower half of the frequencies, without brightness: the others are nearly always 0.
_FREQUENCIES = [8 * v + u for v in range(8) for u in range(8 - v) if u + v]
# Pixels of the middle that are looked at, and grey values beyond which coefficients are rare.
_SIDE, _BINS = 256, 128
# Qualities whose steps can be told from others, and the finest step (grey values) that shows.
_LOWEST, _HIGHEST, _FINEST = 30, 95, 3
# Steps nearer to the file's own say nothing. Of 557 copies of calibration photos that were never a
# JPEG before, none is above the thresholds; steps that are twice a JPEG's own reach 0.24.
_COARSER = 1.3
_ENOUGH, _FOUND, _FOUND_OUTSIDE_JPEG = 100, 0.3, 0.05

Floats = npt.NDArray[np.float32]


def earlier_quality(image: Image.Image, own: Sequence[int] | None) -> int | None:
    """The libjpeg quality (30–95) that the decoded, unturned ``image`` seems to have been stored
    in before; None where nothing shows. ``own`` are its luminance steps as a JPEG (64), None for
    others.

    What was rescaled, or cut to another grid, shows nothing; nor does an earlier quality near to
    or above its own.
    """
    found = max(
        _agreement(_histogram(coefficients(image, left)), own, left) for left in _grids(image)
    )
    least = _FOUND if own else _FOUND_OUTSIDE_JPEG
    return found[1] if found[0] > least else None


def _grids(image: Image.Image) -> set[int]:
    return {0, image.width % _BLOCK}


def _agreement(histograms: Floats, own: Sequence[int] | None, left: int) -> tuple[float, int]:
    """How near coefficients are to multiples of the best quality's steps: about 0 by chance, 1 for
    all; and that quality."""
    near, counted = _kernels()
    counts = counted @ histograms
    score = np.where(counts >= _ENOUGH, near @ histograms / np.maximum(counts, 1), -1)
    if own and left == 0:
        score[np.median(_tables() / np.maximum(own, 1), axis=1) < _COARSER] = -1
    best = int(score.argmax())
    return float(score[best]), _LOWEST + best


def _histogram(coefficients: Floats) -> Floats:
    """How often each absolute coefficient occurs at each frequency: (35 · 128,)."""
    levels = np.minimum(np.rint(np.abs(coefficients[:, _FREQUENCIES])), _BINS).astype(np.intp)
    places = levels + np.arange(levels.shape[1]) * (_BINS + 1)
    counts = np.bincount(places.ravel(), minlength=levels.shape[1] * (_BINS + 1))
    return counts.reshape(levels.shape[1], -1)[:, :_BINS].ravel().astype(np.float32)


def coefficients(image: Image.Image, left: int) -> Floats:
    """DCT coefficients (grey values) of the middle blocks on a grid that begins ``left`` pixels
    from the left: float32 (n, 64), rows of frequencies."""
    high, wide = (min(side, _SIDE) // _BLOCK for side in (image.height, image.width - left))
    x, y = ((side - n * _BLOCK) // 2 // _BLOCK * _BLOCK for side, n in
            ((image.width - left, wide), (image.height, high)))  # fmt: skip
    box = (x + left, y, x + left + wide * _BLOCK, y + high * _BLOCK)
    grey = np.asarray(image.crop(box).convert("L"), np.float32) - 128
    blocks = grey.reshape(high, _BLOCK, wide, _BLOCK).swapaxes(1, 2).reshape(-1, _BLOCK**2)
    return blocks @ transform()


@lru_cache(maxsize=1)
def transform() -> Floats:
    """Rows of pixels of a block to its coefficients: (64, 64)."""
    n = np.arange(_BLOCK)
    one = np.cos(np.pi / _BLOCK * np.outer(n, n + 0.5)) * np.sqrt(2 / _BLOCK)
    one[0] /= np.sqrt(2)
    return np.kron(one, one).T.astype(np.float32)


@lru_cache(maxsize=1)
def _kernels() -> tuple[Floats, Floats]:
    """For each quality: how near each level of each frequency is to a multiple of its step (cosine,
    1 on it, -1 between), and whether it counts; both (66, 35 · 128)."""
    level, step = np.arange(_BINS), _tables()[:, _FREQUENCIES, None]
    counted = (level >= step / 2) & (step >= _FINEST)
    near = np.cos(2 * np.pi * level / step) * counted
    flat = (len(step), -1)
    return near.reshape(flat).astype(np.float32), counted.reshape(flat).astype(np.float32)


def _tables() -> npt.NDArray[np.int64]:
    return TABLES[_LOWEST - 1 : _HIGHEST]
