"""Families: their ids stay from run to run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ris_jobs.provenance import Family, Ruling
from ris_jobs.provenance.history import Event
from ris_jobs.provenance.model import model
from ris_jobs.store.queries import query


@dataclass(frozen=True, slots=True)
class StoredFamily:
    family_id: int
    anchor_id: int
    source_id: int | None
    confidence: float
    reasons: tuple[str, ...]
    members: tuple[int, ...]
    model: str | None


def touching(db: Connection, ids: Sequence[int]) -> list[StoredFamily]:
    rows = db.execute(query("families.touching"), {"ids": list(ids)})
    return [
        StoredFamily(
            r.family_id,
            r.anchor_id,
            r.source_id,
            r.confidence,
            tuple(r.reasons),
            tuple(r.members),
            r.model,
        )
        for r in rows
    ]


def replace(
    db: Connection,
    old: Sequence[StoredFamily],
    kept: Sequence[tuple[int | None, Family]],
    run_id: int | None,
) -> dict[int, Family]:
    """Write ``kept`` — each family with the id it keeps, or None for a new one — in place of
    ``old``. Families that are as they were are not touched. ``run_id`` is None where no run
    changes them. Returns all of them by id."""
    before = {f.family_id: f for f in old}
    changed = [(i, f) for i, f in kept if i is None or not _same(before[i], f)]
    dead = set(before) - {i for i, _ in kept}
    rewritten = [i for i, _ in changed if i is not None]
    db.execute(query("families.clear_members"), {"ids": [*rewritten, *dead]})
    db.execute(query("families.delete"), {"ids": list(dead)})
    same = {i: f for i, f in kept if i is not None}
    return same | {_write(db, family_id, family, run_id): family for family_id, family in changed}


def rulings(db: Connection, ids: Sequence[int]) -> list[Ruling]:
    """What reviewers say of the sources of these images' families, the latest last."""
    rows = db.execute(query("families.rulings"), {"ids": list(ids)})
    return [Ruling(r.image_id, r.source_id, r.who, r.why) for r in rows]


def decide(
    db: Connection, image_id: int, answer: str, source_id: int | None, who: str, why: str
) -> int:
    """Write down what a reviewer said of the source of an image's family: ``source`` (then
    ``source_id`` names it), ``undetermined`` or ``unsure``. Returns the decision's id."""
    values = {"image_id": image_id, "answer": answer, "source_id": source_id}
    row = db.execute(query("families.decide"), values | {"who": who, "why": why})
    return int(row.scalar_one())


def source_of(db: Connection, image_id: int) -> tuple[int | None, float] | None:
    """The source of an image's family and its confidence; None for an image in no family."""
    row = db.execute(query("families.source_of"), {"image_id": image_id}).first()
    return None if row is None else (row.source_id, row.confidence)


def record(db: Connection, event: Event, cause: Mapping[str, object], run_id: int | None) -> None:
    """Keep what happened to a family, and why."""
    params = {
        "family_id": event.family_id,
        "kind": event.kind,
        "other_id": event.other_id,
        "cause": json.dumps(cause),
        "run_id": run_id,
    }
    db.execute(query("families.record"), params)


def count(db: Connection) -> int:
    return int(db.execute(query("families.count")).scalar_one())


def _write(db: Connection, family_id: int | None, family: Family, run_id: int | None) -> int:
    params = {
        "anchor_id": family.anchor_id,
        "source_id": family.verdict.source_id,
        "confidence": family.verdict.confidence,
        "reasons": list(family.verdict.reasons),
        "run_id": run_id,
        "model": model().version,
    }
    if family_id is None:
        family_id = db.execute(query("families.insert"), params).scalar_one()
    else:
        db.execute(query("families.update"), params | {"family_id": family_id})
    members = {"members": list(family.members), "family_id": family_id}
    db.execute(query("families.add_members"), members)
    return family_id


def _same(old: StoredFamily, new: Family) -> bool:
    return (
        old.anchor_id == new.anchor_id
        and old.source_id == new.verdict.source_id
        and abs(old.confidence - new.verdict.confidence) < 1e-6
        and old.reasons == new.verdict.reasons
        and set(old.members) == set(new.members)
        and old.model == model().version
    )
