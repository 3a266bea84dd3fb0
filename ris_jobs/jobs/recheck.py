"""Recheck: what of the web no crawl asks for any more is asked for again, some at a time."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine

from ris_jobs.crawl.source import Source
from ris_jobs.crawl.web import Ended, Event, Image, Order, crawl, known
from ris_jobs.errors import ConfigError, CrawlFailed, SourceUnavailable
from ris_jobs.jobs.credentials import authorization
from ris_jobs.jobs.web import batches, contact_of
from ris_jobs.jobs.web_seen import Seen
from ris_jobs.progress import Advance
from ris_jobs.settings import Settings
from ris_jobs.store import crawls, images, rechecks, runs, sources
from ris_jobs.store.crawls import Figures
from ris_jobs.store.fetched import Fetched
from ris_jobs.store.rechecks import Due
from ris_jobs.store.sources import Stored

_LOG = logging.getLogger("ris_jobs")
# However few are left to be asked for, so many are looked at together.
_AT_LEAST = 1000


def recheck(
    engine: Engine, fetched: Fetched, settings: Settings, advance: Advance, *, dry_run: bool = False
) -> Figures:
    """Ask for URIs that were not asked for in ``recheck_days``, ``recheck_limit`` at most, as their
    sources' crawls do; with ``dry_run`` only count what is due. A source that fails is logged, and
    stops no other; what it does not get to is left to the others."""
    total = Figures()
    before = datetime.now(UTC) - timedelta(days=settings.recheck_days)
    for stored in _of_the_web(engine):
        left = settings.recheck_limit - total.seen
        if left <= 0:
            break
        due = _due(engine, stored, before, left, dry_run)
        if dry_run:
            total.seen += len(due)
        elif due:
            try:
                _ask(engine, fetched, settings, stored, due, total, advance)
            except (ConfigError, CrawlFailed, SourceUnavailable) as e:
                _LOG.error("source %s: %s", stored.source.name, e)
    return total


def _of_the_web(engine: Engine) -> list[Stored]:
    with engine.connect() as db:
        there = [stored for stored, _ in sources.there(db)]
    return [s for s in there if s.enabled and s.source.kind in ("web", "urls")]


def _due(
    engine: Engine, stored: Stored, before: datetime, left: int, dry_run: bool
) -> Sequence[Due]:
    """What the source takes. All else is noted as if it was asked for: it is not to come first
    each time."""
    taken: list[Due] = []
    with engine.connect() as db:
        while not taken and (
            due := rechecks.due(db, stored.source_id, before, max(left, _AT_LEAST))
        ):
            taken = [d for d in due if stored.source.takes(d.uri)]
            others = [d.uri for d in due if not stored.source.takes(d.uri)]
            rechecks.asked(db, others, datetime.now(UTC))
        if not dry_run:
            db.commit()
    return taken[:left]


def _ask(
    engine: Engine,
    fetched: Fetched,
    settings: Settings,
    stored: Stored,
    due: Sequence[Due],
    total: Figures,
    advance: Advance,
) -> None:
    """A run of its own, while no crawl of the source is under way. Added to the ``total`` is what
    came of it, also of one that fails."""
    with engine.begin() as db:
        run = runs.start(db, "crawl", settings)
    status = "failed"
    seen = Seen(engine, run, stored.source_id, fetched, settings)
    try:
        with crawls.alone(engine, stored.source_id), fetched.spool(stored.source_id) as folder:
            order = _order(engine, stored.source, due, folder, settings)
            with closing(crawl(order)) as events:
                for batch in batches(events):
                    found = [event for event in batch if isinstance(event, Image)]
                    taken = seen.keep(found)
                    with engine.begin() as db:
                        seen.total.add(seen.record(db, found)[0])
                        rechecks.asked(db, _answered(batch, due), run.started_at)
                    seen.drop(taken)
                    advance(len(found))
        status = "done"
    finally:
        total.add(seen.total)
        with engine.begin() as db:
            runs.finish(db, run, status, {})


def _answered(batch: Sequence[Event], due: Sequence[Due]) -> list[str]:
    """What the crawler told of; once it is through that is all, in whatever spelling."""
    uris = {event.uri for event in batch if isinstance(event, Image)}
    if any(isinstance(event, Ended) and event.complete for event in batch):
        uris |= {d.uri for d in due}
    return sorted(uris)


def _order(
    engine: Engine, source: Source, due: Sequence[Due], folder: Path, settings: Settings
) -> Order:
    """The due URIs as a list."""
    listed, spool = folder / "list.jsonl", folder / "images"
    spool.mkdir()
    lines = (json.dumps({"uri": d.uri, "columns": {}}) for d in due)
    listed.write_text("".join(f"{line}\n" for line in lines))
    with engine.connect() as db:
        known.write(folder / "known", _known(db, due))
    return Order(
        source=replace(source, kind="urls"),
        contact=contact_of(source, settings),
        max_bytes=settings.max_bytes,
        images=listed,
        known=folder / "known",
        spool=spool,
        turns=settings.home / "turns-2",
        authorization=authorization(source),
    )


def _known(db: Connection, due: Sequence[Due]) -> Iterator[known.Before]:
    """What servers are asked to compare: of what is gone all is wanted, should it be back, and of
    the others what is needed still."""
    judged = images.judged(db, [d.sha256 for d in due if d.sha256])
    for d in due:
        if not d.gone and judged.get(d.sha256 or ""):
            yield known.Before(
                uri=d.uri, etag=d.etag, last_modified=d.last_modified, answered_by=d.answered_by
            )
