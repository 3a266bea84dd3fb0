"""Banks of known hashes, what of them was compared with which images, and the hits."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, TextClause

from ris_jobs.match.banks import MIN_QUALITY, Hashes, Hit
from ris_jobs.store.queries import query

_BATCH = 10_000

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank as it was imported last; ``file`` is a name without its folder."""

    name: str
    hashes: int
    imported_at: datetime
    file: str


@dataclass(frozen=True, slots=True)
class Changed:
    """What an import did to a bank's hashes. ``kept`` are not in the file, and were not removed."""

    added: int
    relabelled: int
    removed: int
    kept: int = 0


def lock(db: Connection) -> None:
    """Wait until nobody else compares or changes banks, until the caller's transaction ends."""
    db.execute(query("banks.lock"))


def exists(db: Connection, name: str) -> bool:
    return db.scalar(query("banks.find"), {"name": name}) is not None


def replace(
    db: Connection,
    name: str,
    file: str,
    hashes: Mapping[bytes, str | None],
    *,
    whole: bool = True,
    withdrawn: Collection[bytes] = (),
) -> Changed:
    """Make the bank what ``hashes`` (32 bytes → label) says, under :func:`lock`; where these are
    not the ``whole`` file, only what is ``withdrawn`` leaves it. What is there already is not
    written again."""
    db.execute(query("banks.make"), {"name": name, "file": file})
    bank_id = db.execute(query("banks.find"), {"name": name}).scalar_one()
    old = {bytes(r.pdq): r.label for r in db.execute(query("banks.entries"), {"bank_id": bank_id})}
    added = [pdq for pdq in hashes if pdq not in old]
    relabelled = [pdq for pdq in hashes if pdq in old and old[pdq] != hashes[pdq]]
    gone = [pdq for pdq in old if pdq not in hashes]
    removed = [pdq for pdq in gone if whole or pdq in withdrawn]
    for some in _batches([*added, *relabelled]):
        rows = json.dumps([{"pdq": pdq.hex(), "label": hashes[pdq]} for pdq in some])
        db.execute(query("banks.save_entries"), {"bank_id": bank_id, "rows": rows})
    for some in _batches(removed):
        params = {"bank_id": bank_id, "hashes": [pdq.hex() for pdq in some]}
        db.execute(query("banks.delete_entries"), params)
    if added or relabelled or removed:
        db.execute(query("banks.touch"), {"bank_id": bank_id, "file": file})
    return Changed(len(added), len(relabelled), len(removed), len(gone) - len(removed))


def remove(db: Connection, name: str) -> bool:
    """Forget a bank with its hits, under :func:`lock`. Whether there was one."""
    return bool(db.execute(query("banks.remove"), {"name": name}).rowcount)


def listed(db: Connection) -> list[Bank]:
    """All banks, by name."""
    rows = db.execute(query("banks.all"))
    return [Bank(r.name, r.hashes, r.imported_at, r.file) for r in rows]


def new_entries(db: Connection, limit: int) -> Hashes:
    """Known hashes that were compared with no image yet."""
    return _hashes(db, query("banks.new_entries"), limit=limit)


def old_entries(db: Connection) -> Hashes:
    """Known hashes that were compared with all images that are marked."""
    return _hashes(db, query("banks.old_entries"))


def new_images(db: Connection, limit: int) -> Hashes:
    """Hashes, good enough to be compared, of images that were compared with no bank yet."""
    return _hashes(db, query("banks.new_images"), min_quality=MIN_QUALITY, limit=limit)


def old_images(db: Connection, page: int) -> Iterator[Hashes]:
    """Those of images that were, ``page`` at a time."""
    after = 0
    while len((images := _hashes(db, query("banks.old_images"), after=after, limit=page)).ids):
        yield images
        after = int(images.ids[-1])


def set_entries_compared(db: Connection, entries: Hashes) -> None:
    db.execute(query("banks.set_entries_compared"), {"ids": entries.ids.tolist()})


def set_images_compared(db: Connection, images: Hashes) -> None:
    db.execute(query("banks.set_images_compared"), {"ids": images.ids.tolist()})


def save_hits(db: Connection, hits: Iterable[Hit], run_id: int) -> int:
    """Returns how many of them are new."""
    return sum(
        db.execute(
            query("banks.save_hits"),
            {
                "run_id": run_id,
                "images": [h.image_id for h in some],
                "entries": [h.entry_id for h in some],
                "distances": [h.distance for h in some],
            },
        ).rowcount
        for some in _batches(hits)
    )


def count_images(db: Connection, run_id: int) -> dict[str, tuple[int, int]]:
    """Bank → images near one of its hashes (with a hit that the run found, in all)."""
    rows = db.execute(query("banks.count_images"), {"run_id": run_id})
    return {r.name: (r.new, r.total) for r in rows}


def _hashes(db: Connection, q: TextClause, **params: int) -> Hashes:
    return Hashes.of((r.id, bytes(r.pdq)) for r in db.execute(q, params))


def _batches(rows: Iterable[_T]) -> Iterator[list[_T]]:
    ahead = iter(rows)
    while batch := list(islice(ahead, _BATCH)):
        yield batch
