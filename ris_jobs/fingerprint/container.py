"""What a file's container says without decoding: how many frames, and is the end missing.

Walks are bounded: a file made of millions of empty blocks costs a fraction of a second.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from PIL import Image

__all__ = ["MAX_FRAMES", "count_frames", "ended", "ends_early"]

MAX_FRAMES = 10_000
"""Counting stops here."""

_MAX_STEPS = 500_000


def count_frames(image: Image.Image, data: bytes, name: str) -> int:
    """Frames of an animation or pages of a TIFF, 1 to :data:`MAX_FRAMES`.

    The further pictures of a multi-picture JPEG are renditions of the first and not counted.
    PNG, WebP and AVIF declare their number, and it is not checked; the frames of GIF and the
    pages of TIFF are counted block by block (Pillow would parse each one).
    """
    match name:
        case "GIF":
            count = _count(_gif_frames(data))
        case "TIFF":
            count = _count(_tiff_pages(data))
        case "PNG" | "WEBP" | "AVIF":
            count = int(getattr(image, "n_frames", 1))
        case _:
            count = 1
    return min(max(count, 1), MAX_FRAMES)


def _count(found: Iterator[None]) -> int:
    count = 0
    try:
        while count < MAX_FRAMES:
            next(found)
            count += 1
    except (StopIteration, IndexError, struct.error):  # the end, or a pointer beyond it
        pass
    return count


def _gif_frames(data: bytes) -> Iterator[None]:
    """Yield at each image descriptor (GIF89a specification, 1990)."""
    at = 13 + _colour_table(data[10])
    steps = iter(range(_MAX_STEPS))
    for _ in steps:
        kind = data[at]
        if kind == 0x2C:
            yield None
            at += 11 + _colour_table(data[at + 9])
        elif kind == 0x21:
            at += 2
        else:
            return
        while (size := data[at]) and next(steps, None) is not None:
            at += 1 + size
        at += 1


def _colour_table(flags: int) -> int:
    """Bytes of the colour table that a packed field announces."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _tiff_pages(data: bytes) -> Iterator[None]:
    """Yield at each image file directory (TIFF 6.0, section 2; BigTIFF has wider numbers)."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    count, entry, pointer, first = ("Q", 20, "Q", 8) if big else ("H", 12, "I", 4)
    (at,) = struct.unpack_from(order + pointer, data, first)
    seen: set[int] = set()
    while at and at not in seen:
        seen.add(at)
        (entries,) = struct.unpack_from(order + count, data, at)
        yield None
        (at,) = struct.unpack_from(
            order + pointer, data, at + struct.calcsize(count) + entry * entries
        )


def ends_early(data: bytes, name: str) -> bool:
    """Whether the container itself says that bytes are missing at the end."""
    match name:
        case "JPEG":
            return _jpeg_ends_early(data)
        case "PNG":
            return _png_ends_early(data)
        case "GIF":
            return b"\x3b" not in data[-16:]
        case "WEBP":
            return int.from_bytes(data[4:8], "little") + 8 > len(data)
        case "BMP":
            return int.from_bytes(data[2:6], "little") > len(data)
    return False


def _jpeg_ends_early(data: bytes) -> bool:
    """Whether an unbroken chain of segments (ITU-T T.81, annex B) runs into the end."""
    at = 2
    for _ in range(_MAX_STEPS):
        if at + 4 > len(data):
            return True
        if data[at] != 0xFF:
            return False
        if data[at + 1] == 0xDA:  # a scan: from here on only the end marker can tell
            return b"\xff\xd9" not in data[at:]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def ended(data: bytes) -> bytes:
    """A JPEG cut off, with an end-of-image marker: libjpeg fills up with what it has by then.

    A table or scan header that the cut has left incomplete is dropped; in coded data 0xFF is
    followed by 0 or a restart marker, so the last other one begins it.
    """
    last = max(data.rfind(b"\xff" + marker) for marker in (b"\xc4", b"\xda", b"\xdb", b"\xdd"))
    length = int.from_bytes(data[last + 2 : last + 4], "big")
    is_whole = last + 4 <= len(data) and last + 2 + length <= len(data)
    return (data if is_whole else data[:last]) + b"\xff\xd9"


def _png_ends_early(data: bytes) -> bool:
    """Whether the chain of chunks (PNG third edition, 5.3) stops before IEND."""
    at = 8
    for _ in range(_MAX_STEPS):
        if at + 12 > len(data):
            return True
        if data[at + 4 : at + 8] == b"IEND":
            return False
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return False
