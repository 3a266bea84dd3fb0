"""Crawl: observe every image under the roots, read only what is new or changed."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, Engine

from ris_jobs.crawl import Listing, Observation, directory
from ris_jobs.errors import ConfigError
from ris_jobs.progress import Progress
from ris_jobs.settings import Settings
from ris_jobs.store import ledger
from ris_jobs.store.runs import Run

_BATCH = 1024

Listed = Listing | Observation


@dataclass(slots=True)
class Crawled:
    """What a crawl saw, in URIs; ``seconds`` of wall-clock time."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    seconds: float = 0.0


def crawl(
    engine: Engine, run: Run, roots: Sequence[Path], settings: Settings, progress: Progress
) -> Crawled:
    """Walk each root and write the ledger. URIs that are missing since the last crawl are
    marked gone, never deleted; a root that is missing itself has nothing left in it.

    Raises :class:`ConfigError` for a root that is not there and never was.
    """
    started = time.perf_counter()
    total = Crawled()
    skip = frozenset({settings.home.resolve()})
    with progress.stage("crawl", None) as advance, ThreadPoolExecutor(settings.threads) as pool:
        for root in roots:
            unread: list[str] = []
            for batch in _batches(_listed(engine, root, run, skip)):
                with engine.begin() as db:
                    _observe(db, run, batch, pool, total)
                unread += [x.uri for x in batch if isinstance(x, Observation)]
                advance(len(batch))
            with engine.begin() as db:
                uri = directory.uri_of(root)
                total.gone += ledger.mark_gone(db, uri, unread, run.started_at)
    total.seconds = time.perf_counter() - started
    return total


def distinct(roots: Sequence[Path]) -> list[Path]:
    """Each root in its one true spelling; those that lie within another are left out."""
    paths = sorted({root.resolve() for root in roots})
    return [p for p in paths if not any(p.is_relative_to(q) for q in paths if q != p)]


def _listed(engine: Engine, root: Path, run: Run, skip: Collection[Path]) -> Iterable[Listed]:
    if root.exists():
        return directory.walk(root, now=run.started_at, skip=skip)
    with engine.connect() as db:
        if not ledger.knows(db, directory.uri_of(root)):
            raise ConfigError(str(root), "does not exist")
    return ()


def _observe(
    db: Connection, run: Run, batch: Sequence[Listed], pool: ThreadPoolExecutor, total: Crawled
) -> None:
    known = ledger.current(db, [x.uri for x in batch])
    failed = [x for x in batch if isinstance(x, Observation)]
    listed = [x for x in batch if isinstance(x, Listing)]
    unchanged = {
        x.uri: k
        for x in listed
        if (k := known.get(x.uri)) and k.version == x.version and not k.gone
    }
    to_read = [x for x in listed if x.uri not in unchanged]
    read = list(pool.map(lambda x: directory.observe(x, run.started_at), to_read))
    ledger.touch(db, list(unchanged.values()), run)
    recorded = ledger.record(db, [*failed, *read], known, run)
    total.seen += len(batch)
    total.new += recorded.new
    total.changed += recorded.changed
    total.unchanged += recorded.unchanged + len(unchanged)


def _batches(items: Iterable[Listed]) -> Iterator[list[Listed]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
