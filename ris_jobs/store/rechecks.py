"""What of the web no crawl asks for any more, and when it was asked for again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ris_jobs.store.queries import query


@dataclass(frozen=True, slots=True)
class Due:
    """A URI, whether it is ``gone``, and what is known of the bytes that it showed last."""

    uri: str
    gone: bool
    etag: str | None
    last_modified: str | None
    answered_by: str | None
    sha256: str | None


def due(db: Connection, source_id: int, before: datetime, limit: int) -> list[Due]:
    """Those that were not asked for since ``before``, the longest first."""
    params = {"source_id": source_id, "before": before, "limit": limit}
    return [Due(*row) for row in db.execute(query("rechecks.due"), params)]


def asked(db: Connection, uris: Sequence[str], at: datetime) -> None:
    db.execute(query("rechecks.asked"), {"uris": list(uris), "at": at})
