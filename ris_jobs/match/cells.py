"""The 16 × 16 cells in which two pictures are compared, as text: a mask of 64 hex digits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["GRID", "packed", "rimmed", "unpacked"]

GRID = 16
"""Cells along a side."""

# The shares of an outermost line, and of what is two cells within, that say so.
_RIM, _WITHIN, _DEEP = 0.9, 0.2, 2

Mask = npt.NDArray[np.bool_]


def packed(cells: Mask) -> str:
    """Row by row from the top, each from the left: four digits a row, its leftmost cell in the
    highest bit. ``cells`` has 256 values, of any shape."""
    return np.packbits(cells).tobytes().hex()


def unpacked(text: str) -> Mask:
    """The cells (16, 16) of such a text."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))
    return bits.reshape(GRID, GRID).astype(np.bool_)


def rimmed(cells: Mask) -> int:
    """On how many sides what differs (16, 16) is the rim, and not what that is around: there one of
    the two pictures has a border, a caption or other ground of its own."""
    if cells[_DEEP:-_DEEP, _DEEP:-_DEEP].mean() >= _WITHIN:
        return 0
    return sum(bool(line.mean() > _RIM) for line in (*cells[[0, -1]], *cells[:, [0, -1]].T))
