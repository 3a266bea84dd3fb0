"""How much detail a picture has as its file holds it.

Every lossy encoding takes some of the colours' detail, and what is laid over a picture adds to that
of its luma.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from ris_jobs.fingerprint.quality import BANDS, power

__all__ = ["detail"]

_LINES, _SIDE = 128, 1024
# Bands of spatial frequency, and the power below which there is only coding noise, log10. On 284
# copies of calibration photos that were only encoded anew, the colours of 92 % have less detail,
# of 3 % more.
_FINE, _FINE_FLOOR = slice(12, 20), -0.3
_COLOUR, _COLOUR_FLOOR = slice(4, 10), 0.0
# ITU-R BT.601 as JFIF has it: Y, Cb and Cr of R, G and B.
_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]], np.float32
)

Lines = npt.NDArray[np.float32]


def detail(image: Image.Image) -> tuple[float, float]:
    """Mean log10 power of the middle bands of the luma, and of the lower ones of both colour
    planes, of an ``image`` (L or RGB): along 128 rows and 128 columns of its middle (1024 × 1024),
    spread so that a mirror image gives the same."""
    rgb = np.asarray(image.crop(_middle(*image.size)).convert("RGB"))
    spectra = _spectra(rgb) + _spectra(rgb.swapaxes(0, 1))
    luma, *colours = np.log10(np.maximum(spectra / 2, 1e-9))
    fine = np.maximum(luma[_FINE], _FINE_FLOOR).mean()
    pale = np.maximum([plane[_COLOUR] for plane in colours], _COLOUR_FLOOR).mean()
    return round(float(fine), 4), round(float(pale), 4)


def _middle(width: int, height: int) -> tuple[int, int, int, int]:
    left, upper = (max(0, side - _SIDE) // 2 for side in (width, height))
    return left, upper, width - left, height - upper


def _spectra(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The power of Y, Cb and Cr in each band along evenly spread rows: (3, bands)."""
    rows = min(_LINES, len(rgb))
    at = ((2 * np.arange(rows) + 1) * len(rgb)) // (2 * rows)
    planes = rgb[at].astype(np.float32) @ _YCC.T
    found = np.array([power(np.ascontiguousarray(planes[..., n])) for n in range(3)])
    return found.reshape(3, BANDS)
