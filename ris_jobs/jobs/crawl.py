"""Crawl: observe every image of some sources, read only what is new or changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine

from ris_jobs.crawl.source import Source
from ris_jobs.errors import ConfigError, CrawlFailed, RisError, SourcesFailed, SourceUnavailable
from ris_jobs.jobs.listed import crawl_listed
from ris_jobs.jobs.places import open_place
from ris_jobs.progress import Advance, Progress
from ris_jobs.settings import Settings
from ris_jobs.store import crawls
from ris_jobs.store.crawls import Counts, Crawl, Figures
from ris_jobs.store.fetched import open_fetched
from ris_jobs.store.runs import Run
from ris_jobs.store.sources import Stored

_LOG = logging.getLogger("ris_jobs")


@dataclass(slots=True)
class Crawled(Counts):
    """Of whole sources; ``seconds`` of wall-clock time; ``waiting`` URIs were left out, for they
    failed before; ``incomplete``: names of those that were not looked at to the end, and why."""

    seconds: float = 0.0
    waiting: int = 0
    incomplete: dict[str, str] = field(default_factory=dict)


def crawl(
    engine: Engine, run: Run, sources: Sequence[Stored], settings: Settings, progress: Progress
) -> Crawled:
    """:func:`crawl_all`, raising what it gives when all are done."""
    crawled, problem = crawl_all(engine, run, sources, settings, progress)
    if problem:
        raise problem
    return crawled


def crawl_all(
    engine: Engine, run: Run, sources: Sequence[Stored], settings: Settings, progress: Progress
) -> tuple[Crawled, RisError | None]:
    """Crawl each source and write the ledger. URIs that are missing since the last crawl are
    marked gone, never deleted.

    A crawl that was killed goes on where it was, if it began in the last 72 hours. What one source
    cannot do stops no other. It is given back beside the figures, None if there is nothing:
    :class:`ris_jobs.errors.ConfigError` for a source that cannot work (a folder that is not there
    and never was), :class:`ris_jobs.errors.SourceUnavailable` for one that cannot be listed now,
    :class:`ris_jobs.errors.CrawlFailed`; where several sources are crawled,
    :class:`ris_jobs.errors.SourcesFailed`.
    """
    started = time.perf_counter()
    total = Figures()
    incomplete: dict[str, str] = {}
    problems: dict[str, RisError] = {}
    with progress.stage("crawl", None) as advance:
        for stored in sources:
            name = stored.source.name
            try:
                with (
                    crawls.opened(engine, stored.source_id, run) as under_way,
                    _closed_if_lost(engine, under_way),
                ):
                    seen = _crawl(engine, run, stored.source, under_way, settings, advance)
            except (ConfigError, SourceUnavailable, CrawlFailed) as e:
                _LOG.error("source %s: %s", name, e)
                problems[name] = e
                continue
            _LOG.info("source %s: %s", name, seen)
            total.add(seen)
            if seen.incomplete:
                incomplete[name] = seen.incomplete
    crawled = Crawled(
        **total.counts(),
        seconds=time.perf_counter() - started,
        waiting=total.waiting,
        incomplete=incomplete,
    )
    return crawled, _together(problems, len(sources))


@contextmanager
def _closed_if_lost(engine: Engine, under_way: Crawl) -> Iterator[None]:
    """A crawl that a setting or a source that is away kept from beginning was not interrupted, and
    says why."""
    try:
        yield
    except (ConfigError, SourceUnavailable) as e:
        if not under_way.resumed:
            with engine.begin() as db:
                crawls.lose(db, under_way, str(e))
        raise


def _together(problems: Mapping[str, RisError], of: int) -> RisError | None:
    if of == 1:
        return next(iter(problems.values()), None)
    said = {name: str(problem) for name, problem in problems.items()}
    return SourcesFailed(said, of) if said else None


def _crawl(
    engine: Engine,
    run: Run,
    source: Source,
    under_way: Crawl,
    settings: Settings,
    advance: Advance,
) -> Figures:
    if source.kind in ("web", "urls"):
        # Scrapy is needed by these alone.
        from ris_jobs.jobs.web import crawl_web

        fetched = open_fetched(settings)
        return crawl_web(engine, run, source, under_way, fetched, settings, advance)
    place = open_place(engine, source, run, settings)
    return crawl_listed(engine, run, source, under_way, place, settings, advance)
