"""What time leaves behind, and what must go: see ``docs/upkeep.md``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection

from ris_jobs.store.images import Claimed
from ris_jobs.store.queries import query


def unfinished(db: Connection, before: datetime, reindex_before: datetime) -> list[int]:
    """Runs that have not ended and began before this: before another time for those that change
    the model."""
    params = {"before": before, "reindex_before": reindex_before}
    return list(db.scalars(query("upkeep.unfinished"), params))


def close_runs(db: Connection, ids: Sequence[int]) -> None:
    """They failed. One that still lives says otherwise when it ends."""
    db.execute(query("upkeep.close_runs"), {"ids": list(ids)})


def count_outdated(db: Connection, before: datetime) -> int:
    """Images that no URI showed since then."""
    return int(db.execute(query("upkeep.count_outdated"), {"before": before}).scalar_one())


def retire(db: Connection, before: datetime, after: int, limit: int) -> list[int]:
    """Forget what describes some of them, the next after that image. Returns which, in order; none
    when there are no more."""
    params = {"before": before, "after": after, "limit": limit}
    ids = list(db.scalars(query("upkeep.outdated"), params))
    for name in ("samples.leave_late", "upkeep.forget_descriptors", "upkeep.retire"):
        db.execute(query(name), {"ids": ids})
    return ids


def undescribed(db: Connection, model_id: int, ids: Sequence[int]) -> list[int]:
    """Which of these images the model has no descriptors of."""
    params = {"model_id": model_id, "ids": list(ids)}
    return sorted({*ids} - {*db.scalars(query("upkeep.described"), params)})


def unindex(db: Connection, model_id: int, ids: Sequence[int]) -> None:
    """The vectors of these images are to be put into the index again, and their neighbours to be
    judged again: what was matched while the vectors were lost did not meet them."""
    db.execute(query("upkeep.unindex"), {"model_id": model_id, "ids": list(ids)})


def pictured(db: Connection, low: str, high: str) -> dict[str, bool]:
    """sha256 → whether there must be a preview, of images that may have one, with a sha256 from
    ``low`` on and below ``high``."""
    rows = db.execute(query("upkeep.pictured"), {"low": low, "high": high})
    return {r.sha256: r.made for r in rows}


def places(db: Connection, hashes: Sequence[str]) -> Iterator[Claimed]:
    """Where the bytes of these images may be read."""
    for r in db.execute(query("upkeep.places"), {"hashes": list(hashes)}):
        yield Claimed(r.image_id, r.sha256, True, False, tuple(r.uris))


def analyze(db: Connection) -> None:
    """Let PostgreSQL look at the large tables, so that it plans well."""
    db.execute(query("upkeep.analyze"))


def hold(db: Connection, image_id: int) -> None:
    """Wait until nobody else works at the image, and keep others from it until the caller's
    transaction ends. Taken before :func:`ris_jobs.store.matches.lock`, as by all that match."""
    for name in ("upkeep.hold_image", "upkeep.hold_descriptors"):
        db.execute(query(name), {"image_id": image_id})


def erase(db: Connection, image_id: int, who: str, why: str, *, allow_return: bool) -> int:
    """Forget all that is known of an image but that it was there, and note who wanted it. Returns
    the id of this note."""
    params = {"image_id": image_id, "who": who, "why": why, "allow_return": allow_return}
    noted = db.execute(query("upkeep.note_erasure"), params).scalar_one()
    for name in ("upkeep.erase_hits", "upkeep.erase", "samples.forget_late"):
        db.execute(query(name), {"image_id": image_id})
    db.execute(query("upkeep.forget_descriptors"), {"ids": [image_id]})
    return int(noted)
