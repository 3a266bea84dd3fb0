"""What the crawler says of the web, written down: bytes, then the ledger and all beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from sqlalchemy import Connection, Engine

from ris_jobs.crawl import Failure, Observation
from ris_jobs.crawl.web import Ended, Event, Host, Image, Named
from ris_jobs.errors import Reason
from ris_jobs.jobs.fetched import drop_erased, drop_judged
from ris_jobs.settings import Settings
from ris_jobs.store import crawls, fetches, ledger, sightings
from ris_jobs.store.crawls import Crawl, Figures
from ris_jobs.store.fetched import Fetched
from ris_jobs.store.runs import Run

# What the URI shows; for other reasons it was not asked, and may show what it did.
_CONTENT = frozenset(
    {Reason.EMPTY, Reason.NOT_AN_IMAGE, Reason.UNSUPPORTED_FORMAT, Reason.TOO_LARGE}
)


class Record:
    """One part of a crawl: takes events, and keeps what they bring."""

    def __init__(
        self,
        engine: Engine,
        run: Run,
        under_way: Crawl,
        fetched: Fetched,
        settings: Settings,
    ) -> None:
        self.total = Figures()
        self._engine = engine
        self._run = run
        self._crawl = under_way
        self._fetched = fetched
        self._settings = settings
        self._hosts: dict[str, Host] = {}

    def refuse(self, failures: Sequence[Failure], total: int) -> None:
        """What of a list is no URL to be asked for; in all there are so many. A crawl that goes on
        has counted them."""
        if self._crawl.marker is not None:
            return
        seen = Figures(seen=total, refused=total)
        seen.refusals[Reason.URL_REFUSED.value] = total
        with self._engine.begin() as db:
            self._fail(db, failures)
            crawls.advance(db, self._crawl, seen, marker="the list was read")
        self.total.add(seen)

    def take(self, events: Sequence[Event]) -> None:
        """Bytes first, then one transaction for all that the events say; then bytes go that were
        not needed."""
        images = [e for e in events if isinstance(e, Image)]
        taken = self._keep(images)
        self._hosts |= {e.host: e for e in events if isinstance(e, Host)}
        with self._engine.begin() as db:
            seen = self._record(db, images)
            waiting = [e.uri for e in events if isinstance(e, Named)]
            fetches.named(db, waiting, self._run.started_at)
            crawls.advance(db, self._crawl, seen)
            if len(images) < len(events):
                crawls.count_hosts(db, self._crawl, _sums(self._crawl.hosts, self._hosts.values()))
            for end in (e for e in events if isinstance(e, Ended)):
                self._close(db, end)
        self.total.add(seen)
        drop = drop_erased if self._settings.keep_fetched else drop_judged
        drop(self._engine, self._fetched, taken)

    def _keep(self, images: Sequence[Image]) -> list[str]:
        taken = []
        for image in images:
            if image.path is not None and image.sha256 is not None:
                self._fetched.take(image.path, image.sha256)
                taken.append(image.sha256)
        return taken

    def _record(self, db: Connection, images: Sequence[Image]) -> Figures:
        run, source_id = self._run, self._crawl.source_id
        known = ledger.current(db, [i.uri for i in images])
        images = [_absent(i) if i.uri not in known else i for i in images]
        same = [k for i in images if i.outcome == "not_modified" and (k := known.get(i.uri))]
        observed = [o for i in images if (o := _observation(i)) is not None]
        failed = [f for i in images if (f := _failure(i)) is not None]
        missed = [k for i in images if i.outcome == "gone" and (k := known.get(i.uri))]
        ledger.touch(db, same, run, source_id)
        recorded = ledger.record(db, observed, known, run, source_id)
        gone = ledger.miss(db, missed, run.started_at, self._settings.gone_after)
        failing = {f.uri for f in failed}
        fetches.succeed(db, [i.uri for i in images if i.uri not in failing])
        self._fail(db, failed)
        sightings.save(db, source_id, [_facts(i) for i in images], run.started_at)
        seen = Figures(
            seen=len(images),
            new=recorded.new,
            changed=recorded.changed,
            unchanged=recorded.unchanged + len(same),
            gone=gone,
            missed=len(missed) - gone,
            refused=sum(i.outcome == "refused" for i in images),
            failed=sum(i.outcome == "failed" for i in images),
            bytes=sum(i.size or 0 for i in images if i.outcome == "fetched"),
        )
        seen.refusals.update(i.reason.value for i in images if i.reason is not None)
        return seen

    def _close(self, db: Connection, end: Ended) -> None:
        if end.complete:
            fetches.forget(db, self._crawl.source_id, self._crawl.began_at)
        crawls.close(db, self._crawl, **asdict(end))

    def _fail(self, db: Connection, failures: Sequence[Failure]) -> None:
        give_up_after = self._settings.give_up_after
        fetches.fail(db, failures, self._crawl.source_id, self._run.started_at, give_up_after)


def _observation(image: Image) -> Observation | None:
    """What the URI shows, if it was asked and showed something."""
    content = image.outcome == "refused" and image.reason in _CONTENT
    if image.outcome != "fetched" and not content:
        return None
    return Observation(
        image.uri,
        image.seen_at,
        image.etag or image.last_modified or image.sha256 or "",
        image.size or 0,
        _time(image.last_modified),
        image.sha256 if image.outcome == "fetched" else None,
        image.reason if content else None,
        (image.detail or str(image.reason)) if content else None,
        etag=image.etag,
        last_modified=image.last_modified,
    )


def _absent(image: Image) -> Image:
    """That there is nothing is a failure at a URI which never showed something."""
    if image.outcome != "gone":
        return image
    detail = "the server says that there is nothing"
    return replace(image, outcome="failed", reason=Reason.HTTP_STATUS, detail=detail)


def _failure(image: Image) -> Failure | None:
    """Why there is nothing to observe."""
    if image.outcome == "failed" or (image.outcome == "refused" and image.reason not in _CONTENT):
        reason = image.reason or Reason.FAILED
        return Failure(image.uri, reason, image.detail or str(reason), image.retry_after)
    return None


def _facts(image: Image) -> dict[str, Any]:
    where = image.where
    if where is None:
        return {"uri": image.uri}
    published = where.published_at.isoformat() if where.published_at else None
    return {
        "uri": image.uri,
        "page": where.page,
        "title": where.title,
        "alt": where.alt,
        "link": where.link,
        "published_at": published,
        "full_uri": where.full,
        "columns": dict(where.columns),
    }


def _time(last_modified: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(last_modified or "")
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _sums(before: Mapping[str, Any], hosts: Iterable[Host]) -> dict[str, Any]:
    """Host → its figures of this part and of those before."""
    sums = dict(before)
    for host in hosts:
        figures = asdict(host)
        name = figures.pop("host")
        sums[name] = {k: v + before.get(name, {}).get(k, 0) for k, v in figures.items()}
    return sums
