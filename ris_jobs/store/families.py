"""Families: their ids stay from run to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ris_jobs.provenance import Family
from ris_jobs.store.queries import query


@dataclass(frozen=True, slots=True)
class StoredFamily:
    family_id: int
    anchor_id: int
    source_id: int | None
    confidence: float
    reasons: tuple[str, ...]
    members: tuple[int, ...]


def touching(db: Connection, ids: Sequence[int]) -> list[StoredFamily]:
    rows = db.execute(query("families.touching"), {"ids": list(ids)})
    return [
        StoredFamily(
            r.family_id, r.anchor_id, r.source_id, r.confidence, tuple(r.reasons), tuple(r.members)
        )
        for r in rows
    ]


def replace(
    db: Connection,
    old: Sequence[StoredFamily],
    kept: Sequence[tuple[int | None, Family]],
    run_id: int | None,
) -> None:
    """Write ``kept`` — each family with the id it keeps, or None for a new one — in place of
    ``old``. Families that are as they were are not touched. ``run_id`` is None where no run
    changes them."""
    before = {f.family_id: f for f in old}
    changed = [(i, f) for i, f in kept if i is None or not _same(before[i], f)]
    dead = set(before) - {i for i, _ in kept}
    rewritten = [i for i, _ in changed if i is not None]
    db.execute(query("families.clear_members"), {"ids": [*rewritten, *dead]})
    db.execute(query("families.delete"), {"ids": list(dead)})
    for family_id, family in changed:
        _write(db, family_id, family, run_id)


def count(db: Connection) -> int:
    return int(db.execute(query("families.count")).scalar_one())


def _write(db: Connection, family_id: int | None, family: Family, run_id: int | None) -> None:
    params = {
        "anchor_id": family.anchor_id,
        "source_id": family.verdict.source_id,
        "confidence": family.verdict.confidence,
        "reasons": list(family.verdict.reasons),
        "run_id": run_id,
    }
    if family_id is None:
        family_id = db.execute(query("families.insert"), params).scalar_one()
    else:
        db.execute(query("families.update"), params | {"family_id": family_id})
    members = {"members": list(family.members), "family_id": family_id}
    db.execute(query("families.add_members"), members)


def _same(old: StoredFamily, new: Family) -> bool:
    return (
        old.anchor_id == new.anchor_id
        and old.source_id == new.verdict.source_id
        and abs(old.confidence - new.verdict.confidence) < 1e-6
        and old.reasons == new.verdict.reasons
        and set(old.members) == set(new.members)
    )
