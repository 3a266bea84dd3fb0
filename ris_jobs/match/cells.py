"""The 16 × 16 cells in which two pictures are compared, as text: a mask of 64 hex digits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["GRID", "packed", "rimmed", "unpacked"]

GRID = 16
"""Cells along a side."""

# The shares of three of the four outermost lines, and of what is two cells within, that say so. Of
# 403 copies of validation photos called cut out of other copies 13 were not: 10 of these are told
# by it, and one of the 390.
_RIM, _WITHIN, _DEEP = 0.7, 0.3, 2

Mask = npt.NDArray[np.bool_]


def packed(cells: Mask) -> str:
    """Row by row from the top, each from the left: four digits a row, its leftmost cell in the
    highest bit. ``cells`` has 256 values, of any shape."""
    return np.packbits(cells).tobytes().hex()


def unpacked(text: str) -> Mask:
    """The cells (16, 16) of such a text."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))
    return bits.reshape(GRID, GRID).astype(np.bool_)


def rimmed(cells: Mask) -> bool:
    """Whether what differs (16, 16) is the rim, on three sides at least, and not what it is around:
    one of the two pictures has ground of its own there."""
    sides = sorted(line.mean() for line in (cells[0], cells[-1], cells[:, 0], cells[:, -1]))
    within = cells[_DEEP:-_DEEP, _DEEP:-_DEEP].mean()
    return bool(sides[1] > _RIM and within < _WITHIN)
