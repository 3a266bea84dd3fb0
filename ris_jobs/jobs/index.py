"""The Milvus index: filled from PostgreSQL, compared with it, rebuilt from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from ris_jobs.errors import VectorsUnavailable
from ris_jobs.jobs.patience import patiently
from ris_jobs.store import descriptors, runs
from ris_jobs.store.stores import Stores

_BATCH = 1024
_AGAIN = "Run it again."
# Ids of images that are compared at a time.
_COMPARED = 65_536


@dataclass(frozen=True, slots=True)
class Drift:
    """How Milvus differs from PostgreSQL: ids of images whose vectors are not all there, and
    ids it should not have."""

    indexed: int
    missing: tuple[int, ...]
    extra: tuple[int, ...]


def index(stores: Stores, patience: float = 0.0) -> int:
    """Put every image that Milvus does not have yet into it, waiting ``patience`` seconds for a
    server that is away. Returns how many."""
    done = 0
    while batch := patiently(partial(_batch, stores), patience):
        done += batch
    return done


@contextmanager
def complete(stores: Stores) -> Iterator[None]:
    """While it is entered, the index has all images that were matched before, and is not made anew.
    They are not looked up again, so that whoever searched without them would miss them for good.

    Raises :class:`VectorsUnavailable`, which passes, where another worker is about to put some in.
    """
    index(stores)
    with stores.engine.begin() as db:
        runs.share_collections(db)
        _must_be_the_one(db, stores)
        if descriptors.lacking(db, stores.model_id):
            problem = "another worker is putting images back into it"
            raise VectorsUnavailable(stores.vectors.collection, problem, _AGAIN, passing=True)
        yield


def _batch(stores: Stores) -> int:
    with stores.engine.begin() as db:
        runs.share_collections(db)
        claimed = descriptors.claim_unindexed(db, stores.model_id, _BATCH)
        if claimed.ids:
            _must_be_the_one(db, stores)
            stores.vectors.upsert(claimed)
            descriptors.set_indexed(db, stores.model_id, claimed.ids)
    return len(claimed.ids)


def _must_be_the_one(db: Connection, stores: Stores) -> None:
    """Of a collection that was made anew meanwhile, ``indexed_at`` would say what is not so."""
    if runs.collection(db, stores.model_id) != (own := stores.vectors.collection):
        raise VectorsUnavailable(own, "another collection took its place", _AGAIN)


def rebuild_index(stores: Stores) -> int:
    """Empty the collection and fill it again. Killed half-way, the next run goes on."""
    with stores.engine.begin() as db:
        runs.lock_collections(db)
        descriptors.forget_index(db, stores.model_id)
        stores.vectors.recreate()
        runs.set_collection(db, stores.model_id, stores.vectors.collection)
    return index(stores)


def check_index(stores: Stores) -> Drift:
    """Compare what is in Milvus with what PostgreSQL says is there, some ids at a time."""
    indexed, missing, extra = 0, list[int](), list[int]()
    for low, high in _ranges(stores):
        with stores.engine.connect() as db:
            expected = descriptors.indexed(db, stores.model_id, low, high)
        actual = Counter(stores.vectors.ids(low, high))
        indexed += len(expected)
        missing += sorted(i for i, vectors in expected.items() if actual[i] != vectors)
        extra += sorted(actual.keys() - expected.keys())
    return Drift(indexed, tuple(missing), tuple(extra))


def _ranges(stores: Stores) -> Iterator[tuple[int, int | None]]:
    """From which id on, and below which; the last one has no end, for Milvus may have more."""
    with stores.engine.connect() as db:
        last = descriptors.last_indexed(db, stores.model_id)
    start = 0
    while start + _COMPARED <= last:
        yield start, start + _COMPARED
        start += _COMPARED
    yield start, None
