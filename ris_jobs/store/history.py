"""What was believed before: rows that changed or went are kept, and the tables can be asked as of
a time. None stands for now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ris_jobs.errors import NotFound
from ris_jobs.report.history import (
    Decided,
    DecidedSource,
    Erased,
    Failed,
    FamilyEvent,
    InFamily,
    Matched,
    Named,
    Quarantined,
    Templated,
    UriEvent,
)
from ris_jobs.store.queries import query

# PostgreSQL's own word for a time that is later than all others.
_NOW = "infinity"


def run_end(db: Connection, run_id: int) -> datetime:
    """When the run had written all it found. :class:`NotFound` where there is no such run, or it
    is still at work."""
    row = db.execute(query("history.run_end"), {"run_id": run_id}).first()
    if row is None:
        raise NotFound(f"there is no run {run_id}; `ris export runs` lists them")
    if row.finished_at is None:
        raise NotFound(f"run {run_id} has not finished")
    at: datetime = row.finished_at
    return at


def knows_uri(db: Connection, uri: str) -> bool:
    return bool(db.scalar(query("history.knows_uri"), {"uri": uri}))


def image_of(db: Connection, sha256: str) -> int | None:
    found: int | None = db.scalar(query("history.image_of"), {"sha256": sha256})
    return found


def images_at(db: Connection, uri: str, as_of: datetime | None) -> list[int]:
    """Ids of all that the URI ever showed."""
    return list(db.scalars(query("history.images_at"), {"uri": uri, "as_of": as_of or _NOW}))


def events_at(db: Connection, uri: str, as_of: datetime | None) -> list[UriEvent]:
    rows = db.execute(query("history.events_at"), {"uri": uri, "as_of": as_of or _NOW})
    return [UriEvent(*row) for row in rows]


def events_of(db: Connection, sha256: str, as_of: datetime | None) -> list[UriEvent]:
    rows = db.execute(query("history.events_of"), {"sha256": sha256, "as_of": as_of or _NOW})
    return [UriEvent(*row) for row in rows]


def of_uris(db: Connection, uris: Sequence[str], as_of: datetime | None) -> dict[str, Any]:
    """What pages and lists said of the images at these URIs, and why they could not be fetched the
    last time, if they could not: lists of a :class:`ris_jobs.report.history.History` by name."""
    return _lists(db, {"named": Named, "failures": Failed}, {"uris": list(uris)}, as_of)


def of_images(db: Connection, ids: Sequence[int], as_of: datetime | None) -> dict[str, Any]:
    """All lists of a :class:`ris_jobs.report.history.History` that are of images and not of URIs,
    by name."""
    kinds = {
        "quarantine": Quarantined,
        "matches": Matched,
        "families": InFamily,
        "decisions": Decided,
        "templates": Templated,
        "erasures": Erased,
        "source_decisions": DecidedSource,
        "family_events": FamilyEvent,
    }
    return _lists(db, kinds, {"ids": list(ids)}, as_of)


def _lists(
    db: Connection, kinds: Mapping[str, Any], of: Mapping[str, Any], as_of: datetime | None
) -> dict[str, Any]:
    """Kinds of values by the name of their list, which is that of its query, too."""
    params = {**of, "as_of": as_of or _NOW}
    return {
        name: [kind(*row) for row in db.execute(query(f"history.{name}"), params)]
        for name, kind in kinds.items()
    }
