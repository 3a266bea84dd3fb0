"""Further pictures that look alike: a suite has few layouts of each kind and few scenes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.accuracy.maker import negative
from benchmarks.accuracy.negatives import GROUPS, SHOWING
from benchmarks.accuracy.plan import Drawn, Shown, View
from benchmarks.accuracy.truth import Row

__all__ = ["alike"]

SERIES = 24


def alike(photos: Sequence[Path], seed: int) -> Iterator[tuple[Row, bytes]]:
    """Of each group that is drawn :data:`SERIES` series, with one half of the photos in those that
    show one, and both views of each photo of the other half."""
    for number, job in enumerate(_jobs(photos)):
        row, data, _ = negative(job, seed)
        yield replace(row, file=str(number)), data


def _jobs(photos: Sequence[Path]) -> Iterator[View | Drawn | Shown]:
    seen, shown = photos[::2], photos[1::2]
    yield from (View(photo, side) for photo in seen for side in (0, 1))
    for name, drawn in GROUPS.items():
        yield from (Drawn(name, number) for number in range(SERIES * drawn.series))
    for name, showing in SHOWING.items():
        for number in range(SERIES * showing.series):
            yield Shown(name, number, shown[number % len(shown)])
