"""The small picture that is kept: what reviewers see and matching aligns."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, UnidentifiedImageError

from ris_jobs.fingerprint import Rgb

__all__ = ["QUALITY", "encode", "load", "reduce"]

QUALITY = 90


def reduce(rgb: Rgb, size: int) -> Rgb:
    """uint8 (h, w, 3) with its long side at most ``size``: scaled down by Lanczos with
    antialiasing, keeping proportions to the pixel; never enlarged."""
    image = Image.fromarray(rgb)
    # A gap of 3 keeps reduction by box averages out of the frequencies that are kept.
    image.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=3)
    return np.asarray(image)


def encode(reduced: Rgb) -> bytes:
    """JPEG (4:4:4, quality 90, no metadata) of uint8 (h, w, 3)."""
    file = io.BytesIO()
    Image.fromarray(reduced).save(file, "JPEG", quality=QUALITY, subsampling="4:4:4")
    return file.getvalue()


def load(data: bytes) -> Rgb:
    """The pixels of a preview that :func:`encode` made, uint8 (h, w, 3). OSError, ValueError or
    SyntaxError where it is damaged."""
    try:
        image = Image.open(io.BytesIO(data), formats=["JPEG"])
    except UnidentifiedImageError as e:
        raise ValueError("it is no JPEG") from e
    return np.array(image.convert("RGB"))
