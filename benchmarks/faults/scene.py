"""Where nights are, and what they leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.faults import pictures
from benchmarks.faults.night import Disturbance, Night, Tables
from benchmarks.faults.servers import Milvus, Postgres
from ris_jobs import jobs
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine

Vectors = tuple[int, int, int]


@dataclass
class Scene:
    """Where nights are: a folder of pictures, a PostgreSQL, and how long servers stay away."""

    base: Path
    postgres: Postgres
    away: float
    pictures: Path
    bank: Path
    nights: int = 0

    @classmethod
    @contextmanager
    def set_up(cls, base: Path, away: float) -> Iterator[Scene]:
        folder, bank = base / "photos", base / "known.csv"
        pictures.write(folder)
        pictures.write_bank(bank)
        with Postgres.serving(base) as postgres:
            yield cls(base, postgres, away, folder, bank)

    def night(self, milvus: Milvus | None = None, **changed: Any) -> Night:
        """One to come, on a database of its own, with a bank of known hashes."""
        self.nights += 1
        settings = Settings(
            home=self.base / f"home-{self.nights}",
            database_url=self.postgres.database(),
            milvus_uri=milvus.uri if milvus else None,
            workers=2,
            batch_size=8,
        )
        settings = replace(settings, **changed)
        with open_engine(settings) as engine:
            jobs.import_bank(engine, self.bank, None)
        return Night(settings, self.pictures)

    @contextmanager
    def milvus(self) -> Iterator[Milvus]:
        with Milvus.serving(self.base / f"milvus-{self.nights}") as server:
            yield server


@dataclass(frozen=True)
class Outcome:
    """What a fault left, and what was said of it on the way."""

    tables: Tables
    vectors: Vectors
    said: list[str]


def through(night: Night, during: Mapping[str, Disturbance]) -> Outcome:
    """Let the night end, and look at what is there."""
    night.go(during)
    return Outcome(night.tables(), night.vectors(), night.said)
