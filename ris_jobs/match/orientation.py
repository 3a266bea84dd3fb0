"""The eight ways a picture can lie: EXIF orientation values as the dihedral group of the square.

Value ``v`` here means the transform that a viewer applies for EXIF orientation ``v`` (CIPA
DC-008, tag 0x0112): 1 nothing, 2 mirror left-right, 3 half turn, 4 mirror top-bottom,
5 transpose, 6 quarter turn clockwise, 7 transverse, 8 quarter turn anticlockwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MIRRORED", "ORIENTATIONS", "ROTATED", "inverse", "swaps_sides", "turn"]

ORIENTATIONS = tuple(range(1, 9))
MIRRORED = frozenset({2, 4, 5, 7})
ROTATED = frozenset({3, 6, 8})


def turn(picture: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """A view of ``picture`` (h, w, …) after the transform ``orientation`` (1–8)."""
    if orientation in (5, 6, 7, 8):
        picture = np.swapaxes(picture, 0, 1)
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    return picture


def inverse(orientation: int) -> int:
    """The orientation that undoes this one: quarter turns swap, the others undo themselves."""
    return {6: 8, 8: 6}.get(orientation, orientation)


def swaps_sides(orientation: int) -> bool:
    """True when width becomes height."""
    return orientation >= 5
