"""Status: what waits, how runs and upkeep went, what needs a hand. Milvus is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine

from ris_jobs.jobs.models import keeps_model, model_of
from ris_jobs.jobs.wanted import named_ids, uri_of
from ris_jobs.report.operation import Status, needs
from ris_jobs.settings import Settings
from ris_jobs.store import reports, runs, sources
from ris_jobs.store import status as store
from ris_jobs.store.home import free_bytes, nearly_full
from ris_jobs.store.postgres import open_engine

__all__ = ["status", "waiting"]

_RUNS = 6
# A model that no image is described by.
_NONE = 0


def status(engine: Engine, settings: Settings) -> Status:
    """As the tables have it now; it may be asked while jobs are at work."""
    with engine.connect() as db:
        at = store.now(db)
        waiting, last = store.waiting(db, at), store.last(db, _roots(db))
        return Status(
            at=at,
            waiting=waiting,
            runs=store.newest(db, _RUNS),
            upkeep=next((run for run in last if run.kind == "upkeep"), None),
            quarantine=reports.quarantined_by_reason(db),
            sizes=store.sizes(db) | _folders(settings),
            needs=(*needs(at, last, waiting, store.began(db)), *_room(settings)),
        )


def waiting(settings: Settings, of: Sequence[str] = ()) -> dict[str, int]:
    """How many images wait for each stage of a scan under these settings and their model, of these
    sources or of all (for ``resolve``: pairs, of all). Raises what :func:`ris_jobs.jobs.begin`
    does."""
    with open_engine(settings) as engine, engine.connect() as db:
        model = model_of(keeps_model(db, settings))
        model_id = runs.find_model(db, model) or _NONE
        found = store.waiting(db, store.now(db), named_ids(db, of), model_id)
    return {w.stage: w.images for w in found}


def _roots(db: Connection) -> list[str]:
    """Of what nights crawl, as runs name them."""
    return [uri_of(stored) for stored, _ in sources.there(db) if stored.enabled]


def _folders(settings: Settings) -> dict[str, int]:
    """Of what is on this machine: Milvus Lite, and what is free beside it."""
    lite = settings.home / "milvus.db"
    found = {"milvus_lite_bytes": _bytes(lite)} if lite.exists() else {}
    if settings.home.exists():
        found["disk_free_bytes"] = free_bytes(settings.home)
    return found


def _room(settings: Settings) -> list[str]:
    said = nearly_full(settings.home) if settings.home.exists() else None
    return [f"{said}: make room there, before jobs fail"] if said else []


def _bytes(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
