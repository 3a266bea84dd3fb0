"""Programs that run in process groups of their own, and are started again when they end."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ris_jobs.local_airflow import groups

__all__ = ["Program", "Revival"]

_LOG = logging.getLogger("ris_jobs")
# What ends again within this time is started later and later.
_STEADY_S, _LONGEST_WAIT_S = 60.0, 60.0


class Revival:
    """When what ended is to be started again: at once the first time, then after longer and
    longer."""

    def __init__(self) -> None:
        self._wait, self._due, self._began = 1.0, 0.0, 0.0

    def begin(self) -> None:
        """It is started now."""
        self._began = time.monotonic()

    def due(self) -> bool:
        """Whether it is time, of what was seen to have ended."""
        now = time.monotonic()
        if self._due <= self._began:
            steady = now - self._began > _STEADY_S
            self._wait = 0.0 if steady else min(max(1.0, 2 * self._wait), _LONGEST_WAIT_S)
            self._due = now + self._wait
        return now >= self._due


class Program:
    """A program that runs in a process group of its own, and writes its log beside the others'."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        home: Path,
        guard: groups.Guard,
    ) -> None:
        self.name, self._command, self._env = name, command, env
        self._guard = guard
        self._log = home / f"{name}.log"
        self._revival = Revival()

    @contextmanager
    def running(self) -> Iterator[None]:
        self._start()
        try:
            yield
        finally:
            self._stop()

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def revive(self) -> None:
        """Start it again if it ended and it is time; the log says so."""
        if not self.ended or not self._revival.due():
            return
        _LOG.warning("%s ended (%s) and is started again", self.name, self._process.returncode)
        self._stop()
        self._start()

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._guard.watch(self._process.pid)
        self._revival.begin()

    def _stop(self) -> None:
        """It and what it started."""
        group = self._process.pid
        groups.end(group, self._process.poll)
        self._process.wait()
        self._guard.forget(group)
