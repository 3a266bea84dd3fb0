"""Whether two aligned pictures are one drawn thing, filled with different pictures.

Screens of one application and cards of one frame agree in what is drawn around a picture, and show
another picture in it. A copy that something was laid over keeps what a camera saw around that.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["filling"]

Luma = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.bool_]

_SIDE, _GRID = 64, 8
# Spread of luma, grey values, from which a coarse block tells something and a fine one has detail.
_TELLS, _DETAIL = 4.0, 6.0
# Correlations of blocks up to which they show other things, and from which the same.
_OTHER, _SAME = 0.5, 0.75
# Neighbouring pixels that differ by no more, grey values, are still: a camera's grain is not, but
# for what is as dark as the second, where nobody knows. So many pixels must be lighter.
_STILL, _DARK, _ENOUGH = 2, 20, 64
# How many blocks of its side a band along it takes, and how deep it may be: of 26 captions over
# photos that would be fillings 25 are bands, of 445 other pictures in one screen or frame 8.
_ALONG, _DEEP = 6, 3
# Blur of the coarse plane, pixels, where pictures are compared without their detail.
_BLUR = 2.0


def filling(
    one: Luma, two: Luma, spread: Plane, shared: Mask, *, blurred: bool
) -> tuple[float, float]:
    """``apart`` and ``drawn`` as in :class:`ris_jobs.match.pixels.Evidence`, of two aligned luma
    planes (side, side). ``spread`` (2, n, n) is the standard deviation of luma in blocks of both,
    ``shared`` (n, n) says which blocks lie within what both show."""
    within = shared.reshape(_GRID, -1, _GRID, len(shared) // _GRID).all(axis=(1, 3))
    tells, alike = _compared(_coarse(one, blurred), _coarse(two, blurred))
    tells &= within
    apart = _largest(tells & (alike <= _OTHER)) / max(1, int(within.sum()))
    same = np.kron(tells & (alike > _SAME), np.ones((len(shared) // _GRID,) * 2, np.bool_))
    detail = same & (spread > _DETAIL).all(axis=0)
    light = np.minimum(one, two) >= _DARK
    known = _counted(light, len(shared))[detail].sum()
    if known < _ENOUGH:
        return apart, 0.0
    still = np.maximum(*(_counted(_still(plane) & light, len(shared)) for plane in (one, two)))
    return apart, float(still[detail].sum() / known)


def _coarse(plane: Luma, blurred: bool) -> Plane:
    """(blocks, values), each block less its mean."""
    small = cv2.resize(plane, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    if blurred:
        small = np.asarray(cv2.GaussianBlur(small, (0, 0), _BLUR), np.float32)
    n = _SIDE // _GRID
    blocks = small.reshape(_GRID, n, _GRID, n).swapaxes(1, 2).reshape(_GRID**2, -1)
    return np.asarray(blocks - blocks.mean(axis=1, keepdims=True), np.float32)


def _compared(a: Plane, b: Plane) -> tuple[Mask, Plane]:
    """Which blocks tell something in either plane, and how they correlate, (grid, grid)."""
    power = [np.square(blocks).mean(axis=1) for blocks in (a, b)]
    alike = (a * b).mean(axis=1) / np.sqrt(np.maximum(power[0] * power[1], 1.0))
    tells = np.maximum(power[0], power[1]) > _TELLS**2
    return tells.reshape(_GRID, _GRID), np.asarray(alike.reshape(_GRID, _GRID), np.float32)


def _largest(chosen: Mask) -> int:
    """Of how many blocks that touch along a side the largest patch is made; bands do not count."""
    count, patches, about, _ = cv2.connectedComponentsWithStats(
        chosen.astype(np.uint8), connectivity=4
    )
    sizes = about[:, cv2.CC_STAT_AREA]
    by_size = sorted(range(1, count), key=lambda n: -sizes[n])
    return next((int(sizes[n]) for n in by_size if not _is_band(patches == n)), 0)


def _is_band(patch: Mask) -> bool:
    """Whether a patch lies along one side of the picture, as captions do."""
    seen_from = (patch, patch[::-1], patch.T, patch.T[::-1])
    return any(rows[0].sum() >= _ALONG and not rows[_DEEP:].any() for rows in seen_from)


def _still(plane: Luma) -> Mask:
    """Where luma stays the same to the right and down."""
    values = plane.astype(np.int16)
    right = np.abs(np.diff(values, axis=1, append=values[:, -1:]))
    down = np.abs(np.diff(values, axis=0, append=values[-1:]))
    return np.asarray(np.maximum(right, down) <= _STILL)


def _counted(chosen: Mask, blocks: int) -> Plane:
    """How many pixels of each block (blocks, blocks) are chosen."""
    means = cv2.resize(chosen.astype(np.float32), (blocks, blocks), interpolation=cv2.INTER_AREA)
    return np.asarray(means * (chosen.size / blocks**2), np.float32)
