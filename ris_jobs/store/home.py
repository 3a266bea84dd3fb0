"""The folder of the embedded default: pictures and records of people, so private to its account."""

from __future__ import annotations

from pathlib import Path

from ris_jobs.errors import ConfigError


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
