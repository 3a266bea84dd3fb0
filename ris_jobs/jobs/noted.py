"""How a run ends in ris.run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from ris_jobs.jobs.gauges import ended
from ris_jobs.logs import about
from ris_jobs.store import runs
from ris_jobs.store.runs import Run

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["noted"]


@contextmanager
def noted(engine: Engine, run: Run, total: DataclassInstance) -> Iterator[None]:
    """The run ends as done or failed, with what ``total`` holds by then; its log lines name it, and
    metrics count it."""
    status = "failed"
    try:
        with about(run=run.run_id):
            yield
        status = "done"
    finally:
        with engine.begin() as db:
            runs.finish(db, run, status, asdict(total))
        ended(engine, run.run_id)
