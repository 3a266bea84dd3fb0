"""The Milvus index: filled from PostgreSQL, compared with it, rebuilt from it."""

from __future__ import annotations

from dataclasses import dataclass

from ris_jobs.store import descriptors, runs
from ris_jobs.store.stores import Stores

_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Drift:
    """How Milvus differs from PostgreSQL: image ids it lacks, and ids it should not have."""

    indexed: int
    missing: tuple[int, ...]
    extra: tuple[int, ...]


def index(stores: Stores) -> int:
    """Put every vector that Milvus does not have yet into it. Returns how many."""
    done = 0
    while True:
        with stores.engine.begin() as db:
            ids, vectors = descriptors.claim_unindexed(db, stores.model_id, _BATCH)
            if not ids:
                return done
            stores.vectors.upsert(ids, vectors)
            descriptors.set_indexed(db, stores.model_id, ids)
        done += len(ids)


def rebuild_index(stores: Stores) -> int:
    """Empty the collection and fill it again. Killed half-way, the next run goes on."""
    with stores.engine.begin() as db:
        descriptors.forget_index(db, stores.model_id)
        stores.vectors.recreate()
        runs.set_collection(db, stores.model_id, stores.vectors.collection)
    return index(stores)


def check_index(stores: Stores) -> Drift:
    """Compare the ids in Milvus with those that PostgreSQL says are there."""
    with stores.engine.connect() as db:
        expected = descriptors.indexed_ids(db, stores.model_id)
    actual = set(stores.vectors.ids())
    return Drift(len(expected), tuple(sorted(expected - actual)), tuple(sorted(actual - expected)))
