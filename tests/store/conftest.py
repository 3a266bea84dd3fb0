"""An engine on a fresh database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

from ris_jobs.crawl import Observation
from ris_jobs.settings import Settings
from ris_jobs.store import ledger, runs
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.runs import Run
from tests.store.samples import MODEL


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with open_engine(settings) as engine:
        yield engine


@pytest.fixture
def model_id(engine: Engine) -> int:
    with engine.begin() as db:
        return runs.register_model(db, MODEL)


@pytest.fixture
def run(engine: Engine, settings: Settings) -> Run:
    with engine.begin() as db:
        return runs.start(db, "scan", settings)


@pytest.fixture
def see(engine: Engine, settings: Settings) -> Callable[..., ledger.Recorded]:
    """Record observations as a new run would."""

    def see(*observations: Observation) -> ledger.Recorded:
        with engine.begin() as db:
            run = runs.start(db, "crawl", settings)
            known = ledger.current(db, [o.uri for o in observations])
            return ledger.record(db, observations, known, run)

    return see
