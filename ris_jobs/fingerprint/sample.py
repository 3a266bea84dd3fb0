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
"""Pixels of a side of a patch: two blocks of JPEG, so that one is whole in a mirrored one, too."""

_BLOCK, _ACROSS, _STEPS = 8, 4, 64
_LUMA, _CHROMA = SIDE**2, 2 * (SIDE // 2) ** 2

Patches = npt.NDArray[np.uint8]


def pack(image: Image.Image, table: Sequence[int] | None) -> bytes:
    """The steps of ``table`` (64 luminance steps of a JPEG, None for others), then each patch of an
    ``image`` that nobody has turned: its luma, row by row, then Cb and Cr at half its size. Nothing
    where there are none: it is too small, or neither grey nor RGB; nor for steps that bytes do
    not hold, for they would pass for those of no JPEG."""
    if image.mode not in ("L", "RGB") or min(image.size) < SIDE:
        return b""
    if table is not None and not (len(table) == _STEPS and 0 < max(table) < 256):
        return b""
    steps = bytes(_STEPS if table is None else table)
    column = _column(image)
    _, *colours = column.convert("RGB").convert("YCbCr").split()
    planes = [column.convert("L"), *(plane.reduce(2) for plane in colours)]
    count = column.height // SIDE
    packed = np.concatenate([np.asarray(plane).reshape(count, -1) for plane in planes], axis=1)
    return steps + packed.tobytes()


def _column(image: Image.Image) -> Image.Image:
    """All patches below each other: what is done to them costs little for one large picture."""
    at = places(*image.size)
    column = Image.new(image.mode, (SIDE, SIDE * len(at)))
    for n, (x, y) in enumerate(at):
        column.paste(image.crop((x, y, x + SIDE, y + SIDE)), (0, SIDE * n))
    return column


def unpack(sample: bytes) -> tuple[tuple[int, ...] | None, Patches]:
    """The steps, None for what is no JPEG, and the patches: Y, Cb and Cr, (n, 16, 16, 3)."""
    steps = tuple(sample[:_STEPS]) if any(sample[:_STEPS]) else None
    packed = np.frombuffer(sample[_STEPS:], np.uint8).reshape(-1, _LUMA + _CHROMA)
    luma = packed[:, :_LUMA].reshape(-1, SIDE, SIDE, 1)
    halves = packed[:, _LUMA:].reshape(-1, 2, SIDE // 2, SIDE // 2).transpose(0, 2, 3, 1)
    return steps, np.concatenate([luma, halves.repeat(2, axis=1).repeat(2, axis=2)], axis=3)


def places(width: int, height: int) -> list[tuple[int, int]]:
    """Left and upper edges of the patches, on the grid of JPEG blocks: at most four by four."""
    return [(x, y) for y in _along(height) for x in _along(width)]


def _along(side: int) -> list[int]:
    count = min(_ACROSS, side // SIDE)
    middles = ((2 * n + 1) * side // (2 * count) for n in range(count))
    return [(middle - SIDE // 2) // _BLOCK * _BLOCK for middle in middles]
