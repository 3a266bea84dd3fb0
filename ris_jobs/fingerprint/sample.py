"""A few small patches of a picture as its file holds them, enough to tell later, when the file may
be gone, whether one picture was encoded from the pixels of another (:mod:`ris_jobs.match.remade`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["SIDE", "Patches", "pack", "places", "unpack"]

SIDE = 16
"""Pixels of a side of a patch: two blocks of JPEG, so that one is whole in a mirrored patch, too."""

_BLOCK, _ACROSS, _STEPS = 8, 4, 64

Patches = npt.NDArray[np.uint8]


def pack(image: Image.Image, table: Sequence[int] | None) -> bytes:
    """The steps of ``table`` (64 luminance steps of a JPEG, None for others), then the luma of the
    patches of an ``image`` that nobody has turned, row by row; nothing where there are none: it is
    too small, or neither grey nor RGB."""
    if image.mode not in ("L", "RGB") or min(image.size) < SIDE:
        return b""
    fits = table is not None and len(table) == _STEPS and max(table) < 256
    steps = bytes(table) if table is not None and fits else bytes(_STEPS)
    boxes = [(x, y, x + SIDE, y + SIDE) for x, y in places(*image.size)]
    return steps + b"".join(image.crop(box).convert("L").tobytes() for box in boxes)


def unpack(sample: bytes) -> tuple[tuple[int, ...] | None, Patches]:
    """The steps, None for what is no JPEG, and the patches (n, 16, 16)."""
    steps = tuple(sample[:_STEPS]) if any(sample[:_STEPS]) else None
    return steps, np.frombuffer(sample[_STEPS:], np.uint8).reshape(-1, SIDE, SIDE)


def places(width: int, height: int) -> list[tuple[int, int]]:
    """Left and upper edges of the patches, on the grid of JPEG blocks: at most four by four."""
    return [(x, y) for y in _along(height) for x in _along(width)]


def _along(side: int) -> list[int]:
    count = min(_ACROSS, side // SIDE)
    middles = ((2 * n + 1) * side // (2 * count) for n in range(count))
    return [(middle - SIDE // 2) // _BLOCK * _BLOCK for middle in middles]
