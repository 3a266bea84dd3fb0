"""How other systems choose the picture to keep, given families that hold all that they should."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image

from benchmarks.provenance.suite import Family, File

Rule = Callable[[Path, File], object]


def _bytes(folder: Path, file: File) -> object:
    return -(folder / file.name).stat().st_size


def _pixels(folder: Path, file: File) -> object:
    with Image.open(folder / file.name) as image:
        return -image.width * image.height


def _night(folder: Path, file: File) -> object:
    return file.night


def _name(folder: Path, file: File) -> object:
    return file.name


RULES: Mapping[str, Rule] = {
    "largest file (immich)": _bytes,
    "most pixels": _pixels,
    "first seen": _night,
    "first by name (imagededup)": _name,
}
"""Of equals the first by name."""


def chosen(rule: Rule, family: Family, folder: Path) -> str:
    """The file that the rule takes for the source."""
    return min(family.members, key=lambda file: (rule(folder, file), file.name)).name
