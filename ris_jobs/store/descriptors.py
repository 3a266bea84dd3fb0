"""Descriptors: the vectors of each image under each model, and how far they have come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from ris_jobs.match.candidates import Described
from ris_jobs.store.images import Sources
from ris_jobs.store.queries import query

Vectors = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Descriptors:
    """Of one image: its ``regions``, the whole first, the vector of each, float32 (regions, dim)
    with unit rows, and how common each is, float32 (regions,)."""

    regions: Sequence[Box]
    vectors: Vectors
    commonness: Vectors


def save(db: Connection, model_id: int, found: Mapping[int, Descriptors]) -> None:
    """``found``: image id → what describes it."""
    rows = [
        {
            "image_id": i,
            "vectors": np.asarray(one.vectors, "<f4").tobytes().hex(),
            "regions": [edge for box in one.regions for edge in box],
            "commonness": one.commonness.tolist(),
        }
        for i, one in found.items()
    ]
    db.execute(query("descriptors.save"), {"model_id": model_id, "rows": json.dumps(rows)})


def claim_unindexed(db: Connection, model_id: int, limit: int) -> Described:
    """Images whose vectors are still to be put into the index, locked for the caller."""
    return _claim(db, "claim_unindexed", model_id=model_id, limit=limit)


def claim_unmatched(
    db: Connection, model_id: int, limit: int, sources: Sources = None
) -> Described:
    """Images whose neighbours are still to be judged, locked likewise."""
    return _claim(db, "claim_unmatched", model_id=model_id, limit=limit, sources=sources)


def lacking(db: Connection, model_id: int) -> bool:
    """Whether an image that was matched is not in the index."""
    return bool(db.scalar(query("descriptors.lacking"), {"model_id": model_id}))


def count_unmatched(db: Connection, model_id: int, sources: Sources = None) -> int:
    params = {"model_id": model_id, "sources": sources}
    return int(db.execute(query("descriptors.count_unmatched"), params).scalar_one())


def set_indexed(db: Connection, model_id: int, ids: Sequence[int]) -> None:
    db.execute(query("descriptors.set_indexed"), {"model_id": model_id, "ids": list(ids)})


def set_matched(db: Connection, model_id: int, ids: Sequence[int]) -> None:
    db.execute(query("descriptors.set_matched"), {"model_id": model_id, "ids": list(ids)})


def forget_index(db: Connection, model_id: int) -> int:
    """The index is empty or stale: everything is to be indexed again. Returns how many."""
    return db.execute(query("descriptors.forget_index"), {"model_id": model_id}).rowcount


def forget_matched(db: Connection, model_id: int) -> None:
    """The neighbours of all images are to be judged again."""
    db.execute(query("descriptors.forget_matched"), {"model_id": model_id})


def forget(db: Connection, model_id: int) -> None:
    """All that the model described."""
    db.execute(query("descriptors.forget"), {"model_id": model_id})


def commonness(db: Connection, model_id: int, ids: Iterable[int]) -> dict[int, tuple[float, ...]]:
    """Image id → how common each of its regions is, in their order."""
    rows = db.execute(query("descriptors.commonness"), {"model_id": model_id, "ids": list(ids)})
    return {r.image_id: tuple(r.commonness) for r in rows}


def last_indexed(db: Connection, model_id: int) -> int:
    """The highest id of an image that the index has; 0 where it has none."""
    return int(db.scalar(query("descriptors.last_indexed"), {"model_id": model_id}) or 0)


def indexed(db: Connection, model_id: int, low: int, high: int | None) -> dict[int, int]:
    """Image id → how many vectors the index has of it, of ids from ``low`` on and below ``high``,
    or of all from there on."""
    params = {"model_id": model_id, "low": low, "high": high}
    rows = db.execute(query("descriptors.indexed"), params)
    return {r.image_id: r.vectors for r in rows}


def vectors(db: Connection, model_id: int, ids: Sequence[int]) -> dict[int, Vectors]:
    """Image id → the vectors of its regions, the whole first."""
    rows = db.execute(query("descriptors.vectors"), {"model_id": model_id, "ids": list(ids)})
    return {r.image_id: _vectors(r.vectors, len(r.regions) // 4) for r in rows}


def _claim(db: Connection, name: str, **params: Any) -> Described:
    rows = db.execute(query(f"descriptors.{name}"), params).all()
    return Described.of(
        {r.image_id: _vectors(r.vectors, len(r.regions) // 4) for r in rows},
        {r.image_id: bytes(r.pdq) for r in rows},
    )


def _vectors(stored: Iterable[int], regions: int) -> Vectors:
    return np.frombuffer(bytes(stored), "<f4").astype(np.float32).reshape(regions, -1)
