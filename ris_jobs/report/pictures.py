"""Small pictures for pages and sheets, from stored previews."""

from __future__ import annotations

import io

from PIL import Image


def opened(preview: bytes) -> Image.Image:
    """The preview (JPEG bytes) as an RGB picture, fully loaded."""
    with Image.open(io.BytesIO(preview), formats=("JPEG",)) as picture:
        return picture.convert("RGB")


def thumbnail(preview: bytes, side: int = 240) -> bytes:
    """JPEG of the whole picture, its long side at most ``side`` pixels, never enlarged.

    ``preview`` is JPEG bytes as the fingerprint stage made them; other bytes raise
    ``PIL.UnidentifiedImageError`` or OSError.
    """
    with Image.open(io.BytesIO(preview), formats=("JPEG",)) as picture:
        picture.draft("RGB", (side, side))  # decode at the nearest larger eighth
        small = picture.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=78, optimize=True, progressive=False)
    return out.getvalue()
