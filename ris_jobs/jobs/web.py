"""Crawl the web: what the crawler in its child process says, written to the ledger."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine

from ris_jobs.crawl.source import Source
from ris_jobs.crawl.web import Event, Image, Order, crawl
from ris_jobs.crawl.web import known as memory
from ris_jobs.errors import ConfigError, SourceUnavailable
from ris_jobs.jobs.clock import Clock
from ris_jobs.jobs.credentials import authorization
from ris_jobs.jobs.lists import write_list
from ris_jobs.jobs.wanted import CONTACT_WANTED
from ris_jobs.jobs.web_record import Record
from ris_jobs.progress import Advance
from ris_jobs.settings import Settings
from ris_jobs.store import sightings
from ris_jobs.store.crawls import Crawl, Figures
from ris_jobs.store.fetched import Fetched
from ris_jobs.store.runs import Run

_BATCH = 200
_SECONDS = 5.0


def crawl_web(
    engine: Engine,
    run: Run,
    source: Source,
    under_way: Crawl,
    fetched: Fetched,
    settings: Settings,
    advance: Advance,
) -> Figures:
    """Crawl a source of kind ``web`` or ``urls``. :class:`ConfigError` without a contact,
    :class:`SourceUnavailable` when what it begins at could not be read."""
    record = Record(engine, run, under_way, fetched, settings)
    with fetched.spool(under_way.source_id) as folder:
        order = _order(engine, run, source, under_way, fetched, folder, settings, record)
        with closing(crawl(order)) as events:
            for batch in batches(events):
                record.take(batch)
                advance(sum(isinstance(event, Image) for event in batch))
    if record.lost:
        fix = "Is its location right, and may it be asked for? It is, again, at the next crawl."
        raise SourceUnavailable(source.name, record.total.incomplete or "", fix)
    return record.total


def _order(
    engine: Engine,
    run: Run,
    source: Source,
    under_way: Crawl,
    fetched: Fetched,
    folder: Path,
    settings: Settings,
    record: Record,
) -> Order:
    clock = Clock(source.limits.seconds)
    contact = contact_of(source, settings)
    (folder / "images").mkdir()
    header = authorization(source) if "://" in source.location else None
    images = None
    if source.kind == "urls":
        images = folder / "list.jsonl"
        record.refuse(*write_list(source, contact, header, folder, images, clock))
    known = _write_known(engine, run, under_way, fetched, folder / "known")
    return Order(
        source=_in_time(source, clock),
        contact=contact,
        max_bytes=settings.max_bytes,
        images=images,
        known=known,
        spool=folder / "images",
        turns=settings.home / "turns-2",
        authorization=header,
    )


def _in_time(source: Source, clock: Clock) -> Source:
    """With the seconds that are left to it; none left are hardly any, for a limit is above 0."""
    if (left := clock.left()) is None:
        return source
    return replace(source, limits=replace(source.limits, seconds=max(left, 0.001)))


def contact_of(source: Source, settings: Settings) -> str:
    """Whom servers are told. :class:`ConfigError` if nobody."""
    contact = source.politeness.contact or settings.contact
    if contact is None:
        problem = f"must be set to crawl source {source.name!r}: {CONTACT_WANTED}"
        raise ConfigError("RIS_CONTACT", problem)
    return contact


def _write_known(engine: Engine, run: Run, under_way: Crawl, fetched: Fetched, file: Path) -> Path:
    with engine.connect() as db:
        memory.write(file, _known(sightings.known(db, under_way, run), fetched))
    return file


def _known(named: Iterable[sightings.Before], fetched: Fetched) -> Iterator[memory.Before]:
    """Validators are sent only where the bytes are needed no more, or still kept: a server that
    answers that they are the same is to cost us nothing."""
    kept = {bytes.fromhex(sha256) for sha256, _, _ in fetched.kept()}
    for before in named:
        at_hand = before.sha256 is not None and bytes.fromhex(before.sha256) in kept
        usable = before.judged or at_hand
        row = memory.Before(
            uri=before.uri,
            etag=before.etag if usable else None,
            last_modified=before.last_modified if usable else None,
            answered_by=before.answered_by,
            done=before.seen or before.waits or before.left,
            counts=before.seen,
            waits=before.waits,
            page=before.page,
        )
        if row.done or row.etag or row.last_modified or row.page:
            yield row


def batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    """So many, or what came in some seconds: what was fetched is soon written down."""
    batch: list[Event] = []
    began = time.monotonic()
    for event in events:
        batch.append(event)
        if len(batch) >= _BATCH or time.monotonic() - began > _SECONDS:
            yield batch
            batch, began = [], time.monotonic()
    if batch:
        yield batch
