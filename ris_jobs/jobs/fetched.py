"""Fetched bytes go once they are fingerprinted, or some days later (RIS_KEEP_FETCHED)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from sqlalchemy import Engine

from ris_jobs.settings import Settings
from ris_jobs.store import images
from ris_jobs.store.fetched import Fetched

# A crawl that is under way has bytes that no table knows yet.
_UNKNOWN = timedelta(days=3)
# No file takes so long to be written.
_WRITTEN = timedelta(days=1)
_BATCH = 1000

Kept = tuple[str, datetime, int]


@dataclass(slots=True)
class Swept:
    """What a sweep deleted, and what it left."""

    files: int = 0
    bytes: int = 0
    kept: int = 0


def drop_judged(engine: Engine, fetched: Fetched, sha256s: Sequence[str]) -> None:
    """Delete those whose images are judged, as the tables say by now."""
    with engine.connect() as db:
        judged = images.judged(db, sha256s)
    for sha256 in sha256s:
        if judged.get(sha256):
            fetched.drop(sha256)


def drop_erased(engine: Engine, fetched: Fetched, sha256s: Sequence[str]) -> None:
    with engine.connect() as db:
        erased = images.erased(db, sha256s)
    for sha256 in erased:
        fetched.drop(sha256)


def sweep_fetched(
    engine: Engine, fetched: Fetched, settings: Settings, *, dry_run: bool = False
) -> Swept:
    """Delete what was left behind: images that are judged, ``keep_fetched`` days after they were
    fetched, what belongs to no image, three days after, and what killed crawls left unfinished;
    with ``dry_run`` only count."""
    now = datetime.now(UTC)
    swept = _sweep_parts(fetched, now, dry_run)
    for some in _batches(fetched.kept()):
        with engine.connect() as db:
            judged = images.judged(db, [sha256 for sha256, _, _ in some])
        for sha256, since, size in some:
            keep = timedelta(days=settings.keep_fetched) if sha256 in judged else _UNKNOWN
            if judged.get(sha256, True) and now - since > keep:
                if not dry_run:
                    fetched.drop(sha256)
                swept.files += 1
                swept.bytes += size
            else:
                swept.kept += 1
    return swept


def _sweep_parts(fetched: Fetched, now: datetime, dry_run: bool) -> Swept:
    """What killed crawls left: files that have no name yet, and folders of what was on its way."""
    swept = Swept()
    for path, since, size in fetched.left_over():
        if now - since > _WRITTEN:
            swept.files += 1
            swept.bytes += size
            if not dry_run:
                fetched.remove(path)
    for folder, since in fetched.left_spools():
        if now - since > _UNKNOWN and not dry_run:
            shutil.rmtree(folder, ignore_errors=True)
    return swept


def _batches(items: Iterator[Kept]) -> Iterator[list[Kept]]:
    while batch := list(islice(items, _BATCH)):
        yield batch
