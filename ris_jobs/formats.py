"""Which kind of file this is, told by its first bytes; names are never trusted."""

from __future__ import annotations

from types import MappingProxyType

from ris_jobs.errors import ImageRejected, Reason

HEAD = 32
"""Bytes of a file's beginning that :func:`sniff` looks at."""

IMPRESSION = 512
"""Bytes of a file's beginning that :func:`recognise` looks at."""

SUPPORTED = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""Formats that are decoded, by their Pillow names."""

SUFFIXES = MappingProxyType(
    {
        ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".mpo": "JPEG",
        ".png": "PNG", ".apng": "PNG", ".webp": "WEBP", ".gif": "GIF",
        ".bmp": "BMP", ".dib": "BMP", ".tif": "TIFF", ".tiff": "TIFF", ".avif": "AVIF",
        ".heic": "HEIF", ".heif": "HEIF", ".jp2": "JPEG 2000", ".jxl": "JPEG XL", ".psd": "PSD",
    }
)  # fmt: skip
"""Name endings that promise a picture, and the format they promise."""

_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"8BPS", "PSD"),
    (b"qoif", "QOI"),
)
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
_BRANDS = {b"avif": "AVIF", b"avis": "AVIF"} | dict.fromkeys(
    (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), "HEIF"
)


def sniff(head: bytes) -> str | None:
    """The format that a file beginning with ``head`` (:data:`HEAD` bytes do) says it has.

    A name in :data:`SUPPORTED`, another image format that is known but not decoded
    (``HEIF``, ``JPEG 2000`` …), or None when it does not begin like an image.
    """
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    return _isobmff(head) if head[4:8] == b"ftyp" else None


def _isobmff(head: bytes) -> str | None:
    """AVIF and HEIF share a container (ISO/IEC 14496-12); its brands tell them apart."""
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, len(head), 4))]
    if b"avif" in brands or b"avis" in brands:
        return "AVIF"
    return _BRANDS.get(brands[0])


def recognise(head: bytes) -> str:
    """The supported format of a file that begins with ``head`` (:data:`IMPRESSION` bytes do).

    :class:`ImageRejected` for anything else: what it says it is, a web page or a PDF perhaps.
    """
    if not head:
        raise ImageRejected(Reason.EMPTY, "the file has no bytes")
    name = sniff(head)
    if name is None:
        raise ImageRejected(Reason.NOT_AN_IMAGE, f"its content is {_impression(head)}")
    if name not in SUPPORTED:
        can = ", ".join(SUPPORTED)
        raise ImageRejected(Reason.UNSUPPORTED_FORMAT, f"it is {name}; what can be read is {can}")
    return name


def _impression(head: bytes) -> str:
    if not head.strip(b"\0"):
        return "zero bytes, not an image"
    try:
        text = head[:-3].decode("utf-8") if len(head) > 3 else head.decode("utf-8")
    except UnicodeDecodeError:
        return "not of any known image format"
    start = text.lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<svg", "<?xml")) and "<svg" in start:
        return "SVG, a drawing program and not pixels"
    if start.startswith(("<!doctype html", "<html")):
        return "a web page, not an image"
    return "a PDF document, not an image" if start.startswith("%pdf") else "text, not an image"
