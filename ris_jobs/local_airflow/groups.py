"""Groups of processes, which are ended even if who started them is killed.

A process cannot mend its own SIGKILL, so a guard outside of it holds the other end of a pipe.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

__all__ = ["Guard", "end"]

_STOP_S = 20.0


def end(group: int, reap: Callable[[], object]) -> None:
    """SIGTERM to a group, and after 20 s SIGKILL; ``reap`` is called while it is waited for."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + _STOP_S
        if _signalled(group, signum):
            while _signalled(group, 0) and time.monotonic() < until:
                reap()
                time.sleep(0.05)


def _signalled(group: int, signum: int) -> bool:
    """Whether there was somebody to signal."""
    try:
        os.killpg(group, signum)
    except ProcessLookupError:
        return False
    return True


class Guard:
    """Ends the groups that it was told of, the last first, once this process is gone. Until then it
    has these file descriptors open, too."""

    def __init__(self, *kept: int) -> None:
        self._kept = kept

    @contextmanager
    def running(self) -> Iterator[Guard]:
        command = (sys.executable, "-IS", __file__)
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, start_new_session=True, pass_fds=self._kept
        ) as process:
            assert process.stdin
            self._pipe = process.stdin
            yield self

    def watch(self, group: int) -> None:
        self._tell(group)

    def forget(self, group: int) -> None:
        """It has ended, and another may come to have its number."""
        self._tell(-group)

    def _tell(self, number: int) -> None:
        with suppress(BrokenPipeError):  # without its guard, Airflow still runs
            self._pipe.write(b"%d\n" % number)
            self._pipe.flush()


def _guard(told: BinaryIO) -> None:
    groups: list[int] = []
    for number in map(int, told):
        if number > 0:
            groups.append(number)
        else:
            groups.remove(-number)
    for group in reversed(groups):
        end(group, lambda: None)


if __name__ == "__main__":
    _guard(sys.stdin.buffer)
