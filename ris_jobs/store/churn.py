"""What a change of the model changed, read in the transaction that made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from ris_jobs.report.churn import QUANTILES, Example, FamilyChurn, Moved, Picture
from ris_jobs.store.queries import query

_BINS = 20


def moved(db: Connection, former_id: int) -> list[Moved]:
    return [Moved(*row) for row in db.execute(query("churn.counts"), {"former": former_id})]


def differences(db: Connection, former_id: int) -> list[int]:
    """Pairs that count before and after by how much their probability changed, −1 to 1 in
    twentieths."""
    rows = db.execute(query("churn.differences"), {"former": former_id})
    found = {r.bin: r.pairs for r in rows}
    return [found.get(number, 0) for number in range(1, _BINS + 1)]


def quantiles(db: Connection, former_id: int) -> list[float]:
    params = {"former": former_id, "shares": list(QUANTILES)}
    return [float(q) for q in db.scalar(query("churn.quantiles"), params) or []]


def examples(db: Connection, former_id: int, limit: int) -> list[Example]:
    """At most ``limit`` pairs of each class."""
    rows = db.execute(query("churn.examples"), {"former": former_id, "limit": limit})
    return [_example(r) for r in rows]


def families_before(db: Connection) -> int:
    return int(db.execute(query("churn.families_before")).scalar_one())


@dataclass(frozen=True, slots=True)
class Families:
    """Families that a transaction ``altered``, ``made`` and ``ended``, and the first of them."""

    altered: int
    made: int
    ended: int
    first: Sequence[FamilyChurn]


def families(db: Connection, limit: int) -> Families:
    """Those that this transaction changed; at most ``limit`` are named, the most changed ones."""
    rows = db.execute(query("churn.families"), {"limit": limit}).all()
    if not rows:
        return Families(0, 0, 0, ())
    first = [FamilyChurn(*row[:7]) for row in rows]
    return Families(rows[0].altered, rows[0].made, rows[0].ended, first)


def _example(r: Row[Any]) -> Example:
    return Example(
        r[0],
        Picture(r.derived_uri, r.derived_sha256, r.derived_width, r.derived_height),
        Picture(r.source_uri, r.source_sha256, r.source_width, r.source_height),
        r.relation_before,
        r.relation_after,
        r.probability_before,
        r.probability_after,
        r.suppressed_before,
        r.suppressed_after,
    )
