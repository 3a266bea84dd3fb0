"""How long work shows itself: jobs report to a :class:`Progress`, callers decide how it looks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from ris_jobs.logs import about

Advance = Callable[[int], None]

_LOG = logging.getLogger("ris_jobs")
_HEARTBEAT_S = 30.0


class Progress(Protocol):
    """Shows the stages of a job."""

    def stage(self, name: str, total: int | None) -> AbstractContextManager[Advance]:
        """A stage of ``total`` images (None: not known yet); call the result with each advance."""


class LogProgress:
    """A log line at the start and end of each stage, and a heartbeat between."""

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        done = 0
        beat = time.monotonic()

        def advance(n: int) -> None:
            nonlocal done, beat
            done += n
            if time.monotonic() - beat >= _HEARTBEAT_S:
                beat = time.monotonic()
                _LOG.info("%s: %d of %s images", name, done, "?" if total is None else total)

        with about(stage=name):
            _LOG.info("%s: started, %s images", name, "?" if total is None else total)
            yield advance
            _LOG.info("%s: done, %d images", name, done)
