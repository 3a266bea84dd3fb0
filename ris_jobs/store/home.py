"""The folder of the embedded default: pictures and records of people, so private to its account."""

from __future__ import annotations

import shutil
from pathlib import Path

from ris_jobs.errors import ConfigError

_LOW_BYTES = 2_000_000_000


def make(home: Path) -> Path:
    """Make the folder where it is missing, readable by nobody else. :class:`ConfigError` when
    that cannot be done."""
    if not home.is_dir():
        try:
            home.mkdir(mode=0o700, parents=True)
        except OSError as e:
            problem = f"cannot be made a folder: {home}: {e.strerror}"
            raise ConfigError("RIS_HOME", problem) from e
    return home


def free_bytes(home: Path) -> int:
    """What is free on the disk of the folder, which is there."""
    return shutil.disk_usage(home).free


def nearly_full(home: Path) -> str | None:
    """What is to be said where hardly anything is free there; None where there is room."""
    free = free_bytes(home)
    return f"only {free / 1e9:.1f} GB are free in {home}" if free < _LOW_BYTES else None
