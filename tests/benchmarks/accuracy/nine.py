"""A suite of nine files whose figures are counted by hand."""

from __future__ import annotations

import numpy as np

from benchmarks.accuracy.described import Described
from benchmarks.accuracy.metrics import Scores
from benchmarks.accuracy.suite import Row

COLLAGE = 7

ROWS = [
    Row("0.jpg", "source"),
    Row("1.jpg", "source"),
    Row("2.jpg", "distractor"),
    Row("3.jpg", "negative"),
    Row("4.jpg", "negative"),
    Row("5.jpg", "copy", source=0, edit="crop_10", family="crop", strength=0.1, trained=True),
    Row("6.jpg", "copy", source=1, edit="crop_50", family="crop", strength=0.5, trained=True),
    Row("7.jpg", "copy", source=0, edit="collage_2x2", family="collage", strength=4),
    Row("8.jpg", "distractor_copy", edit="crop_50", family="crop", strength=0.5, trained=True),
]


def near(**pairs: float) -> Scores:
    """Similarities of 0.1 but for the pairs named, as ``s05``: rows 0 and 5."""
    similarity = np.full((9, 9), 0.1, np.float32)
    np.fill_diagonal(similarity, 1)
    for name, score in pairs.items():
        a, b = int(name[1]), int(name[2])
        similarity[a, b] = similarity[b, a] = score
    return similarity


def described(system: str = "thing") -> Described:
    """The collage could not be read."""
    owner = np.delete(np.arange(9), COLLAGE)
    return Described(system, "1", np.ones((8, 4), np.float32), owner, 9, seconds=3.0, threads=2)
