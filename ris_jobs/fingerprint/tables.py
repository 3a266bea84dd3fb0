"""The quantisation tables of libjpeg."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["TABLES"]

# ITU-T T.81 (1992), Annex K, table K.1: luminance quantisation, rows of the 8 × 8 block.
_LUMINANCE = np.array(
    [
        16, 11, 10, 16, 24, 40, 51, 61,
        12, 12, 14, 19, 26, 58, 60, 55,
        14, 13, 16, 24, 40, 57, 69, 56,
        14, 17, 22, 29, 51, 87, 80, 62,
        18, 22, 37, 56, 68, 109, 103, 77,
        24, 35, 55, 64, 81, 104, 113, 92,
        49, 64, 78, 87, 103, 121, 120, 101,
        72, 92, 95, 98, 112, 100, 103, 99,
    ],
    dtype=np.int64,
)  # fmt: skip


def _scaled() -> npt.NDArray[np.int64]:
    """libjpeg's ``jpeg_set_quality``: the table of each quality 1–100, shape (100, 64)."""
    quality = np.arange(1, 101)[:, None]
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return np.clip((_LUMINANCE * scale + 50) // 100, 1, 255)


TABLES = _scaled()
"""The luminance table of each quality 1–100: int64, shape (100, 64), 1–255."""
