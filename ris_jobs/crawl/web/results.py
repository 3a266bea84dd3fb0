"""What became of an image, as the event that tells it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ris_jobs.crawl.fetch import Failed, Fetched, Gone, NotModified, Outcome
from ris_jobs.crawl.web.errand import Declined, Errand
from ris_jobs.crawl.web.read import Found
from ris_jobs.crawl.web.values import Image, Where
from ris_jobs.errors import Reason

__all__ = ["of_failure", "of_outcome", "where"]


def where(page: str, found: Found) -> Where:
    return Where(
        page=page,
        title=found.title,
        alt=found.alt,
        link=found.link,
        published_at=found.published_at,
        full=found.full,
    )


def of_outcome(errand: Errand, outcome: Outcome, path: Path | None) -> Image:
    """``path`` is the file of a fetched one."""
    now = datetime.now(UTC)
    match outcome:
        case Fetched(headers=headers):
            return Image(
                uri=errand.uri, outcome="fetched", seen_at=now, path=path, where=errand.where,
                sha256=outcome.sha256, size=outcome.size,
                etag=headers.etag, last_modified=headers.last_modified,
                answered_by=outcome.url if outcome.url != errand.uri else None,
            )  # fmt: skip
        case NotModified(headers=headers):
            return Image(
                uri=errand.uri, outcome="not_modified", seen_at=now, where=errand.where,
                etag=headers.etag, last_modified=headers.last_modified,
                answered_by=outcome.url if outcome.url != errand.uri else None,
            )  # fmt: skip
        case Gone():
            return Image(uri=errand.uri, outcome="gone", seen_at=now, where=errand.where)
        case Failed():
            return _not_fetched(
                errand, outcome.reason, outcome.detail, failed=True, wait=outcome.retry_after
            )
    raise AssertionError(outcome)  # refusals and redirects do not get here


def of_failure(errand: Errand, error: BaseException) -> Image:
    if isinstance(error, Declined):
        return _not_fetched(
            errand, error.reason, error.detail, failed=error.failed, wait=error.retry_after
        )
    return _not_fetched(errand, Reason.FAILED, f"{type(error).__name__}: {error}", failed=True)


def _not_fetched(
    errand: Errand, reason: Reason, detail: str, *, failed: bool = False, wait: float | None = None
) -> Image:
    return Image(
        uri=errand.uri,
        outcome="failed" if failed else "refused",
        seen_at=datetime.now(UTC),
        reason=reason,
        detail=detail,
        retry_after=wait,
        where=errand.where,
    )
