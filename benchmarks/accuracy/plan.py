"""Which file is made of which photo, before any is made.

Photos play one role each, by the sha256 of seed and name: 60 % are sources, 25 % distractors, 15 %
hosts. Hosts are what copies are pasted into or covered by; they are no files of the suite, so that
a composite has no second source. Of the distractors, one in three is there only as three copies,
one in six only as two windows that do not touch (a hard negative), the others as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from benchmarks.accuracy import negatives
from benchmarks.accuracy.edits import VARIANTS
from ris_jobs.formats import SUFFIXES

SHORTEST_SIDE = 128
"""Photos with a shorter side are left out: a crop of 5 % would show next to nothing."""


@dataclass(frozen=True, slots=True)
class Roles:
    sources: Sequence[Path]
    hosts: Sequence[Path]
    distractors: Sequence[Path]
    copied: Sequence[Path]
    scenes: Sequence[Path]
    views: Sequence[Path]
    shown: Sequence[Path]


def roles(photos: Sequence[Path]) -> Roles:
    """Each photo's role, by its place in the sequence."""
    hosts, aside = round(0.15 * len(photos)), round(0.25 * len(photos))
    rest = photos[hosts : hosts + aside]
    scenes, plain, views, shown = (rest[first::6] for first in (1, 2, 4, 5))
    return Roles(photos[hosts + aside :], photos[:hosts], plain, rest[::3], scenes, views, shown)


def usable(folder: Path, seed: int) -> Iterator[Path]:
    """The photos of a folder (not of folders in it) that can be read and are not too small, in the
    order of the sha256 of seed and name."""
    named = [path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES]
    named.sort(key=lambda path: sha256(f"{seed} {path.name}".encode()).digest())
    return (path for path in named if _shortest(path) >= SHORTEST_SIDE)


def _shortest(path: Path) -> int:
    """The short side in pixels; 0 when the photo cannot be read."""
    try:
        with Image.open(path) as image:
            image.load()
            return min(image.size)
    except (OSError, SyntaxError):  # Pillow raises either for a broken file
        return 0


@dataclass(frozen=True, slots=True)
class Whole:
    """A photo's own bytes: a source or a distractor."""

    kind: str
    photo: Path


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy of a photo, by the variant of this number."""

    kind: str
    photo: Path
    variant: int


@dataclass(frozen=True, slots=True)
class Window:
    """A negative: one of the two windows (0, 1) of a photo."""

    photo: Path
    side: int


@dataclass(frozen=True, slots=True)
class View:
    """A negative: one of the two views (0, 1) of a photo's scene."""

    photo: Path
    side: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A negative: one picture of a group that shows photos."""

    group: str
    number: int
    photo: Path


@dataclass(frozen=True, slots=True)
class Drawn:
    """A negative: one picture of a group."""

    group: str
    number: int


Job = Whole | Copied | Window | View | Shown | Drawn
"""A file to be made."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``jobs`` in the order of the rows."""

    jobs: Sequence[Job]
    hosts: Sequence[Path]


def plan(photos: Sequence[Path], seed: int, per_variant: int) -> Plan:
    """All files, shuffled: a name or place in the suite tells nothing of a file's content."""
    cast = roles(photos)
    jobs: list[Job] = [Whole("source", path) for path in cast.sources]
    jobs += [Whole("distractor", path) for path in cast.distractors]
    jobs += [
        Copied("copy", path, variant)
        for variant in range(len(VARIANTS))
        for path in _turns(cast.sources, variant, per_variant)
    ]
    rng = Random(f"{seed} distractor copies")
    jobs += [
        Copied("distractor_copy", path, variant)
        for path in cast.copied
        for variant in rng.sample(range(len(VARIANTS)), 3)
    ]
    jobs += [Window(path, side) for path in cast.scenes for side in (0, 1)]
    jobs += [View(path, side) for path in cast.views for side in (0, 1)]
    jobs += _shown(cast.shown, len(photos))
    jobs += _drawn(len(photos))
    Random(f"{seed} order").shuffle(jobs)
    return Plan(jobs, cast.hosts)


def _turns(sources: Sequence[Path], variant: int, per_variant: int) -> list[Path]:
    """The photos that one variant copies: it goes on where the variant before left off, so that
    each photo is copied about equally often."""
    count = min(per_variant, len(sources))
    return [sources[(variant * count + i) % len(sources)] for i in range(count)]


def _shown(shown: Sequence[Path], photos: int) -> list[Job]:
    """A photo comes again only in another series, where there are as many as a series takes."""
    return [
        Shown(name, number, shown[number % len(shown)])
        for name, group in negatives.SHOWING.items()
        for number in range(_count(group, photos) if shown else 0)
    ]


def _drawn(photos: int) -> list[Job]:
    return [
        Drawn(name, number)
        for name, group in negatives.GROUPS.items()
        for number in range(_count(group, photos))
    ]


def _count(group: negatives.Group[Any], photos: int) -> int:
    return max(2, ceil(group.files * photos / 300))
