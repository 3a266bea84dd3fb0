"""Perceptual hashes: near bits for near pictures, in every way a picture can be turned."""

from __future__ import annotations

import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image

from ris_jobs.fingerprint import Hashes, Rgb
from ris_jobs.fingerprint.luma import luma, reduced
from ris_jobs.fingerprint.pdq import pdq

__all__ = ["WORKING_SIDE", "hamming", "hashes"]

WORKING_SIDE = 512
"""Larger pictures are hashed from a copy whose shorter side is this to twice this many pixels."""

_TRANSPOSED = (
    None,  # orientation 1: as it stands
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.ROTATE_180,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)


def hashes(rgb: Rgb) -> Hashes:
    """pHash and dHash (``imagehash``, 64 bits) in eight orientations, and PDQ upright.

    ``phash[o - 1]`` is the hash of the picture that EXIF orientation ``o`` makes of ``rgb``
    (2 mirrored, 3 half turn, 6 quarter turn clockwise …), so it is near ``phash[0]`` of a
    copy so turned. The picture is scaled down once and the small one is turned: index 0 is
    exactly what ``imagehash`` gives for the grey picture (for that of :data:`WORKING_SIDE`,
    where the shorter side has twice as many pixels), the others differ from it by the
    rounding of the scaling, in few bits.
    """
    grey = reduced(luma(rgb), WORKING_SIDE)
    image = Image.fromarray(grey)
    square = image.resize((32, 32), Image.Resampling.LANCZOS)
    lying = image.resize((9, 8), Image.Resampling.LANCZOS)
    standing = image.resize((8, 9), Image.Resampling.LANCZOS)
    pdq_bits, pdq_quality = pdq(grey)
    return Hashes(
        phash=tuple(_integer(imagehash.phash(_turned(square, o))) for o in range(1, 9)),
        # Orientations 5 to 8 swap the axes, and dHash looks at 9 columns of 8 rows.
        dhash=tuple(
            _integer(imagehash.dhash(_turned(standing if o >= 5 else lying, o)))
            for o in range(1, 9)
        ),
        pdq=pdq_bits,
        pdq_quality=pdq_quality,
    )


def hamming(one: int, other: int) -> int:
    """How many bits differ; 0–64 for pHash and dHash."""
    return (one ^ other).bit_count()


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    method = _TRANSPOSED[orientation - 1]
    return image if method is None else image.transpose(method)


def _integer(value: imagehash.ImageHash) -> int:
    """The bits row by row, first bit highest: the number that ``str(hash)`` writes in hex."""
    bits: npt.NDArray[np.bool_] = value.hash
    return int.from_bytes(np.packbits(bits.ravel()).tobytes())
