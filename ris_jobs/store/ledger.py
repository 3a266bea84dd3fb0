"""The ledger: which URI showed which bytes, and when."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ris_jobs.crawl import Observation
from ris_jobs.store.queries import query
from ris_jobs.store.runs import Run


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger holds of a URI now."""

    observation_id: int
    version: str
    gone: bool
    sha256: str | None
    reason: str | None
    last_seen_at: datetime
    source_id: int | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a batch of observations changed."""

    new: int
    changed: int
    unchanged: int


def current(db: Connection, uris: Sequence[str]) -> dict[str, Known]:
    rows = db.execute(query("ledger.current"), {"uris": list(uris)})
    return {
        r.uri: Known(
            r.observation_id, r.version, r.gone, r.sha256, r.reason, r.last_seen_at, r.source_id
        )
        for r in rows
    }


def touch(db: Connection, known: Sequence[Known], run: Run, source_id: int | None = None) -> None:
    """These were seen again, unchanged."""
    ids = [k.observation_id for k in known]
    params = {"ids": ids, "seen_at": run.started_at, "source_id": source_id}
    db.execute(query("ledger.touch"), params)
    _revive(db, ids, run)


def record(
    db: Connection,
    observations: Sequence[Observation],
    known: dict[str, Known],
    run: Run,
    source_id: int | None = None,
) -> Recorded:
    """Write what was read: new URIs, new bytes at known URIs, returns after an absence."""
    same = [o for o in observations if _same_bytes(o, known.get(o.uri))]
    fresh = [o for o in observations if not _same_bytes(o, known.get(o.uri))]
    returned = [o.uri for o in fresh if o.uri in known and _shows(o, known[o.uri])]
    replaced = [o.uri for o in fresh if o.uri in known and not _shows(o, known[o.uri])]
    if same:
        rows = [_row(o) | {"observation_id": known[o.uri].observation_id} for o in same]
        params = {"rows": json.dumps(rows), "seen_at": run.started_at, "source_id": source_id}
        db.execute(query("ledger.retoken"), params)
        _revive(db, [r["observation_id"] for r in rows], run)
    for uris, other in ((returned, False), (replaced, True)):
        ended = {"uris": uris, "replaced": other, "seen_at": run.started_at}
        db.execute(query("ledger.supersede"), ended)
    if fresh:
        params = {
            "rows": json.dumps([_row(o) for o in fresh]),
            "seen_at": run.started_at,
            "run_id": run.run_id,
            "judged_by": run.judged_by,
            "source_id": source_id,
        }
        db.execute(query("ledger.add_images"), params)
        db.execute(query("ledger.add_observations"), params)
    changed = len(returned) + len(replaced)
    return Recorded(len(fresh) - changed, changed, len(same))


def unseen(
    db: Connection,
    root: str,
    unread: Sequence[str],
    since: datetime,
    takes: Callable[[str], bool] = lambda _: True,
    source_id: int | None = None,
) -> list[int]:
    """Observations at or under ``root`` that were not seen since ``since``, without those under an
    ``unread`` folder, those that the source does not take, and those that it listed and could not
    read."""
    below = [u.rstrip("/") + "/" for u in unread]
    params = _under(root) | {"unread": below, "since": since, "source_id": source_id}
    rows = db.execute(query("ledger.unseen"), params)
    return [r.observation_id for r in rows if takes(r.uri)]


def mark_gone(db: Connection, ids: Sequence[int], at: datetime) -> int:
    """These observations ended ``at`` a time. Returns how many."""
    return db.execute(query("ledger.mark_gone"), {"ids": list(ids), "at": at}).rowcount


def miss(db: Connection, ids: Sequence[int], at: datetime, gone_after: int) -> int:
    """Where these observations were made there is nothing, it was said. Returns how many are gone
    now, for it was said ``gone_after`` times in a row."""
    params = {"ids": list(ids), "at": at, "gone_after": gone_after}
    return sum(db.scalars(query("ledger.miss"), params))


def knows(db: Connection, root: str) -> bool:
    """Whether anything was ever seen at or under ``root``."""
    return bool(db.scalar(query("ledger.knows"), _under(root)))


def _under(root: str) -> dict[str, str]:
    """The root itself, and the bounds of what sorts below it (``0`` comes after ``/``)."""
    below = root.rstrip("/")
    return {"root": root, "prefix": below + "/", "beyond": below + "0"}


def _revive(db: Connection, ids: Sequence[int], run: Run) -> None:
    db.execute(query("ledger.revive"), {"ids": list(ids), "judged_by": run.judged_by})


def _same_bytes(seen: Observation, known: Known | None) -> bool:
    return known is not None and not known.gone and _shows(seen, known)


def _shows(seen: Observation, known: Known) -> bool:
    reason = seen.reason.value if seen.reason else None
    return (seen.sha256, reason) == (known.sha256, known.reason)


def _row(o: Observation) -> dict[str, Any]:
    return {
        "uri": o.uri,
        "sha256": o.sha256,
        "reason": o.reason.value if o.reason else None,
        "detail": o.detail,
        "version": o.version,
        "byte_size": o.size,
        "modified_at": o.modified_at.isoformat() if o.modified_at else None,
        "etag": o.etag,
        "last_modified": o.last_modified,
        "answered_by": o.answered_by,
    }
