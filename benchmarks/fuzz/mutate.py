"""Images as an attacker or a broken disk would make them, from real ones of every format.

Image ``index`` of a seed is always the same, given the same versions of Pillow and scikit-image.
"""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from ris_jobs.demo.folder import photos
from ris_jobs.formats import SUPPORTED

__all__ = ["MUTATIONS", "Mutant", "Original", "mutant", "originals"]

SIDE = 200
"""The longer side of the pictures that are mutated: more of them, not larger ones."""

_VARIANTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    *((name, "RGB", {}) for name in SUPPORTED),
    ("JPEG", "RGB", {"progressive": True, "quality": 90, "subsampling": "4:4:4"}),
    ("JPEG", "CMYK", {}),
    ("JPEG", "L", {"restart_marker_rows": 1}),
    ("PNG", "P", {}),
    ("PNG", "RGBA", {"dpi": (72, 72)}),
    ("WEBP", "RGBA", {"lossless": True}),
    ("BMP", "P", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "RGB", {"compression": "jpeg"}),
    ("TIFF", "1", {"compression": "group4"}),
    ("TIFF", "F", {}),
    ("AVIF", "RGBA", {}),
    *((name, "RGB", {"save_all": True}) for name in ("GIF", "PNG", "WEBP", "TIFF", "AVIF")),
)
_EXTREME = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)


@dataclass(frozen=True, slots=True)
class Original:
    """An intact file, and the size of its picture in pixels."""

    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Mutant:
    """What was done, one of :data:`MUTATIONS`, and the file that came of it."""

    mutation: str
    data: bytes


def originals() -> list[Original]:
    """The demo's photos of scikit-image, two of them in each format and variant of a format."""
    pictures = [photo for _, photo in photos()]
    for picture in pictures:
        picture.thumbnail((SIDE, SIDE))
    turns = [
        pictures[(number + more) % len(pictures)]
        for more in (0, 3)
        for number in range(len(_VARIANTS))
    ]
    return [
        Original(_encoded(picture, *variant), *picture.size)
        for picture, variant in zip(turns, _VARIANTS * 2, strict=True)
    ]


def _encoded(photo: Image.Image, name: str, mode: str, options: dict[str, Any]) -> bytes:
    if name == "AVIF":
        options = options | {"speed": 10}
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    if options.get("save_all"):
        options = options | {"append_images": [photo.rotate(90), photo.rotate(180)]}
    else:  # Pillow 13's AVIF encoder crashes of animations that are turned
        exif[0x0112] = 6
    file = io.BytesIO()
    photo.convert(mode).save(file, name, exif=exif, **options)
    return file.getvalue()


def mutant(sources: Sequence[Original], seed: int, index: int) -> Mutant:
    """Mutated image ``index``; the mutations take turns."""
    rng = random.Random(f"{seed}-{index}")
    name = list(MUTATIONS)[index % len(MUTATIONS)]
    return Mutant(name, MUTATIONS[name](rng.choice(sources), rng))


def _cut(original: Original, rng: random.Random) -> bytes:
    return original.data[: rng.randrange(len(original.data))]


def _flipped(original: Original, rng: random.Random) -> bytes:
    """Bits, anywhere; as often as not among the first 400 bytes, where headers are."""
    data = bytearray(original.data)
    reach = rng.choice((min(400, len(data)), len(data)))
    for _ in range(1 << rng.randrange(7)):
        data[rng.randrange(reach)] ^= 1 << rng.randrange(8)
    return bytes(data)


def _lying(original: Original, rng: random.Random) -> bytes:
    """Numbers of a header, replaced by extreme ones."""
    data = bytearray(original.data)
    for _ in range(rng.randint(1, 4)):
        code = rng.choice(("B", "<H", ">H", "<I", ">I"))
        value = rng.choice(_EXTREME) & ((1 << 8 * struct.calcsize(code)) - 1)
        struct.pack_into(code, data, rng.randrange(min(400, len(data) - 4)), value)
    return bytes(data)


def _resized(original: Original, rng: random.Random) -> bytes:
    """Another size declared wherever the file says its own, with a checksum to match in PNG."""
    data = original.data
    for side in (original.width, original.height):
        claim = rng.choice((1, side * 2, side * 20, 30_000, 65_535))
        for code in ("<H", ">H", "<I", ">I"):
            data = data.replace(struct.pack(code, side), struct.pack(code, claim), 1)
    if data.startswith(b"\x89PNG"):
        data = data[:29] + struct.pack(">I", zlib.crc32(data[12:29])) + data[33:]
    return data


def _spliced(original: Original, rng: random.Random) -> bytes:
    """A piece of the file cut out, or put in once more, elsewhere or a thousand times."""
    data = original.data
    start, at = rng.randrange(len(data)), rng.randrange(len(data))
    piece = data[start : start + rng.randint(1, 300)]
    if rng.random() < 0.3:
        return data[:start] + data[start + len(piece) :]
    return data[:at] + piece * rng.choice((1, 1, 10, 1000)) + data[at:]


def _bomb(original: Original, rng: random.Random) -> bytes:
    return rng.choice((_flat, _text_bomb, _scans))(original, rng)


def _flat(_: Original, rng: random.Random) -> bytes:
    """Millions of equal pixels, which compress to almost nothing."""
    side = rng.choice((1000, 4000, 5000))
    file = io.BytesIO()
    name, options = rng.choice(
        (("PNG", {}), ("GIF", {}), ("TIFF", {"compression": "tiff_deflate"}))
    )
    Image.new("L", (side, side), rng.randrange(256)).save(file, name, **options)
    return file.getvalue()


def _text_bomb(original: Original, rng: random.Random) -> bytes:
    """A PNG whose compressed comment is up to 16 MB long."""
    picture = Image.new("L", (original.width, original.height))
    file = io.BytesIO()
    picture.save(file, "PNG")
    data = file.getvalue()
    content = b"zTXtk\0\0" + zlib.compress(bytes(rng.randint(1, 16) << 20), 9)
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    return data[:33] + chunk + data[33:]


def _scans(original: Original, rng: random.Random) -> bytes:
    """A progressive JPEG that paints its last scan again and again."""
    file = io.BytesIO()
    picture = Image.open(io.BytesIO(original.data)).convert("RGB")
    picture.resize((500, 500)).save(file, "JPEG", progressive=True, quality=5)
    data = file.getvalue()
    scan = data[data.rindex(b"\xff\xda") : -2]
    times = min(rng.choice((10, 1000, 20_000)), (1 << 20) // len(scan))
    return data[:-2] + scan * times + data[-2:]


MUTATIONS: dict[str, Callable[[Original, random.Random], bytes]] = {
    "cut": _cut,
    "bits flipped": _flipped,
    "header lies": _lying,
    "size lies": _resized,
    "spliced": _spliced,
    "bomb": _bomb,
}
"""What is done to an image, by name."""
