"""The 16 × 16 cells in which two pictures are compared, as text: a mask of 64 hex digits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["GRID", "packed", "unpacked"]

GRID = 16
"""Cells along a side."""

Mask = npt.NDArray[np.bool_]


def packed(cells: Mask) -> str:
    """Row by row from the top, each from the left: four digits a row, its leftmost cell in the
    highest bit. ``cells`` has 256 values, of any shape."""
    return np.packbits(cells).tobytes().hex()


def unpacked(text: str) -> Mask:
    """The cells (16, 16) of such a text."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))
    return bits.reshape(GRID, GRID).astype(np.bool_)
