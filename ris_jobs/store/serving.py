"""Which model serves, and the change to another one: see ``ris.serving`` and ``ris.reindex``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from ris_jobs.errors import ServingChanged
from ris_jobs.store.queries import query
from ris_jobs.store.runs import Model


@dataclass(frozen=True, slots=True)
class Served:
    """A model as the tables know it."""

    model_id: int
    model: Model


@dataclass(frozen=True, slots=True)
class Reindex:
    """The open change from the model ``former_id`` to ``model_id``. ``ready_at`` is when all
    images were described and matched by it."""

    reindex_id: int
    model_id: int
    former_id: int
    who: str
    started_at: datetime
    ready_at: datetime | None

    def beside(self, serving_id: int) -> int:
        """The one of its two models that does not serve."""
        return self.former_id if serving_id == self.model_id else self.model_id


@dataclass(frozen=True, slots=True)
class Figures:
    """How many ``images`` there are to describe, and how many of them a model described, Milvus
    has, and were matched; ``pairs`` are matches kept beside those that count."""

    images: int
    described: int
    indexed: int
    matched: int
    pairs: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model was to serve since when, who chose it and why; ``gate`` is what stood against
    it when it was ``forced``."""

    model: str
    since: datetime
    who: str
    why: str
    forced: bool
    gate: Sequence[str]


def current(db: Connection) -> Served | None:
    """The model that serves; None while it is that of the settings."""
    return _served(db.execute(query("serving.current")).mappings().first())


def last_scanned(db: Connection) -> Model | None:
    """The model of the last scan; None where there was none, or it left nothing described."""
    found = _served(db.execute(query("serving.last_scanned")).mappings().first())
    return None if found is None else found.model


def model(db: Connection, model_id: int) -> Model:
    """KeyError when there is no such model."""
    found = _served(db.execute(query("serving.model"), {"model_id": model_id}).mappings().first())
    if found is None:
        raise KeyError(model_id)
    return found.model


def indexed_models(db: Connection) -> list[Served]:
    """Models that have a collection in Milvus."""
    rows = db.execute(query("serving.others")).mappings()
    return [found for row in rows if (found := _served(row))]


def choose(
    db: Connection,
    model_id: int,
    who: str,
    why: str,
    *,
    gate: Sequence[str] = (),
    run_id: int | None = None,
) -> None:
    """From now on this model serves; it was forced if the gate had anything against it."""
    params = {"model_id": model_id, "who": who, "why": why, "run_id": run_id}
    params |= {"forced": bool(gate), "gate": json.dumps(list(gate))}
    db.execute(query("serving.set"), params)


def log(db: Connection) -> list[Choice]:
    """The latest choices, the last first."""
    return [Choice(*row) for row in db.execute(query("serving.log"))]


def ever_served(db: Connection, model_id: int) -> bool:
    return bool(db.scalar(query("serving.served"), {"model_id": model_id}))


def open_reindex(db: Connection) -> Reindex | None:
    row = db.execute(query("serving.open")).first()
    return None if row is None else Reindex(*row)


def start(db: Connection, model_id: int, former_id: int, who: str) -> None:
    params = {"model_id": model_id, "former_id": former_id, "who": who}
    db.execute(query("serving.start"), params)


def set_ready(db: Connection, reindex_id: int) -> None:
    db.execute(query("serving.set_ready"), {"reindex_id": reindex_id})


def close(db: Connection, reindex_id: int) -> None:
    db.execute(query("serving.close"), {"reindex_id": reindex_id})


def figures(db: Connection, model_id: int) -> Figures:
    return Figures(*db.execute(query("serving.figures"), {"model_id": model_id}).one())


def end_switch(db: Connection, since: datetime) -> bool:
    """Whether the new model was chosen since then, and serves; its run is done, if it was killed
    before it could say so."""
    run_id = db.scalar(query("serving.switched"), {"since": since})
    if run_id is not None:
        db.execute(query("serving.end_switch"), {"run_id": run_id})
    return run_id is not None


def scan_under_way(db: Connection) -> int | None:
    """The newest scan, unless it has ended."""
    run_id: int | None = db.scalar(query("serving.scan_under_way"))
    return run_id


def must_serve(db: Connection, model_id: int) -> None:
    """Raise :class:`ServingChanged` if another model serves, under
    :func:`ris_jobs.store.matches.lock`: its matches must not get among those that count."""
    served = current(db)
    if served is not None and served.model_id != model_id:
        raise ServingChanged()


def must_stand_beside(db: Connection, model_id: int) -> None:
    """Raise :class:`ServingChanged` if the model serves, or its reindex was closed, likewise."""
    reindex, served = open_reindex(db), current(db)
    if reindex is None or served is None or reindex.beside(served.model_id) != model_id:
        raise ServingChanged()


def _served(row: RowMapping | None) -> Served | None:
    if row is None:
        return None
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    return Served(values.pop("model_id"), Model(**values))
