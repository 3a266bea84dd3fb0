"""What a file's encoding tells about its history."""

from __future__ import annotations

import io
import math
import unicodedata
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageCms

from ris_jobs.fingerprint import Trace, Traces
from ris_jobs.fingerprint.attempts import Attempts
from ris_jobs.fingerprint.detail import detail
from ris_jobs.fingerprint.ghosts import coefficients, earlier_quality
from ris_jobs.fingerprint.requantised import requantised
from ris_jobs.fingerprint.tables import TABLES
from ris_jobs.fingerprint.vp8 import quantiser

__all__ = ["clean_text", "jpeg_quality", "luminance_steps", "read_traces"]

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

_NOTHING: dict[str, str] = {}


def jpeg_quality(luminance_table: list[int]) -> int | None:
    """The libjpeg quality (1–100) whose luminance table is nearest (L1) to the given 64 values."""
    table = np.asarray(luminance_table, dtype=np.int64)
    if table.shape != (64,):
        return None
    distance = np.abs(TABLES - table).sum(axis=1)
    return 100 - int(distance[::-1].argmin())


def read_traces(image: Image.Image, data: bytes, tried: Attempts) -> Traces:
    """Traces of an image that Pillow has loaded from ``data`` and nobody has turned. What cannot
    be taken is left out, as if it had not been looked for, and ``tried`` knows why."""
    none = Traces(None, None, False, {})
    known = tried(Trace.ENCODING, lambda: _encoding(image, data), none)
    metadata = tried(Trace.METADATA, lambda: _metadata(image), _NOTHING)
    profile = tried(Trace.PROFILE, lambda: _profile(image), _NOTHING)
    named = replace(known, metadata=metadata | profile)
    if known is none or image.mode not in ("L", "RGB"):
        return named
    table = luminance_steps(image)
    return replace(
        named,
        earlier_quality=tried(Trace.GHOSTS, lambda: earlier_quality(image, table), None),
        requantised=tried(Trace.REQUANTISED, lambda: _requantised(image, table), ()),
        pixels=tried(Trace.PIXELS, lambda: zlib.crc32(image.tobytes()), None),
        detail=tried(Trace.DETAIL, lambda: detail(image), ()),
    )


def _encoding(image: Image.Image, data: bytes) -> Traces:
    """What the file says of how it is encoded."""
    table = luminance_steps(image)
    quality = jpeg_quality(table) if table else None
    lossless = _is_lossless(image, data)
    return Traces(
        jpeg_quality=quality,
        subsampling=_subsampling(getattr(image, "layer", [])) if table else None,
        lossless=lossless,
        metadata={},
        standard=quality is not None and list(TABLES[quality - 1]) == table,
        coarseness=coarseness(quality, lossless, _vp8_frame(data)),
    )


def _requantised(image: Image.Image, table: list[int] | None) -> tuple[float, ...]:
    return requantised(coefficients(image, 0), table) if table else ()


def luminance_steps(image: Image.Image) -> list[int] | None:
    """The 64 steps of a JPEG's luminance, None for others."""
    tables = getattr(image, "quantization", None) if image.format in ("JPEG", "MPO") else None
    return list(tables[min(tables)]) if tables else None


def coarseness(quality: int | None, lossless: bool, frame: bytes) -> float | None:
    """See :class:`ris_jobs.fingerprint.Traces`; measured on 25 photos for JPEG of quality 40–96 and
    WebP of 40–96, within 0.2. ``frame`` is the content of a lossy WebP."""
    if quality is not None:
        return round(0.62 * math.log2(TABLES[quality - 1][:16].mean()) - 0.24, 3)
    index = quantiser(frame)
    if index is not None:
        return round(0.83 * math.log2(index + 4) - 2.09, 3)
    return math.log2(0.25) if lossless else None


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
            return _bitstream(data)[0] == b"VP8L"
    return False


def _vp8_frame(data: bytes) -> bytes:
    """The beginning of the first frame of a lossy WebP; nothing for others."""
    name, at = _bitstream(data) if data[8:12] == b"WEBP" else (b"", 0)
    return data[at : at + 256] if name == b"VP8 " else b""


def _bitstream(data: bytes) -> tuple[bytes, int]:
    """The name of the chunk that codes the first frame, and where its content begins."""
    at = 12
    for _ in range(64):  # it is among the first chunks of any honest file
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name in (b"VP8 ", b"VP8L"):
            return name, at + 8
        # A frame of an animation holds its own chunks after 16 bytes of header.
        at += 8 + 16 if name == b"ANMF" else 8 + size + size % 2
    return b"", 0


def _metadata(image: Image.Image) -> dict[str, str]:
    exif = image.getexif()
    photo = exif.get_ifd(ExifTags.IFD.Exif)
    found = [(tag, exif.get(tag)) for tag in _EXIF_FIELDS]
    found += [(tag, photo.get(tag)) for tag in _PHOTO_FIELDS]
    texts = ((tag.name, clean_text(v)) for tag, v in found if isinstance(v, str | bytes | int))
    return {name: text for name, text in texts if text}


def _profile(image: Image.Image) -> dict[str, str]:
    """The name of the embedded ICC profile: a copy that dropped it has other colours."""
    icc = image.info.get("icc_profile")
    if not icc:
        return {}
    text = clean_text(ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))))
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
