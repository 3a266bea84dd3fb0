"""Images: distinct bytes, and their fingerprints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row

from ris_jobs.errors import ImageRejected
from ris_jobs.fingerprint import Fingerprint, Hashes, Quality, as_json, from_json
from ris_jobs.store.outside import storable
from ris_jobs.store.queries import query


@dataclass(frozen=True, slots=True)
class Claimed:
    """An image to fingerprint; ``new`` is False when only a descriptor is missing, for it is
    another model's turn, or because the image came back after it was ``retired``."""

    image_id: int
    sha256: str
    new: bool
    retired: bool
    uris: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """An image as the tables hold it, but for its sample (:mod:`ris_jobs.store.samples`), which few
    ask for."""

    image_id: int
    sha256: str
    first_seen_at: datetime
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known at a URI or of some bytes, whether it can be used (``status`` ok) or not:
    then ``detail`` says why. Bytes that could not be read have ``image_id`` 0 and no sha256."""

    image_id: int
    uri: str
    sha256: str
    status: str
    detail: str | None
    first_seen_at: datetime


Sources = Sequence[int] | None
"""Ids of those whose images are meant; None: all are."""


def claim_pending(db: Connection, after: int, limit: int, sources: Sources = None) -> list[Claimed]:
    """The next images that were never fingerprinted, locked until the caller's transaction ends."""
    return _claimed(db, "claim_pending", after=after, limit=limit, sources=sources)


def claim_undescribed(
    db: Connection, model_id: int, after: int, limit: int, sources: Sources = None
) -> list[Claimed]:
    """The next images that are fingerprinted, but not described by the model, locked likewise."""
    params = {"model_id": model_id, "after": after, "limit": limit, "sources": sources}
    return _claimed(db, "claim_undescribed", **params)


def _claimed(db: Connection, name: str, **params: Any) -> list[Claimed]:
    rows = db.execute(query(f"images.{name}"), params).all()
    ids = {"ids": [r.image_id for r in rows]}
    uris = {r.image_id: tuple(r.uris) for r in db.execute(query("images.readable_at"), ids)}
    return [
        Claimed(r.image_id, r.sha256, r.status == "pending", r.retired, uris[r.image_id])
        for r in rows
    ]


def count_pending(db: Connection, sources: Sources = None) -> int:
    return int(db.execute(query("images.count_pending"), {"sources": sources}).scalar_one())


def count_undescribed(db: Connection, model_id: int, sources: Sources = None) -> int:
    params = {"model_id": model_id, "sources": sources}
    return int(db.execute(query("images.count_undescribed"), params).scalar_one())


def count_lacking(db: Connection, model_id: int) -> tuple[int, int, list[str]]:
    """How many images a change to this model waits for, how many are :func:`leave_out`, and the
    URIs of the first ten of these."""
    row = db.execute(query("images.count_lacking"), {"model_id": model_id}).one()
    return row.undescribed, row.left_out, sorted(uris(db, row.first).values())


def leave_out(db: Connection, model_id: int, run_id: int) -> None:
    """Note that a run has tried all images, and could not read those that are not described."""
    db.execute(query("images.forget_left_out"), {"model_id": model_id})
    db.execute(query("images.leave_out"), {"model_id": model_id, "run_id": run_id})


def save_fingerprints(db: Connection, found: Mapping[int, Fingerprint]) -> None:
    rows = [{"image_id": i} | _columns(f) for i, f in found.items()]
    db.execute(query("images.save_fingerprints"), {"rows": json.dumps(rows)})


def quarantine(db: Connection, rejected: Mapping[int, ImageRejected], judged_by: str) -> None:
    rows = [
        {"image_id": i, "reason": e.reason.value, "detail": storable(e.detail)}
        for i, e in rejected.items()
    ]
    db.execute(query("images.quarantine"), {"rows": json.dumps(rows), "judged_by": judged_by})


def judged(db: Connection, sha256s: Sequence[str]) -> dict[str, bool]:
    """Of those bytes that are images: whether they are needed no more."""
    rows = db.execute(query("images.judged"), {"sha256s": list(sha256s)})
    return {r.sha256: r.judged for r in rows}


def erased(db: Connection, sha256s: Sequence[str]) -> list[str]:
    """Those of these bytes that are not to be kept."""
    return list(db.scalars(query("images.erased"), {"sha256s": list(sha256s)}))


def unretire(db: Connection, ids: Sequence[int]) -> None:
    """These came back, and are described again."""
    if ids:
        for name in ("images.unretire", "samples.await_late"):
            db.execute(query(name), {"ids": list(ids)})


def all_ids(db: Connection) -> list[int]:
    """Every image that can be used."""
    return list(db.scalars(query("images.all_ids")))


def by_ids(db: Connection, ids: Iterable[int]) -> dict[int, Stored]:
    rows = db.execute(query("images.by_ids"), {"ids": sorted(set(ids))})
    return {r.image_id: _stored(r) for r in rows}


def shown_at(db: Connection, uri: str) -> Seen | None:
    """What the URI shows, or showed last."""
    row = db.execute(query("images.shown_at"), {"uri": uri}).first()
    return None if row is None else Seen(*row)


def of_bytes(db: Connection, sha256: str) -> Seen | None:
    """The image with this sha256 (lower-case hex), at the URI that stands for it."""
    row = db.execute(query("images.of_bytes"), {"sha256": sha256}).first()
    return None if row is None else Seen(*row)


def uris(db: Connection, ids: Sequence[int]) -> dict[int, str]:
    """The URI that stands for each image."""
    return {r.image_id: r.uri for r in db.execute(query("images.uris"), {"ids": list(ids)})}


def _columns(f: Fingerprint) -> dict[str, Any]:
    return {
        "width": f.width,
        "height": f.height,
        "format": f.format,
        "frames": f.frames,
        "exif_orientation": f.exif_orientation,
        "phash": _pack(f.hashes.phash),
        "dhash": _pack(f.hashes.dhash),
        "pdq": f.hashes.pdq.hex(),
        "pdq_quality": f.hashes.pdq_quality,
        "complexity": f.quality.complexity,
        "colourfulness": f.quality.colourfulness,
        "spectrum": list(f.quality.spectrum),
        "traces": storable(as_json(f.traces)),  # from a child that may be in a stranger's hands
        "sample": f.sample.hex(),
    }


def _stored(r: Row[Any]) -> Stored:
    hashes = Hashes(_unpack(r.phash), _unpack(r.dhash), bytes(r.pdq), r.pdq_quality)
    quality = Quality(r.complexity, r.colourfulness, tuple(r.spectrum))
    found = Fingerprint(
        width=r.width,
        height=r.height,
        format=r.format,
        frames=r.frames,
        exif_orientation=r.exif_orientation,
        hashes=hashes,
        quality=quality,
        traces=from_json(r.traces),
    )
    return Stored(r.image_id, r.sha256, r.first_seen_at, found)


def _pack(values: Sequence[int]) -> str:
    return np.asarray(values, ">u8").tobytes().hex()


def _unpack(data: bytes) -> tuple[int, ...]:
    return tuple(np.frombuffer(data, ">u8").tolist())
