"""What the crawler says of the web, written down: the ledger, and all beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Engine

from ris_jobs.crawl import Failure
from ris_jobs.crawl.web import Ended, Event, Host, Image, Named, Placed, Where
from ris_jobs.errors import Reason
from ris_jobs.jobs.web_seen import Seen
from ris_jobs.settings import Settings
from ris_jobs.store import crawls, fetches, sightings
from ris_jobs.store.crawls import Crawl, Figures
from ris_jobs.store.fetched import Fetched
from ris_jobs.store.runs import Run


class Record(Seen):
    """One part of a crawl: takes events, and keeps what they bring. ``lost``: nothing could be
    known of the source, though there was leave and time to look."""

    def __init__(
        self,
        engine: Engine,
        run: Run,
        under_way: Crawl,
        fetched: Fetched,
        settings: Settings,
    ) -> None:
        super().__init__(engine, run, under_way.source_id, fetched, settings)
        self.lost = False
        self._crawl = under_way
        self._hosts: dict[str, Host] = {}

    def refuse(self, failures: Sequence[Failure], total: int) -> None:
        """What of a list is no URL to be asked for; in all there are so many. A crawl that goes on
        has counted them. It is no new attempt until its time to wait is over."""
        if self._crawl.marker is not None:
            return
        seen = Figures(seen=total, refused=total)
        seen.refusals[Reason.URL_REFUSED.value] = total
        with self._engine.begin() as db:
            uris, at = [f.uri for f in failures], self._run.started_at
            waiting = fetches.waiting(db, uris, self._crawl.source_id, at)
            self._fail(db, [f for f in failures if f.uri not in waiting])
            crawls.advance(db, self._crawl, seen, marker="the list was read")
        self.total.add(seen)

    def take(self, events: Sequence[Event]) -> None:
        """Bytes first, then one transaction for all that the events say; then bytes go that were
        not needed."""
        images = [e for e in events if isinstance(e, Image)]
        taken = self.keep(images)
        self._hosts |= {e.host: e for e in events if isinstance(e, Host)}
        with self._engine.begin() as db:
            seen = self._record(db, images)
            placed = [_facts(e.uri, e.where) for e in events if isinstance(e, Placed)]
            sightings.place(db, self._source_id, placed)
            waiting = [e.uri for e in events if isinstance(e, Named)]
            fetches.named(db, waiting, self._source_id, self._run.started_at)
            seen.waiting = len(waiting)
            crawls.advance(db, self._crawl, seen)
            if len(images) < len(events):
                crawls.count_hosts(db, self._crawl, _sums(self._crawl.hosts, self._hosts.values()))
            for end in (e for e in events if isinstance(e, Ended)):
                self._close(db, end)
        self.total.add(seen)
        self.drop(taken)

    def _record(self, db: Connection, images: Sequence[Image]) -> Figures:
        seen, failed = self.record(db, images)
        failing = {f.uri for f in failed}
        there = [i.uri for i in images if i.uri not in failing]
        fetches.succeed(db, there, self._source_id)
        self._fail(db, failed)
        found = [_facts(i.uri, i.where) for i in images if i.where]
        sightings.save(db, self._source_id, found, self._run.started_at)
        same = [i.uri for i in images if i.where is None]
        sightings.touch(db, self._source_id, same, self._run.started_at)
        return seen

    def _close(self, db: Connection, end: Ended) -> None:
        if end.complete:
            fetches.forget(db, self._crawl.source_id, self._crawl.began_at)
        self.total.incomplete = None if end.complete else end.why
        self.lost = end.lost and not end.limited
        if end.lost and self._crawl.resumed:
            return  # It goes on once more, or else what it saw before would be asked for again.
        crawls.close(
            db,
            self._crawl,
            complete=end.complete,
            why=end.why,
            limited=end.limited,
            pages=end.pages,
            lost=end.lost,
        )

    def _fail(self, db: Connection, failures: Sequence[Failure]) -> None:
        give_up_after = self._settings.give_up_after
        fetches.fail(db, failures, self._crawl.source_id, self._run.started_at, give_up_after)


def _facts(uri: str, where: Where) -> dict[str, Any]:
    published = where.published_at.isoformat() if where.published_at else None
    return {
        "uri": uri,
        "page": where.page,
        "title": where.title,
        "alt": where.alt,
        "link": where.link,
        "published_at": published,
        "full_uri": where.full,
        "columns": dict(where.columns),
    }


def _sums(before: Mapping[str, Any], hosts: Iterable[Host]) -> dict[str, Any]:
    """Host → its figures of this part and of those before."""
    sums = dict(before)
    for host in hosts:
        figures = asdict(host)
        name = figures.pop("host")
        sums[name] = {k: v + before.get(name, {}).get(k, 0) for k, v in figures.items()}
    return sums
