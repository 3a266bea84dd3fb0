"""Pictures for a large collection that holds few copies, made of few photos.

Photos are cut into windows that do not overlap: windows of one photo look alike, but none is a copy
of another. Some photos stay whole, and copies of them are the new images, beside photos that the
collection does not hold.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

from PIL import Image
from tqdm import tqdm

from benchmarks.accuracy.edits import VARIANTS, Props, apply
from benchmarks.accuracy.maker import upright
from benchmarks.accuracy.plan import usable

_HOSTS = 10
_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Cast:
    """What each photo is for: ``copied`` ones are in the collection whole, ``cut`` ones as windows,
    ``strangers`` are new, ``hosts`` are what copies are pasted into or covered by."""

    copied: Sequence[Path]
    strangers: Sequence[Path]
    hosts: Sequence[Path]
    cut: Sequence[Path]

    def capacity(self, grid: int) -> int:
        """The images that a collection can have of ``grid`` by ``grid`` windows a photo."""
        return len(self.copied) + len(self.cut) * grid**2


def cast(folders: Sequence[Path], new: int, seed: int) -> Cast:
    """Half of the ``new`` images are copies, half are strangers."""
    photos = [photo for folder in folders for photo in usable(folder, seed)]
    Random(f"{seed} cast").shuffle(photos)
    half, cut = new // 2, new + _HOSTS
    return Cast(photos[:half], photos[half:new], photos[new:cut], photos[cut:])


def collection(of: Cast, grid: int, numbers: range, folder: Path) -> None:
    """Writes the images of these numbers, the whole photos first, unless ``folder`` is there."""

    def write(into: Path) -> None:
        for number in tqdm(numbers, "cut", unit="image", disable=None):
            if number < len(of.copied):
                photo = of.copied[number]
                shutil.copy(photo, into / f"{number:06}{photo.suffix}")
            else:
                window = _window(of.cut, grid, number - len(of.copied))
                window.save(into / f"{number:06}.jpg", quality=_QUALITY)

    _once(folder, write)


def newcomers(of: Cast, seed: int, folder: Path) -> None:
    """Writes a copy of each copied photo, by an edit drawn at random, and the strangers, unless
    ``folder`` is there."""
    hosts = [upright(photo) for photo in of.hosts]

    def write(into: Path) -> None:
        for number, photo in enumerate(of.copied):
            rng = Random(f"{seed} {photo.name}")
            made = apply(rng.choice(VARIANTS), upright(photo), Props(rng, hosts))
            (into / f"copy-{number:06}{made.suffix}").write_bytes(made.data)
        for number, photo in enumerate(of.strangers):
            shutil.copy(photo, into / f"stranger-{number:06}{photo.suffix}")

    _once(folder, write)


def _window(photos: Sequence[Path], grid: int, number: int) -> Image.Image:
    place, window = divmod(number, grid**2)
    row, column = divmod(window, grid)
    photo = _opened(photos[place])
    across, down = ([side * i // grid for i in range(grid + 1)] for side in photo.size)
    return photo.crop((across[column], down[row], across[column + 1], down[row + 1]))


_opened = lru_cache(maxsize=1)(upright)


def _once(folder: Path, write: Callable[[Path], None]) -> None:
    if folder.exists():
        return
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    write(unfinished)
    unfinished.rename(folder)
