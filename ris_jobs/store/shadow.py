"""Matches of the model that stands beside the one that serves: kept apart until it serves."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from ris_jobs.match import Match
from ris_jobs.store.matches import saved
from ris_jobs.store.queries import query

Ids = tuple[int, int]


def save(
    db: Connection, found: Sequence[Match], *, model_id: int, calibration: str, run_id: int
) -> int:
    """Write pairs that are new or were judged by another calibration. Returns how many rows."""
    return saved(db, "shadow.save", found, model_id, calibration, run_id)


def pairs(db: Connection, model_id: int, ids: Sequence[int]) -> list[Ids]:
    """(derived, source) of its pairs among these images that nothing was said against."""
    rows = db.execute(query("shadow.pairs"), {"model_id": model_id, "ids": list(ids)})
    return [(r.derived_id, r.source_id) for r in rows]


def clear(db: Connection, model_id: int) -> None:
    db.execute(query("shadow.clear"), {"model_id": model_id})


def exchange(db: Connection, former_id: int, model_id: int) -> tuple[list[Ids], list[Ids]]:
    """Make the matches of ``model_id`` those that count, and keep the others as those of
    ``former_id``, under :func:`ris_jobs.store.matches.lock`. Returns pairs that were dropped and
    pairs that are new or changed; :func:`ris_jobs.store.suppression.settle` is to follow for
    :func:`unsettled`."""
    clear(db, former_id)
    db.execute(query("shadow.demote"), {"model_id": former_id})
    lost = [(d, s) for d, s in db.execute(query("shadow.drop_lost"), {"model_id": model_id})]
    now = [(d, s) for d, s in db.execute(query("shadow.promote"), {"model_id": model_id})]
    clear(db, model_id)
    db.execute(query("shadow.forget_templates"))
    return lost, now


def unsettled(db: Connection, changed: Sequence[Ids]) -> set[int]:
    """The images whose suppression is to be worked out anew after these pairs changed."""
    return {*db.scalars(query("shadow.templates")), *(i for pair in changed for i in pair)}
