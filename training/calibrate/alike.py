"""Further pictures that look alike: a suite has few layouts of each kind and few scenes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from PIL import Image

from benchmarks.accuracy import negatives
from benchmarks.accuracy.edits.encoding import web
from benchmarks.accuracy.maker import upright
from benchmarks.accuracy.truth import Row

__all__ = ["alike"]

SERIES = 24


def alike(photos: Sequence[Path], seed: int) -> Iterator[tuple[Row, bytes]]:
    """Of each group that is drawn :data:`SERIES` series, with one half of the photos in those that
    show one, and both views of each photo of the other half."""
    seen, shown = photos[::2], photos[1::2]
    for photo in seen:
        picture = upright(photo)
        for side in (0, 1):
            rng = Random(f"{seed} {photo.name}")
            row = Row(f"{photo.name} {side}", "negative", photo.name, group=negatives.SCENE_VIEWS)
            yield row, _saved(negatives.view(picture, rng, side), f"{seed} {row.file}")
    for name, drawn in negatives.GROUPS.items():
        for number in range(SERIES * drawn.series):
            image = negatives.make(name, number, seed)
            row = Row(f"{name} {number}", "negative", group=name)
            yield row, _saved(image, f"{seed} {row.file}")
    for name, showing in negatives.SHOWING.items():
        for number in range(SERIES * showing.series):
            photo = shown[number % len(shown)]
            image = negatives.show(name, number, seed, upright(photo))
            row = Row(f"{name} {number}", "negative", photo.name, group=name)
            yield row, _saved(image, f"{seed} {row.file}")


def _saved(image: Image.Image, seed: str) -> bytes:
    return web(image, Random(seed))[0]
