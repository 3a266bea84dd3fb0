"""The same pixels in another file, and the whole picture at another size."""

from __future__ import annotations

from io import BytesIO
from random import Random

from PIL import Image

from benchmarks.accuracy.edits.picture import Picture, Props
from ris_jobs.demo import edits

SHORTEST, LONGEST = 24, 8000
"""Sides in pixels that resizing keeps to."""


def jpeg(picture: Picture, props: Props, *, quality: int, subsampling: str = "4:2:0") -> Picture:
    return picture.encoded(edits.jpeg(picture.image, quality, subsampling), ".jpg")


def jpeg_progressive(picture: Picture, props: Props, *, quality: int) -> Picture:
    return picture.encoded(_saved(picture, "JPEG", quality=quality, progressive=True), ".jpg")


def jpeg_twice(picture: Picture, props: Props, *, first: int, second: int) -> Picture:
    once = picture.encoded(edits.jpeg(picture.image, first), ".jpg")
    return once.encoded(edits.jpeg(once.image, second), ".jpg")


def webp(picture: Picture, props: Props, *, quality: int) -> Picture:
    return picture.encoded(edits.webp(picture.image, quality), ".webp")


def avif(picture: Picture, props: Props, *, quality: int) -> Picture:
    # One thread: the bytes must not depend on the machine.
    data = _saved(picture, "AVIF", quality=quality, speed=8, max_threads=1)
    return picture.encoded(data, ".avif")


def png(picture: Picture, props: Props) -> Picture:
    return picture.encoded(edits.png(picture.image), ".png")


def web(image: Image.Image, rng: Random) -> tuple[bytes, str, dict[str, int]]:
    """A file as pictures lie on the web, its name ending, and what was drawn: of 20, 17 are JPEG
    and 2 WebP of quality 70–95, one is PNG."""
    kind, quality = rng.random(), rng.randint(70, 95)
    if kind < 0.85:
        return edits.jpeg(image, quality), ".jpg", {"quality": quality}
    if kind < 0.95:
        return edits.webp(image, quality), ".webp", {"quality": quality}
    return edits.png(image), ".png", {}


def downscale(picture: Picture, props: Props, *, factor: float) -> Picture:
    """``factor`` times smaller, the short side not below 24 pixels."""
    return _scaled(picture, min(1.0, max(1 / factor, SHORTEST / min(picture.image.size))))


def upscale(picture: Picture, props: Props, *, factor: float) -> Picture:
    """``factor`` times larger, to 8,000 pixels at most, but a quarter larger at least."""
    return _scaled(picture, max(1.25, min(factor, LONGEST / max(picture.image.size))))


def _scaled(picture: Picture, scale: float) -> Picture:
    width, height = (max(1, round(side * scale)) for side in picture.image.size)
    return picture.resized((width, height))


def _saved(picture: Picture, fmt: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.image.save(buffer, fmt, **options)
    return buffer.getvalue()
