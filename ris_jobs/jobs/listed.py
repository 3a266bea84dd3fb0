"""Crawl what can be listed: folders and object stores. Only what is new or changed is read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from itertools import takewhile

from sqlalchemy import Connection, Engine

from ris_jobs.crawl import Failure, Going, Listing, Observation
from ris_jobs.crawl.source import Source
from ris_jobs.errors import Reason
from ris_jobs.jobs.ahead import Ahead
from ris_jobs.jobs.clock import Clock
from ris_jobs.jobs.places import Listed, Place
from ris_jobs.progress import Advance
from ris_jobs.settings import Settings
from ris_jobs.store import crawls, fetches, ledger
from ris_jobs.store.crawls import Crawl, Figures
from ris_jobs.store.ledger import Known
from ris_jobs.store.runs import Run

_LOG = logging.getLogger("ris_jobs")
_BATCH = 1024
_OUT_OF_TIME = "limit of seconds"


def crawl_listed(
    engine: Engine,
    run: Run,
    source: Source,
    crawl: Crawl,
    place: Place,
    settings: Settings,
    advance: Advance,
) -> Figures:
    """Walk the place and write the ledger; what is missing since the last crawl is gone."""
    clock = Clock(source.limits.seconds)
    job = _Job(run, source, crawl, place, settings, clock)
    unread: list[str] = []
    listed = partial(job.listed, crawl.marker)
    with ThreadPoolExecutor(settings.threads) as pool, closing(Ahead(listed, _BATCH)) as ahead:
        while batch := ahead.batch(clock):
            job.observe(engine, batch, pool)
            unread += [x.uri for x in batch if isinstance(x, Observation)]
            advance(len(batch))
            if job.over:
                break
    ended = ahead.ended and not job.over
    if ended:
        job.look_back()
    with engine.begin() as db:
        if ended and not job.over:
            job.end(db, unread)
        elif ended or not job.over:
            job.stop(db, _OUT_OF_TIME)
    if job.over == _OUT_OF_TIME and (ended or not ahead.ended):
        job.warn_if_stuck()
    job.total.incomplete = job.over
    return job.total


class _Job:
    """One part of a crawl: what it has seen, and what it may still read."""

    def __init__(
        self,
        run: Run,
        source: Source,
        crawl: Crawl,
        place: Place,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self.total = Figures()
        self.over: str | None = None
        self._run = run
        self._source = source
        self._crawl = crawl
        self._place = place
        self._settings = settings
        self._reads = self._read_bytes = 0
        self._found = False
        self._clock = clock

    def listed(self, after: str | None, going: Going) -> Iterator[Listed]:
        """What the source takes of its place, behind a URI."""
        return (x for x in self._place.walk(after, going) if _concerns(self._source, x))

    def _images(self, going: Going) -> Iterator[Listed]:
        return (x for x in self.listed(None, going) if isinstance(x, Listing))

    def observe(self, engine: Engine, batch: Sequence[Listed], pool: ThreadPoolExecutor) -> None:
        """Read what is new or changed in a batch, with no transaction open, and write it down.
        Where a limit is met the crawl ends with it."""
        run = self._run
        self._found |= any(isinstance(x, Listing) for x in batch)
        with engine.begin() as db:
            known = ledger.current(db, [x.uri for x in batch])
            left = [x for x in batch if not self._done(x, known.get(x.uri))]
            uris, source_id = [x.uri for x in left], self._crawl.source_id
            waiting = fetches.waiting(db, uris, source_id, run.started_at)
        listed = [x for x in left if isinstance(x, Listing) and x.uri not in waiting]
        unchanged = {x.uri: known[x.uri] for x in listed if _unchanged(x, known.get(x.uri))}
        wanted = [x for x in listed if x.uri not in unchanged]
        to_read = self._affordable(wanted)
        read = [x for x in pool.map(self._read, to_read) if x is not None]
        if len(read) < len(to_read):
            self.over = self.over or _OUT_OF_TIME
        left_out = {x.uri for x in wanted} - {x.uri for x in read}
        settled = list(takewhile(lambda x: x.uri not in left_out, batch))
        given = [x for x in left if not isinstance(x, Listing)] + read
        with engine.begin() as db:
            ledger.touch(db, list(unchanged.values()), run, source_id)
            seen = self._record(db, given, known)
            seen.seen = len(left)
            seen.waiting = len(waiting)
            seen.unchanged += len(unchanged)
            seen.bytes = sum(x.size for x in read if isinstance(x, Observation) and x.sha256)
            crawls.advance(db, self._crawl, seen, marker=settled[-1].uri if settled else None)
            if self.over:
                self.stop(db, self.over)
        self.total.add(seen)

    def look_back(self) -> None:
        """Where a store has nothing behind the marker, look whether it has anything before it: what
        an earlier part found there is not listed again, and may be gone with all the rest."""
        if self._found or self._crawl.marker is None or self._source.kind != "objects":
            return
        with closing(Ahead(self._images, 1)) as first:
            self._found = bool(first.batch(self._clock))
            if not (self._found or first.ended):
                self.over = _OUT_OF_TIME

    def stop(self, db: Connection, why: str) -> None:
        """A limit ends the crawl: what was not listed is not gone. The listing of a store that has
        taken all the time is gone on with."""
        self.over = why
        limited = why == _OUT_OF_TIME and self._source.kind == "objects"
        crawls.close(db, self._crawl, complete=False, why=why, limited=limited)

    def warn_if_stuck(self) -> None:
        """Say where the time was over before the listing brought anything that is new."""
        total = self.total
        got_on = total.seen if self._source.kind == "objects" else total.new + total.changed
        if not (got_on or total.failed):
            _LOG.warning(
                "source %s: its listing alone takes longer than limits.seconds, and what lies "
                "behind is not seen. Give it more",
                self._source.name,
            )

    def end(self, db: Connection, unread: Sequence[str]) -> None:
        """The listing came to its end: what is missing in it is gone, and what is missing in one
        without any image after so many of them. It may be a disk that is not mounted."""
        since, at = self._crawl.done_since, self._run.started_at
        place, source_id = self._place, self._crawl.source_id
        closed = [*unread, *fetches.folders(db, source_id, since)]
        lost = ledger.unseen(
            db,
            place.root,
            closed,
            since,
            lambda u: place.lists(u) and self._source.takes(u),
            source_id,
        )
        if self._found:
            last = Figures(gone=ledger.mark_gone(db, lost, at))
        else:
            gone = ledger.miss(db, lost, at, self._settings.gone_after)
            last = Figures(gone=gone, missed=len(lost) - gone)
        crawls.advance(db, self._crawl, last)
        self.total.add(last)
        if last.missed:
            self._doubt(db, last.missed)
            return
        fetches.forget(db, source_id, since)
        crawls.close(db, self._crawl, complete=True, why="finished")

    def _doubt(self, db: Connection, missed: int) -> None:
        """Nothing is there where images were: that is said, and not believed yet."""
        after = self._settings.gone_after
        why = f"nothing was found where {missed:,} images were: gone after {after:,} such crawls"
        name = self._source.name
        _LOG.warning("source %s: %s. Is it mounted, and its location right?", name, why)
        crawls.close(db, self._crawl, complete=False, why=why)

    def _record(
        self, db: Connection, given: Sequence[Observation | Failure], known: dict[str, Known]
    ) -> Figures:
        """Write what was read, and what could not be; what vanished will not be listed again, all
        else that failed has its time to wait."""
        run, source_id = self._run, self._crawl.source_id
        observed = [x for x in given if isinstance(x, Observation)]
        failed = [x for x in given if isinstance(x, Failure)]
        recorded = ledger.record(db, observed, known, run, source_id)
        later = [x for x in failed if x.reason is not Reason.VANISHED]
        fetches.fail(db, later, source_id, run.started_at, self._settings.give_up_after)
        fetches.succeed(db, [x.uri for x in observed], source_id)
        return Figures(
            new=recorded.new,
            changed=recorded.changed,
            unchanged=recorded.unchanged,
            failed=len(failed),
            refusals=Counter(x.reason.value for x in failed),
        )

    def _done(self, listed: Listed, known: Known | None) -> bool:
        """Whether the part of this crawl that was interrupted has seen it as it is now."""
        crawl = self._crawl
        return (
            known is not None
            and crawl.resumed
            and not isinstance(listed, Failure)
            and known.version == listed.version
            and known.source_id == crawl.source_id
            and known.last_seen_at >= crawl.began_at
            and not known.gone
        )

    def _read(self, listing: Listing) -> Observation | Failure | None:
        """None if there is no time left for it."""
        return None if self._clock.over() else self._place.observe(listing, self._run.started_at)

    def _affordable(self, to_read: list[Listing]) -> list[Listing]:
        """As many as the limits of the source leave. The first one may have more bytes than their
        limit: every crawl would end at it."""
        limits = self._source.limits
        if self._clock.over():
            self.over = _OUT_OF_TIME
            return []
        for i, listing in enumerate(to_read):
            self._reads += 1
            self._read_bytes += listing.size
            if limits.images and self._reads > limits.images:
                self.over = "limit of images"
            elif limits.bytes and self._read_bytes > limits.bytes and self._reads > 1:
                self.over = "limit of bytes"
            if self.over:
                return to_read[:i]
        return to_read


def _concerns(source: Source, listed: Listed) -> bool:
    """Patterns are for images: a folder that cannot be looked into may hold some unless all in it
    is left out."""
    if isinstance(listed, Listing):
        return source.takes(listed.uri)
    return not source.leaves_out(listed.uri) and not source.leaves_out(listed.uri + "/")


def _unchanged(listed: Listing, known: Known | None) -> bool:
    return bool(listed.version and known and known.version == listed.version and not known.gone)
