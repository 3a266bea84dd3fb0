"""Which photos train the descriptor and which are kept apart.

Photos are ordered by the sha256 of their file name: the first 200 validate the descriptor, the
next 200 are reserved for calibrating match probabilities, the rest train it. The order depends
on the names alone, so the lists are the same on every machine and do not shift with the seed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

VALIDATION = 200
CALIBRATION = 200
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True, slots=True)
class Split:
    train: list[Path]
    validation: list[Path]
    calibration: list[Path]


def split(folder: Path, validation: int = VALIDATION, calibration: int = CALIBRATION) -> Split:
    """Splits the pictures directly in `folder`; raises ValueError when none would train."""
    photos = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    photos.sort(key=lambda path: hashlib.sha256(path.name.encode()).hexdigest())
    kept = validation + calibration
    if len(photos) <= kept:
        raise ValueError(f"{folder} holds {len(photos)} photos, {kept} of them are kept apart")
    return Split(photos[kept:], photos[:validation], photos[validation:kept])
