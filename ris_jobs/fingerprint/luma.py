"""The grey picture that hashes and measures are taken from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from ris_jobs.fingerprint import Rgb

__all__ = ["luma", "reduced"]


def luma(rgb: Rgb) -> npt.NDArray[np.uint8]:
    """ITU-R BT.601 luma of uint8 (height, width, 3), as Pillow's mode L: uint8 (height, width)."""
    return np.asarray(Image.fromarray(rgb).convert("L"))


def reduced(pixels: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """A cheap smaller copy: whole-number box averages, the shorter side at least ``side``.

    The same array if it is not twice that large. Accepts uint8 (h, w) and (h, w, 3).
    """
    factor = min(pixels.shape[:2]) // side
    return np.asarray(Image.fromarray(pixels).reduce(factor)) if factor > 1 else pixels
