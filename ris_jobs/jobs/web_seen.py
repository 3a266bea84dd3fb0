"""What became of images of the web, written to the ledger: bytes first, then the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from sqlalchemy import Connection, Engine

from ris_jobs.crawl import Failure, Observation
from ris_jobs.crawl.web import Image
from ris_jobs.errors import Reason
from ris_jobs.jobs.fetched import drop_erased, drop_judged
from ris_jobs.settings import Settings
from ris_jobs.store import ledger
from ris_jobs.store.crawls import Figures
from ris_jobs.store.fetched import Fetched
from ris_jobs.store.runs import Run

# What the URI shows; for other reasons it was not asked, and may show what it did.
_CONTENT = frozenset(
    {Reason.EMPTY, Reason.NOT_AN_IMAGE, Reason.UNSUPPORTED_FORMAT, Reason.TOO_LARGE}
)


class Seen:
    """What one source shows; ``total`` is what came of it."""

    def __init__(
        self, engine: Engine, run: Run, source_id: int, fetched: Fetched, settings: Settings
    ) -> None:
        self.total = Figures()
        self._engine = engine
        self._run = run
        self._source_id = source_id
        self._fetched = fetched
        self._settings = settings

    def keep(self, images: Sequence[Image]) -> list[str]:
        """Take their bytes; returns the sha256 of each."""
        taken = []
        for image in images:
            if image.path is not None and image.sha256 is not None:
                self._fetched.take(image.path, image.sha256)
                taken.append(image.sha256)
        return taken

    def record(self, db: Connection, images: Sequence[Image]) -> tuple[Figures, list[Failure]]:
        """Write what they show. Returns that in figures, and what tells nothing of its URI."""
        run, source_id = self._run, self._source_id
        known = ledger.current(db, [i.uri for i in images])
        images = [_absent(i) if i.uri not in known else i for i in images]
        same = [k for i in images if i.outcome == "not_modified" and (k := known.get(i.uri))]
        observed = [o for i in images if (o := _observation(i)) is not None]
        failed = [f for i in images if (f := _failure(i)) is not None]
        missed = [k for i in images if i.outcome == "gone" and (k := known.get(i.uri))]
        ledger.touch(db, same, run, source_id)
        recorded = ledger.record(db, observed, known, run, source_id)
        lost = [k.observation_id for k in missed]
        gone = ledger.miss(db, lost, run.started_at, self._settings.gone_after)
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
        return seen, failed

    def drop(self, taken: Sequence[str]) -> None:
        """Of the bytes that were taken those that are not needed."""
        drop = drop_erased if self._settings.keep_fetched else drop_judged
        drop(self._engine, self._fetched, taken)


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
        answered_by=image.answered_by,
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


def _time(last_modified: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(last_modified or "")
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
