"""Patches of pixels of images, as :mod:`ris_jobs.fingerprint.sample` packs them; and images that
were fingerprinted before these were taken."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ris_jobs.store.images import Claimed
from ris_jobs.store.queries import query

_NOW = "infinity"


@dataclass(frozen=True, slots=True)
class Late:
    """How many images lack a sample: ``waiting`` were not looked at yet, the bytes of ``missing``
    were gone when they were looked for."""

    waiting: int
    missing: int


def of(db: Connection, ids: Iterable[int], as_of: datetime | None = None) -> dict[int, bytes]:
    """Samples by image id, as far as they were there ``as_of`` a time (None: now)."""
    params = {"ids": sorted(set(ids)), "as_of": as_of or _NOW}
    return {r.image_id: bytes(r.sample) for r in db.execute(query("samples.of"), params)}


def late(db: Connection, limit: int) -> list[int]:
    """Images that lack one, those that were looked for in vain last."""
    return list(db.scalars(query("samples.late"), {"limit": limit}))


def claim_late(db: Connection, ids: Sequence[int]) -> list[Claimed]:
    """Of these images, those that lack one still, locked until the caller's transaction ends."""
    rows = db.execute(query("samples.claim_late"), {"ids": list(ids)})
    return [Claimed(r.image_id, r.sha256, False, False, tuple(r.uris)) for r in rows]


def save_late(
    db: Connection, claimed: Iterable[int], found: Mapping[int, bytes], *, again: bool
) -> None:
    """Write the samples that were ``found`` of ``claimed`` images, and note when the others were
    looked for in vain: the first time, or ``again`` each time."""
    rows = [{"image_id": i, "sample": sample.hex()} for i, sample in found.items()]
    db.execute(query("samples.save_late"), {"rows": json.dumps(rows)})
    noted = {"ids": list(claimed), "made": list(found), "again": again}
    db.execute(query("samples.note_late"), noted)


def count_late(db: Connection) -> Late:
    row = db.execute(query("samples.count_late")).one()
    return Late(row.waiting, row.missing)
