"""Was a JPEG made of another JPEG? Its coefficients were rounded twice.

Rounded to multiples of one step and then of another, coefficients pile up in some levels and leave
others empty (Lukáš and Fridrich, "Estimation of primary quantization matrix in double compressed
JPEG images", 2003). The levels of each frequency are held against what an earlier rounding with the
steps of each libjpeg quality would leave of a Laplacian, and against no earlier rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ris_jobs.fingerprint.tables import TABLES

__all__ = ["QUALITIES", "requantised"]

QUALITIES = range(40, 96)
"""Earlier qualities that are looked for."""

# The first frequencies in zigzag order, without brightness; levels beyond the last are rare.
_FREQUENCIES = [1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5]
_LEVELS = 16
# Steps much finer than the present ones leave nothing to see.
_FINER = 6
# Deviation (grey values) that decoding to whole grey values leaves on a coefficient; the share of
# coefficients that may have another history, such as those under a caption.
_NOISE, _OTHERS = 0.6, 0.15

Floats = npt.NDArray[np.float64]
Steps = tuple[int, ...]


def requantised(coefficients: npt.NDArray[np.float32], table: Sequence[int]) -> tuple[float, ...]:
    """For each of :data:`QUALITIES`, the evidence (nats a coefficient) that a JPEG was stored in
    it before: above 0 for, below against.

    ``coefficients`` are those of its blocks, float32 (n, 64), ``table`` its luminance steps (64).
    Nothing is seen of qualities next to its own; on copies of calibration photos nothing but an
    earlier JPEG gives more than 0.08.
    """
    own = tuple(max(1, table[frequency]) for frequency in _FREQUENCIES)  # decoders allow 0
    counts = _counts(np.abs(coefficients[:, _FREQUENCIES]) / own)
    total = counts.sum(axis=1)
    if not total.any():
        return (0.0,) * len(QUALITIES)
    level = np.arange(_LEVELS)
    mean = counts @ level / np.maximum(total, 1)
    decay = np.clip(mean / (1 + mean), 0.02, 0.98)[:, None]
    once = (1 - decay) * decay**level
    twice = _rounded_twice(own, -np.log(decay) / np.array(own)[:, None])
    ratio = np.log((1 - _OTHERS) * twice / once + _OTHERS)
    found = np.einsum("fk,qfk,qf->q", counts, ratio, _coarse(own)) / total.sum()
    return tuple(round(float(x), 4) for x in found)


def _counts(levels: npt.NDArray[np.float64]) -> Floats:
    """How often each level from 1 on occurs at each frequency: (15, 16)."""
    kept = np.minimum(np.rint(levels), _LEVELS + 1).astype(np.intp)
    places = kept + np.arange(kept.shape[1]) * (_LEVELS + 2)
    counts = np.bincount(places.ravel(), minlength=kept.shape[1] * (_LEVELS + 2))
    return counts.reshape(kept.shape[1], -1)[:, 1:-1].astype(np.float64)


def _rounded_twice(own: Steps, rate: Floats) -> Floats:
    """The share of each level after both roundings of a Laplacian with ``rate`` (15, 1):
    (qualities, 15, 16)."""
    step, multiple, place, share = _mapping(own)
    mass = np.exp(-rate * step * (multiple - 0.5)) * -np.expm1(-rate * step)
    size = place[-1, -1, -1] // (_LEVELS + 2) + 1
    flat = place.ravel()
    found = np.bincount(flat, (mass * (1 - share)).ravel(), size * (_LEVELS + 2) + 1)
    found += np.bincount(flat + 1, (mass * share).ravel(), size * (_LEVELS + 2) + 1)
    levels = found[:-1].reshape(len(QUALITIES), -1, _LEVELS + 2)[:, :, 1:-1]
    whole: Floats = levels / np.maximum(levels.sum(axis=2, keepdims=True), 1e-12)
    return whole


@lru_cache(maxsize=32)
def _mapping(own: Steps) -> tuple[Floats, Floats, npt.NDArray[np.intp], Floats]:
    """Where multiples of each quality's steps land among levels of the file's: steps
    (qualities, 15, 1), multiples (m,), the place of the level below and the share that is rounded
    up, both (qualities, 15, m)."""
    steps = np.array(own, np.float64)[:, None]
    step = np.maximum(TABLES[np.array(QUALITIES) - 1][:, _FREQUENCIES, None], 1).astype(np.float64)
    step = np.maximum(step, steps / _FINER)
    multiple = np.arange(1, _LEVELS * _FINER + 1, dtype=np.float64)
    at = multiple * step / steps
    below = np.minimum(np.floor(at), _LEVELS)
    share = np.where(at < _LEVELS + 1, _normal((at - below - 0.5) * steps / _NOISE), 1)
    rows = np.arange(step.shape[0] * step.shape[1]).reshape(*step.shape[:2], 1)
    return step, multiple, (below + rows * (_LEVELS + 2)).astype(np.intp), share


def _normal(deviations: Floats) -> Floats:
    """The normal distribution to 0.01, by the logistic one: SciPy is too large for the child
    processes that decode."""
    share: Floats = 1 / (1 + np.exp(-1.702 * np.clip(deviations, -40, 40)))
    return share


def _coarse(own: Steps) -> Floats:
    """Which frequencies (qualities, 15) have a step that shows, before or now: 1 or 0."""
    earlier = TABLES[np.array(QUALITIES) - 1][:, _FREQUENCIES]
    shows: Floats = (np.maximum(earlier, own) > 2).astype(np.float64)
    return shows
