"""URIs that a source could not fetch: why, and when it tries them again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from ris_jobs.crawl import Failure
from ris_jobs.store.outside import MAX_URI, storable
from ris_jobs.store.queries import query

MAX_DETAIL = 1000
"""Bytes of a failure's detail that are kept: a server may have worded it."""


def waiting(db: Connection, uris: Sequence[str], source_id: int, now: datetime) -> set[str]:
    """Which of them a source is not to ask for now: their time has not come, or it gave up."""
    params = {"uris": list(uris), "source_id": source_id, "now": now}
    return set(db.scalars(query("fetches.waiting"), params))


def named(db: Connection, uris: Sequence[str], source_id: int, now: datetime) -> None:
    """They are not asked for, but their source still names them."""
    if uris:
        params = {"uris": list(uris), "source_id": source_id, "now": now}
        db.execute(query("fetches.named"), params)


def fail(
    db: Connection, failures: Sequence[Failure], source_id: int, now: datetime, give_up_after: int
) -> None:
    """Each waits twice as long as the last time, and is given up after so many attempts."""
    rows = [
        {
            "uri": storable(f.uri, MAX_URI),
            "reason": f.reason.value,
            "detail": storable(f.detail, MAX_DETAIL),
            "retry_after": f.retry_after,
        }
        for f in failures
    ]
    params = {"rows": json.dumps(rows), "source_id": source_id, "now": now}
    if rows:
        db.execute(query("fetches.fail"), params | {"give_up_after": give_up_after})


def folders(db: Connection, source_id: int, since: datetime) -> list[str]:
    """Folders that a source named since then and that could not be looked into."""
    return list(db.scalars(query("fetches.folders"), {"source_id": source_id, "since": since}))


def succeed(db: Connection, uris: Sequence[str], source_id: int) -> None:
    db.execute(query("fetches.succeed"), {"uris": list(uris), "source_id": source_id})


def retry(db: Connection, source_id: int) -> int:
    """Ask for all of a source at its next crawl; how many there were."""
    return db.execute(query("fetches.retry"), {"source_id": source_id}).rowcount


def forget(db: Connection, source_id: int, since: datetime) -> None:
    """Those that a source has not named since then."""
    db.execute(query("fetches.forget"), {"source_id": source_id, "since": since})
