"""Descriptors: the vectors of each image under each model, and how far they have come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, TextClause

from ris_jobs.store.queries import query

Vectors = npt.NDArray[np.float32]


def save(db: Connection, model_id: int, vectors: Mapping[int, Vectors]) -> None:
    """``vectors``: image id → float32 of shape (dim,), unit length."""
    rows = [
        {"image_id": i, "vectors": np.asarray(v, "<f4").tobytes().hex()} for i, v in vectors.items()
    ]
    db.execute(query("descriptors.save"), {"model_id": model_id, "rows": json.dumps(rows)})


def claim_unindexed(db: Connection, model_id: int, limit: int) -> tuple[list[int], Vectors]:
    """Ids and vectors (n, dim) still to be put into the index, locked for the caller."""
    return _claim(db, query("descriptors.claim_unindexed"), model_id, limit)


def claim_unmatched(db: Connection, model_id: int, limit: int) -> tuple[list[int], Vectors]:
    """Ids and vectors (n, dim) whose neighbours are still to be judged, locked likewise."""
    return _claim(db, query("descriptors.claim_unmatched"), model_id, limit)


def count_unmatched(db: Connection, model_id: int) -> int:
    return int(
        db.execute(query("descriptors.count_unmatched"), {"model_id": model_id}).scalar_one()
    )


def set_indexed(db: Connection, model_id: int, ids: Sequence[int]) -> None:
    db.execute(query("descriptors.set_indexed"), {"model_id": model_id, "ids": list(ids)})


def set_matched(db: Connection, model_id: int, ids: Sequence[int]) -> None:
    db.execute(query("descriptors.set_matched"), {"model_id": model_id, "ids": list(ids)})


def forget_index(db: Connection, model_id: int) -> int:
    """The index is empty or stale: everything is to be indexed again. Returns how many."""
    return db.execute(query("descriptors.forget_index"), {"model_id": model_id}).rowcount


def indexed_ids(db: Connection, model_id: int) -> set[int]:
    return set(db.scalars(query("descriptors.indexed_ids"), {"model_id": model_id}))


def _claim(db: Connection, q: TextClause, model_id: int, n: int) -> tuple[list[int], Vectors]:
    rows = db.execute(q, {"model_id": model_id, "limit": n}).all()
    if not rows:
        return [], np.empty((0, 0), np.float32)
    vectors = np.stack([np.frombuffer(r.vectors, "<f4") for r in rows]).astype(np.float32)
    return [r.image_id for r in rows], vectors
