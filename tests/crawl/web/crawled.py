"""Crawls a site of the tests, and sorts what is told."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ris_jobs.crawl.source import Source
from ris_jobs.crawl.web import Ended, Event, Host, Image, Order, crawl
from ris_jobs.crawl.web.known import Before, write

CONTACT = "https://example.org/crawler"


@dataclass
class Crawled:
    events: list[Event]

    @property
    def images(self) -> dict[str, Image]:
        """By URI; that each was told once is seen to."""
        told = [event for event in self.events if isinstance(event, Image)]
        by_uri = {event.uri: event for event in told}
        assert len(by_uri) == len(told)
        return by_uri

    @property
    def hosts(self) -> dict[str, Host]:
        """The last totals."""
        return {event.host: event for event in self.events if isinstance(event, Host)}

    @property
    def ended(self) -> Ended:
        assert isinstance(self.events[-1], Ended)
        assert sum(isinstance(event, Ended) for event in self.events) == 1
        return self.events[-1]

    def outcomes(self) -> dict[str, str]:
        """Path or whole URI of other hosts → outcome, or the reason for none."""
        return {uri: str(image.reason or image.outcome) for uri, image in self.images.items()}


def order(folder: Path, source: Source, known: Iterable[Before] = (), **more: Any) -> Order:
    spool, memory = folder / "spool", folder / "known"
    spool.mkdir(parents=True)
    write(memory, known)
    values = {"contact": CONTACT, "max_bytes": 1 << 20, "images": None, "authorization": None}
    return Order(source=source, known=memory, spool=spool, **{**values, **more})


def crawled(source: Source, known: Iterable[Before] = (), **more: Any) -> Crawled:
    with tempfile.TemporaryDirectory() as folder:
        return Crawled(list(crawl(order(Path(folder), source, known, **more))))


def memory(crawl: Crawled) -> list[Before]:
    """What a next crawl knows of this one."""
    return [
        Before(uri=i.uri, etag=i.etag, last_modified=i.last_modified, answered_by=i.answered_by)
        for i in crawl.images.values()
    ]
