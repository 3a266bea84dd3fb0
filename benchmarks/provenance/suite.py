"""The files of all families, when each arrives, and the truth of each family."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random

from PIL import Image
from tqdm import tqdm

from benchmarks.accuracy.edits import Props
from benchmarks.accuracy.maker import upright
from benchmarks.accuracy.plan import usable
from benchmarks.provenance.kinds import DECIDABLE, KINDS, UNDECIDABLE, Made, with_equals

NIGHTS = 3
_HOSTS = 8
_FIRST, _LAST = 1_400_000_000, 1_750_000_000


@dataclass(frozen=True, slots=True)
class File:
    """One file; ``role`` is root, copy, decoy or composite, ``night`` counts from 0."""

    name: str
    role: str
    steps: Sequence[str]
    night: int


@dataclass(frozen=True, slots=True)
class Family:
    """``source`` names a file, and is None where the family is undecidable."""

    kind: str
    photo: str
    source: str | None
    files: Sequence[File]

    @property
    def members(self) -> list[File]:
        """All but composites."""
        return [file for file in self.files if file.role != "composite"]


def photos_of(folder: Path, seed: int) -> list[Path]:
    return list(usable(folder, seed))


def until(family: Family, night: int) -> Family:
    """What of the family has arrived after that night."""
    return replace(family, files=[file for file in family.files if file.night <= night])


def build(
    photos: Sequence[Path],
    count: int,
    folder: Path,
    seed: int,
    nights: int = NIGHTS,
    kinds: Sequence[str] = (),
) -> list[Family]:
    """Families of ``count`` photos, of these ``kinds`` in turn (empty: of all, every third
    undecidable); the last of the photos are what copies are pasted into, and files arrive over so
    many ``nights``. What is in ``folder`` already is taken as it is."""
    truth = folder / "truth.json"
    if not truth.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        count = min(count, len(photos) - _HOSTS)
        hosts = [upright(path) for path in photos[-_HOSTS:]]
        work = tqdm(enumerate(photos[:count]), "families", count, unit="family", disable=None)
        ways = [_kind(number, kinds) for number in range(count)]
        found = [_family(path, ways[n], hosts, folder, seed, nights) for n, path in work]
        truth.write_text(json.dumps([asdict(family) for family in found], indent=1))
    return _read(truth)


def _family(
    photo: Path, name: str, hosts: Sequence[Image.Image], folder: Path, seed: int, nights: int
) -> Family:
    rng = Random(f"{seed} {photo.name}")
    made = with_equals(KINDS[name](upright(photo), Props(rng, hosts)))
    files = list(_written(made, folder, rng, nights))
    return Family(name, photo.name, files[0].name if len(made.roots) == 1 else None, files)


def _kind(number: int, kinds: Sequence[str]) -> str:
    if kinds:
        return kinds[number % len(kinds)]
    turn, place = divmod(number, 3)
    names = list(UNDECIDABLE if place == 2 else DECIDABLE)
    return names[(turn if place == 2 else 2 * turn + place) % len(names)]


def _written(made: Made, folder: Path, rng: Random, nights: int) -> Iterable[File]:
    """Names, nights and dates by chance: none of them says what came first."""
    roles = {"root": made.roots, "copy": made.copies, "decoy": made.decoys}
    for role, copies in {**roles, "composite": made.composites}.items():
        for copy in copies:
            name = f"{rng.getrandbits(40):010x}{copy.coding.suffix}"
            (folder / name).write_bytes(copy.data)
            os.utime(folder / name, (rng.randint(_FIRST, _LAST),) * 2)
            yield File(name, role, copy.steps, rng.randrange(nights))


def _read(truth: Path) -> list[Family]:
    made = json.loads(truth.read_text())
    return [Family(**{**one, "files": [File(**file) for file in one["files"]]}) for one in made]
