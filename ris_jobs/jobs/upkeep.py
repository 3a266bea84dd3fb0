"""Upkeep: what time leaves behind is put right, and what is past its time erased."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from ris_jobs.errors import ImageRejected
from ris_jobs.jobs.fetched import sweep_fetched
from ris_jobs.jobs.index import check_index, index
from ris_jobs.jobs.models import open_pipeline, serving_stores
from ris_jobs.jobs.noted import noted
from ris_jobs.jobs.poison import run_each
from ris_jobs.jobs.reading import Reader
from ris_jobs.jobs.samples import make_up
from ris_jobs.progress import Advance, Progress
from ris_jobs.report.operation import REINDEX
from ris_jobs.settings import Settings
from ris_jobs.store import runs, samples, serving, sources, upkeep
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.stores import Stores

if TYPE_CHECKING:
    from ris_jobs.fingerprint.pipeline import Pipeline

KILLED_AFTER = timedelta(hours=48)
"""But for changes of the model, which may take :data:`ris_jobs.report.operation.REINDEX`."""

_BATCH = 1000
_PREFIXES = [f"{number:02x}" for number in range(256)]


@dataclass(slots=True)
class Upkept:
    """What was done, or would be: runs closed, images retired, images whose vectors were removed
    from Milvus or put there again, previews removed, made again, and missing for good, files left
    by killed writers, fetched images past their time, images whose samples were taken late, are
    still to be, and cannot be, for their bytes are gone; URIs of the web that were asked for again,
    and how many of them show something else, or anything again, and how many are gone now."""

    runs_closed: int = 0
    images_retired: int = 0
    vectors_removed: int = 0
    vectors_restored: int = 0
    previews_removed: int = 0
    previews_restored: int = 0
    previews_missing: int = 0
    files_removed: int = 0
    fetched_removed: int = 0
    samples_made: int = 0
    samples_waiting: int = 0
    samples_missing: int = 0
    uris_rechecked: int = 0
    uris_changed: int = 0
    uris_gone: int = 0


def keep_up(
    settings: Settings,
    progress: Progress,
    *,
    dry_run: bool = False,
    killed_after: timedelta | None = None,
) -> Upkept:
    """Do all of it, as a run, or only count with ``dry_run``. A run that has not ended after
    ``killed_after`` was killed; unless given, after :data:`KILLED_AFTER`. May be killed anywhere:
    what is left to do is found anew the next time."""
    total = Upkept()
    with open_engine(settings) as engine:
        _close_runs(engine, killed_after, total, dry_run)
        if dry_run:
            _put_right(settings, progress, total, dry_run)
            return total
        with engine.begin() as db:
            run = runs.start(db, "upkeep", settings)
        with noted(engine, run, total):
            _put_right(settings, progress, total, dry_run)
    return total


def _put_right(settings: Settings, progress: Progress, total: Upkept, dry_run: bool) -> None:
    with serving_stores(settings) as (settings, stores):
        if settings.retention_days:
            _retire(stores.engine, settings.retention_days, total, dry_run)
        with progress.stage("vectors", None) as advance:
            _tidy_vectors(stores, total, dry_run, advance)
        with (
            progress.stage("previews", len(_PREFIXES)) as advance,
            ThreadPoolExecutor(settings.threads) as pool,
        ):
            loaded = cache(partial(open_pipeline, settings))
            work = _Restoring(stores, settings, pool, loaded, total, dry_run)
            for prefix in _PREFIXES:
                _tidy_previews(work, prefix)
                advance(1)
        _samples(stores, settings, progress, total, dry_run)
        swept = sweep_fetched(stores.engine, stores.fetched, settings, dry_run=dry_run)
        total.fetched_removed = swept.files
        if not dry_run:
            with stores.engine.begin() as db:
                upkeep.analyze(db)
        # Last, for a slow website is to hold nothing back.
        if settings.recheck_days:
            with progress.stage("recheck", None) as advance:
                _recheck(stores, settings, total, dry_run, advance)


def _close_runs(engine: Engine, after: timedelta | None, total: Upkept, dry_run: bool) -> None:
    usual, reindex = (KILLED_AFTER, REINDEX) if after is None else (after, after)
    now = datetime.now(UTC)
    with engine.begin() as db:
        ids = upkeep.unfinished(db, now - usual, now - reindex)
        total.runs_closed = len(ids)
        if not dry_run:
            upkeep.close_runs(db, ids)


def _recheck(
    stores: Stores, settings: Settings, total: Upkept, dry_run: bool, advance: Advance
) -> None:
    # Scrapy is needed by this alone.
    from ris_jobs.jobs.recheck import recheck

    seen = recheck(stores.engine, stores.fetched, settings, advance, dry_run=dry_run)
    total.uris_rechecked, total.uris_changed, total.uris_gone = seen.seen, seen.changed, seen.gone


def _retire(engine: Engine, days: int, total: Upkept, dry_run: bool) -> None:
    """The rows; vectors and previews go when the stores are tidied."""
    before = datetime.now(UTC) - timedelta(days=days)
    if dry_run:
        with engine.connect() as db:
            total.images_retired = upkeep.count_outdated(db, before)
        return
    done = [0]
    while done:
        with engine.begin() as db:
            done = upkeep.retire(db, before, done[-1], _BATCH)
        total.images_retired += len(done)


def _tidy_vectors(stores: Stores, total: Upkept, dry_run: bool, advance: Advance) -> None:
    with stores.engine.connect() as db:
        models = serving.indexed_models(db)
    for served in models:
        own = served.model_id == stores.model_id
        of = stores if own else stores.beside(served.model)
        drift = check_index(of)
        with stores.engine.begin() as db:
            # What is just being indexed is described already.
            extra = upkeep.undescribed(db, of.model_id, drift.extra)
            if not dry_run:
                upkeep.unindex(db, of.model_id, drift.missing)
        total.vectors_removed += len(extra)
        total.vectors_restored += len(drift.missing)
        if not dry_run:
            of.vectors.delete(extra)
            index(of)
        advance(drift.indexed)


@dataclass(frozen=True, slots=True)
class _Restoring:
    """What all previews share."""

    stores: Stores
    settings: Settings
    pool: ThreadPoolExecutor
    open_pipeline: Callable[[], Pipeline]
    total: Upkept
    dry_run: bool


def _tidy_previews(work: _Restoring, prefix: str) -> None:
    """Those of images whose sha256 begins so."""
    stores, total = work.stores, work.total
    there = stores.previews.listed(prefix)
    high = f"{int(prefix, 16) + 1:02x}" if prefix != "ff" else "g"
    with stores.engine.connect() as db:
        wanted = upkeep.pictured(db, prefix, high)
    extra = sorted(there.hashes - wanted.keys())
    lost = sorted(sha256 for sha256, made in wanted.items() if made and sha256 not in there.hashes)
    total.previews_removed += len(extra)
    total.files_removed += len(there.left_over)
    if not work.dry_run:
        for sha256 in extra:
            stores.previews.delete(sha256)
        for path in there.left_over:
            stores.previews.remove(path)
    size = work.settings.batch_size
    for start in range(0, len(lost), size):
        _restore(work, lost[start : start + size])


def _restore(work: _Restoring, lost: list[str]) -> None:
    """Previews of these images, made again where their bytes can still be read and used."""
    at_hand = _originals(work, lost)
    restored = len(at_hand)
    if at_hand and not work.dry_run:
        made = run_each(work.open_pipeline(), [*at_hand.values()])
        for sha256, result in zip(at_hand, made, strict=True):
            if isinstance(result, ImageRejected):
                restored -= 1
            else:
                work.stores.previews.write(sha256, result.preview)
    work.total.previews_restored += restored
    work.total.previews_missing += len(lost) - restored


def _samples(
    stores: Stores, settings: Settings, progress: Progress, total: Upkept, dry_run: bool
) -> None:
    if not dry_run:
        total.samples_made = make_up(stores, settings, progress)
    with stores.engine.connect() as db:
        late = samples.count_late(db)
    total.samples_waiting, total.samples_missing = late.waiting, late.missing


def _originals(work: _Restoring, lost: list[str]) -> dict[str, bytes]:
    """sha256 → bytes of those that can still be read."""
    with work.stores.engine.connect() as db:
        places = [*upkeep.places(db, lost)]
        reader = Reader(sources.readable(db), work.stores.fetched, work.settings.max_bytes)
    read = zip(places, work.pool.map(reader.original, places), strict=True)
    return {c.sha256: data for c, data in read if isinstance(data, bytes)}
