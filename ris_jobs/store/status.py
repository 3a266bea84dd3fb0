"""How the service is doing, from the tables alone: nothing is locked, nothing waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from ris_jobs.report.operation import Ran, Waiting
from ris_jobs.report.views import SUMMARISED, from_json
from ris_jobs.store.queries import query


def now(db: Connection) -> datetime:
    """The server's time, which all others are compared with."""
    time: datetime = db.execute(query("status.now")).scalar_one()
    return time


def waiting(
    db: Connection,
    at: datetime,
    sources: Sequence[int] | None = None,
    model_id: int | None = None,
) -> tuple[Waiting, ...]:
    """What waits for each stage, under a model or the one that serves; unless all do, of these
    sources, but for families."""
    rows = db.execute(query("status.waiting"), {"sources": sources, "model_id": model_id})
    return tuple(
        Waiting(r.stage, r.images, None if r.since is None else max(at - r.since, timedelta()))
        for r in rows
    )


def newest(db: Connection, limit: int) -> tuple[Ran, ...]:
    return tuple(_ran(r._mapping) for r in db.execute(query("status.runs"), {"limit": limit}))


def last(db: Connection, roots: Sequence[str]) -> tuple[Ran, ...]:
    """The newest run of each kind, and the newest crawl of each of these ``roots``; ``state`` as
    the table has it."""
    rows = db.execute(query("status.last"), {"roots": list(roots)})
    return tuple(_ran(r._mapping) for r in rows)


def began(db: Connection) -> datetime | None:
    """When the first run did; None if there is none."""
    time: datetime | None = db.scalar(query("status.began"))
    return time


def sizes(db: Connection) -> dict[str, int]:
    return {str(k): int(v) for k, v in db.execute(query("status.sizes")).mappings().one().items()}


def _ran(r: Mapping[Any, Any]) -> Ran:
    summary = from_json(r["summary"]) if r["summary"] and r["kind"] in SUMMARISED else None
    return Ran(
        r["run_id"],
        r["kind"],
        r["state"],
        r["started_at"],
        r["finished_at"],
        summary.stages if summary else (),
        summary.anomalies if summary else (),
    )
