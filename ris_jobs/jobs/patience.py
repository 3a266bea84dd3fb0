"""A server that goes away in mid-work, and comes back: the batch under way is done again.

A batch is one transaction, so nothing of one that was cut off is left, and Milvus takes a vector
that it already has in place of the same. How long a job waits is ``RIS_PATIENCE``; after that it
fails, and an orchestrator, or the next night, goes on where it stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from ris_jobs.errors import VectorsUnavailable

__all__ = ["patiently"]

Done = TypeVar("Done")

_LOG = logging.getLogger("ris_jobs")
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 15.0
# Of SQLSTATE: connection exceptions, rollbacks (a deadlock), operators (a restart).
_PASSING = ("08", "40", "57P")


def patiently(work: Callable[[], Done], seconds: float) -> Done:
    """What ``work`` returns, done again while a server is away, after longer and longer; once that
    lasts longer than ``seconds``, what it raised."""
    end, wait = None, _FIRST_WAIT_S
    while True:
        try:
            return work()
        except (DBAPIError, VectorsUnavailable) as error:
            now = time.monotonic()
            end = now + seconds if end is None else end
            if not _passes(error) or now + wait > end:
                raise
            _LOG.warning("%s; trying again in %.1f s", _said(error), wait)
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT_S)


def _passes(error: DBAPIError | VectorsUnavailable) -> bool:
    if isinstance(error, VectorsUnavailable):
        return error.passing
    code = getattr(error.orig, "pgcode", None)
    return error.connection_invalidated or code is None or code.startswith(_PASSING)


def _said(error: DBAPIError | VectorsUnavailable) -> str:
    """What happened, in one line and without the statement, which may hold anything."""
    if isinstance(error, VectorsUnavailable):
        return f"Milvus at {error.where}: {error.problem}"
    lines = str(error.orig).strip().splitlines()
    return f"PostgreSQL: {lines[0] if lines else type(error.orig).__name__}"
