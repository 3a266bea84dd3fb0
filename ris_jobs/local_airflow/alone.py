"""One `ris airflow` at a time runs in a home, and begins once what an earlier one left has ended.

Both are locks on files, which the kernel drops with the last process that holds them.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ris_jobs.errors import AirflowUnavailable

__all__ = ["alone", "runs"]

_LOG = logging.getLogger("ris_jobs")


@contextmanager
def alone(home: Path) -> Iterator[int]:
    """Be the only one in a home. Gives a file descriptor for the guard: the next one waits as long
    as somebody has it open. Raises :class:`AirflowUnavailable` where another runs."""
    with (home / "running").open("ab") as running, (home / "ending").open("ab") as ending:
        if not _taken(running):
            fix = "Stop it, or set RIS_HOME, and --port, for one beside it."
            raise AirflowUnavailable(str(home), "another `ris airflow` runs there", fix)
        if not _taken(ending):
            _LOG.warning("the programs of a `ris airflow` that was killed are about to end")
            fcntl.flock(ending, fcntl.LOCK_EX)
        yield ending.fileno()


def runs(home: Path) -> bool:
    """Whether one runs in this home."""
    with (home / "running").open("ab") as running:
        return not _taken(running)


def _taken(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
