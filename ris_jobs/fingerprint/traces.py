"""What a file's encoding tells about its history."""

from __future__ import annotations

import io
import unicodedata
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageCms

from ris_jobs.fingerprint import Traces

__all__ = ["jpeg_quality", "read_traces"]

MAX_TEXT = 200
"""Characters that are kept of a metadata value."""

_Tag = ExifTags.Base
_EXIF_FIELDS = (
    _Tag.Make,
    _Tag.Model,
    _Tag.Software,
    _Tag.DateTime,
    _Tag.Artist,
    _Tag.Copyright,
    _Tag.HostComputer,
)
_PHOTO_FIELDS = (
    _Tag.DateTimeOriginal,
    _Tag.DateTimeDigitized,
    _Tag.OffsetTimeOriginal,
    _Tag.LensModel,
    _Tag.ImageUniqueID,
    _Tag.ExifImageWidth,
    _Tag.ExifImageHeight,
)

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


def _scaled_tables() -> npt.NDArray[np.int64]:
    """libjpeg's ``jpeg_set_quality``: the table of each quality 1–100, shape (100, 64)."""
    quality = np.arange(1, 101)[:, None]
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return np.clip((_LUMINANCE * scale + 50) // 100, 1, 255)


_TABLES = _scaled_tables()


def jpeg_quality(luminance_table: list[int]) -> int | None:
    """The libjpeg quality (1–100) whose luminance table is nearest (L1) to the given 64 values."""
    table = np.asarray(luminance_table, dtype=np.int64)
    if table.shape != (64,):
        return None
    distance = np.abs(_TABLES - table).sum(axis=1)
    return 100 - int(distance[::-1].argmin())


def read_traces(image: Image.Image, data: bytes) -> Traces:
    """Traces of an image that Pillow has opened from ``data``; broken metadata is left out."""
    tables = getattr(image, "quantization", None) if image.format in ("JPEG", "MPO") else None
    return Traces(
        jpeg_quality=jpeg_quality(tables[min(tables)]) if tables else None,
        subsampling=_subsampling(getattr(image, "layer", [])) if tables else None,
        lossless=_is_lossless(image, data),
        metadata=_metadata(image) | _profile(image),
    )


def _subsampling(layers: list[Any]) -> str:
    """J:a:b notation from the (id, horizontal, vertical, table) factors of the components."""
    if len(layers) < 3:
        return "4:0:0"
    (_, h0, v0, *_), (_, h1, v1, *_) = layers[0], layers[1]
    a = 4 * h1 // h0
    return f"4:{a}:{a if v0 == v1 else 0}"


def _is_lossless(image: Image.Image, data: bytes) -> bool:
    """Whether the coding kept every pixel it was given. GIF did not: its palette is a loss."""
    match image.format:
        case "PNG" | "BMP":
            return True
        case "TIFF":
            return image.info.get("compression", "raw") not in ("jpeg", "tiff_jpeg", "webp")
        case "WEBP":
            return _first_webp_bitstream(data) == b"VP8L"
    return False


def _first_webp_bitstream(data: bytes) -> bytes:
    """The chunk that codes the first frame (RFC 9649): ``VP8 `` lossy, ``VP8L`` lossless."""
    at = 12
    for _ in range(64):  # it is among the first chunks of any honest file
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name in (b"VP8 ", b"VP8L"):
            return name
        # A frame of an animation holds its own chunks after 16 bytes of header.
        at += 8 + 16 if name == b"ANMF" else 8 + size + size % 2
    return b""


def _metadata(image: Image.Image) -> dict[str, str]:
    try:
        exif = image.getexif()
        photo = exif.get_ifd(ExifTags.IFD.Exif)
        found = [(tag, exif.get(tag)) for tag in _EXIF_FIELDS]
        found += [(tag, photo.get(tag)) for tag in _PHOTO_FIELDS]
    except Exception:  # hostile bytes make Pillow's EXIF parser raise almost anything
        return {}
    texts = ((tag.name, clean_text(v)) for tag, v in found if isinstance(v, str | bytes | int))
    return {name: text for name, text in texts if text}


def _profile(image: Image.Image) -> dict[str, str]:
    """The name of the embedded ICC profile: a copy that dropped it has other colours."""
    icc = image.info.get("icc_profile")
    if not icc:
        return {}
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc)))
    except Exception:  # hostile bytes, likewise
        return {}
    text = clean_text(name)
    return {"ColourProfile": text} if text else {}


def clean_text(value: str | bytes | int) -> str:
    """``value`` as one printable line of at most :data:`MAX_TEXT` characters."""
    if isinstance(value, int):
        value = f"{value:#x}" if value.bit_length() > 64 else str(value)
    text = value[: 4 * MAX_TEXT]
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    text = text.split("\0", 1)[0]
    kept = (" " if c.isspace() else c for c in text if c.isspace() or _is_printable(c))
    return "".join(kept).strip()[:MAX_TEXT]


def _is_printable(character: str) -> bool:
    """No control, format (right-to-left override …), surrogate or unassigned characters."""
    return unicodedata.category(character)[0] != "C"
