"""Verdicts that a run wrote, and what they rested on, as of the time since when they held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ris_jobs.provenance import Pair, Ruling
from ris_jobs.store.matches import pair_of
from ris_jobs.store.queries import query


@dataclass(frozen=True, slots=True)
class Kept:
    """A family as the run left it; ``model`` is the version of the weights, None where that was not
    noted yet."""

    since: datetime
    family_id: int
    anchor_id: int
    source_id: int | None
    confidence: float
    reasons: tuple[str, ...]
    model: str | None
    members: tuple[int, ...]


def of_run(db: Connection, run_id: int) -> list[Kept]:
    """Those that the run wrote, also where they are others now; in the order of time."""
    rows = db.execute(query("verdicts.of_run"), {"run_id": run_id})
    return [
        Kept(
            r.since,
            r.family_id,
            r.anchor_id,
            r.source_id,
            r.confidence,
            tuple(r.reasons),
            r.model,
            tuple(r.members),
        )
        for r in rows
    ]


def component(db: Connection, ids: Iterable[int], as_of: datetime) -> list[int]:
    """Ids of the images whose families matches of these could change then."""
    params = {"ids": sorted(set(ids)), "as_of": as_of}
    return list(db.scalars(query("verdicts.component"), params))


def pairs(db: Connection, ids: Sequence[int], as_of: datetime) -> list[Pair]:
    """Unsuppressed matches among these images then."""
    rows = db.execute(query("verdicts.pairs"), {"ids": list(ids), "as_of": as_of})
    return [pair_of(r) for r in rows]


def rulings(db: Connection, ids: Sequence[int], as_of: datetime) -> list[Ruling]:
    """What reviewers had said of the sources of these images' families, the latest last."""
    rows = db.execute(query("verdicts.rulings"), {"ids": list(ids), "as_of": as_of})
    return [Ruling(r.image_id, r.source_id, r.who, r.why) for r in rows]


def usable(db: Connection, ids: Sequence[int], as_of: datetime) -> dict[int, bool]:
    """Those of these images that could be used then: whether they can be now. What was erased
    since can where it came back."""
    rows = db.execute(query("verdicts.usable"), {"ids": list(ids), "as_of": as_of})
    return {r.image_id: r.known for r in rows}
