"""Runs and models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from ris_jobs.errors import NotFound
from ris_jobs.rules import code_version
from ris_jobs.settings import Settings
from ris_jobs.store.queries import query


@dataclass(frozen=True, slots=True)
class Run:
    """A run under way. All its observations carry ``started_at``; what it quarantines carries
    ``judged_by``, the settings and code (:mod:`ris_jobs.rules`) it was judged with."""

    run_id: int
    started_at: datetime
    judged_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A row of ris.model, as its descriptor knows itself; ``regions`` like ``5+10``, see
    :class:`ris_jobs.fingerprint.regions.Regions`."""

    name: str
    version: str
    weights_sha256: str
    dim: int
    input_size: int
    regions: str


def register_model(db: Connection, model: Model) -> int:
    """The id of the model, the same for ever for the same weights and regions."""
    params = {f: getattr(model, f) for f in model.__slots__}
    found: int | None = db.scalar(query("runs.register_model"), params)
    if found is None:
        # Another process made the row between our look and our insert.
        found = db.execute(query("runs.register_model"), params).scalar_one()
    return found


def find_model(db: Connection, model: Model) -> int | None:
    """The id of the model, if it was ever registered."""
    params = {f: getattr(model, f) for f in model.__slots__}
    found: int | None = db.scalar(query("runs.find_model"), params)
    return found


def start(
    db: Connection,
    kind: str,
    settings: Settings,
    *,
    roots: Sequence[str] = (),
    model_id: int | None = None,
    calibration: str | None = None,
) -> Run:
    row = db.execute(
        query("runs.insert"),
        {
            "kind": kind,
            "roots": list(roots),
            "model_id": model_id,
            "calibration": calibration,
            "settings": json.dumps(settings.masked()),
            "settings_hash": settings.results_hash(),
            "code_version": code_version(),
        },
    ).one()
    return Run(row.run_id, row.started_at, _judged_by(row.settings_hash, row.code_version))


def resume(db: Connection, run_id: int) -> Run:
    """A run that another process started."""
    row = get(db, run_id)
    return Run(run_id, row["started_at"], _judged_by(row["settings_hash"], row["code_version"]))


def finish(db: Connection, run: Run, status: str, summary: Mapping[str, Any]) -> None:
    params = {"run_id": run.run_id, "status": status, "summary": json.dumps(summary)}
    db.execute(query("runs.finish"), params)


def get(db: Connection, run_id: int | None) -> RowMapping:
    """A run's row with ``model`` spelled out; the newest finished scan for None."""
    row = db.execute(query("runs.get"), {"run_id": run_id}).mappings().first()
    if row is None:
        which = "no scan has finished yet" if run_id is None else f"there is no run {run_id}"
        raise NotFound(f"{which}; `ris scan FOLDER` makes one")
    return row


def nights(db: Connection, run_id: int, limit: int) -> list[tuple[datetime, Mapping[str, Any]]]:
    """The scans before a run that looked at images, newest first: when each ended, its summary."""
    rows = db.execute(query("runs.nights"), {"run_id": run_id, "limit": limit})
    return [(r.finished_at, r.summary) for r in rows]


def cosines(db: Connection, run_id: int, lowest: float, bins: int) -> tuple[int, ...]:
    """How many pairs of the run have a cosine in each bin from ``lowest`` to 1."""
    params = {"run_id": run_id, "lowest": lowest, "bins": bins}
    found = {r.bin: r.pairs for r in db.execute(query("runs.cosines"), params)}
    return tuple(found.get(n, 0) for n in range(1, bins + 1))


def lock_collections(db: Connection) -> None:
    """Nobody opens, fills or makes a collection until the caller's transaction ends."""
    db.execute(query("runs.lock_collection"))


def share_collections(db: Connection) -> None:
    """Others may fill collections, too, but none is made anew until the caller's transaction
    ends."""
    db.execute(query("runs.share_collection"))


def collection(db: Connection, model_id: int) -> str | None:
    """The Milvus collection that the model's ``indexed_at`` speaks of."""
    found: str | None = db.scalar(query("runs.collection"), {"model_id": model_id})
    return found


def set_collection(db: Connection, model_id: int, name: str | None) -> None:
    db.execute(query("runs.set_collection"), {"model_id": model_id, "collection": name})


def _judged_by(settings_hash: str, code_version: str) -> str:
    return f"{settings_hash} {code_version}"
