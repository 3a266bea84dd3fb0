"""The ledger: which URI showed which bytes, and when."""

from __future__ import annotations

import json
from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a batch of observations changed."""

    new: int
    changed: int
    unchanged: int


def current(db: Connection, uris: Sequence[str]) -> dict[str, Known]:
    rows = db.execute(query("ledger.current"), {"uris": list(uris)})
    return {r.uri: Known(r.observation_id, r.version, r.gone, r.sha256, r.reason) for r in rows}


def touch(db: Connection, known: Sequence[Known], seen_at: datetime) -> None:
    """These were seen again, unchanged."""
    ids = [k.observation_id for k in known]
    db.execute(query("ledger.touch"), {"ids": ids, "seen_at": seen_at})
    db.execute(query("ledger.revive"), {"ids": ids})


def record(
    db: Connection, observations: Sequence[Observation], known: dict[str, Known], run: Run
) -> Recorded:
    """Write what was read: new URIs, new bytes at known URIs, returns after an absence."""
    same = [o for o in observations if _same_bytes(o, known.get(o.uri))]
    fresh = [o for o in observations if not _same_bytes(o, known.get(o.uri))]
    replaced = [o.uri for o in fresh if o.uri in known]
    if same:
        rows = [_row(o) | {"observation_id": known[o.uri].observation_id} for o in same]
        db.execute(query("ledger.retoken"), {"rows": json.dumps(rows), "seen_at": run.started_at})
        db.execute(query("ledger.revive"), {"ids": [r["observation_id"] for r in rows]})
    if replaced:
        db.execute(query("ledger.supersede"), {"uris": replaced, "seen_at": run.started_at})
    if fresh:
        params = {
            "rows": json.dumps([_row(o) for o in fresh]),
            "seen_at": run.started_at,
            "run_id": run.run_id,
        }
        db.execute(query("ledger.add_images"), params)
        db.execute(query("ledger.add_observations"), params)
    return Recorded(len(fresh) - len(replaced), len(replaced), len(same))


def mark_gone(db: Connection, root: str, unread: Sequence[str], seen_at: datetime) -> int:
    """URIs at or under ``root`` that were not seen since ``seen_at`` are gone; those under an
    ``unread`` folder stay as they are. Returns how many."""
    params = {
        "root": root,
        "prefix": root.rstrip("/") + "/",
        "unread": [u.rstrip("/") + "/" for u in unread],
        "seen_at": seen_at,
    }
    return db.execute(query("ledger.mark_gone"), params).rowcount


def _same_bytes(seen: Observation, known: Known | None) -> bool:
    return (
        known is not None
        and not known.gone
        and seen.sha256 == known.sha256
        and (seen.reason is None or seen.reason.value == known.reason)
    )


def _row(o: Observation) -> dict[str, Any]:
    return {
        "uri": o.uri,
        "sha256": o.sha256,
        "reason": o.reason.value if o.reason else None,
        "detail": o.detail,
        "version": o.version,
        "byte_size": o.size,
        "modified_at": o.modified_at.isoformat() if o.modified_at else None,
    }
