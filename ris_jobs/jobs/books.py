"""Where matches are written: among those that count, or beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from ris_jobs.match import Match
from ris_jobs.store import matches, serving, shadow, suppression

Ids = tuple[int, int]


class Book(Protocol):
    """The matches of one model."""

    def known(self, db: Connection, ids: Sequence[int]) -> list[Ids]:
        """Its pairs among these images that are not suppressed."""

    def write(self, db: Connection, found: Sequence[Match], looked_up: Sequence[int]) -> int:
        """Write what was found for the images that were ``looked_up``, under
        :func:`ris_jobs.store.matches.lock`. Returns how many rows that were.

        Raises :class:`ris_jobs.errors.ServingChanged` where they do not belong here any more.
        """


@dataclass(frozen=True, slots=True)
class Counted:
    """The matches that count: those of the model that serves."""

    model_id: int
    calibration: str
    run_id: int
    hub_limit: int

    def known(self, db: Connection, ids: Sequence[int]) -> list[Ids]:
        return [(p.derived_id, p.source_id) for p in matches.pairs(db, ids)]

    def write(self, db: Connection, found: Sequence[Match], looked_up: Sequence[int]) -> int:
        serving.must_serve(db, self.model_id)
        written = matches.save(
            db,
            found,
            model_id=self.model_id,
            calibration=self.calibration,
            run_id=self.run_id,
        )
        suppression.settle(db, looked_up, self.hub_limit)
        return written


@dataclass(frozen=True, slots=True)
class Apart:
    """The matches of the model that stands beside it."""

    model_id: int
    calibration: str
    run_id: int

    def known(self, db: Connection, ids: Sequence[int]) -> list[Ids]:
        return shadow.pairs(db, self.model_id, ids)

    def write(self, db: Connection, found: Sequence[Match], looked_up: Sequence[int]) -> int:
        serving.must_stand_beside(db, self.model_id)
        return shadow.save(
            db,
            found,
            model_id=self.model_id,
            calibration=self.calibration,
            run_id=self.run_id,
        )
