"""A batch is done again while a server is away, within limits, and only then."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from ris_jobs.errors import VectorsUnavailable
from ris_jobs.jobs.patience import patiently


class Away:
    """Work that fails so often before it is done."""

    def __init__(self, times: int, error: Exception) -> None:
        self.left, self.error, self.tries = times, error, 0

    def __call__(self) -> str:
        self.tries += 1
        if self.tries <= self.left:
            raise self.error
        return "done"


def milvus(passing: bool) -> VectorsUnavailable:
    return VectorsUnavailable("http://host", "search failed", "Wait.", passing=passing)


def test_it_is_done_again_until_it_is_done() -> None:
    work = Away(2, milvus(passing=True))
    assert patiently(work, 10) == "done"
    assert work.tries == 3


def test_what_does_not_pass_is_not_tried_again() -> None:
    work = Away(1, milvus(passing=False))
    with pytest.raises(VectorsUnavailable):
        patiently(work, 10)
    assert work.tries == 1


def test_patience_ends() -> None:
    work = Away(100, milvus(passing=True))
    started = time.monotonic()
    with pytest.raises(VectorsUnavailable):
        patiently(work, 1)
    assert work.tries == 2
    assert time.monotonic() - started < 2


def test_a_server_that_is_not_there_passes_and_a_wrong_statement_does_not(
    database_url: str,
) -> None:
    tries = {"nowhere": 0, "wrong": 0}

    def ask(name: str, url: str, statement: str) -> None:
        tries[name] += 1
        engine = create_engine(url)
        try:
            with engine.connect() as db:
                db.execute(text(statement))
        finally:
            engine.dispose()

    nowhere = "postgresql+psycopg2://me@/db?host=/nowhere"
    with pytest.raises(OperationalError):
        patiently(lambda: ask("nowhere", nowhere, "SELECT 1"), 1)
    with pytest.raises(DBAPIError, match="does not exist"):
        patiently(lambda: ask("wrong", database_url, "SELECT none"), 1)
    assert tries == {"nowhere": 2, "wrong": 1}
