"""Where the Milvus Lite of a `ris airflow` that runs is, for commands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ris_jobs.local_airflow.alone import runs

__all__ = ["announced", "found"]


@contextmanager
def announced(home: Path, uri: str | None) -> Iterator[None]:
    """Say where it is, in the home that :func:`alone` has; None where it is not ours to run."""
    file = _file(home)
    file.unlink(missing_ok=True)  # of one that was killed
    if uri is not None:
        file.write_text(uri)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def found(home: Path) -> str | None:
    """What was announced, as long as that `ris airflow` runs. It is not asked of the port: what
    answers there may be that of another home."""
    file = _file(home)
    return file.read_text() if file.exists() and runs(home) else None


def _file(home: Path) -> Path:
    return home / "milvus-uri"
