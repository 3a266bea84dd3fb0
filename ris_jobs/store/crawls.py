"""Crawls of sources: one at a time for each, and what it saw."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ris_jobs.store.queries import query
from ris_jobs.store.runs import Run

_LOG = logging.getLogger("ris_jobs")


@dataclass(slots=True)
class Counts:
    """What was seen, in URIs, and read, in ``bytes``."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    missed: int = 0
    refused: int = 0
    failed: int = 0
    bytes: int = 0

    def counts(self) -> dict[str, int]:
        """These, by name."""
        return {f.name: getattr(self, f.name) for f in fields(Counts)}


@dataclass(slots=True)
class Figures(Counts):
    """Of a part of a crawl; ``refusals`` by reason, of refused and failed ones; ``waiting``
    URIs were left out, for they failed before; ``incomplete`` is why not all in reach was looked
    at, None if all was."""

    refusals: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    incomplete: str | None = None

    def add(self, other: Figures) -> None:
        for name, count in other.counts().items():
            setattr(self, name, getattr(self, name) + count)
        self.waiting += other.waiting
        self.refusals.update(other.refusals)


@dataclass(frozen=True, slots=True)
class Crawl:
    """An open row of ris.source_crawl. What its source saw since ``began_at`` was seen by it; what
    it saw since ``done_since`` was seen by it and by those before it that a limit ended.
    ``resumed`` tells one that was interrupted, ``marker`` is where it goes on, and ``hosts`` are
    the figures of its parts so far."""

    crawl_id: int
    source_id: int
    began_at: datetime
    done_since: datetime
    resumed: bool
    marker: str | None
    hosts: Mapping[str, Any]


@contextmanager
def opened(engine: Engine, source_id: int, run: Run) -> Iterator[Crawl]:
    """The crawl that was interrupted, if that is not long ago, or a new one.

    Waits while another process crawls the source. Whoever is done with it calls :func:`close`;
    one that is not closed was interrupted.
    """
    params = {"source_id": source_id}
    with alone(engine, source_id):
        with engine.begin() as db:
            db.execute(query("sources.close_old"), params)
            begun = {"run_id": run.run_id, "began_at": run.started_at}
            row = db.execute(query("sources.open"), params | begun).one()
        resumed = row.run_id != run.run_id
        yield Crawl(
            row.crawl_id, source_id, row.began_at, row.done_since, resumed, row.marker, row.hosts
        )


@contextmanager
def alone(engine: Engine, source_id: int) -> Iterator[None]:
    """Nobody else crawls the source; waits while another process does."""
    params = {"source_id": source_id}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as lock:
        if not lock.scalar(query("sources.try_lock"), params):
            _LOG.warning("another process crawls this source (%d): waiting for it", source_id)
            lock.execute(query("sources.lock"), params)
        try:
            yield
        finally:
            # A closed connection frees it too, but only once the server has noticed.
            with suppress(DBAPIError):
                lock.execute(query("sources.unlock"), params)


def crawled(db: Connection, names: Sequence[str], since: datetime) -> set[str]:
    """Which sources of these names a crawl that began since then was done with."""
    params = {"names": list(names), "since": since}
    return {*db.scalars(query("sources.crawled"), params)}


def advance(db: Connection, crawl: Crawl, seen: Figures, marker: str | None = None) -> None:
    """In the transaction that writes what was seen: a crawl counts nothing twice."""
    params = {"crawl_id": crawl.crawl_id, "refusals": json.dumps(seen.refusals), "marker": marker}
    db.execute(query("sources.advance"), seen.counts() | params)


def count_hosts(db: Connection, crawl: Crawl, hosts: Mapping[str, Any]) -> None:
    """Figures of all hosts, of all parts of the crawl."""
    params = {"crawl_id": crawl.crawl_id, "hosts": json.dumps(hosts)}
    db.execute(query("sources.count_hosts"), params)


def close(
    db: Connection,
    crawl: Crawl,
    *,
    complete: bool,
    why: str,
    limited: bool = False,
    pages: int = 0,
    lost: bool = False,
) -> None:
    """``limited``: there was more, which the next crawl of the source goes on with. ``lost``:
    nothing could be known of it, and the next crawl goes on with what the one before left."""
    params = {"complete": complete, "why": why, "limited": limited, "pages": pages, "lost": lost}
    db.execute(query("sources.close"), params | {"crawl_id": crawl.crawl_id})


def lose(db: Connection, crawl: Crawl, why: str) -> None:
    """Close one that could know nothing of its source, if it is still open and has seen nothing."""
    db.execute(query("sources.lose"), {"crawl_id": crawl.crawl_id, "why": why})
